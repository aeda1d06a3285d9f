"""The simulator described as OpenAPI 3.1, made from the models, so that other tools can test it or talk to it.

It describes what this server does. Where the vendor publishes nothing, the description says "assumed".
"""

from functools import cache
from typing import Any

import msgspec

from cashin_async.models import SalesInvoice, UploadReceipt
from cashin_async.simulator.replies import CREATE_PATH, JSON

LIST_PATH = "/v2/salesinvoices"
LOOKUP_PATH = "/simulator/invoices/{InvoiceNumber}"
STORE_PATH = "/simulator/store"

Schema = dict[str, Any]

_COUNT: Schema = {"type": "integer", "minimum": 0}
_WHOLE: Schema = {"type": "integer"}


def describe_api(lookup_path: str | None = None) -> Schema:
    """The whole document; `lookup_path` is described as well when the server has one."""
    paths: Schema = {
        CREATE_PATH: {"post": _create()},
        LIST_PATH: {"get": _list()},
        LOOKUP_PATH: {"get": _look_up("simulatorLookUp")},
        STORE_PATH: {"get": _store()},
    }
    if lookup_path is not None:
        paths[lookup_path] = {"get": {**_look_up("lookUp"), "security": [{"key": []}]}}
        paths[lookup_path]["get"]["responses"]["401"] = _message("No key, or an unknown one")
    return {
        "openapi": "3.1.0",
        "info": {"title": "Cash-In API, as its simulator stands in for it", "version": "2"},
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"}},
        },
    }


def _create() -> Schema:
    invoices = {"type": "array", "minItems": 1, "items": _ref("SalesInvoice")}
    return {
        "operationId": "createInvoices",
        "summary": "Create an invoice",
        "security": [{"key": []}],
        "requestBody": {"required": True, "content": {JSON: {"schema": invoices}}},
        "responses": {
            "202": _answer("Accepted", _ref("UploadReceipt")),
            "400": _message("Malformed, or InvoiceNumber is missing"),
            "401": _message("No key, or an unknown one"),
        },
    }


def _list() -> Schema:
    return {
        "operationId": "listInvoices",
        "summary": "List all sales invoices",
        "security": [{"key": []}],
        "responses": {
            "200": _answer("Assumed: a plain array", {"type": "array", "items": _ref("SalesInvoice")}),
            "401": _message("No key, or an unknown one"),
        },
    }


def _look_up(operation: str) -> Schema:
    found = _object(InvoiceNumber=_WHOLE, TimesAccepted=_COUNT)
    return {
        "operationId": operation,
        "summary": "Look one invoice up (assumed: the vendor's path is not published)",
        "parameters": [{"name": "InvoiceNumber", "in": "path", "required": True, "schema": _WHOLE}],
        "responses": {"200": _answer("It was accepted", found), "404": _message("It was not")},
    }


def _store() -> Schema:
    numbers = {"type": "array", "items": _WHOLE}
    counts = dict.fromkeys(("requests", "accepted", "numbers", "max_in_flight"), _COUNT)
    return {
        "operationId": "simulatorStore",
        "summary": "What the simulator has seen so far",
        "responses": {"200": _answer("The counts, and the numbers accepted twice", _object(**counts, twice=numbers))},
    }


def _schemas() -> Schema:
    """The models as they travel: exact decimals are JSON numbers, the number is what this server requires."""
    _, models = msgspec.json.schema_components(
        [SalesInvoice, UploadReceipt], ref_template="#/components/schemas/{name}"
    )
    schemas: Schema = _decimals_as_numbers(models)
    schemas["SalesInvoice"]["required"] = ["InvoiceNumber"]
    schemas["SalesInvoice"]["properties"]["InvoiceNumber"] = _WHOLE
    schemas["Message"] = _object(Message={"type": "string"})
    return schemas


def _decimals_as_numbers(schema: Any) -> Any:
    if isinstance(schema, dict):
        if schema.get("format") == "decimal":
            return {"type": "number"}
        return {key: _decimals_as_numbers(value) for key, value in schema.items()}
    return [_decimals_as_numbers(value) for value in schema] if isinstance(schema, list) else schema


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _answer(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {JSON: {"schema": schema}}}


def _message(description: str) -> Schema:
    return _answer(description, _ref("Message"))


@cache
def document(lookup_path: str | None = None) -> bytes:
    """The document as JSON, made once."""
    return msgspec.json.encode(describe_api(lookup_path))
