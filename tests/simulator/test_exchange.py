"""One POST through the faults that strike it, without a server."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashin_async.models import UploadReceipt
from cashin_async.simulator.effects import LookedFor, Sent
from cashin_async.simulator.exchange import Decision, decide, look_up, read_invoices, read_numbers
from cashin_async.simulator.faults import parse
from cashin_async.simulator.replies import Answer

NUMBERS = (11, 12, 13, 14)


def decided(specs: Sequence[str], numbers: tuple[int, ...] = NUMBERS, problem: str = "") -> Decision:
    return decide(Sent(b"[...]", numbers, at=1.0, clock=1.0), [parse(spec) for spec in specs], problem)


def receipt(decision: Decision) -> UploadReceipt:
    assert isinstance(decision.reply, Answer)
    assert decision.reply.status == 202
    return msgspec.json.decode(decision.reply.body, type=UploadReceipt)


def test_nothing_strikes() -> None:
    decision = decided([])
    assert list(decision.applied) == [0, 1, 2, 3]
    assert isinstance(decision.reply, Answer)
    assert msgspec.json.decode(decision.reply.body) == {
        "StatusDescription": "Successfull upload of sales invoices (4).",
        "UploadedInvoicesCount": 4,
        "FailedInvoicesCount": 0,
        "FailedInvoices": None,
    }


def test_failures_of_several_faults_come_in_the_order_of_the_array() -> None:
    decision = decided(["fail-number=13", "fail-string=11,14", "miscount=1"])
    got = receipt(decision)
    assert list(decision.applied) == [1]
    assert decision.faults == ("fail-number=13", "fail-string=11,14", "miscount=1")
    assert (got.uploaded_invoices_count, got.failed_invoices_count) == (2, 3)
    assert got.failed_invoices == ["11", 13, "14"]


@pytest.mark.parametrize(
    ("specs", "applied", "reply"),
    [
        (["drop-after", "500-before"], 0, "500"),
        (["500-after", "hang-after"], 4, "500"),
        (["hang-after", "500-after"], 4, "hang"),
        (["fail-number=11", "500-after"], 3, "500"),
        (["poison=13"], 0, "400"),
        (["poison-422-partly=14,13"], 2, "422"),
        (["poison-402-partly=11"], 0, "402"),
        (["poison=99", "drop-after"], 4, "cut"),
        (["413-items=3"], 0, "413"),
        (["413-items=4"], 4, "202"),
        (["413-bytes=4"], 0, "413"),
        (["413-bytes=5"], 4, "202"),
        (["not-http"], 4, "bytes"),
    ],
)
def test_what_is_applied_and_replied(specs: list[str], applied: int, reply: str) -> None:
    decision = decided(specs)
    assert (len(decision.applied), str(decision.reply)) == (applied, reply)


def test_what_is_applied_late_is_replied_at_once() -> None:
    decision = decided(["fail-number=12", "apply-late=2.5"])
    assert (list(decision.applied), str(decision.reply), decision.late) == ([0, 2, 3], "cut", 2.5)
    assert decided(["500-after", "apply-late=2.5"]).late == 0


@pytest.mark.parametrize(
    ("specs", "times", "reply", "faults"),
    [
        ([], 1, "200", ()),
        ([], 0, "404", ()),
        (["drop-after", "500-before", "poison=11", "apply-late=1"], 1, "200", ()),
        (["lookup-always-200"], 0, "200", ("lookup-always-200",)),
        (["lookup-always-404"], 2, "404", ("lookup-always-404",)),
        (["lookup-echo"], 0, "200", ("lookup-echo",)),
        (["lookup-stale=5"], 1, "404", ("lookup-stale=5",)),
        (["lookup-stale=4"], 1, "200", ()),
        (["lookup-stale=4", "lookup-500"], 1, "500", ("lookup-500",)),
        (["lookup-hang", "lookup-drop"], 1, "hang", ("lookup-hang",)),
    ],
)
def test_what_a_look_up_is_replied(specs: list[str], times: int, reply: str, faults: tuple[str, ...]) -> None:
    """The number was applied four seconds ago."""
    decision = look_up(LookedFor(11, times, since=10.0, at=14.0), [parse(spec) for spec in specs])
    assert (str(decision.reply), decision.faults, list(decision.applied)) == (reply, faults, [])


def test_faults_of_look_ups_leave_a_post_alone() -> None:
    specs = ["lookup-echo", "lookup-stale=9", "lookup-500", "lookup-hang", "lookup-always-404"]
    assert decided(specs) == decided([])


def test_a_body_that_cannot_be_read() -> None:
    assert str(decided([], (), "no JSON").reply) == "400"
    assert str(decided(["503-before"], (), "no JSON").reply) == "503"
    assert decided(["drop-after"], (), "no JSON") == decided([], (), "no JSON")


@given(st.lists(st.integers(1, 6)), st.frozensets(st.integers(1, 6), min_size=1))
def test_the_counts_add_up(numbers: list[int], culprits: frozenset[int]) -> None:
    decision = decided([f"fail-object={','.join(map(str, culprits))}"], tuple(numbers))
    got = receipt(decision)
    assert got.uploaded_invoices_count + got.failed_invoices_count == len(numbers)
    assert [numbers[index] for index in decision.applied] == [number for number in numbers if number not in culprits]
    assert (got.failed_invoices is None) == (got.failed_invoices_count == 0)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no JSON",
        b"[]",
        b"{}",
        b'{"InvoiceNumber": 5}',
        b"[5]",
        b"[null]",
        b"[{}]",
        b'[{"InvoiceNumber": "5"}]',
        b'[{"InvoiceNumber": 5.0}]',
        b'[{"InvoiceNumber": true}]',
        b'[{"InvoiceNumber": null}]',
        b'[{"InvoiceNumber": 5}, {"Status": "H"}]',
        b'[{"InvoiceNumber": 5}',
        b'[{"InvoiceNumber": 5}] 5',
        b'[{"InvoiceNumber": 5, "SalesName": "\xff"}]',
        b'[{"InvoiceNumber": 5, "Text": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]",
    ],
)
def test_what_is_no_array_of_invoices(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"^The body is "):
        read_numbers(body)


def test_invoices_are_kept_as_they_came() -> None:
    body = b'[ {"InvoiceNumber": 5, "TotalAmount": 100.10} ,{"InvoiceNumber":6}]'
    assert read_numbers(body) == (5, 6)
    assert read_invoices(body) == [b'{"InvoiceNumber": 5, "TotalAmount": 100.10}', b'{"InvoiceNumber":6}']
