"""Arrow tables: whatever has `__arrow_c_stream__`, of pyarrow, polars, pandas or duckdb; needs the extra `parquet`.

The JSON is put together by Arrow itself, column by column: Python objects are made of whole invoices only.
"""

import re
from collections.abc import AsyncIterator, Callable, Iterator, Sized
from decimal import Decimal
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
_INDEX = re.compile(r"__index_level_\d+__")
"""What pyarrow calls the index of a pandas frame that was sorted, filtered or concatenated."""
_ROWS_OF_NULLS = pa.large_list(pa.struct([("Description", _TEXT)]))  # for rows that are all null or empty
_WHOLE_BELOW = {16: 2.0**11, 32: 2.0**24, 64: 2.0**53}
"""By the bits of a float: whole numbers below this are all told apart by it."""
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
    """The invoices of all batches that `following` gives, which is called in threads until there is none.

    Where it raises, the invoice whose rows may go on there is told as a problem first.
    """
    try:
        while (table := await _in_thread(following)) is not None:
            for some in _slices(table):
                for batch in _turns(await _in_thread(lambda some=some: invoices.feed(some))):  # type: ignore[misc]
                    yield batch
    except Exception:
        yield invoices.end(cut_off=True)
        raise
    yield invoices.end()


def _slices(table: "pa.RecordBatch") -> Iterator["pa.RecordBatch"]:
    for start in range(0, len(table), AT_ONCE):
        yield from _small(table.slice(start, AT_ONCE))


def _small(table: "pa.RecordBatch") -> Iterator["pa.RecordBatch"]:
    """Halves of halves, until they are small enough: a few rows may be much larger than the others."""
    if len(table) > 1 and size_of(table) > _BYTES_AT_ONCE:
        half = len(table) // 2
        yield from _small(table.slice(0, half))
        yield from _small(table.slice(half))
    else:
        yield table


def size_of(table: "pa.RecordBatch") -> int:
    """Bytes of Arrow's memory, were each text to stand for itself: a dictionary has it once for many rows."""
    return sum(map(_size, table.columns))


def _size(values: Any) -> int:
    type_ = values.type
    if _is_list(type_):
        return 8 * len(values) + _size(values.flatten())
    if pa.types.is_struct(type_):
        return sum(map(_size, values.flatten()))
    if pa.types.is_dictionary(type_):
        lengths = pc.binary_length(values.dictionary.cast(_TEXT)).take(values.indices)
        return pc.sum(lengths).as_py() or 0
    if pa.types.is_string_view(type_):  # of these, a slice counts for all that it is one of
        values = values.cast(_TEXT)
    size: int = values.nbytes
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
        self._longest = longest
        self._columns = [place for place, name in enumerate(schema.names) if not _INDEX.fullmatch(name)]
        schema = pa.schema([schema.field(place) for place in self._columns])
        self._layout = layout_of(schema.names, allow_unknown_fields)
        for column in (*self._layout.heads, *self._layout.rows):
            _refuse_type(schema.field(column.place))
        self._rows = self._nested(schema) if self._layout.nested is not None else None
        self._gathering = Gathering(self._layout, longest, allow_unknown_fields) if self._layout.rows else None

    def _nested(self, schema: "pa.Schema") -> list[Column]:
        """The columns of the rows."""
        type_ = schema.field(self._layout.nested).type
        if _is_of_nulls(type_):
            type_ = _ROWS_OF_NULLS
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
        table = table.select(self._columns)
        if self._gathering is not None:
            return self._gathering.add(self._lines(refs, table))
        return self._invoices(refs, table)

    def end(self, *, cut_off: bool = False) -> Batch:
        """The last invoice, when no other one has ended it. Where the table is `cut_off`, it may not be all."""
        return self._gathering.end(cut_off=cut_off) if self._gathering is not None else Batch((), (), [])

    def _invoices(self, refs: range, table: "pa.RecordBatch") -> Batch:
        """Each line is one."""
        problems: dict[int, str] = {}
        pieces: list[Any] = []
        for column in self._layout.heads:
            values = table.column(column.place)
            _note_not_finite(values, column.name, problems)
            pieces += [f",{column.key}", pc.coalesce(_json(values, column.kind), _text("null"))]
        if self._rows is not None:
            lists = self._without_too_long(table.column(self._layout.nested), problems)
            pieces += [f',"{ROWS}":', _nested_rows(lists, self._rows, problems)]
        pieces[0] = "{" + pieces[0][1:]
        encoded = _joined([*pieces, "}"]).cast(pa.large_binary()).to_pylist()
        for place, one in enumerate(encoded):
            if len(one) > self._longest:
                problems.setdefault(place, self._too_long)
        for place in problems:
            encoded[place] = b""
        numbers, wrong = numbers_of(encoded, self._allow_unknown_fields)
        return Batch(refs, numbers, encoded, wrong | problems)

    def _without_too_long(self, lists: Any, problems: dict[int, str]) -> Any:
        """The same, and no rows where there are so many that their names alone are too long: millions may be equal,
        and take no room before they are JSON."""
        if _is_of_nulls(lists.type):
            lists = lists.cast(_ROWS_OF_NULLS)
        least = len("{},") + sum(len(column.key) + 1 for column in self._rows or ())
        too_many = pc.fill_null(pc.greater(pc.list_value_length(lists), self._longest // least + 1), False)
        if not pc.any(too_many).as_py():
            return lists
        problems.update(dict.fromkeys(pc.indices_nonzero(too_many).to_pylist(), self._too_long))
        return pc.if_else(too_many, pa.scalar(None, lists.type), lists)

    @property
    def _too_long(self) -> str:
        return f"is longer than {self._longest} bytes (chunk_bytes)"

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
        if pa.types.is_date64(type_):  # may have a time, which is for the check
            return _quoted(_moments(values.cast(pa.timestamp("ms")), Kind.DAY))
        return _quoted(values.cast(_TEXT))
    texts = values.cast(_TEXT)
    if _is_text(type_):
        return _numbers_or_texts(texts) if kind is Kind.NUMBER else _quoted(_escaped(texts))
    if pa.types.is_floating(type_):
        texts = pc.replace_substring_regex(texts, r"^(-?\d+)$", r"\1.0")  # as Python writes them, and so dicts travel
        return pc.coalesce(_whole(values).cast(_TEXT), texts) if kind is Kind.WHOLE else texts
    if pa.types.is_decimal(type_):
        texts = _plain(texts)
        return pc.replace_substring_regex(texts, r"\.0+$", "") if kind is Kind.WHOLE else texts
    return texts


def _whole(values: Any) -> Any:
    """Those that are whole, and small enough to have come through a float as they were; null for the others."""
    below, values = _WHOLE_BELOW[values.type.bit_width], values.cast(pa.float64())
    exact = pc.and_(pc.equal(pc.floor(values), values), pc.less(pc.abs(values), below))
    return pc.if_else(exact, values, pa.scalar(None, pa.float64())).cast(pa.int64())


def _plain(texts: Any) -> Any:
    """Decimals with all their digits: 0E-7 is 0.0000000."""
    if not pc.any(pc.match_substring(texts, "E")).as_py():
        return texts
    return pa.array([text and f"{Decimal(text):f}" for text in texts.to_pylist()], _TEXT)


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


def _is_of_nulls(type_: Any) -> bool:
    """What rows are when no invoice has any: nobody can tell what they would be."""
    return pa.types.is_null(type_) or (_is_list(type_) and pa.types.is_null(type_.value_type))


def _refuse_type(field: "pa.Field", prefix: str = "") -> None:
    """Raise `CannotReadOn` for a column of a type that no field has, or of a time zone that is not known here."""
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
        raise CannotReadOn(f"{_named(field, prefix)} is {_called(field.type)}: no field of an invoice is")
    if pa.types.is_timestamp(type_) and type_.tz is not None:
        try:
            pc.local_timestamp(pa.scalar(0, type_))
        except pa.ArrowInvalid:  # its words quote the zone
            raise CannotReadOn(f"{_named(field, prefix)} is of a time zone that is not known here") from None


def _named(field: "pa.Field", prefix: str) -> str:
    return f"column {prefix}{field.name}" if may_be_shown(field.name) else "a column"


def _called(type_: Any) -> str:
    """A type by its own name alone: a struct's holds the names of its fields."""
    return f"of the Arrow type {str(type_).partition('<')[0].partition('[')[0]}"
