"""What became of the unknown, in words for the terminal and as JSON."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.text import Text

from cashin_async.report.frame import printable
from cashin_async.report.summary import few


@dataclass
class SettlementReport:
    """What was settled, and what is still unknown."""

    run: str
    ledger: str
    accepted: list[int] = field(default_factory=list)
    """Were unknown, and are accepted."""
    released: list[int] = field(default_factory=list)
    """Were unknown, and are not accepted."""
    adopted: "array[int]" = field(default_factory=lambda: array("q"))
    """Were not on record, or as never accepted, and are accepted by a person's word."""
    unchanged: dict[str, list[int]] = field(default_factory=dict)
    """What a person named, and is as it was: the numbers by the reason."""
    unknown: list[int] = field(default_factory=list)
    """Still are."""
    refused: str | None = None
    """Why nothing that the look-up says counts, if that is so."""

    def as_dict(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        return {
            "accepted": len(self.accepted),
            "released": len(self.released),
            "adopted": len(self.adopted),
            "unchanged": sum(map(len, self.unchanged.values())),
            "unknown": len(self.unknown),
            "unknown_numbers": list(self.unknown),
            "refused": self.refused,
            "run": self.run,
            "ledger": self.ledger,
        }


def print_settlement(settlement: SettlementReport, console: Console) -> None:
    """How many, and the first numbers of each kind."""
    for line in settlement_lines(settlement):
        console.print(Text(printable(line)), soft_wrap=True)
    console.print(Text(printable(f"run {settlement.run}, ledger {settlement.ledger}"), style="dim"), soft_wrap=True)


def settlement_lines(settlement: SettlementReport) -> Iterator[str]:
    """Each kind in a line."""
    kinds: tuple[tuple[str, Sequence[int]], ...] = (
        ("unknown before, now accepted: never sent again", settlement.accepted),
        ("unknown before, now released: sent when an upload has their invoices", settlement.released),
        ("adopted as accepted: never sent", settlement.adopted),
        *settlement.unchanged.items(),
        ("still unknown: not sent before they are settled", settlement.unknown),
    )
    said = [f"{len(numbers):,} {kind}: {few(numbers)}" for kind, numbers in kinds if numbers]
    yield from said or ["Nothing is unknown."]
    if settlement.refused:
        yield f"The look-up settles nothing: {settlement.refused}"
