"""A verdict that stands, laid onto its chunk: who ends how, with the server's words blanked."""

from collections.abc import Sequence

from cashin_async.bulk.chunk import Chunk
from cashin_async.bulk.outcome import Settled, State
from cashin_async.bulk.verdict import Verdict
from cashin_async.transport.exchange import Answered, Exchange
from cashin_async.transport.redaction import Blank, text_of

_LONGEST_WORDS = 500  # characters of a reason that a table can still show


def apportion(chunk: Chunk, verdict: Verdict, exchange: Exchange | None = None) -> list[Settled]:
    """The outcomes of every invoice in `chunk`."""
    if verdict.rest is State.ACCEPTED and not verdict.named:
        return [_settled(chunk, range(len(chunk)), State.ACCEPTED, None)]
    key = exchange.key if isinstance(exchange, Answered) else None
    blank = Blank(chunk.encoded, chunk.numbers, key)
    settled = [
        _settled(chunk, [place], verdict.named_as, _reason("named in FailedInvoices", words, blank))
        for place, words in sorted(verdict.named.items())
    ]
    rest = [place for place in range(len(chunk)) if place not in verdict.named]
    if rest:
        reason = None if verdict.rest is State.ACCEPTED else _reason(verdict.reason, verdict.words, blank)
        keep = verdict.keep_answer and isinstance(exchange, Answered)
        answer = blank(text_of(exchange.body)) if keep else None  # type: ignore[union-attr]
        settled.append(_settled(chunk, rest, verdict.rest, reason, answer))
    return settled


def _settled(
    chunk: Chunk, places: Sequence[int], state: State, reason: str | None, answer: str | None = None
) -> Settled:
    if len(places) == len(chunk):
        return Settled(state, chunk.numbers, chunk.refs, reason, answer, chunk.encoded)
    part = chunk.pick(places)
    return Settled(state, part.numbers, part.refs, reason, answer, part.encoded)


def _reason(reason: str, words: str, blank: Blank) -> str:
    said = blank(words, _LONGEST_WORDS) if words else ""
    return f"{reason}: {said}" if said else reason
