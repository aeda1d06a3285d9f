"""The table of verdicts: what each exchange proves, and whom a receipt names."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cashin_async.bulk.apportion import apportion
from cashin_async.bulk.chunk import Chunk
from cashin_async.bulk.outcome import State
from cashin_async.bulk.verdict import OnRefused, Proof, Standing, Then, Verdict, judge
from cashin_async.transport.exchange import Answered, Exchange, NoProof, NotSent

FRESH = Standing()
OTHER_KEY = Standing(accepted=True)
SAME_KEY = Standing(accepted=True, key_accepted=True)
STANDINGS = {"fresh": FRESH, "202 with another key": OTHER_KEY, "202 with this key": SAME_KEY}
LATER = (OTHER_KEY, SAME_KEY)

ONE = [251600001]
MANY = [251600001, 251600002, 251600003]
ON_REFUSED: tuple[OnRefused, ...] = ("bisect", "hold")


def receipt(uploaded: Any, failed: Any, failures: Any = None, **more: Any) -> Answered:
    counts = {"UploadedInvoicesCount": uploaded, "FailedInvoicesCount": failed, "FailedInvoices": failures}
    return Answered(202, body=json.dumps({"StatusDescription": "Successfull", **counts, **more}).encode())


def outcomes(exchange: Exchange, numbers: Sequence[int], **options: Any) -> dict[int, State]:
    """How each invoice ends if it ends here; fails when one has no outcome or two."""
    chunk = Chunk()
    for number in numbers:
        chunk.append(number, b'{"InvoiceNumber":%d}' % number, number)
    pairs = [
        (number, part.state)
        for part in apportion(chunk, judge(exchange, numbers, **options), exchange)
        for number in part.numbers
    ]
    assert sorted(pair[0] or 0 for pair in pairs) == sorted(numbers)
    return {number: state for number, state in pairs if number is not None}


# -- the rows of product.md, "What an exchange proves"


@dataclass(frozen=True)
class Row:
    name: str
    exchange: Exchange
    proof: Proof
    then: Then
    rest: State
    one: bool = True
    many: bool = True
    standings: Sequence[Standing] = (FRESH, OTHER_KEY, SAME_KEY)
    retry_503: Sequence[bool] = (False, True)
    on_refused: Sequence[OnRefused] = ON_REFUSED
    pushback: bool = False
    slower: bool = False


def statuses(name: str, codes: Sequence[int], proof: Proof, then: Then, rest: State, **options: Any) -> list[Row]:
    return [Row(f"{code} {name}", Answered(code), proof, then, rest, **options) for code in codes]


NOT_SENT = (Proof.NOT_SENT, Then.AGAIN, State.UNSENT)
REFUSED_AGAIN = (Proof.REFUSED, Then.AGAIN, State.UNSENT)
STOP = (Proof.REFUSED, Then.STOP, State.UNSENT)
NOTHING = (Proof.NOTHING, Then.SETTLE, State.UNKNOWN)
REJECTED = (Proof.REFUSED, Then.DONE, State.REJECTED)
WRONG_ADDRESS = (300, 301, 302, 303, 304, 307, 308, 399, 404, 405, 407)
UNLISTED = (100, 101, 200, 201, 203, 204, 205, 206, 226, 299, 406, 408, 409, 410, 411, 412, 414, 415, 418, 425, 431)
SERVER_FAULTS = (500, 501, 502, 504, 505, 507, 511, 520, 599)

ROWS = [
    Row("connection refused", NotSent("refused"), *NOT_SENT),
    Row("connect or pool timeout", NotSent("pool", timed_out=True), *NOT_SENT, slower=True),
    Row("reset, cut short, not HTTP", NoProof("reset"), *NOTHING),
    Row("read or total timeout", NoProof("timeout", timed_out=True), *NOTHING, slower=True),
    *statuses("too many requests", [429], *REFUSED_AGAIN, pushback=True, slower=True),
    *statuses("unavailable", [503], *NOTHING, retry_503=[False], pushback=True, slower=True),
    *statuses(
        "unavailable, vendor taken at its word",
        [503],
        Proof.NOTHING,
        Then.AGAIN,
        State.UNKNOWN,
        retry_503=[True],
        pushback=True,
        slower=True,
    ),
    *statuses("key refused", [401], Proof.REFUSED, Then.RENEW_KEY, State.UNSENT),
    *statuses("before any 202 with this key", [403], *STOP, standings=(FRESH, OTHER_KEY)),
    *statuses("for many", [400], Proof.REFUSED, Then.BISECT, State.UNSENT, one=False, on_refused=["bisect"]),
    *statuses(
        "after a 202, for many",
        [403],
        Proof.REFUSED,
        Then.BISECT,
        State.UNSENT,
        one=False,
        standings=[SAME_KEY],
        on_refused=["bisect"],
    ),
    *statuses("for many, held", [400], Proof.REFUSED, Then.DONE, State.UNSENT, one=False, on_refused=["hold"]),
    *statuses(
        "after a 202, for many, held",
        [403],
        Proof.REFUSED,
        Then.DONE,
        State.UNSENT,
        one=False,
        standings=[SAME_KEY],
        on_refused=["hold"],
    ),
    *statuses("for many", [413], Proof.REFUSED, Then.SPLIT, State.UNSENT, one=False),
    *statuses("for many", [402, 422], *NOTHING, one=False),
    *statuses("for one", [400, 402, 413, 422], *REJECTED, many=False),
    *statuses("for one after a 202", [403], *REJECTED, many=False, standings=[SAME_KEY]),
    *statuses("before any 202", WRONG_ADDRESS, *STOP, standings=[FRESH]),
    *statuses("after a 202", WRONG_ADDRESS, *NOTHING, standings=LATER),
    *statuses("is not listed", UNLISTED, *NOTHING),
    *statuses("is a server's fault", SERVER_FAULTS, *NOTHING),
]
TABLE = [
    pytest.param(row, numbers, name, {"retry_503": retry_503, "on_refused": on_refused})
    for row in ROWS
    for numbers, wanted in ((ONE, row.one), (MANY, row.many))
    if wanted
    for name, standing in STANDINGS.items()
    if standing in row.standings
    for retry_503 in row.retry_503
    for on_refused in row.on_refused
]


def row_id(value: Any) -> str:
    if isinstance(value, Row):
        return value.name
    if isinstance(value, list):
        return "one" if len(value) == 1 else "many"
    return value if isinstance(value, str) else ", ".join(f"{name}={choice}" for name, choice in value.items())


@pytest.mark.parametrize(("row", "numbers", "standing", "options"), TABLE, ids=row_id)
def test_each_row_of_the_table(row: Row, numbers: list[int], standing: str, options: dict[str, Any]) -> None:
    verdict = judge(row.exchange, numbers, STANDINGS[standing], **options)
    assert (verdict.proof, verdict.then, verdict.rest) == (row.proof, row.then, row.rest)
    assert (verdict.pushback, verdict.slower) == (row.pushback, row.slower)
    assert verdict.named == {}
    assert verdict.reason


@pytest.mark.parametrize(("row", "numbers", "standing", "options"), TABLE, ids=row_id)
def test_a_refusal_after_a_doubtful_sending_is_unknown(
    row: Row, numbers: list[int], standing: str, options: dict[str, Any]
) -> None:
    verdict = judge(row.exchange, numbers, STANDINGS[standing], in_doubt=True, **options)
    assert verdict.rest is State.UNKNOWN
    assert verdict.named_as is State.UNKNOWN
    assert verdict.then is (Then.SETTLE if row.then is Then.BISECT else row.then)
    assert (verdict.proof, verdict.pushback, verdict.slower) == (row.proof, row.pushback, row.slower)


@pytest.mark.parametrize("status", range(100, 600))
def test_only_a_202_accepts_and_only_proof_sends_again(status: int) -> None:
    for numbers, standing, retry_503, on_refused, in_doubt in product(
        (ONE, MANY), STANDINGS.values(), (False, True), ON_REFUSED, (False, True)
    ):
        answer = replace(receipt(len(numbers), 0), status=status)
        verdict = judge(answer, numbers, standing, retry_503=retry_503, on_refused=on_refused, in_doubt=in_doubt)
        assert verdict.status == status
        assert (verdict.rest is State.ACCEPTED) == (status == 202)
        assert (verdict.proof is Proof.APPLIED) == (status == 202)
        if verdict.then in (Then.AGAIN, Then.RENEW_KEY, Then.BISECT, Then.SPLIT):
            assert verdict.proof is Proof.REFUSED or (status == 503 and retry_503)
        if verdict.rest in (State.UNSENT, State.REJECTED):
            assert verdict.proof is Proof.REFUSED
            assert not in_doubt


@pytest.mark.parametrize(
    ("status", "setting"),
    [(301, "CASHIN_BASE_URL"), (404, "CASHIN_BASE_URL"), (405, "CASHIN_BASE_URL"), (407, "CASHIN_PROXY")],
)
def test_a_wrong_address_names_the_setting(status: int, setting: str) -> None:
    assert setting in judge(Answered(status), MANY).reason


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_names_the_setting(status: int) -> None:
    assert "CASHIN_API_KEY" in judge(Answered(status), MANY).reason


@pytest.mark.parametrize("status", [400, 402, 403, 413, 422])
def test_a_single_rejection_says_what_the_server_said(status: int) -> None:
    verdict = judge(Answered(status, body="väärä viite".encode()), ONE, SAME_KEY)
    assert verdict.words == "väärä viite"
    assert str(status) in verdict.reason


def test_words_that_are_not_utf8_are_read_as_windows_1252() -> None:
    assert judge(Answered(400, body=b"v\xe4\xe4r\xe4"), ONE).words == "väärä"


@pytest.mark.parametrize("status", [429, 503])
def test_a_pushback_waits_for_the_whole_retry_after(status: int) -> None:
    assert judge(Answered(status, {"retry-after": "17"}), MANY).wait == 17.0


@pytest.mark.parametrize("status", [429, 503])
def test_a_pushback_without_retry_after_leaves_the_wait_open(status: int) -> None:
    quota = {"ratelimit-remaining": "0", "ratelimit-reset": "5"}
    assert judge(Answered(status, quota), MANY).wait is None


@pytest.mark.parametrize("status", [202, 400, 500])
def test_a_quota_used_up_waits_for_its_reset(status: int) -> None:
    headers = {"ratelimit-remaining": "0", "ratelimit-reset": "5", "retry-after": "99"}
    assert judge(replace(receipt(3, 0), status=status, headers=headers), MANY).wait == 5.0


# -- receipts whose counts add up, or do not


def test_a_202_that_adds_up_accepts_everybody() -> None:
    verdict = judge(receipt(3, 0), MANY)
    assert (verdict.proof, verdict.then, verdict.rest) == (Proof.APPLIED, Then.DONE, State.ACCEPTED)
    assert verdict.receipt is not None
    assert not verdict.keep_answer


def test_the_failed_are_rejected_and_the_others_accepted() -> None:
    verdict = judge(receipt(2, 1, [{"InvoiceNumber": 251600002, "Error": "viite"}]), MANY)
    assert (verdict.proof, verdict.then, verdict.rest) == (Proof.APPLIED, Then.DONE, State.ACCEPTED)
    assert list(verdict.named) == [1]
    assert "viite" in verdict.named[1]


def test_all_of_them_may_fail() -> None:
    assert set(outcomes(receipt(0, 3, MANY), MANY).values()) == {State.REJECTED}


def test_named_on_a_resend_after_a_503_is_unknown_and_the_others_accepted() -> None:
    states = outcomes(receipt(2, 1, [251600002]), MANY, in_doubt=True)
    assert states == {251600001: State.ACCEPTED, 251600002: State.UNKNOWN, 251600003: State.ACCEPTED}


@pytest.mark.parametrize("none", [None, []], ids=["null", "empty array"])
def test_null_and_an_empty_array_both_say_that_none_failed(none: Any) -> None:
    assert set(outcomes(receipt(3, 0, none), MANY).values()) == {State.ACCEPTED}


def test_a_receipt_without_the_list_of_failed_adds_up() -> None:
    answer = Answered(202, body=b'{"UploadedInvoicesCount": 3, "FailedInvoicesCount": 0}')
    assert set(outcomes(answer, MANY).values()) == {State.ACCEPTED}


def test_keys_that_are_not_published_do_not_matter() -> None:
    assert judge(receipt(3, 0, BatchId={"a": [1, 2]}), MANY).rest is State.ACCEPTED


@pytest.mark.parametrize("description", ["Successfull", None, 7, {"fi": "ok"}], ids=repr)
def test_the_description_is_never_parsed(description: Any) -> None:
    assert judge(receipt(3, 0, StatusDescription=description), MANY).rest is State.ACCEPTED


@pytest.mark.parametrize(
    ("uploaded", "failed", "failures"),
    [
        pytest.param(2, 0, None, id="one too few uploaded"),
        pytest.param(4, 0, None, id="one too many uploaded"),
        pytest.param(0, 0, None, id="nobody"),
        pytest.param(0, 0, [], id="nobody, empty array"),
        pytest.param(2, 1, None, id="a failure that is not named"),
        pytest.param(2, 1, [], id="a failure that is not named, empty array"),
        pytest.param(3, 1, None, id="one more than sent"),
        pytest.param(0, 3, None, id="all failed, none named"),
        pytest.param(-1, 4, None, id="negative uploaded"),
        pytest.param(4, -1, None, id="negative failed"),
        pytest.param(3, 0, ["odd"], id="a failure that the count does not know"),
        pytest.param(2, 1, ["odd"], id="a failure that nobody can be tied to"),
        pytest.param(2**70, 0, None, id="more than 64 bits"),
    ],
)
def test_counts_that_do_not_add_up_leave_everybody_unknown(uploaded: int, failed: int, failures: Any) -> None:
    verdict = judge(receipt(uploaded, failed, failures), MANY)
    assert (verdict.then, verdict.rest, verdict.named) == (Then.SETTLE, State.UNKNOWN, {})
    assert verdict.keep_answer


@pytest.mark.parametrize(
    ("uploaded", "failed", "failures"),
    [
        pytest.param(1, 1, [251600002], id="one missing"),
        pytest.param(3, 1, [251600002], id="one too many"),
        pytest.param(1, 2, [251600002], id="one failure not named"),
        pytest.param(1, 2, [251600002, 251600002], id="one failure named twice"),
        pytest.param(1, 2, [251600002, 251609999], id="a stranger among the failures"),
        pytest.param(1, 2, [251600002, None], id="null among the failures"),
    ],
)
def test_what_is_tied_is_rejected_and_the_rest_unknown(uploaded: int, failed: int, failures: Any) -> None:
    states = outcomes(receipt(uploaded, failed, failures), MANY)
    assert states == {251600001: State.UNKNOWN, 251600002: State.REJECTED, 251600003: State.UNKNOWN}
    assert judge(receipt(uploaded, failed, failures), MANY).keep_answer


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html>", id="not JSON"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="array"),
        pytest.param(b"{}", id="no keys"),
        pytest.param(b'{"UploadedInvoicesCount":3}', id="no failed count"),
        pytest.param(b'{"FailedInvoicesCount":0,"FailedInvoices":null}', id="no uploaded count"),
        pytest.param(b'{"uploadedInvoicesCount":3,"failedInvoicesCount":0}', id="keys in another case"),
        pytest.param(b'{"UploadedInvoicesCount":"3","FailedInvoicesCount":0}', id="string count"),
        pytest.param(b'{"UploadedInvoicesCount":3.0,"FailedInvoicesCount":0}', id="float count"),
        pytest.param(b'{"UploadedInvoicesCount":3.5,"FailedInvoicesCount":0}', id="fraction"),
        pytest.param(b'{"UploadedInvoicesCount":3,"FailedInvoicesCount":false}', id="bool count"),
        pytest.param(b'{"UploadedInvoicesCount":null,"FailedInvoicesCount":0}', id="null count"),
        pytest.param(b'{"UploadedInvoicesCount":3,"FailedInvoicesCount":0', id="cut short"),
        pytest.param(b'{"UploadedInvoicesCount":3,"FailedInvoicesCount":0} {}', id="more after it"),
        pytest.param(b'{"UploadedInvoicesCount":3,"FailedInvoicesCount":0,"FailedInvoices":["\xff"]}', id="not UTF-8"),
        pytest.param(b'{"UploadedInvoicesCount":3,"FailedInvoicesCount":0,"x":' + b"[" * 10**5, id="deep"),
        pytest.param(b'{"UploadedInvoicesCount":' + b"3" * 5000 + b',"FailedInvoicesCount":0}', id="5000 digits"),
    ],
)
def test_a_202_that_is_no_receipt_proves_nothing(body: bytes) -> None:
    verdict = judge(Answered(202, body=body), MANY)
    assert (verdict.proof, verdict.then, verdict.rest) == NOTHING
    assert verdict.keep_answer


@pytest.mark.parametrize("depth", [*range(850, 1001), 10_000, 100_000])
def test_no_depth_of_nesting_makes_the_judge_raise(depth: int) -> None:
    element = b'{"Error":' * depth + b'{"InvoiceNumber":251600002}' + b"}" * depth
    body = b'{"UploadedInvoicesCount":2,"FailedInvoicesCount":1,"FailedInvoices":[' + element + b"]}"
    states = outcomes(Answered(202, body=body), MANY)
    assert states[251600002] in (State.REJECTED, State.UNKNOWN)
    assert states[251600001] in (State.ACCEPTED, State.UNKNOWN)


# -- whom an element of FailedInvoices means

SENT = [251600000 + place for place in range(10)]
MEANT = 251600003
SPELLINGS = [
    "InvoiceNumber",
    "invoiceNumber",
    "invoice_number",
    "INVOICE-NUMBER",
    "invoicenumber",
    "Invoice No",
    "Invoice No.",
    "InvoiceNo",
    "invoice nr",
    "InvoiceNbr",
    "Invoice Num",
    "InvoiceId",
    "SalesInvoiceNumber",
    "Sales invoice number",
    "invoice",
    "Number",
    "no",
    "Nr.",
    "laskunumero",
    "LaskuNro",
]


@pytest.mark.parametrize("value", [MEANT, str(MEANT), f" {MEANT} "], ids=["number", "string", "string with spaces"])
@pytest.mark.parametrize("key", SPELLINGS)
def test_an_object_is_tied_under_any_spelling_of_the_key(key: str, value: Any) -> None:
    states = outcomes(receipt(9, 1, [{"Message": "virhe", key: value}]), SENT)
    assert [number for number, state in states.items() if state is State.REJECTED] == [MEANT]
    assert list(states.values()).count(State.ACCEPTED) == 9


TIED = {
    "bare number": MEANT,
    "number in a string": str(MEANT),
    "number in a string with spaces": f"\t{MEANT} ",
    "sentence": f"Invoice {MEANT} has no due date",
    "sentence that ends with it": f"No due date in {MEANT}.",
    "sentence that begins with it": f"{MEANT}: no due date",
    "with a hash": f"Lasku #{MEANT}, eräpäivä puuttuu",
    "in quotes": f'Invoice "{MEANT}" refused',
    "in brackets": f"Refused ({MEANT})",
    "the same number twice": f"{MEANT} refused, see {MEANT}",
    "among other numbers": f"Invoice {MEANT} of 20220120 for 99999 refused, VatPercent 24",
    "nested": {"Invoice": {"Header": {"invoice_number": MEANT}}, "Errors": ["a", "b"]},
    "nested in an array": {"items": [{"x": 1}, {"InvoiceNumber": MEANT}]},
    "short key nested": {"Invoice": {"Number": MEANT}, "Code": 17},
    "full key before short key": {"InvoiceNumber": MEANT, "Number": 7},
    "prose in an object": {"Code": 4711, "Message": f"Invoice {MEANT} refused"},
    "prose in an array": [f"Invoice {MEANT}", "refused"],
    "the whole invoice echoed": {"InvoiceNumber": MEANT, "Status": "H", "InvoiceRows": [{"VatPercent": 24, "Qty": 1}]},
    "the same number under two keys": {"InvoiceNumber": MEANT, "invoice": {"invoiceNumber": str(MEANT)}},
    "with the server's own id beside it": {"InvoiceId": 4711, "InvoiceNumber": MEANT, "Error": "viite"},
    "stranger in the prose beside the key": {"InvoiceNumber": MEANT, "Message": "see 251609999"},
    "another sent number in the prose beside the key": {"InvoiceNumber": MEANT, "Message": "same as 251600004"},
}


@pytest.mark.parametrize("element", TIED.values(), ids=TIED)
def test_an_element_is_tied_to_the_one_it_means(element: Any) -> None:
    states = outcomes(receipt(9, 1, [element]), SENT)
    assert [number for number, state in states.items() if state is State.REJECTED] == [MEANT]
    assert list(states.values()).count(State.ACCEPTED) == 9


UNTIED = {
    "null": None,
    "true": True,
    "false": False,
    "a float": 251600003.0,
    "an empty string": "",
    "an empty object": {},
    "an empty array": [],
    "no number": "the invoice is refused",
    "a stranger": 251609999,
    "a stranger in a string": "251609999",
    "a stranger in a sentence": "invoice 251609999 refused",
    "a stranger under the key": {"InvoiceNumber": 251609999},
    "a stranger under the key, a sent one in the prose": {"InvoiceNumber": 251609999, "Message": "not 251600003"},
    "two sent numbers": "251600003 and 251600004 have the same reference",
    "two sent numbers in two sentences": {"Message": "251600003", "Detail": "invoice 251600003, 251600004 are alike"},
    "two numbers under the key": {"InvoiceNumbers": [251600003, 251600004]},
    "two objects with the key": [{"InvoiceNumber": 251600003}, {"InvoiceNumber": 251600004}],
    "true under the key": {"InvoiceNumber": True},
    "a place in the array": 3,
    "a place in a string": "3",
    "zero": 0,
    "a negative number": -251600003,
    "a leading zero": "0251600003",
    "a number under another key": {"Code": 251600003},
    "grouped digits": "invoice 251 600 003",
    "an amount with a point": "Total 251600003.00 is wrong",
    "an amount with a comma": "Total 251600003,00 is wrong",
    "decimals of an amount": "Total 1.251600003",
    "thousands": "Total 1,251600003",
    "an international phone number": "call +251600003",
    "a phone number with a dash": "call 040-251600003",
    "glued before": "X251600003 refused",
    "glued after": "251600003X refused",
    "glued by an underscore": "batch_251600003",
    "glued before to a letter of Finnish": "erä251600003 hylätty",
    "glued after to a letter of Finnish": "251600003ä hylätty",
    "glued to digits": "9251600003 refused",
    "a range": "251600003-251600009 refused",
    "a range that ends with it": "100-251600003 refused",
    "digits of another script": "lasku \u0662\u0665\u0661\u0666\u0660\u0660\u0660\u0660\u0663",
}


@pytest.mark.parametrize("element", UNTIED.values(), ids=UNTIED)
def test_an_element_that_means_nobody_for_certain_leaves_all_unknown(element: Any) -> None:
    assert set(outcomes(receipt(9, 1, [element]), SENT).values()) == {State.UNKNOWN}


SMALL = [24, 100, 1000, 9999, 12345, 65100, 251600001]


@pytest.mark.parametrize(
    "prose",
    ["VatPercent 24", "Total 100 is wrong", "error 1000", "code 9999.", "Total 12345.67", "12345,67 EUR", "1.12345"],
)
def test_small_numbers_and_amounts_in_prose_are_no_invoices(prose: str) -> None:
    assert set(outcomes(receipt(6, 1, [prose]), SMALL).values()) == {State.UNKNOWN}


@pytest.mark.parametrize("prose", ["invoice 12345 refused", "65100: refused"])
def test_five_digits_in_prose_are_an_invoice(prose: str) -> None:
    states = outcomes(receipt(6, 1, [prose]), SMALL)
    assert list(states.values()).count(State.REJECTED) == 1


def test_a_number_of_19_digits_in_prose_is_tied() -> None:
    sent = [2**63 - 1, 2**63 - 2]
    assert outcomes(receipt(1, 1, [f"invoice {2**63 - 1} refused"]), sent)[2**63 - 1] is State.REJECTED


@pytest.mark.parametrize("bare", [1, 2, 3, "1", " 2 ", "3"])
def test_a_bare_number_below_the_chunk_length_may_be_an_index(bare: Any) -> None:
    assert set(outcomes(receipt(3, 1, [bare]), [1, 2, 3, 4]).values()) == {State.UNKNOWN}


def test_a_bare_number_from_the_chunk_length_on_is_an_invoice() -> None:
    assert outcomes(receipt(3, 1, [7]), [1, 2, 3, 7])[7] is State.REJECTED


def test_a_small_number_under_the_full_key_is_an_invoice() -> None:
    assert outcomes(receipt(3, 1, [{"InvoiceNumber": 2}]), [1, 2, 3, 4])[2] is State.REJECTED


def test_true_is_not_the_number_one() -> None:
    assert set(outcomes(receipt(3, 1, [{"InvoiceNumber": True}]), [1, 2, 3, 4]).values()) == {State.UNKNOWN}


def test_two_elements_may_mean_the_same_invoice() -> None:
    failures = [{"InvoiceNumber": 251600002, "Error": "viite"}, "251600002", "251600002 has no due date"]
    verdict = judge(receipt(2, 1, failures), MANY)
    assert verdict.then is Then.DONE
    assert list(verdict.named) == [1]
    assert "viite" in verdict.named[1]
    assert "due date" in verdict.named[1]


@pytest.mark.parametrize("failures", [251600002, "251600002", {"InvoiceNumber": 251600002}], ids=repr)
def test_a_list_of_one_may_come_without_its_brackets(failures: Any) -> None:
    assert outcomes(receipt(2, 1, failures), MANY)[251600002] is State.REJECTED


# -- a request of one invoice

ANONYMOUS = {
    "a sentence": "no due date",
    "an object": {"Error": "no due date"},
    "an empty object": {},
    "its place": 0,
    "its place from one": 1,
    "null": None,
    "another number in prose": "error 50017: no due date",
}


@pytest.mark.parametrize("element", ANONYMOUS.values(), ids=ANONYMOUS)
def test_in_a_request_of_one_an_anonymous_failure_is_this_invoice(element: Any) -> None:
    verdict = judge(receipt(0, 1, [element]), ONE)
    assert (verdict.then, list(verdict.named)) == (Then.DONE, [0])
    assert outcomes(receipt(0, 1, [element]), ONE) == {251600001: State.REJECTED}


@pytest.mark.parametrize(
    "element",
    [
        251609999,
        "251609999",
        2,
        -1,
        {"InvoiceNumber": 251609999},
        {"no": "251609999"},
        {"InvoiceNumber": [251600001, 7]},
    ],
    ids=repr,
)
def test_in_a_request_of_one_a_strangers_failure_leaves_it_unknown(element: Any) -> None:
    assert outcomes(receipt(0, 1, [element]), ONE) == {251600001: State.UNKNOWN}


@pytest.mark.parametrize("failures", ["", {}, 0, False, "none", ["no warnings"], [{}], [None]], ids=repr)
def test_in_a_request_of_one_that_was_uploaded_an_anonymous_element_rejects_nobody(failures: Any) -> None:
    """The receipt says that it was taken: calling it rejected would invite to send it once more."""
    assert outcomes(receipt(1, 0, failures), ONE) != {251600001: State.REJECTED}


@pytest.mark.parametrize(("uploaded", "failed"), [(0, 0), (1, 1), (0, 2), (2, 0), (-1, 2)])
def test_in_a_request_of_one_counts_must_add_up_too(uploaded: int, failed: int) -> None:
    assert outcomes(receipt(uploaded, failed), ONE) == {251600001: State.UNKNOWN}


# -- whatever comes

_numbers = st.lists(
    st.one_of(st.integers(1, 30), st.integers(10_000, 10_020), st.integers(1, 2**63 - 1)),
    min_size=1,
    max_size=8,
    unique=True,
)


def _failures(numbers: Sequence[int]) -> st.SearchStrategy[Any]:
    number = st.sampled_from([*numbers, 0, -1, 7, 2**64, 99_999])
    prose = st.lists(
        st.one_of(number.map(str), st.sampled_from(["invoice", "-", ".", ",", "+", "ä", " ", "24"])), max_size=6
    ).map(" ".join)
    scalar = st.one_of(number, number.map(str), prose, st.none(), st.booleans(), st.floats(allow_nan=False), st.text())
    key = st.one_of(st.sampled_from(SPELLINGS), st.text(max_size=5))
    element = st.recursive(
        scalar, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(key, inner, max_size=3))
    )
    return st.one_of(st.none(), element, st.lists(element, max_size=len(numbers) + 2))


@st.composite
def _answers(draw: st.DrawFn) -> tuple[list[int], Answered]:
    numbers = draw(_numbers)
    failures = draw(_failures(numbers))
    failed = draw(st.one_of(st.integers(0, len(numbers)), st.integers(-(2**70), 2**70), st.booleans(), st.floats()))
    uploaded = draw(st.one_of(st.just(len(numbers) - failed), st.integers(-3, 12), st.text(), st.none()))
    status = draw(st.one_of(st.just(202), st.integers(100, 599)))
    return numbers, replace(receipt(uploaded, failed, failures), status=status)


def check(exchange: Answered, numbers: list[int], in_doubt: bool = False) -> Verdict:
    verdict = judge(exchange, numbers, in_doubt=in_doubt)
    states = outcomes(exchange, numbers, in_doubt=in_doubt)
    assert set(verdict.named) <= set(range(len(numbers)))
    if State.ACCEPTED in states.values():
        assert exchange.status == 202
        said = json.loads(exchange.body)
        uploaded, failed = said["UploadedInvoicesCount"], said["FailedInvoicesCount"]
        assert isinstance(uploaded, int)
        assert uploaded + failed == len(numbers)
        assert failed == len(verdict.named)
        assert list(states.values()).count(State.ACCEPTED) == uploaded
    if in_doubt:
        assert State.REJECTED not in states.values()
        assert State.UNSENT not in states.values()
    return verdict


@given(_answers(), st.booleans())
def test_no_receipt_accepts_without_proof(case: tuple[list[int], Answered], in_doubt: bool) -> None:
    numbers, answer = case
    check(answer, numbers, in_doubt)


@given(st.integers(100, 599), st.one_of(st.binary(), st.text().map(str.encode)), _numbers)
@example(202, b'{"UploadedInvoicesCount":1,"FailedInvoicesCount":0,"FailedInvoices":[' + b"1" * 5000 + b"]}", [1])
@example(202, b'{"UploadedInvoicesCount":1,"FailedInvoicesCount":0,"FailedInvoices":["\\ud800"]}', [1])
def test_no_bytes_accept_or_raise(status: int, body: bytes, numbers: list[int]) -> None:
    verdict = check(Answered(status, body=body), numbers)
    assert verdict.rest is not State.ACCEPTED


@given(_numbers.flatmap(lambda numbers: st.tuples(st.just(numbers), st.sets(st.sampled_from(numbers)))))
def test_failures_named_plainly_are_always_all_found(case: tuple[list[int], set[int]]) -> None:
    numbers, failing = case
    answer = receipt(len(numbers) - len(failing), len(failing), [{"InvoiceNumber": number} for number in failing])
    states = outcomes(answer, numbers)
    assert {number for number, state in states.items() if state is State.REJECTED} == failing
    assert {number for number, state in states.items() if state is State.ACCEPTED} == set(numbers) - failing


@pytest.mark.parametrize(
    "element",
    [
        {"50007": "duplicate of invoice 50003"},
        {"Index": 7, "Message": "Reference already used by invoice 50003"},
        {"InvoiceId": 50011, "Message": "Invoice 50007 refused"},
        {"Error": {"Number": 50000, "Message": "Invoice 50007 refused"}},
        {"InvoiceNumber": "0050007", "Message": "same as 50003"},
        {"InvoiceNumber": "INV-50007", "Message": "same as 50003"},
        {"InvoiceNumber": 50007.0, "Message": "same as 50003"},
        {"InvoiceNumber": None, "Message": "same as 50003"},
        {"Index": 7, "OriginalInvoiceNumber": 50003, "Message": "same as 50003"},
        "see https://api.example.com/errors/50010",
    ],
)
def test_an_element_that_may_mean_another_than_the_one_in_its_words_ties_nobody(element: object) -> None:
    numbers = range(50_000, 50_100)
    body = json.dumps({"UploadedInvoicesCount": 99, "FailedInvoicesCount": 1, "FailedInvoices": [element]}).encode()
    verdict = judge(Answered(202, body=body), numbers)
    assert (dict(verdict.named), verdict.rest) == ({}, State.UNKNOWN)
