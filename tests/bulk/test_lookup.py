"""What a look-up says."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cashin_async.bulk.lookup import Found, judge_look_up, read_answers
from cashin_async.models.wire import LARGEST_NUMBER
from cashin_async.transport.exchange import Answered, Exchange, NoProof, NotSent

EXISTS, ABSENT, CANNOT_TELL = Found.EXISTS, Found.ABSENT, Found.CANNOT_TELL
NUMBER = 251600001

# -- what a user's look-up gave back


class Broken(Mapping[int, str]):
    """A mapping that breaks when it is read."""

    def __getitem__(self, key: int) -> str:
        raise RuntimeError("the database is gone")

    def __iter__(self) -> Iterator[int]:
        return iter([5])

    def __len__(self) -> int:
        return 1


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ({5: EXISTS}, EXISTS),
        ({5: ABSENT}, ABSENT),
        ({5: CANNOT_TELL}, CANNOT_TELL),
        ({5: "exists"}, EXISTS),
        ({5: "absent"}, ABSENT),
        ({5: "cannot_tell"}, CANNOT_TELL),
        ({5: "EXISTS"}, CANNOT_TELL),
        ({5: "absent "}, CANNOT_TELL),
        ({5: "not found"}, CANNOT_TELL),
        ({5: ""}, CANNOT_TELL),
        ({5: True}, CANNOT_TELL),
        ({5: False}, CANNOT_TELL),
        ({5: None}, CANNOT_TELL),
        ({5: ["exists"]}, CANNOT_TELL),
        ({5: b"exists"}, CANNOT_TELL),
        ({6: "exists"}, CANNOT_TELL),
        ({"5": "exists"}, CANNOT_TELL),
        ({}, CANNOT_TELL),
        (Broken(), CANNOT_TELL),
        (None, CANNOT_TELL),
        (True, CANNOT_TELL),
        ("exists", CANNOT_TELL),
        ([(5, "exists")], CANNOT_TELL),
        ({5}, CANNOT_TELL),
        (["exists"] * 9, CANNOT_TELL),
        (RuntimeError("no"), CANNOT_TELL),
    ],
    ids=repr,
)
def test_an_answer_is_read(answers: object, found: Found) -> None:
    assert read_answers([5], answers) == {5: found}


@given(
    st.lists(st.integers(1, 9)),
    st.dictionaries(st.integers(1, 9) | st.text(), st.sampled_from([*Found, *map(str, Found), "x", None, 1, []]))
    | st.none()
    | st.booleans()
    | st.text()
    | st.lists(st.tuples(st.integers(1, 9), st.sampled_from(Found)))
    | st.builds(object),
)
def test_whatever_comes_back_every_number_has_an_answer_and_no_other_has(asked: list[int], answers: object) -> None:
    read = read_answers(asked, answers)
    assert read.keys() == set(asked)
    for number, found in read.items():
        assert type(found) is Found
        assert found is CANNOT_TELL or (isinstance(answers, Mapping) and answers[number] == found.value)


# -- what an exchange of the shipped look-up says


def answered(body: Any, status: int = 200) -> Answered:
    return Answered(status, body=body if isinstance(body, bytes) else json.dumps(body).encode())


HOLDING: list[Any] = [
    NUMBER,
    str(NUMBER),
    [NUMBER],
    {"InvoiceNumber": NUMBER},
    {"invoiceNo": str(NUMBER), "Status": "H"},
    {"Invoices": [{"Header": {"Number": NUMBER}}]},
    [[], {}, [[{"a": [None, 1.5, True, {"b": [str(NUMBER)]}]}]]],
    {"Message": "no", "Query": NUMBER},
    b' {"InvoiceNumber" : 251600001 } ',
    b'"\\u0032\\u0035\\u0031600001"',
]

NOT_HOLDING: list[Any] = [
    None,
    True,
    False,
    [],
    {},
    "",
    NUMBER + 1,
    -NUMBER,
    float(NUMBER),
    NUMBER + 0.5,
    f" {NUMBER}",
    f"0{NUMBER}",
    f"+{NUMBER}",
    f"{NUMBER}.0",
    f"{NUMBER}0",
    "251 600 001",
    f"Invoice {NUMBER} was not found",
    f"/v2/invoice/{NUMBER}",
    {str(NUMBER): "exists"},
    {"InvoiceNumber": NUMBER * 10},
    [2, 5, 1, 6, 0, 0, 0, 0, 1],
    b"",
    b"251600001 251600001",
    b"{251600001}",
    b"<html>251600001</html>",
    b'{"InvoiceNumber":251600001',
    b'{"InvoiceNumber":251600001}}',
    b"251600001e0",
    b'{"a":NaN,"b":251600001}',
    b'[251600001,"\xff"]',
    b"[" * 100_000 + b"251600001" + b"]" * 100_000,
    b"[251600001," + b"[" * 100_000 + b"]" * 100_000 + b"]",
]


@pytest.mark.parametrize("body", HOLDING, ids=repr)
def test_a_200_that_holds_the_number(body: Any) -> None:
    assert judge_look_up(answered(body), NUMBER) is EXISTS


@pytest.mark.parametrize("body", NOT_HOLDING, ids=lambda body: repr(body)[:50])
def test_a_200_that_does_not_hold_the_number(body: Any) -> None:
    assert judge_look_up(answered(body), NUMBER) is CANNOT_TELL


@pytest.mark.parametrize(("body", "number"), [(b"true", 1), (b"[true,1.0,1e0]", 1), (b"18446744073709551617", 1)])
def test_what_python_takes_for_the_same_number(body: bytes, number: int) -> None:
    assert judge_look_up(answered(body), number) is CANNOT_TELL


def test_the_largest_number() -> None:
    assert judge_look_up(answered([LARGEST_NUMBER]), LARGEST_NUMBER) is EXISTS
    assert judge_look_up(answered([LARGEST_NUMBER - 1, 2**63, float(2**63)]), LARGEST_NUMBER) is CANNOT_TELL


@pytest.mark.parametrize("status", range(100, 600))
def test_every_status(status: int) -> None:
    expected = {200: EXISTS, 404: ABSENT}.get(status, CANNOT_TELL)
    assert judge_look_up(answered({"InvoiceNumber": NUMBER}, status), NUMBER) is expected
    assert judge_look_up(answered(b"", status), NUMBER) is (ABSENT if status == 404 else CANNOT_TELL)


@pytest.mark.parametrize(
    "exchange",
    [NotSent("refused"), NotSent("pool", timed_out=True), NoProof("reset"), NoProof("timeout", timed_out=True)],
)
def test_no_answer(exchange: Exchange) -> None:
    assert judge_look_up(exchange, NUMBER) is CANNOT_TELL


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=20
)


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            yield from leaves(member)
    else:
        yield value


@given(VALUES, st.integers(1, 300))
@example({"1": [1.0, True, "1 "]}, 1)
def test_the_number_is_found_where_it_stands_and_nowhere_else(value: Any, number: int) -> None:
    there = any((type(leaf) is int and leaf == number) or leaf == str(number) for leaf in leaves(value))
    assert judge_look_up(answered(value), number) is (EXISTS if there else CANNOT_TELL)
