"""The thread that writes a ledger: whatever waits goes into one transaction.

One connection, used by one thread: SQLite up to 3.51.2 may lose writes when several connections write a WAL.
"""

import asyncio
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Generic, NamedTuple, TypeVar

from cashin_async.errors import CashInError, LedgerError
from cashin_async.events import LEDGER_FAILED, LEDGER_LOST
from cashin_async.ledger.book import Book, Kind

log = logging.getLogger(__name__)

T = TypeVar("T")


class _Work(NamedTuple):
    do: Callable[[Book], Any]
    kind: Kind
    answer: "asyncio.Future[Any] | None"
    """None: nobody waits for it."""
    keep: bool
    """When it cannot be written now, it is tried once more at the end."""


class Now(NamedTuple, Generic[T]):
    """The result of something that was done at once."""

    result: T


class _Answer(NamedTuple):
    future: "asyncio.Future[Any]"
    result: Any
    error: Exception | None


class Writer:
    """A queue and its thread. Work is a call with the book as its argument; it is done in the order of asking.

    When a group of work cannot be written, all of it fails, and nothing more is written: `failure` says why.
    """

    def __init__(self, name: str) -> None:
        self.failure: str | None = None
        self._name = name
        self._process = os.getpid()
        self._queue: SimpleQueue[_Work | None] = SimpleQueue()
        self._waiting: deque[_Work | None] = deque()
        self._unwritten: list[_Work] = []
        self._over: asyncio.Future[None] | None = None
        self._book: Book | None = None
        self._at_work = threading.Lock()
        self._asked = 0
        """Writes without a sync that were asked for; only the event loop counts here."""
        self._done = 0
        """Those of them that are done; only the thread counts here."""

    # -- from the event loop

    async def start(self, open_book: Callable[[], Book]) -> Book:
        """Begin: `open_book` is called by the thread, and what it raises is raised here."""
        opened: asyncio.Future[Book] = asyncio.get_running_loop().create_future()
        # a daemon: a process that ends without closing its ledger must not hang, and loses nothing
        threading.Thread(target=self._run, args=(open_book, opened), name=self._name, daemon=True).start()
        try:
            return await opened
        except asyncio.CancelledError:
            self._queue.put(None)
            raise

    def now(self, do: Callable[[Book], T], *, keep: bool = False) -> "Now[T] | None":
        """Write something without a sync at once, in this very thread: waking another takes longer than the write.

        None: the book is in use, or something asked before is still to be written; then `ask`.
        """
        idle = self._asked == self._done and self.failure is None and self._over is None
        if self._book is None or not idle or self._process != os.getpid() or not self._at_work.acquire(blocking=False):
            return None
        try:
            self._book.begin(Kind.WRITE)
            result = do(self._book)
            self._book.commit()
        except CashInError:  # it has written nothing
            self._book.commit()
            raise
        except Exception as error:
            self._fail(self._book, [_Work(do, Kind.WRITE, None, keep)], error)
            raise LedgerError(self.failure or "") from error
        finally:
            self._at_work.release()
        return Now(result)

    def ask(self, do: Callable[[Book], T], kind: Kind, *, keep: bool = False) -> "asyncio.Future[T]":
        """Have something done; the future has its result. It is done even if nobody waits for it any more."""
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        if self._over is not None:
            answer.set_exception(LedgerError(f"{self._name} is closed"))
        elif self._process != os.getpid():  # the thread did not come along
            answer.set_exception(LedgerError(f"{self._name} was opened by process {self._process}: open it anew"))
        else:
            self._asked += kind is Kind.WRITE
            self._queue.put(_Work(do, kind, answer, keep))
        return answer

    def tell(self, do: Callable[[Book], Any], *, keep: bool = False) -> None:
        """Have something written that nobody waits for."""
        if self._over is None:
            self._asked += 1
            self._queue.put(_Work(do, Kind.WRITE, None, keep))

    async def close(self) -> None:
        """Do what waits, let go of the book, end the thread."""
        if self._process != os.getpid():  # a fork: it is the parent's to close
            return
        if self._over is None:
            self._over = asyncio.get_running_loop().create_future()
            self._queue.put(None)
        await asyncio.shield(self._over)

    # -- on the thread

    def _run(self, open_book: Callable[[], Book], opened: "asyncio.Future[Book]") -> None:
        try:
            book = open_book()
        except Exception as error:
            _deliver([_Answer(opened, None, error)])
            return
        self._book = book
        _deliver([_Answer(opened, book, None)])
        while group := self._next_group():
            with self._at_work:
                self._do(book, group)
            self._done += sum(work.kind is Kind.WRITE for work in group)
        self._book = None
        with self._at_work:
            self._end(book)

    def _next_group(self) -> list[_Work]:
        """All that waits: but what needs no sync does not wait for one, unless it stands behind it. Empty: the end."""
        if not self._waiting:
            self._waiting.append(self._queue.get())
        try:
            while True:
                self._waiting.append(self._queue.get_nowait())
        except Empty:
            pass
        group: list[_Work] = []
        while self._waiting and (work := self._waiting[0]) is not None:
            if group and work.kind is Kind.SYNCED and group[0].kind is not Kind.SYNCED:
                break
            group.append(work)
            self._waiting.popleft()
        return group

    def _do(self, book: Book, group: Sequence[_Work]) -> None:
        if self.failure is not None:
            self._refuse([work for work in group if work.kind is not Kind.READ], self.failure)
            group = [work for work in group if work.kind is Kind.READ]
        try:
            answers = self._transact(book, group)
        except Exception as error:
            self._fail(book, group, error)
        else:
            _deliver(answers)

    def _transact(self, book: Book, group: Sequence[_Work]) -> list[_Answer]:
        answers = []
        book.begin(max((work.kind for work in group), default=Kind.READ))
        for work in group:
            result, refusal = None, None
            try:
                result = work.do(book)
            except CashInError as error:  # it has written nothing, and the others may go on
                refusal = error
            if work.answer is not None:
                answers.append(_Answer(work.answer, result, refusal))
            elif refusal is not None:
                self._note_failure(str(refusal))
        book.commit()
        return answers

    def _fail(self, book: Book, group: Sequence[_Work], error: Exception) -> None:
        book.undo()
        writing = any(work.kind is not Kind.READ for work in group)
        why = str(book.explain(error, "written" if writing else "read"))
        if writing:
            self._note_failure(why)
        self._refuse(group, why, error)

    def _note_failure(self, why: str) -> None:
        LEDGER_FAILED.tell(log, reason=why)
        self.failure = self.failure or why

    def _refuse(self, group: Iterable[_Work], why: str, cause: Exception | None = None) -> None:
        answers = []
        for work in group:
            if work.keep:
                self._unwritten.append(work)
            if work.answer is not None:
                error = LedgerError(why)
                error.__cause__ = cause
                answers.append(_Answer(work.answer, None, error))
        _deliver(answers)

    def _end(self, book: Book) -> None:
        if self._unwritten:
            try:
                self._transact(book, [work._replace(answer=None) for work in self._unwritten])
            except Exception as error:
                book.undo()
                why = book.explain(error, "written")
                LEDGER_LOST.tell(log, requests=len(self._unwritten), reason=str(why))
        book.close()
        if self._over is not None:
            _deliver([_Answer(self._over, None, None)])


def _deliver(answers: Iterable[_Answer]) -> None:
    """One call into each event loop; there is one, as a rule."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Answer]] = {}
    for answer in answers:
        by_loop.setdefault(answer.future.get_loop(), []).append(answer)
    for loop, some in by_loop.items():
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(_answer, some)


def _answer(answers: Iterable[_Answer]) -> None:
    for future, result, error in answers:
        if future.done():  # whoever waited was cancelled
            continue
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)
