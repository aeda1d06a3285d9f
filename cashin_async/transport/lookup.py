"""The shipped look-up: a GET at a path that the user takes from the vendor's documentation.

What its answer proves is said in `bulk/lookup.py`.
"""

from typing import Protocol

from cashin_async.settings import PLACEHOLDER, checked_template
from cashin_async.transport.exchange import Exchange


class Getter(Protocol):
    """What is needed of the session pool."""

    async def get(self, path: str) -> Exchange:
        """GET a path behind the base URL."""


class LookUpByGet:
    """Asks for one number at a time: GETs the template's path with the number in its place."""

    def __init__(self, getter: Getter, template: str) -> None:
        """Raises `ConfigurationError` as `checked_template` does."""
        self._getter = getter
        self._template = checked_template(template)

    async def __call__(self, number: int) -> Exchange:
        """Raises `ConfigurationError` when the key provider has no key, and nothing else."""
        return await self._getter.get(self._template.replace(PLACEHOLDER, str(number)))
