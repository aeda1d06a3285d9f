"""Blanks the values of invoices in what a server says, before anybody keeps or prints it."""

import html
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import msgspec

if TYPE_CHECKING:
    from cashin_async.settings import ApiKey

_word = re.compile(r"[^\W_]+")
# escapes of JSON, and of JSON within a JSON string, which doubles the backslashes
_character_escape = re.compile(r"(?<!\\)\\+u([0-9a-fA-F]{4})")
_blank_escape = re.compile(r"(?<!\\)\\+[nrtbf]")
_unseen = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]+")
_PERCENT = re.compile(r"%[0-9a-fA-F]{2}")
_SHORTEST_PART = 3  # letters of a word that was cut short
_control = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_MOST_NUMBERS = 500  # words with digits that are looked up one by one; of more, all are blanked
_SHORTEST_KEY = 8  # characters: a shorter one is part of any word
_LONGEST = 65_536  # characters of an answer that are worth a person's time


class Blank:
    """Puts `***` for every word of a text that stands in a value of one of `invoices` (encoded objects).

    Word by word and regardless of case, since a server may quote a part of a name or shout it. Words with a
    digit go also when they are a part of a value: an account number comes with or without spaces. Invoice
    `numbers` stay: an outcome is worth nothing without them. The key becomes `****`, runs of control characters
    become a space.
    """

    def __init__(self, invoices: Sequence[bytes], numbers: Iterable[int], key: "ApiKey | None" = None) -> None:
        self._invoices = invoices
        self._numbers = numbers
        self._secret = key

    def __call__(self, text: str, longest: int = _LONGEST) -> str:
        """`text`, blanked first and then cut to `longest` characters."""
        text = _control.sub(" ", _unescaped(text[: 2 * min(longest, _LONGEST)]))
        if self._secret:
            text = _pattern(self._secret.reveal()).sub("****", text)
        words = set(_word.findall(text)) - self._kept
        numbered = {word for word in words if len(word) > 1 and any(map(str.isdigit, word))}
        gone = numbered if len(numbered) > _MOST_NUMBERS else set()
        gone |= {word for word in words - gone if self._quotes(_folded(word))}
        blanked = _word.sub(lambda match: "***" if match[0] in gone else match[0], text).strip()
        return blanked if len(blanked) <= longest else blanked[: longest - 3] + "..."

    @cached_property
    def _kept(self) -> set[str]:
        return {str(number) for number in self._numbers}

    @cached_property
    def _values(self) -> str:
        """All values of all invoices; the names of fields are no secret."""
        texts = []
        todo = [_decoded(invoice) for invoice in self._invoices]
        while todo:
            value = todo.pop()
            if isinstance(value, dict):
                todo.extend(value.values())
            elif isinstance(value, list):
                todo.extend(value)
            elif value is not None:
                texts.append(str(value))
        return _folded(_seen(" ".join(texts)))

    @cached_property
    def _together(self) -> str:
        return re.sub(r"[\s.-]+", "", self._values)

    @cached_property
    def _words(self) -> set[str]:
        """Every word of a value, and what is left of it when its end is cut off."""
        words = set(_word.findall(self._values))
        return words | {word[:end] for word in words for end in range(_SHORTEST_PART, len(word))}

    def _quotes(self, word: str) -> bool:
        if word in self._words:
            return True
        if len(word) > 1 and any(map(str.isdigit, word)):
            return word in self._values or word in self._together
        return any(part in self._words for part in _ascii_parts(word))


def _unescaped(text: str) -> str:
    """JSON, or what quotes some, without the escapes in which a word could hide; always encodable."""
    if "\\" in text:
        text = _character_escape.sub(lambda match: chr(int(match[1], 16)), text)
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        text = _blank_escape.sub(" ", text).replace("\\/", "/")
    for _ in range(2):  # escaped once more where one layer wraps another
        text = html.unescape(text) if "&" in text else text
    if _PERCENT.search(text):
        text = unquote(text, errors="replace")
    return _seen(text)


def _seen(text: str) -> str:
    """Text as one sees it: one form of each character, none that has no width."""
    return _unseen.sub("", unicodedata.normalize("NFKC", text))


def _folded(text: str) -> str:
    """Without case and accents: a server may shout a name, or know no accents."""
    if text.isascii():
        return text.lower()
    marked = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in marked if not unicodedata.combining(character))


def _ascii_parts(word: str) -> list[str]:
    """What is still readable of a word in the wrong encoding."""
    return [part for part in re.findall(r"[a-z]{3,}", word) if part != word]


def _decoded(invoice: bytes) -> Any:
    try:
        return msgspec.json.decode(invoice)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _unescaped(invoice.decode("utf-8", "replace"))


def text_of(body: bytes) -> str:
    """What a server said, in the encoding that fits."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16", "replace")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def _pattern(key: str) -> re.Pattern[str]:
    """The key wherever it stands; a short one, as in tests, only by itself."""
    return re.compile(re.escape(key) if len(key) >= _SHORTEST_KEY else rf"(?<!\w){re.escape(key)}(?!\w)", re.IGNORECASE)
