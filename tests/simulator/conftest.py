"""The plugin's fixture, also when the package is not installed and its entry point therefore not known."""

from cashin_async.simulator.plugin import cashin_simulator

__all__ = ["cashin_simulator"]
