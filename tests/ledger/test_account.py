"""Where a ledger is that nobody named, and which start of the machine this is."""

import stat
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cashin_async.errors import LedgerError
from cashin_async.ledger import account, boot
from cashin_async.ledger.account import default_path, default_place
from cashin_async.ledger.base import Account


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's state directory, which does not exist yet."""
    folder = tmp_path / "home" / "state"
    monkeypatch.setattr(platformdirs, "user_state_path", lambda name: folder / name)
    return folder


@pytest.mark.parametrize(
    ("environment", "creditor", "place"),
    [
        ("production", None, "production/unlabelled.db"),
        ("production", "ACME", "production/ACME.db"),
        ("http://127.0.0.1:8765", "ACME", "127.0.0.1-8765/ACME.db"),
        ("http://localhost", None, "localhost/unlabelled.db"),
        ("https://sandbox.cash-in.com", "Mökki Oy", "sandbox.cash-in.com/M%C3%B6kki%20Oy.db"),
        ("https://sandbox.cash-in.com:8443", "a/b", "sandbox.cash-in.com-8443/a%2Fb.db"),
        ("https://proxy/cash-in", None, "https%3A%2F%2Fproxy%2Fcash-in/unlabelled.db"),
        ("production", "unlabelled", "production/%75nlabelled.db"),
        ("production", "Unlabelled", "production/%55nlabelled.db"),
        ("production", "..", "production/%2E..db"),
        ("production", "nul", "production/%6Eul.db"),
        ("production", "", "production/%.db"),
    ],
)
def test_an_account_has_a_place(state: Path, environment: str, creditor: str | None, place: str) -> None:
    assert default_place(Account(environment, creditor)) == state / "cashin-async" / place


def test_the_folders_are_made_for_this_user_alone(state: Path) -> None:
    place = default_place(Account("production"))
    assert not place.exists()
    for folder in (place.parent, state / "cashin-async", state):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert default_place(Account("production")) == place


def test_the_place_can_be_told_without_making_anything(state: Path) -> None:
    assert default_path(Account("production")) == state / "cashin-async" / "production" / "unlabelled.db"
    assert not state.exists()


def test_a_user_without_a_home_folder_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that is started with a number for a user: `~` stands for nothing, and is no folder's name."""
    monkeypatch.setattr(platformdirs, "user_state_path", lambda name: Path("~/.local/state") / name)
    with pytest.raises(LedgerError, match=r"no home folder \(HOME\): name a --ledger"):
        default_place(Account("production"))


def test_a_folder_that_cannot_be_made_is_said(state: Path) -> None:
    state.parent.mkdir()
    state.touch()
    with pytest.raises(LedgerError, match=r"cannot be made: .*--ledger"):
        default_place(Account("production"))


_labels = (
    st.none()
    | st.text(max_size=12)
    | st.text(min_size=150, max_size=300)
    | st.sampled_from(["unlabelled", "%", "%2F", "/", "."])
)


@given(_labels, _labels)
def test_two_creditors_never_share_a_file(one: str | None, other: str | None) -> None:
    names = [account._of_creditor(creditor) for creditor in (one, other)]
    assert (names[0] == names[1]) is (one == other)
    for name in names:
        assert len(f"{name}.db-wal") < 250
        assert name.isascii()
        assert not set(name) & set('/\\:*?"<>| ')
        assert not name.startswith(".")


_hosts = st.sampled_from(["localhost", "127.0.0.1", "a", "a-80", "a.fi", "api.a-b.fi", "production", "[::1]", "A.fi"])
_urls = st.builds(
    "{}://{}{}{}".format,
    st.sampled_from(["http", "https"]),
    _hosts,
    st.sampled_from(["", ":80", ":8080"]),
    st.sampled_from(["", "/v2", "-80"]),
)
_environments = st.just("production") | _urls


@given(_environments, _environments)
def test_two_environments_never_share_a_folder(one: str, other: str) -> None:
    names = [account._of_environment(environment) for environment in (one, other)]
    assert (names[0] == names[1]) is (one == other)
    assert all(name.isascii() and not set(name) & set("/\\:") for name in names)


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="there is no telling")
def test_the_boot_id_stays_the_same() -> None:
    assert boot.boot_id()
    assert boot.boot_id() == boot.boot_id()


def test_on_macos_the_kernel_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: tuple[str, ...], **_: object) -> "subprocess.CompletedProcess[str]":
        assert command[-1] == "kern.bootsessionuuid"
        return subprocess.CompletedProcess(command, 0, "ABC-1\n")

    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(subprocess, "run", run)
    assert boot.boot_id() == "ABC-1"


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_there_may_be_no_telling(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, platform: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(boot, "_LINUX", tmp_path / "none")
    monkeypatch.setattr(boot, "_MACOS", (str(tmp_path / "none"),))
    assert boot.boot_id() is None
    (tmp_path / "none").write_text("\n")
    assert boot.boot_id() is None
