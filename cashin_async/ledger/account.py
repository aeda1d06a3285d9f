"""Where an account's ledger is when nobody names a place: in the user's state directory."""

import hashlib
import re
from pathlib import Path
from urllib.parse import quote

import platformdirs

from cashin_async.errors import LedgerError
from cashin_async.ledger.base import Account
from cashin_async.ledger.filesystem import sync_folder

_UNLABELLED = "unlabelled"
_LOOPBACK = ("127.0.0.1", "localhost")
_PLAIN_URL = re.compile(r"(https?)://([a-z0-9]+(?:[.-][a-z0-9]+)*)(?::(\d+))?")
_OF_WINDOWS = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)")  # devices, in whatever folder
_LONGEST = 200  # bytes of a name of which file systems allow 255


def default_place(account: Account) -> Path:
    """The absolute path of the account's ledger, in a folder that is made if need be, for this user alone.

    `production/unlabelled.db`, `127.0.0.1-8765/ACME.db`: two accounts never share a file.
    """
    place = default_path(account)
    folder = place.parent
    try:
        for missing in reversed([parent for parent in (folder, *folder.parents) if not parent.exists()]):
            missing.mkdir(mode=0o700, exist_ok=True)
            sync_folder(missing.parent)
    except OSError as error:
        raise LedgerError(f"the ledger's folder {folder} cannot be made: {error.strerror}: name a --ledger") from error
    return place


def default_path(account: Account) -> Path:
    """The same, and nothing is made. Raises `LedgerError` when nobody can tell where the user's folders are."""
    state = platformdirs.user_state_path("cashin-async")
    if state.parts[:1] == ("~",):  # the variable is missing, and so is the user's entry among the system's users
        raise LedgerError("the ledger has no usual place, since there is no home folder (HOME): name a --ledger")
    return state.absolute() / _of_environment(account.environment) / f"{_of_creditor(account.creditor)}.db"


def _of_creditor(creditor: str | None) -> str:
    return _UNLABELLED if creditor is None else _file_name(creditor, _UNLABELLED)


def _of_environment(environment: str) -> str:
    if "://" not in environment:
        return _file_name(environment)
    url = _PLAIN_URL.fullmatch(environment)
    if url is None or (url[1] == "http") is not (url[2] in _LOOPBACK) or re.search(r"-\d+$", url[2]):
        return _file_name(environment)  # a URL whose short form might be another's, too
    return _file_name(f"{url[2]}-{url[3]}" if url[3] else url[2], "production")


def _file_name(text: str, *taken: str) -> str:
    """`text` as the name of a file: other characters than letters, digits, `.`, `_` and `-` as in URLs."""
    name = quote(text, safe="").replace("~", "%7E")
    if name.startswith(".") or name.lower() in taken or _OF_WINDOWS.match(name.lower()):
        name = f"%{ord(name[0]):02X}{name[1:]}"
    if len(name) > _LONGEST:  # the short form is longer than any other name
        name = f"{name[:_LONGEST]}%{hashlib.sha256(text.encode()).hexdigest()[:32]}"
    return name or "%"
