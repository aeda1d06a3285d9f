"""Bodies by the standard library's json, for the programs that use it."""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any


def encode(chunk: list[dict[str, Any]]) -> bytes:
    return json.dumps(chunk, default=_plain, ensure_ascii=False, separators=(",", ":")).encode()


def _plain(value: object) -> Any:
    match value:
        case Decimal():
            return float(value)
        case datetime():
            return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case date():
            return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")
