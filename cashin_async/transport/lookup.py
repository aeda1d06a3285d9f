"""The shipped look-up: a GET at a path that the user takes from the vendor's documentation.

What its answer proves is said in `bulk/lookup.py`.
"""

import re
from typing import NoReturn, Protocol

from cashin_async.errors import ConfigurationError
from cashin_async.transport.exchange import Exchange

PLACEHOLDER = "{InvoiceNumber}"

_not_in_a_path = re.compile(r"[^A-Za-z0-9._~!$&'()*+,;=:@/?%-]")  # RFC 3986, 3.3 and 3.4
_broken_escape = re.compile(r"%(?![0-9A-Fa-f]{2})")


class Getter(Protocol):
    """What is needed of the session pool."""

    async def get(self, path: str) -> Exchange:
        """GET a path behind the base URL."""


def checked_template(text: str) -> str:
    """`text`, a path from / on, perhaps with a query, that holds `{InvoiceNumber}` once.

    Raises `ConfigurationError` that does not repeat it: what a query holds may be nobody's business.
    """
    pieces = text.split(PLACEHOLDER)
    around = "/".join(pieces)
    if len(pieces) != 2:
        _refuse(f"must hold {PLACEHOLDER} exactly once")
    if not text.startswith("/") or text.startswith("//"):
        _refuse("must be a path from / on, without the host: it goes behind base_url")
    if "#" in around:
        _refuse("must not have a fragment")
    if "{" in around or "}" in around:
        _refuse(f"must have no other part in braces than {PLACEHOLDER}: fill it in")
    if _not_in_a_path.search(around) or _broken_escape.search(around):
        _refuse("must be written as it stands in a URL: white space and other signs as %20 and so on")
    return text


def _refuse(why: str) -> NoReturn:
    raise ConfigurationError(f"lookup_path {why} (--lookup-path, environment variable CASHIN_LOOKUP_PATH)")


class LookUpByGet:
    """Asks for one number at a time: GETs the template's path with the number in its place."""

    def __init__(self, getter: Getter, template: str) -> None:
        """Raises `ConfigurationError` as `checked_template` does."""
        self._getter = getter
        self._template = checked_template(template)

    async def __call__(self, number: int) -> Exchange:
        """Raises `ConfigurationError` when the key provider has no key, and nothing else."""
        return await self._getter.get(self._template.replace(PLACEHOLDER, str(number)))
