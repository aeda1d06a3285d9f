"""HTML and SVG as values: text is escaped, since only what is built here is `Markup`."""

from collections.abc import Iterable
from html import escape
from typing import TypeAlias

_VOID = frozenset({"meta", "input", "br", "hr", "link"})

Content: TypeAlias = "str | int | None | Iterable[Content]"
"""What may stand in an element."""


class Markup(str):
    """HTML that is whole: every value in it is escaped."""

    __slots__ = ()


def element(name: str, /, *content: Content, **attributes: "str | int | float | bool | None") -> Markup:
    """An element. Content that is no `Markup` is text; None is nothing.

    An attribute that is None or False is left out, one that is True has no value. `_` in a name stands for `-`, one
    at its end for nothing: `class_`, `aria_label`.
    """
    opened = f"<{name}{''.join(_attribute(*one) for one in attributes.items())}>"
    return Markup(opened if name in _VOID else f"{opened}{together(content)}</{name}>")


def together(content: Content) -> Markup:
    """Several pieces as one."""
    if isinstance(content, Markup):
        return content
    if content is None:
        return Markup()
    if isinstance(content, str | int):
        return Markup(escape(str(content)))
    return Markup("".join(map(together, content)))


def _attribute(name: str, value: "str | int | float | bool | None") -> str:
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(f"{value}")}"'


def script_safe(json: bytes) -> bytes:
    """JSON as it may stand inside a `script` element: nothing in it can end that, or open a comment."""
    for character, escaped in ((b"<", b"\\u003c"), (b">", b"\\u003e"), (b"&", b"\\u0026")):
        json = json.replace(character, escaped)
    return json.replace("\u2028".encode(), b"\\u2028").replace("\u2029".encode(), b"\\u2029")
