"""Blanks the values of invoices in what a server says, before anybody keeps or prints it."""

import html
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cashin_async.settings import ApiKey

_word = re.compile(r"[^\W_]+")
# escapes of JSON, and of JSON within a JSON string, which doubles the backslashes
_character_escape = re.compile(r"\\+u([0-9a-fA-F]{4})")
_blank_escape = re.compile(r"\\+[nrtbf]")
_control = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
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
        self._key = _pattern(key.reveal()) if key else None

    def __call__(self, text: str, longest: int = _LONGEST) -> str:
        """`text`, blanked first and then cut to `longest` characters."""
        text = _control.sub(" ", _unescaped(text[: 2 * _LONGEST]))
        if self._key:
            text = self._key.sub("****", text)
        words = set(_word.findall(text)) - self._kept
        gone = {word for word in words if self._quotes(word.casefold())}
        blanked = _word.sub(lambda match: "***" if match[0] in gone else match[0], text).strip()
        return blanked if len(blanked) <= longest else blanked[: longest - 3] + "..."

    @cached_property
    def _kept(self) -> set[str]:
        return {str(number) for number in self._numbers}

    @cached_property
    def _sent(self) -> str:
        return f" {_unescaped(b' '.join(self._invoices).decode('utf-8', 'replace'))} ".casefold()

    @cached_property
    def _sent_together(self) -> str:
        return re.sub(r"[\s.-]+", "", self._sent)

    def _quotes(self, word: str) -> bool:
        if len(word) > 1 and any(map(str.isdigit, word)):
            return word in self._sent or word in self._sent_together
        at = self._sent.find(word)
        while at >= 0:
            end = at + len(word)
            before, after = self._sent[at - 1], self._sent[end : end + 2]
            whole = not (before.isalnum() or after[0].isalnum())
            if whole and not (before == '"' and after == '":'):  # the names of fields are no secret
                return True
            at = self._sent.find(word, end)
        return False


def _unescaped(text: str) -> str:
    """JSON, or what quotes some, without the escapes in which a word could hide; always encodable."""
    text = html.unescape(text) if "&" in text else text
    text = unicodedata.normalize("NFC", text)
    if "\\" not in text:
        return text
    text = _character_escape.sub(lambda match: chr(int(match[1], 16)), text)
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _blank_escape.sub(" ", text).replace("\\/", "/")


def _pattern(key: str) -> re.Pattern[str]:
    """The key wherever it stands; a short one, as in tests, only by itself."""
    return re.compile(re.escape(key) if len(key) >= _SHORTEST_KEY else rf"(?<!\w){re.escape(key)}(?!\w)")
