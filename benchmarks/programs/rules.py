"""All rules on one invoice beside `json.dumps` of it: in turns, in one process."""

import gc
import json
import time
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from benchmarks.invoices import CREDITOR, correct
from benchmarks.programs.job import Job
from cashin_async import SalesInvoice
from cashin_async.rules import RuleSet

_DIFFERENT = 100
"""Invoices that are gone through in a turn: no value comes twice in a row."""
_TURNS = 100


def beside_json(job: Job) -> int:
    """Of each way the quickest turn, in microseconds an invoice: the others were disturbed by the machine."""
    rule_set = RuleSet(iban=CREDITOR)
    ways: dict[str, tuple[Callable[[Any], Any], list[Any]]] = {}
    for kind, loaded in (("ordinary", False), ("loaded", True)):
        dicts = list(correct(_DIFFERENT, loaded=loaded))
        lines = [json.dumps(one, ensure_ascii=False).encode() for one in dicts]
        structs = [msgspec.json.decode(line, type=SalesInvoice) for line in lines]
        assert not any(map(rule_set.check, structs)), "they are to be without a problem"
        ways[f"{kind}_struct"] = rule_set.check, structs
        ways[f"{kind}_bytes"] = rule_set.inspect, lines
        ways[f"{kind}_json"] = json.dumps, dicts
    quickest = dict.fromkeys(ways, float("inf"))
    gc.collect()
    for _ in range(_TURNS):
        for name, (work, invoices) in ways.items():
            quickest[name] = min(quickest[name], _timed(work, invoices))
    job.found |= {name: seconds * 1e6 / _DIFFERENT for name, seconds in quickest.items()}
    return _TURNS * _DIFFERENT


def _timed(work: Callable[[Any], Any], invoices: Iterable[Any]) -> float:
    started = time.perf_counter()
    for one in invoices:
        work(one)
    return time.perf_counter() - started
