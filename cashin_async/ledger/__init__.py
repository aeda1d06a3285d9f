"""The record of every number ever handed over: what keeps a second run from billing anybody twice."""
