"""The ledger in a file: SQLite in WAL mode, written by one thread.

Leases are synced to the disk ahead of time; the posting mark and the outcome are handed to the operating system, where
they survive the end of the process, and are on the disk with the next lease.
"""

import asyncio
import hashlib
import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from anyio import to_thread

from cashin_async.errors import ConfigurationError
from cashin_async.events import LEDGER_OPENED
from cashin_async.ledger.base import Account, Known, Ledger, NumberState, Part
from cashin_async.ledger.book import Book, Kind
from cashin_async.ledger.boot import boot_id
from cashin_async.ledger.layout import MIGRATIONS, Migration
from cashin_async.ledger.opening import open_book
from cashin_async.ledger.writer import Writer

log = logging.getLogger(__name__)


class SqliteLedger(Ledger):
    """A ledger in a file. `open` gives one."""

    place: str
    ahead = 16  # a sync of 5 ms for 1,600 invoices is hidden behind their sending

    def __init__(self, place: Path, account: Account, writer: Writer, book: Book) -> None:
        self.place = str(place)
        self.account = account
        self.recovered = book.recovered
        """What became of what the last writer left open: how many invoices are now UNKNOWN, how many UNSENT."""
        self._writer = writer
        self._largest = book.largest
        self._salt = book.salt
        self._admitted: set[bytes] = set()

    @classmethod
    async def open(
        cls,
        place: str | os.PathLike[str],
        account: Account,
        *,
        new: bool = False,
        boot: Callable[[], str | None] = boot_id,
        migrations: Sequence[Migration] = MIGRATIONS,
    ) -> "SqliteLedger":
        """Open the ledger of `account` for writing; one that does not exist is begun if it may be `new`.

        Raises `LedgerError` (it cannot be opened, is damaged, or of another account) and `LedgerInUse`.
        """
        path = _resolved(place)
        writer = Writer(f"ledger {path}")
        book = await writer.start(partial(open_book, path, account, new, boot, migrations))
        ledger = cls(path, account, writer, book)
        unknown, unsent = (ledger.recovered[state] for state in (NumberState.UNKNOWN, NumberState.UNSENT))
        LEDGER_OPENED.tell(log, ledger=ledger.place, unknown=unknown, unsent=unsent)
        return ledger

    @property
    def failure(self) -> str | None:  # type: ignore[override]
        """Why it can no longer be written, or None."""
        return self._writer.failure

    # -- reading

    async def known(self, numbers: Sequence[int]) -> Mapping[int, Known]:
        if not numbers or min(numbers) > self._largest:  # new numbers rise, as a rule
            return {}
        return await self._writer.ask(lambda book: book.known(numbers), Kind.READ)

    async def in_state(self, state: NumberState, after: int = 0, limit: int = 1000) -> list[int]:
        return await self._writer.ask(lambda book: book.in_state(state, after, limit), Kind.READ)

    async def recently_accepted(self, limit: int = 10) -> list[int]:
        return await self._writer.ask(lambda book: book.recently_accepted(limit), Kind.READ)

    # -- leases

    async def lease(self, run: str, batches: Sequence[tuple[Sequence[int], Sequence[int]]]) -> list[int]:
        leases: list[int] = []

        def take(book: Book) -> list[int]:
            leases.extend(book.lease(run, batches))
            return leases

        for numbers, _ in batches:
            self._expect(numbers)
        try:
            return await self._writer.ask(take, Kind.SYNCED)
        except asyncio.CancelledError:  # nobody will ever know these leases
            self._writer.tell(lambda book: book.give_up(leases, "was cancelled before it was sent"))
            raise

    async def post(self, lease: int, numbers: Sequence[int] | None = None) -> int:
        posted: list[int] = []

        def mark(book: Book) -> int:
            posted.append(book.post(lease, numbers))
            return posted[0]

        if (now := self._writer.now(mark)) is not None:
            return now.result
        try:
            return await self._writer.ask(mark, Kind.WRITE)
        except asyncio.CancelledError:
            self._writer.tell(lambda book: book.unpost(posted, lease))
            raise

    def take_back(self, lease: int) -> None:
        self._writer.tell(lambda book: book.take_back(lease), keep=True)

    async def settle(self, lease: int, parts: Sequence[Part]) -> None:
        if self._writer.now(lambda book: book.settle(lease, parts), keep=True) is None:
            await self._writer.ask(lambda book: book.settle(lease, parts), Kind.WRITE, keep=True)

    async def abandon(self, run: str) -> None:
        await self._writer.ask(lambda book: book.abandon(run), Kind.WRITE, keep=True)

    # -- without a lease

    async def note(self, run: str, state: NumberState, reason: str | None, invoices: Mapping[int, int | None]) -> None:
        self._expect(invoices)
        kind = Kind.SYNCED if state is NumberState.ACCEPTED else Kind.WRITE
        await self._writer.ask(lambda book: book.note(run, state, reason, invoices), kind)

    async def decide(self, run: str, state: NumberState, reason: str | None, numbers: Sequence[int]) -> list[int]:
        return await self._writer.ask(lambda book: book.decide(run, state, reason, numbers), Kind.SYNCED)

    async def save_run(self, run: str, facts: Mapping[str, Any]) -> None:
        text = msgspec.json.encode(facts).decode()
        await self._writer.ask(lambda book: book.save_run(run, text), Kind.WRITE)

    async def admit_key(self, key: str) -> None:
        seen = hashlib.sha256(self._salt + key.encode()).digest()
        if seen in self._admitted:
            return
        slow_hash = await to_thread.run_sync(_slow_hash, key, self._salt)
        del key  # a traceback with its locals must not show it
        only_first = self.account.creditor is None
        if not await self._writer.ask(lambda book: book.admits(slow_hash, only_first), Kind.WRITE):
            raise ConfigurationError(
                f"this API key is new to the ledger {self.place}, so it may be another creditor's. When it is the same "
                f"creditor's new key, name the creditor: --creditor LABEL together with --ledger {self.place} "
                "(settings creditor, ledger)"
            )
        self._admitted.add(seen)

    async def close(self) -> None:
        await self._writer.close()

    def _expect(self, numbers: Iterable[int]) -> None:
        """From now on `known` asks for them, whether or not they are on record yet."""
        self._largest = max(self._largest, max(numbers, default=0))


def _resolved(place: str | os.PathLike[str]) -> Path:
    """The same file, and so the same lock, whatever link leads to it."""
    return Path(os.path.realpath(place))


def _slow_hash(key: str, salt: bytes) -> bytes:
    """20 ms and 8 MB a guess, and so short that a guess that fits need not be the key."""
    return hashlib.scrypt(key.encode(), salt=salt, n=2**13, r=8, p=1, dklen=4)
