"""A verdict laid onto its chunk: everybody once, the server's words without a value of an invoice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashin_async.bulk.apportion import apportion
from cashin_async.bulk.chunk import Chunk
from cashin_async.bulk.outcome import State
from cashin_async.bulk.verdict import Proof, Then, Verdict
from cashin_async.transport.exchange import Answered, NoProof

NUMBERS = [251600001, 251600002, 251600003]
ACCEPTED = Verdict(Proof.APPLIED, Then.DONE, State.ACCEPTED, "accepted")
UNPROVEN = Verdict(Proof.NOTHING, Then.SETTLE, State.UNKNOWN, "HTTP 202 with something else", keep_answer=True)


def chunk_of(*numbers: int) -> Chunk:
    chunk = Chunk()
    for number in numbers:
        encoded = f'{{"InvoiceNumber":{number},"SalesName":"Maija Meikäläinen","TotalAmount":100.10}}'.encode()
        chunk.append(number, encoded, f"line {number}")
    return chunk


def test_a_chunk_that_ended_alike_is_one_settlement() -> None:
    chunk = chunk_of(*NUMBERS)
    (part,) = apportion(chunk, ACCEPTED)
    assert (part.state, part.numbers, part.refs) == (State.ACCEPTED, chunk.numbers, chunk.refs)
    assert (part.reason, part.answer) == (None, None)


def test_the_named_end_each_with_the_servers_words_and_the_rest_together() -> None:
    verdict = Verdict(Proof.APPLIED, Then.DONE, State.ACCEPTED, "accepted", {2: "viite puuttuu", 0: ""})
    first, third, rest = apportion(chunk_of(*NUMBERS), verdict)
    assert (first.state, list(first.numbers), first.reason) == (
        State.REJECTED,
        [251600001],
        "named in FailedInvoices",
    )
    assert (third.state, list(third.numbers)) == (State.REJECTED, [251600003])
    assert third.reason == "named in FailedInvoices: viite puuttuu"
    assert (rest.state, list(rest.numbers), list(rest.refs)) == (State.ACCEPTED, [251600002], ["line 251600002"])
    assert rest.reason is None


def test_when_all_are_named_there_is_no_rest() -> None:
    verdict = Verdict(Proof.APPLIED, Then.DONE, State.ACCEPTED, "accepted", {0: "a"}, named_as=State.UNKNOWN)
    (part,) = apportion(chunk_of(1), verdict)
    assert (part.state, list(part.numbers)) == (State.UNKNOWN, [1])


def test_a_reason_says_what_the_server_said_without_the_values_of_the_invoice() -> None:
    verdict = Verdict(Proof.REFUSED, Then.DONE, State.REJECTED, "HTTP 400", words="Meikäläinen: 100.10 is wrong")
    (part,) = apportion(chunk_of(251600001), verdict)
    assert part.reason == "HTTP 400: ***: ***.*** is wrong"


def test_words_of_the_named_are_blanked_too() -> None:
    verdict = Verdict(Proof.APPLIED, Then.DONE, State.ACCEPTED, "accepted", {0: "251600001 of MAIJA is refused"})
    assert apportion(chunk_of(*NUMBERS), verdict)[0].reason == "named in FailedInvoices: 251600001 of *** is refused"


def test_words_of_nothing_but_blanks_add_nothing_to_the_reason() -> None:
    verdict = Verdict(Proof.REFUSED, Then.DONE, State.REJECTED, "HTTP 400", words=" \n\t ")
    assert apportion(chunk_of(1), verdict)[0].reason == "HTTP 400"


def test_a_reason_stays_short() -> None:
    verdict = Verdict(Proof.REFUSED, Then.DONE, State.REJECTED, "HTTP 400", words="viite " * 10_000)
    reason = apportion(chunk_of(1), verdict)[0].reason
    assert reason is not None
    assert len(reason) == len("HTTP 400: ") + 500
    assert reason.endswith("...")


def test_the_raw_answer_is_kept_for_the_rest_with_the_values_blanked() -> None:
    answer = Answered(202, body='{"Batch": "Maija Meikäläinen", "Invoices": [251600001]}'.encode())
    verdict = Verdict(Proof.APPLIED, Then.SETTLE, State.UNKNOWN, "odd", {1: ""}, keep_answer=True)
    named, rest = apportion(chunk_of(*NUMBERS), verdict, answer)
    assert named.answer is None
    assert rest.answer == '{"Batch": "*** ***", "Invoices": [251600001]}'


def test_an_answer_that_is_not_utf8_is_read_as_windows_1252() -> None:
    (part,) = apportion(chunk_of(1), UNPROVEN, Answered(202, body=b"v\xe4\xe4r\xe4"))
    assert part.answer == "väärä"


@pytest.mark.parametrize("exchange", [None, NoProof("reset")], ids=["no exchange", "no answer"])
def test_without_an_answer_none_is_kept(exchange: NoProof | None) -> None:
    (part,) = apportion(chunk_of(1), UNPROVEN, exchange)
    assert part.answer is None


def test_an_answer_is_kept_only_when_it_is_for_a_person_to_read() -> None:
    (part,) = apportion(chunk_of(1), ACCEPTED, Answered(202, body=b"{}"))
    assert part.answer is None


@given(
    st.lists(st.integers(1, 99), min_size=1, max_size=8, unique=True),
    st.data(),
    st.sampled_from(State),
    st.binary(max_size=60),
)
def test_every_invoice_ends_exactly_once(numbers: list[int], data: st.DataObject, rest: State, body: bytes) -> None:
    places = data.draw(st.dictionaries(st.integers(0, len(numbers) - 1), st.text(max_size=20)))
    verdict = Verdict(Proof.APPLIED, Then.DONE, rest, "why", places, keep_answer=True)
    parts = apportion(chunk_of(*numbers), verdict, Answered(202, body=body))
    ended = {number: part.state for part in parts for number in part.numbers}
    assert sum(len(part.numbers) for part in parts) == len(numbers)
    assert ended == {number: State.REJECTED if place in places else rest for place, number in enumerate(numbers)}
    assert all(list(part.refs) == [f"line {number}" for number in part.numbers] for part in parts)
