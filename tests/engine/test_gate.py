"""The gate, where its turns and the event loop's meet."""

import pytest

from cashin_async.bulk.admission import Admission
from cashin_async.bulk.gate import Gate, Halted
from cashin_async.bulk.verdict import judge
from cashin_async.transport.exchange import NoProof


async def test_who_comes_just_when_the_breaker_gives_up_is_sent_home_with_the_others() -> None:
    gate = Gate(Admission(breaker_row=1, breaker_after=0.0))
    first = await gate.arrive(100).come()
    waiting = gate.arrive(100)
    gate.finish(first, judge(NoProof("cut off"), range(100)))
    late = gate.arrive(100)  # before anybody could hear of it
    for turn in (waiting, late):
        with pytest.raises(Halted, match="breaker_after"):
            await turn.come()
    assert gate.arrive(100).comes.done(), "whoever comes later may try anew"
