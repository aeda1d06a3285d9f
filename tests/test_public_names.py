"""The public names: one list, loaded when they are used, and the same to type checkers as to the interpreter."""

import ast
import logging
import subprocess
import sys
from pathlib import Path

import pytest

import cashin_async

SOURCE = Path(cashin_async.__file__).read_text(encoding="utf-8")


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)


def loaded_by(code: str) -> set[str]:
    """The modules that are there after `code`, and were not before."""
    done = run(f"import sys; before = set(sys.modules)\n{code}\nprint(*set(sys.modules) - before)")
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def for_type_checkers() -> dict[str, str]:
    """Name -> module, of the imports under `if TYPE_CHECKING`."""
    blocks = [node for node in ast.parse(SOURCE).body if isinstance(node, ast.If)]
    (block,) = [block for block in blocks if ast.unparse(block.test) == "TYPE_CHECKING"]
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.asname or alias.name: str(node.module) for node in imports for alias in node.names}


# -- one list


@pytest.mark.parametrize("name", cashin_async.__all__)
def test_each_name_is_there(name: str) -> None:
    value = getattr(cashin_async, name)
    assert value.__name__ == name
    assert vars(cashin_async)[name] is value, "looked up once"


def test_the_list_the_table_and_the_type_checkers_agree() -> None:
    checked = for_type_checkers()
    assert sorted(checked) == sorted(cashin_async.__all__)
    assert {name: f"cashin_async.{home}" for name, home in cashin_async._HOME_OF.items()} == checked
    assert sum(map(len, cashin_async._HOMES.values())) == len(checked), "no name in two homes"


def test_the_list_is_in_order() -> None:
    assert cashin_async.__all__ == sorted(cashin_async.__all__)


def test_everything_at_once() -> None:
    names: dict[str, object] = {}
    exec("from cashin_async import *", names)
    assert {name for name in names if not name.startswith("__")} == set(cashin_async.__all__)


def test_what_an_editor_proposes() -> None:
    assert {*cashin_async.__all__, "__version__", "errors", "models", "settings"} <= set(dir(cashin_async))
    done = run("import cashin_async; print(all(hasattr(cashin_async, name) for name in dir(cashin_async)))")
    assert done.stdout.strip() == "True", done.stderr


def test_a_name_that_there_is_not() -> None:
    with pytest.raises(AttributeError, match="module 'cashin_async' has no attribute 'SaleInvoice'"):
        cashin_async.SaleInvoice  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'SaleInvoice' from 'cashin_async'"):
        from cashin_async import SaleInvoice  # type: ignore[attr-defined]  # noqa: F401


@pytest.mark.parametrize("room", cashin_async._ROOMS)
def test_rooms_need_no_import_of_their_own(room: str) -> None:
    """mypy lets `cashin_async.errors.LedgerError` pass, so it must run."""
    done = run(f"import cashin_async; print(cashin_async.{room}.__name__)")
    assert done.stdout.strip() == f"cashin_async.{room}", done.stderr


# -- loaded when they are used

SLOW = {"aiohttp", "anyio", "asyncio", "importlib.metadata", "msgspec", "platformdirs", "rich", "sqlite3", "ssl"}


def test_the_import_loads_no_other_module_of_ours() -> None:
    loaded = loaded_by("import cashin_async")
    assert {name for name in loaded if name.startswith("cashin_async")} == {"cashin_async"}
    assert loaded & SLOW == set()


@pytest.mark.parametrize(
    ("code", "needed"),
    [
        ("cashin_async.SalesInvoice(invoice_number=1)", {"msgspec"}),
        ("cashin_async.UploadReceipt", {"msgspec"}),
        ("cashin_async.InvoiceUnknown", set()),
        ("cashin_async.State.ACCEPTED", set()),
        ("cashin_async.__version__", {"importlib.metadata"}),
    ],
    ids=lambda value: value.partition("(")[0] if isinstance(value, str) else "",
)
def test_a_name_loads_what_it_needs_and_no_more(code: str, needed: set[str]) -> None:
    assert loaded_by(f"import cashin_async; {code}") & SLOW == needed


def test_a_client_loads_aiohttp_with_its_first_request_only() -> None:
    code = "import cashin_async; cashin_async.CashIn('key', base_url='http://127.0.0.1:9')"
    assert loaded_by(code) & {"aiohttp", "rich", "sqlite3"} == set()


# -- what else `import` is for


def test_without_handlers_the_library_is_silent() -> None:
    """Python prints warnings of loggers that have no handler to stderr, whichever module comes first."""
    done = run("import cashin_async.settings, logging; logging.getLogger('cashin_async.bulk').warning('loud')")
    assert (done.returncode, done.stderr) == (0, "")
    assert [type(handler) for handler in logging.getLogger("cashin_async").handlers] == [logging.NullHandler]
