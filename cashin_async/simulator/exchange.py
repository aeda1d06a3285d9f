"""What one POST comes to: which of its invoices are applied, and what is replied; and one look-up. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from cashin_async.models import UploadReceipt
from cashin_async.simulator import replies
from cashin_async.simulator.effects import LookedFor, Sent
from cashin_async.simulator.faults import Fault
from cashin_async.simulator.replies import Reply


class _Numbered(msgspec.Struct):
    number: int = msgspec.field(name="InvoiceNumber")


_numbers = msgspec.json.Decoder(list[_Numbered])
_raw = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Decision:
    """What is applied, what is replied, and the faults that had a part in it."""

    reply: Reply
    applied: Sequence[int] = ()
    """Indexes in the array."""
    faults: tuple[str, ...] = ()
    late: float = 0.0
    """Seconds until they are applied, whatever is replied meanwhile."""


def read_numbers(body: bytes) -> tuple[int, ...]:
    """The invoice numbers of a JSON array of invoices; `ValueError` with what is wrong, never with a value.

    Which keys are required is not published. Without a whole `InvoiceNumber` nothing could be counted, so
    that one is required here; everything else in an invoice only has to be JSON.
    """
    try:
        body.decode()  # msgspec passes over what it does not keep, and there it does not check UTF-8
        numbers = tuple([invoice.number for invoice in _numbers.decode(body)])
    except UnicodeDecodeError:
        raise ValueError("The body is not UTF-8.") from None
    except RecursionError:
        raise ValueError("The body is nested too deeply.") from None
    except msgspec.MsgspecError as error:
        raise ValueError(f"The body is not an array of invoices: {error}") from None
    if not numbers:
        raise ValueError("The body is an empty array.")
    return numbers


def read_invoices(body: bytes) -> list[bytes]:
    """The invoices of a body that `read_numbers` could read, each as the bytes it came in."""
    return [bytes(invoice) for invoice in _raw.decode(body)]


def decide(sent: Sent, striking: Sequence[Fault], problem: str = "") -> Decision:
    """Take one request through the faults that strike it. `problem` is why its body cannot be read."""
    for fault in striking:
        refused = fault.effect.before(sent)
        if refused is not None:
            return Decision(refused.reply, range(refused.applied), (fault.spec,))
    if problem:
        return Decision(replies.message(400, problem))
    return _apply(sent, striking)


def look_up(asked: LookedFor, striking: Sequence[Fault]) -> Decision:
    """Take one look-up through the faults that strike it. Nothing is applied."""
    for fault in striking:
        reply = fault.effect.look_up(asked)
        if reply is not None:
            return Decision(reply, faults=(fault.spec,))
    return Decision(replies.found(asked.number, asked.times) if asked.times else replies.message(404))


def _apply(sent: Sent, striking: Sequence[Fault]) -> Decision:
    failed: dict[int, Any] = {}
    faults = []
    for fault in striking:
        failures = fault.effect.failures(sent)
        failed |= failures
        faults += [fault.spec] if failures else []
    applied = (
        [index for index in range(len(sent.numbers)) if index not in failed] if failed else range(len(sent.numbers))
    )
    receipt = _receipt(len(applied), [failed[index] for index in sorted(failed)])
    faults += [fault.spec for fault in striking if fault.effect.recount(receipt)]
    for fault in striking:
        reply = fault.effect.after(receipt)
        if reply is not None:
            return Decision(reply, applied, (*faults, fault.spec), fault.effect.lateness())
    return Decision(replies.accepted(receipt), applied, tuple(faults))


def _receipt(uploaded: int, failed: list[Any]) -> UploadReceipt:
    """Spelled as the vendor spells it; `FailedInvoices` is null when none failed, not an empty array."""
    return UploadReceipt(
        status_description=f"Successfull upload of sales invoices ({uploaded}).",
        uploaded_invoices_count=uploaded,
        failed_invoices_count=len(failed),
        failed_invoices=failed or None,
    )
