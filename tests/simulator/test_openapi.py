"""The description of the server, and the server held against it."""

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from cashin_async.simulator import BackgroundSimulator, Simulator
from cashin_async.simulator.openapi import describe_api

from .client import get


def references(schema: Any) -> set[str]:
    if isinstance(schema, dict):
        own = {schema["$ref"]} if "$ref" in schema else set()
        return own.union(*(references(value) for value in schema.values()))
    return set[str]().union(*(references(value) for value in schema)) if isinstance(schema, list) else set()


async def test_it_is_served() -> None:
    async with Simulator(lookup_path="/v2/invoice/{InvoiceNumber}") as simulator:
        got = await get(simulator, "/openapi.json", key=None)
        assert got.status == 200
        assert got.json == msgspec.json.decode(msgspec.json.encode(describe_api("/v2/invoice/{InvoiceNumber}")))
        assert set(got.json["paths"]) == {
            "/v2/gensalesinvoices",
            "/v2/salesinvoices",
            "/simulator/invoices/{InvoiceNumber}",
            "/simulator/store",
            "/v2/invoice/{InvoiceNumber}",
        }


def test_its_schemas_are_the_models() -> None:
    document = describe_api()
    schemas = document["components"]["schemas"]
    assert references(document) == {f"#/components/schemas/{name}" for name in schemas}
    invoice, row = schemas["SalesInvoice"]["properties"], schemas["InvoiceRow"]["properties"]
    assert (len(invoice), len(row)) == (73, 29)
    assert invoice["InvoiceNumber"] == {"type": "integer"}
    assert row["Nto"] == {"anyOf": [{"type": "number"}, {"type": "null"}]}
    assert "'decimal'" not in str(schemas)


def test_what_it_allows_is_answered_as_it_says() -> None:
    """Valid requests only: the server refuses less than the models do, as the vendor publishes no such refusal."""
    schemathesis = pytest.importorskip("schemathesis", reason="not in the test group")
    with BackgroundSimulator(lookup_path="/v2/invoice/{InvoiceNumber}", api_keys={"key"}) as simulator:
        schema = schemathesis.openapi.from_dict(describe_api("/v2/invoice/{InvoiceNumber}"))
        schema.config.update(base_url=simulator.url)
        operations = [found.ok() for found in schema.get_all_operations()]
        for operation in operations:
            hold_against_description(operation)
        assert len(operations) == 5
        assert simulator.store.accepted > 0


def hold_against_description(operation: Any) -> None:
    @settings(max_examples=5, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def check(case: Any) -> None:
        case.call_and_validate(headers={"X-Api-Key": "key"})

    check()
