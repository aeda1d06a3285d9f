"""The store: each number, how often, and the invoice."""

import json

import pytest

from cashin_async.simulator.store import Store


def test_a_number_is_counted_each_time() -> None:
    store = Store()
    store.add([7, 5, 7])
    store.add([7, 9])
    assert (store.accepted, len(store), store.numbers) == (5, 3, (7, 5, 9))
    assert [store.times(number) for number in (7, 5, 9, 1)] == [3, 1, 1, 0]
    assert store.twice == (7,)
    assert 5 in store
    assert 1 not in store


def test_a_number_is_there_since_it_was_first_accepted() -> None:
    store = Store()
    store.add([7, 5, 7], at=10.0)
    store.add([7, 9], at=20.0)
    assert [store.since(number) for number in (7, 5, 9)] == [10.0, 10.0, 20.0]
    assert store.times(7) == 3
    with pytest.raises(KeyError):
        store.since(1)


def test_the_invoice_is_the_latest() -> None:
    store = Store()
    store.add([7, 8], [b'{"InvoiceNumber":7,"Status":"H"}', b'{"InvoiceNumber":8}'])
    store.add([7], [b'{"InvoiceNumber":7,"Status":"S"}'])
    assert store.invoice(7) == {"InvoiceNumber": 7, "Status": "S"}
    assert [invoice["InvoiceNumber"] for invoice in json.loads(store.as_array())] == [7, 7, 8]


def test_numbers_alone() -> None:
    store = Store(keep_invoices=False)
    store.add([7, 8, 7], [b'{"InvoiceNumber":7}', b'{"InvoiceNumber":8}', b'{"InvoiceNumber":7}'])
    assert json.loads(store.as_array()) == [{"InvoiceNumber": 7}, {"InvoiceNumber": 7}, {"InvoiceNumber": 8}]
    with pytest.raises(KeyError):
        store.invoice(7)


def test_an_empty_one() -> None:
    store = Store()
    assert (len(store), store.accepted, store.numbers, store.twice, store.as_array()) == (0, 0, (), (), b"[]")
    assert repr(store) == "Store(accepted=0, numbers=0, twice=0)"
