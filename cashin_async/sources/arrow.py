"""Arrow tables: whatever has `__arrow_c_stream__`, of pyarrow, polars, pandas or duckdb; needs the extra `parquet`.

The JSON is put together by Arrow itself, column by column: Python objects are made of whole invoices only.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sized
from json.encoder import encode_basestring
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
from anyio import to_thread

from cashin_async.models.wire import may_be_shown, numbers_of
from cashin_async.sources.columns import NUMBER_COLUMN, ROW, ROWS, Column, Kind, layout_of, row_columns
from cashin_async.sources.gathering import Gathering, Lines, Trouble
from cashin_async.sources.source import Batch, CannotReadOn, Record, SourceProblem

AT_ONCE = 1024  # rows that a thread makes JSON of: each call into Arrow costs as much as ten rows
_BYTES_AT_ONCE = 4_194_304  # of Arrow's memory, where rows are large
_TURN = 64  # invoices between two turns of the event loop
_TEXT = pa.large_string()
_NUMBER = r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$"


class HasArrowStream(Protocol):
    """An Arrow table, or a stream of its batches: see the Arrow PyCapsule interface."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any: ...


class ArrowStream:
    """The rows of a table, each known by its place from 0. Only some of them at a time are in memory twice.

    A row that is no valid invoice is a record with a problem, and the next one is read. A table that has a column of
    another name or of a type that no invoice has is not read at all.
    """

    def __init__(self, table: HasArrowStream, *, longest: int = 1_048_574, allow_unknown_fields: bool = False) -> None:
        self.problems: list[SourceProblem] = []
        self.failure: BaseException | None = None
        self.glances = False
        self.wanted: int | None = None
        self._table = table
        self._longest = longest
        self._allow_unknown_fields = allow_unknown_fields
        self._rows = 0
        self._length = len(table) if isinstance(table, Sized) else None

    def share_read(self) -> float | None:
        return self._rows / self._length if self._length else None

    def locate(self, ref: Any) -> Any:
        return ref

    def check(self, record: Record) -> Record:
        return record

    def left_over(self) -> Batch:
        return Batch((), (), [])

    async def batches(self) -> AsyncIterator[Batch]:
        try:
            reader = await _in_thread(lambda: pa.RecordBatchReader.from_stream(self._table))
            invoices = ArrowInvoices(reader.schema, self._longest, self._allow_unknown_fields)
            async for batch in read(lambda: next(reader, None), invoices):
                self._rows = invoices.line
                yield batch
        except CannotReadOn as error:
            self.problems.append(SourceProblem(str(error)))
        except Exception as error:  # the caller's own stream may raise anything
            self.failure = error
            self.problems.append(SourceProblem(f"the table raised {type(error).__name__} after {self._rows} rows"))


async def read(following: Callable[[], "pa.RecordBatch | None"], invoices: "ArrowInvoices") -> AsyncIterator[Batch]:
    """The invoices of all batches that `following` gives, which is called in threads until there is none."""
    while (table := await _in_thread(following)) is not None:
        for some in _slices(table):
            for batch in _turns(await _in_thread(lambda some=some: invoices.feed(some))):  # type: ignore[misc]
                yield batch
    yield invoices.end()


def _slices(table: "pa.RecordBatch") -> Iterator["pa.RecordBatch"]:
    count = len(table)
    step = max(1, min(AT_ONCE, count * _BYTES_AT_ONCE // max(1, _size(table))))
    for start in range(0, count, step):
        yield table.slice(start, step)


def _size(table: "pa.RecordBatch") -> int:
    try:
        size: int = table.nbytes
    except pa.ArrowTypeError:  # an older pyarrow cannot tell of texts as polars has them
        size = table.get_total_buffer_size()
    return size


def _turns(batch: Batch) -> Iterator[Batch]:
    for start in range(0, len(batch), _TURN):
        end = start + _TURN
        problems = {place - start: reason for place, reason in batch.problems.items() if start <= place < end}
        yield Batch(batch.refs[start:end], batch.numbers[start:end], batch.encoded[start:end], problems)


async def _in_thread(work: Callable[[], Any]) -> Any:
    return await to_thread.run_sync(work, abandon_on_cancel=True)  # a query may take its time


class ArrowInvoices:
    """Feed it batches of a table with this schema, take invoices. Pure.

    With rows in a column of their own, `InvoiceRows`, each line of the table is one invoice, and null is null. With
    columns of `Row.`..., consecutive lines of one number are one invoice, and null is an absent field.

    Raises `CannotReadOn` for a schema that is none of invoices.
    """

    def __init__(self, schema: "pa.Schema", longest: int, allow_unknown_fields: bool) -> None:
        self.line = 0
        self._allow_unknown_fields = allow_unknown_fields
        self._layout = layout_of(schema.names, allow_unknown_fields)
        for column in (*self._layout.heads, *self._layout.rows):
            _refuse_type(schema.field(column.place))
        self._rows = self._nested(schema) if self._layout.nested is not None else None
        self._gathering = Gathering(self._layout, longest, allow_unknown_fields) if self._layout.rows else None

    def _nested(self, schema: "pa.Schema") -> list[Column]:
        """The columns of the rows."""
        type_ = schema.field(self._layout.nested).type
        if not _is_list(type_) or not pa.types.is_struct(type_.value_type):
            raise CannotReadOn(f"column {ROWS} is {_called(type_)}, not a list of structs")
        fields = list(type_.value_type)
        if not fields:
            raise CannotReadOn(f"column {ROWS} is a list of structs that have no fields")
        columns = row_columns([field.name for field in fields], self._allow_unknown_fields)
        for column in columns:
            _refuse_type(fields[column.place], f"{ROWS}.")
        return columns

    def feed(self, table: "pa.RecordBatch") -> Batch:
        """The invoices that end in these rows of the table; a ref is the place of the first one."""
        refs = range(self.line, self.line + len(table))
        self.line += len(table)
        if self._gathering is not None:
            return self._gathering.add(self._lines(refs, table))
        return self._invoices(refs, table)

    def end(self) -> Batch:
        """The last invoice, when no other one has ended it."""
        return self._gathering.end() if self._gathering is not None else Batch((), (), [])

    def _invoices(self, refs: range, table: "pa.RecordBatch") -> Batch:
        """Each line is one."""
        problems: dict[int, str] = {}
        pieces: list[Any] = []
        for column in self._layout.heads:
            values = table.column(column.place)
            _note_not_finite(values, column.name, problems)
            pieces += [f",{column.key}", pc.coalesce(_json(values, column.kind), _text("null"))]
        if self._rows is not None:
            pieces += [f',"{ROWS}":', _nested_rows(table.column(self._layout.nested), self._rows, problems)]
        pieces[0] = "{" + pieces[0][1:]
        encoded = _joined([*pieces, "}"]).cast(pa.large_binary()).to_pylist()
        for place in problems:
            encoded[place] = b""
        numbers, wrong = numbers_of(encoded, self._allow_unknown_fields)
        return Batch(refs, numbers, encoded, wrong | problems)

    def _lines(self, refs: range, table: "pa.RecordBatch") -> Lines:
        """Each line is one, or a row of one."""
        problems: dict[int, str] = {}
        numbers = _json(table.column(self._layout.heads[0].place), Kind.WHOLE).to_pylist()
        heads = [*zip(*(self._members(column, "", table, problems) for column in self._layout.heads), strict=True)]
        rows = zip(*(self._members(column, ROW, table, problems) for column in self._layout.rows), strict=True)
        for place, number in enumerate(numbers):
            if number is None or not number.lstrip("-").isdigit():
                problems[place] = f"{NUMBER_COLUMN} is not a whole number" if number else f"{NUMBER_COLUMN} is missing"
                numbers[place] = None
        troubles = {place: Trouble(reason) for place, reason in problems.items()}
        return Lines(refs, numbers, heads, [",".join(filter(None, row)) for row in rows], troubles)

    def _members(self, column: Column, prefix: str, table: "pa.RecordBatch", problems: dict[int, str]) -> list[str]:
        values = table.column(column.place)
        if values.null_count == len(values):
            return [""] * len(values)
        _note_not_finite(values, prefix + column.name, problems)
        members: list[str] = pc.coalesce(_joined([column.key, _json(values, column.kind)]), _text("")).to_pylist()
        return members


# -- values of JSON, by Arrow


def _joined(pieces: list[Any]) -> Any:
    """Texts side by side as one; null where one is."""
    return pc.binary_join_element_wise(*(_text(one) if isinstance(one, str) else one for one in (*pieces, "")))


def _text(text: str) -> Any:
    return pa.scalar(text, _TEXT)


def _nested_rows(lists: Any, columns: list[Column], problems: dict[int, str]) -> Any:
    """The rows of each invoice as an array of JSON, or null."""
    structs, parents = lists.flatten(), pc.list_parent_indices(lists).to_pylist()
    fields = structs.flatten()
    pieces: list[Any] = []
    for column in columns:
        found: dict[int, str] = {}
        _note_not_finite(fields[column.place], f"{ROWS}[].{column.name}", found)
        problems.update({parents[place]: reason for place, reason in found.items()})
        pieces += [f",{column.key}", pc.coalesce(_json(fields[column.place], column.kind), _text("null"))]
    pieces[0] = "{" + pieces[0][1:]
    rows = pc.if_else(structs.is_valid(), _joined([*pieces, "}"]), _text("null"))
    lengths = pc.coalesce(pc.list_value_length(lists).cast(pa.int64()), 0)
    ends = pc.cumulative_sum(lengths)
    offsets = pa.concat_arrays([pa.array([0], pa.int64()), ends])
    whole = _joined(["[", pc.binary_join(pa.LargeListArray.from_arrays(offsets, rows), _text(",")), "]"])
    return pc.if_else(lists.is_valid(), whole, _text("null"))


def _json(values: Any, kind: Kind) -> Any:
    """Each value as JSON, by its own type: whether that is the field's is for the check. Null stays null.

    But for what a type cannot say: a whole number that became a float, since some were missing; a date for which there
    was no type but a time at midnight; an amount in a text.
    """
    type_ = values.type
    if pa.types.is_dictionary(type_):
        values, type_ = values.dictionary.cast(_TEXT).take(values.indices), _TEXT
    if pa.types.is_timestamp(type_):
        return _quoted(_moments(values, kind))
    if pa.types.is_date(type_):
        return _quoted(values.cast(pa.date32()).cast(_TEXT))
    texts = values.cast(_TEXT)
    if _is_text(type_):
        return _numbers_or_texts(texts) if kind is Kind.NUMBER else _quoted(_escaped(texts))
    if pa.types.is_floating(type_) and kind is Kind.WHOLE:
        return pc.coalesce(_whole(values.cast(pa.float64())).cast(_TEXT), texts)
    if pa.types.is_floating(type_):
        return pc.replace_substring_regex(texts, r"^(-?\d+)$", r"\1.0")  # as Python writes them, and so as dicts travel
    if pa.types.is_decimal(type_) and kind is Kind.WHOLE:
        return pc.replace_substring_regex(texts, r"\.0+$", "")
    return texts


def _whole(values: Any) -> Any:
    """Those that are whole, and small enough to have come through a float as they were; null for the others."""
    exact = pc.and_(pc.equal(pc.floor(values), values), pc.less(pc.abs(values), 2.0**53))
    return pc.if_else(exact, values, pa.scalar(None, pa.float64())).cast(pa.int64())


def _quoted(texts: Any) -> Any:
    return _joined(['"', texts, '"'])


def _escaped(texts: Any) -> Any:
    if not pc.any(pc.match_substring_regex(texts, r'["\\\x00-\x1f]')).as_py():
        return texts
    escaped = [text and _escaped_one(text) for text in texts.cast(pa.large_binary()).to_pylist()]
    return pa.array(escaped, pa.large_binary()).view(_TEXT)


def _escaped_one(text: bytes) -> bytes:
    """Bytes that are no UTF-8 stay in it for the check to find: Arrow does not look."""
    return encode_basestring(text.decode("utf-8", "surrogateescape"))[1:-1].encode("utf-8", "surrogateescape")


def _numbers_or_texts(texts: Any) -> Any:
    """Numbers for the texts that are some; the others are told of by the check."""
    return pc.if_else(pc.match_substring_regex(texts, _NUMBER), texts, _quoted(_escaped(texts)))


def _moments(values: Any, kind: Kind) -> Any:
    """A time with a zone in UTC; a date in the zone's own."""
    zone = ""
    if values.type.tz is not None:
        if kind is Kind.DAY:
            values = pc.local_timestamp(values)
        else:
            values, zone = values.cast(pa.timestamp(values.type.unit)), "Z"
    texts = pc.strftime(values, format="%Y-%m-%dT%H:%M:%S").cast(_TEXT)
    texts = pc.replace_substring_regex(texts, r"\.0+$", "")
    if kind is Kind.DAY:
        return pc.replace_substring_regex(texts, "T00:00:00$", "")
    return _joined([pc.replace_substring_regex(texts, r"(\.\d*?)(?:000)+$", r"\1"), zone])


def _note_not_finite(values: Any, path: str, problems: dict[int, str]) -> None:
    """NaN and infinity have no JSON form."""
    if pa.types.is_floating(values.type):
        finite = pc.coalesce(pc.is_finite(values), True)
        if not pc.all(finite).as_py():
            places = pc.indices_nonzero(pc.invert(finite)).to_pylist()
            problems.update(dict.fromkeys(places, f"{path} is not a finite number"))


# -- types


def _is_text(type_: Any) -> bool:
    return any(one(type_) for one in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view))


def _is_list(type_: Any) -> bool:
    return any(one(type_) for one in (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list))


def _refuse_type(field: "pa.Field", prefix: str = "") -> None:
    type_ = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    plain = (
        pa.types.is_integer,
        pa.types.is_floating,
        pa.types.is_decimal,
        pa.types.is_boolean,
        pa.types.is_date,
        pa.types.is_timestamp,
        pa.types.is_null,
    )
    if (pa.types.is_dictionary(field.type) and not _is_text(type_)) or not (
        _is_text(type_) or any(one(type_) for one in plain)
    ):
        name = f"column {prefix}{field.name}" if may_be_shown(field.name) else "a column"
        raise CannotReadOn(f"{name} is {_called(field.type)}: no field of an invoice is")


def _called(type_: Any) -> str:
    """A type by its own name alone: a struct's holds the names of its fields."""
    return f"of the Arrow type {str(type_).partition('<')[0].partition('[')[0]}"
