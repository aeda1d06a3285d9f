"""What tells one content of an invoice from another."""

import hashlib
from collections.abc import Callable, Collection

import msgspec

from cashin_async.errors import ConfigurationError
from cashin_async.models.invoice import SalesInvoice

Digest = Callable[[bytes], int]
"""From the JSON object that travels to 8 bytes of its SHA-256, as a signed number."""

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


def digest(encoded: bytes) -> int:
    """8 bytes of the SHA-256 of the invoice as it travels.

    The same content spelled otherwise (keys in another order, 100.0 for 100) has another digest. That errs to
    the safe side: it is reported as a conflict, and not sent.
    """
    return int.from_bytes(hashlib.sha256(encoded).digest()[:8], signed=True)


def digest_without(fields: Collection[str]) -> Digest:
    """The same with some of an invoice's own fields left out, under their published names.

    For exports that stamp a field anew each time, `IssueDate` say, which would make every invoice a conflict.
    """
    if not fields:
        return digest
    published = set(SalesInvoice.__struct_encode_fields__) - {"InvoiceNumber"}
    if unknown := sorted(set(fields) - published):
        raise ConfigurationError(f"digest_without: {', '.join(unknown)} is no field that can be left out")
    left_out = frozenset(fields)

    def of_the_others(encoded: bytes) -> int:
        kept = ((name, bytes(raw)) for name, raw in _members.decode(encoded).items() if name not in left_out)
        return digest(b",".join(b"%s:%s" % (name.encode(), raw) for name, raw in kept))

    return of_the_others
