"""What tells one content of an invoice from another."""

import struct
from collections.abc import Callable, Collection, Sequence
from hashlib import sha256

import msgspec

from cashin_async.errors import ConfigurationError
from cashin_async.models.invoice import SalesInvoice

Digest = Callable[[Sequence[bytes]], list[int]]
"""From JSON objects that travel to 8 bytes of the SHA-256 of each, as signed numbers."""

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


def digests(encoded: Sequence[bytes]) -> list[int]:
    """8 bytes of the SHA-256 of each invoice as it travels.

    The same content spelled otherwise (keys in another order, 100.0 for 100) has another digest. That errs to
    the safe side: it is reported as a conflict, and not sent.
    """
    whole = b"".join([sha256(one).digest() for one in encoded])
    return list(struct.unpack(">" + "q24x" * len(encoded), whole))


def digest_without(fields: Collection[str]) -> Digest:
    """The same with some of an invoice's own fields left out, under their published names.

    For exports that stamp a field anew each time, `IssueDate` say, which would make every invoice a conflict.
    """
    if not fields:
        return digests
    published = set(SalesInvoice.__struct_encode_fields__) - {"InvoiceNumber"}
    if unknown := sorted(set(fields) - published):
        names = ", ".join(unknown)
        raise ConfigurationError(f"digest_without: {names} is no field that can be left out (CASHIN_DIGEST_WITHOUT)")
    left_out = frozenset(fields)

    def of_the_others(encoded: Sequence[bytes]) -> list[int]:
        return digests([_others(one) for one in encoded])

    def _others(one: bytes) -> bytes:
        kept = ((name, bytes(raw)) for name, raw in _members.decode(one).items() if name not in left_out)
        return b",".join(b"%s:%s" % (name.encode(), raw) for name, raw in kept)

    return of_the_others
