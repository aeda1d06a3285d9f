"""Opening a ledger: every reason not to is said before anything is sent, with the path and what to do."""

import asyncio
import os
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from cashin_async.errors import ConfigurationError, LedgerError
from cashin_async.ledger import filesystem, opening
from cashin_async.ledger.base import Account, Known, NumberState, Part
from cashin_async.ledger.layout import MIGRATIONS
from cashin_async.ledger.sqlite import SqliteLedger
from tests.ledger.conftest import ACCOUNT, LATER, RUN, batch, copy_as_it_is, names, open_sqlite

LABELLED = replace(ACCOUNT, creditor="ACME")


async def refusal(place: Path, account: Account = ACCOUNT, *, new: bool = True) -> str:
    """What is said of a ledger that cannot be opened."""
    with pytest.raises(LedgerError) as refused:
        await SqliteLedger.open(place, account, new=new)
    assert str(refused.value).startswith(f"ledger {place} "), "the absolute path comes first"
    return str(refused.value)


async def begun(place: Path, account: Account = ACCOUNT) -> Path:
    """A ledger with one accepted invoice."""
    ledger = await open_sqlite(place, account=account)
    await ledger.note(RUN, NumberState.ACCEPTED, None, {1: 10})
    await ledger.close()
    return place


# -- the file


async def test_a_missing_ledger_is_begun_only_if_it_may_be_new(tmp_path: Path) -> None:
    said = await refusal(tmp_path / "ledger.db", new=False)
    assert "does not exist" in said
    assert "--new-ledger" in said
    assert "knows nothing of yesterday" in said
    assert names(tmp_path) == []
    await begun(tmp_path / "ledger.db")
    ledger = await SqliteLedger.open(tmp_path / "ledger.db", ACCOUNT)
    assert await ledger.in_state(NumberState.ACCEPTED) == [1]
    await ledger.close()


async def test_one_that_exists_may_be_called_new(tmp_path: Path) -> None:
    ledger = await SqliteLedger.open(await begun(tmp_path / "ledger.db"), ACCOUNT, new=True)
    assert await ledger.in_state(NumberState.ACCEPTED) == [1]
    await ledger.close()


async def test_an_empty_file_knows_as_little_as_none(tmp_path: Path) -> None:
    place = tmp_path / "ledger.db"
    place.touch()
    assert "is empty" in (said := await refusal(place, new=False))
    assert "--new-ledger" in said
    await begun(place)


async def test_the_path_is_absolute_and_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = await begun(tmp_path / "ledger.db")
    (tmp_path / "link.db").symlink_to(place)
    monkeypatch.chdir(tmp_path)
    for name in ("ledger.db", "link.db"):
        ledger = await SqliteLedger.open(name, ACCOUNT)
        assert ledger.place == str(place)
        with pytest.raises(LedgerError, match="in use"):
            await SqliteLedger.open(place, ACCOUNT)
        await ledger.close()


async def test_odd_names_are_names(tmp_path: Path) -> None:
    place = await begun(tmp_path / "50%?mode=ro#1 ä.db")
    assert names(tmp_path) == [place.name, f"{place.name}.lock"]


async def test_the_folder_must_exist(tmp_path: Path) -> None:
    assert f"the folder {tmp_path / 'no'} does not exist" in await refusal(tmp_path / "no" / "ledger.db")


async def test_a_folder_is_no_ledger(tmp_path: Path) -> None:
    assert "is a folder" in await refusal(tmp_path)


async def test_what_another_place_would_mend_names_the_option_and_the_setting(tmp_path: Path) -> None:
    """But not where another ledger would know nothing of what this one has sent: in use, or damaged."""
    elsewhere = "(--ledger, setting ledger)"
    (tmp_path / "short").write_text("?")
    for place in (tmp_path, tmp_path / "no" / "ledger.db", tmp_path / "short"):
        assert elsewhere in await refusal(place)
    place = await begun(tmp_path / "ledger.db", LABELLED)
    assert elsewhere in (other := await refusal(place, replace(LABELLED, environment="production")))
    assert "base_url" in other
    assert elsewhere in (other := await refusal(place, replace(LABELLED, creditor="Other")))
    assert "--creditor" in other
    ledger = await open_sqlite(place, account=LABELLED)
    assert elsewhere not in (busy := await refusal(place, LABELLED))
    assert "wait until that ends" in busy
    await ledger.close()


async def test_a_pipe_is_no_ledger(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ledger.db")
    assert "is no file" in await refusal(tmp_path / "ledger.db")


@pytest.mark.parametrize("read_only", ["folder", "file"])
async def test_it_must_be_writable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_only: str) -> None:
    place = await begun(tmp_path / "ledger.db")
    shut = tmp_path if read_only == "folder" else place
    monkeypatch.setattr(os, "access", lambda path, mode: path != shut or not mode & os.W_OK)  # root may do anything
    assert f"the {read_only}" in (said := await refusal(place))
    assert "is read-only: let this user write it" in said


@pytest.mark.parametrize("content", [b"InvoiceNumber,TotalAmount\n" * 300, b"SQLite format 3\0" + b"x" * 4080, b"?"])
async def test_something_else_is_no_ledger(tmp_path: Path, content: bytes) -> None:
    place = tmp_path / "ledger.db"
    place.write_bytes(content)
    assert "it is no ledger" in await refusal(place)
    assert place.read_bytes() == content


async def test_the_database_of_another_program_is_not_touched(tmp_path: Path) -> None:
    place = tmp_path / "ledger.db"
    with closing(sqlite3.connect(place)) as other, other:
        other.execute("CREATE TABLE song (title TEXT)")
    before = place.read_bytes()
    assert "is the database of another program" in await refusal(place)
    assert place.read_bytes() == before


async def test_a_damaged_ledger_is_found_at_once(tmp_path: Path) -> None:
    place = tmp_path / "ledger.db"
    ledger = await open_sqlite(place)
    await ledger.lease(RUN, [(range(1, 20_001), range(1, 20_001))])
    await ledger.close()
    with place.open("r+b") as file:
        file.seek(place.stat().st_size // 2)
        file.write(b"\xff" * 5000)
    assert "damaged" in (said := await refusal(place))
    assert "backup" in said


async def test_a_ledger_cut_short_is_damaged(tmp_path: Path) -> None:
    place = tmp_path / "ledger.db"
    ledger = await open_sqlite(place)
    await ledger.lease(RUN, [(range(1, 20_001), range(1, 20_001))])
    await ledger.close()
    os.truncate(place, place.stat().st_size // 4096 // 2 * 4096)
    assert "damaged" in await refusal(place)


@pytest.mark.skipif(os.name != "posix", reason="there are no such modes")
async def test_all_its_files_are_for_this_user_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        ledger = await open_sqlite(tmp_path / "ledger.db")
    finally:
        os.umask(before)
    files = names(tmp_path)
    assert files == ["ledger.db", "ledger.db-shm", "ledger.db-wal", "ledger.db.lock"]
    assert {stat.S_IMODE(os.stat(tmp_path / file).st_mode) for file in files} == {0o600}
    await ledger.close()
    assert names(tmp_path) == ["ledger.db", "ledger.db.lock"]


async def test_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "network_type", lambda place: "nfs4")
    assert "is on a network file system (nfs4)" in await refusal(tmp_path / "ledger.db")
    assert names(tmp_path) == []


async def test_a_file_system_without_shared_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class NoWal(sqlite3.Connection):
        def execute(self, sql: str, *values: object) -> sqlite3.Cursor:
            return super().execute(sql.replace("journal_mode = WAL", "journal_mode = DELETE"), *values)  # type: ignore[arg-type]

    def connect(place: Path) -> sqlite3.Connection:
        return sqlite3.connect(place, factory=NoWal)

    monkeypatch.setattr(opening, "_connect", connect)
    assert "cannot share memory" in await refusal(tmp_path / "ledger.db")


async def test_what_the_system_refuses_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(place: Path) -> sqlite3.Connection:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(opening, "_connect", full)
    assert (await refusal(tmp_path / "ledger.db")).endswith("cannot be opened: the disk is full")
    monkeypatch.undo()
    await begun(tmp_path / "ledger.db")


async def test_cancelling_the_opening_leaves_nothing_open(tmp_path: Path) -> None:
    opening_ = asyncio.ensure_future(open_sqlite(tmp_path / "ledger.db"))
    await asyncio.sleep(0)
    opening_.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening_
    for _ in range(500):
        try:
            ledger = await open_sqlite(tmp_path / "ledger.db")
        except LedgerError:
            await asyncio.sleep(0.01)
        else:
            break
    await ledger.close()


async def test_the_name_of_a_new_ledger_is_on_disk_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(opening, "sync_folder", synced.append)
    await begun(tmp_path / "ledger.db")
    assert synced == [tmp_path]
    filesystem.sync_folder(tmp_path)


# -- versions


async def test_a_newer_layout_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "ledger.db"
    ledger = await open_sqlite(place, migrations=[*MIGRATIONS, ["CREATE TABLE later (x)"]])
    await ledger.close()
    assert "written by a newer cashin-async (layout 2, known here: 1): upgrade" in await refusal(place)


async def test_an_older_layout_is_brought_up_to_date(tmp_path: Path) -> None:
    place = await begun(tmp_path / "ledger.db")
    later = ["ALTER TABLE run ADD COLUMN host TEXT"], ["UPDATE run SET host = 'here'", "CREATE TABLE later (x)"]
    for _ in range(2):
        ledger = await open_sqlite(place, migrations=[*MIGRATIONS, *later])
        assert await ledger.known([1]) == {1: Known(NumberState.ACCEPTED, 10, RUN)}
        await ledger.close()
    with closing(sqlite3.connect(place)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (3,)
        assert connection.execute("SELECT DISTINCT host FROM run").fetchall() == [("here",)]


async def test_a_migration_is_done_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    place = await begun(tmp_path / "ledger.db")
    broken = [*MIGRATIONS, ["CREATE TABLE later (x)"], ["INSERT INTO nowhere VALUES (1)"]]
    with pytest.raises(LedgerError, match="nowhere"):
        await open_sqlite(place, migrations=broken)
    ledger = await open_sqlite(place, migrations=[*MIGRATIONS, ["CREATE TABLE later (x)"]])
    assert await ledger.in_state(NumberState.ACCEPTED) == [1]
    await ledger.close()


# -- whose it is


async def test_a_ledger_is_of_one_environment(tmp_path: Path) -> None:
    place = await begun(tmp_path / "ledger.db")
    said = await refusal(place, Account("production"))
    assert "is of http://127.0.0.1:8765, not of production" in said


async def test_a_ledger_is_of_one_creditor(tmp_path: Path) -> None:
    place = await begun(tmp_path / "ledger.db", LABELLED)
    assert "is of the creditor ACME, not of Other" in await refusal(place, replace(ACCOUNT, creditor="Other"))
    said = await refusal(place, ACCOUNT)
    assert "is of the creditor ACME" in said
    assert "--creditor ACME" in said
    await begun(place, LABELLED)


async def test_the_creditor_may_be_named_later(tmp_path: Path) -> None:
    place = await begun(tmp_path / "ledger.db")
    await begun(place, LABELLED)
    assert "is of the creditor ACME" in await refusal(place)


async def test_without_a_label_a_new_key_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "ledger.db"
    for _ in range(2):
        ledger = await open_sqlite(place)
        await ledger.admit_key("first-key")
        for _ in range(2):
            with pytest.raises(ConfigurationError) as refused:
                await ledger.admit_key("second-key")
        await ledger.admit_key("first-key")
        await ledger.close()
    said = str(refused.value)
    assert "new to the ledger" in said
    assert "may be another creditor's" in said
    assert f"--creditor LABEL together with --ledger {place}" in said
    assert "second-key" not in said


async def test_a_label_vouches_for_every_key(tmp_path: Path) -> None:
    place = tmp_path / "ledger.db"
    ledger = await open_sqlite(place)
    await ledger.admit_key("first-key")
    await ledger.close()
    ledger = await open_sqlite(place, account=LABELLED)
    for key in ("second-key", "third-key", "first-key"):
        await ledger.admit_key(key)
    await ledger.close()


async def test_neither_key_nor_hash_of_it_can_be_read(tmp_path: Path) -> None:
    import hashlib

    ledger = await open_sqlite(tmp_path / "ledger.db", account=LABELLED)
    await ledger.admit_key("a-key-of-production")
    await ledger.lease(RUN, [batch(1, 2, 3)])
    await ledger.save_run(RUN, {"read": 3})
    copy_as_it_is(tmp_path / "ledger.db", tmp_path / "copy.db")
    await ledger.close()
    key = b"a-key-of-production"
    traces = [key, key.hex().encode(), *(hash_(key).digest()[:4] for hash_ in (hashlib.sha256, hashlib.md5))]
    for file in names(tmp_path):
        content = (tmp_path / file).read_bytes()
        assert not [trace for trace in traces if trace in content], file


# -- after the last writer


async def in_the_middle(folder: Path) -> Path:
    """What a process leaves that was killed with 1 and 2 leased anew, 3 in flight, 4 partly."""
    ledger = await open_sqlite(folder / "killed.db")
    await ledger.settle((await ledger.lease(RUN, [batch(1)]))[0], [Part(NumberState.REJECTED, "bad")])
    await ledger.lease(LATER, [batch(1, 2)])
    (lease, parted) = await ledger.lease(LATER, [batch(3), batch(4, 5, 6)])
    await ledger.post(lease)
    await ledger.post(parted, [4])
    copy = copy_as_it_is(folder / "killed.db", folder / "ledger.db")
    await ledger.close()
    return copy


async def test_after_a_crash_only_what_was_in_flight_is_in_doubt(tmp_path: Path) -> None:
    ledger = await open_sqlite(await in_the_middle(tmp_path))
    assert ledger.recovered == {NumberState.UNKNOWN: 2, NumberState.UNSENT: 4}
    assert await ledger.in_state(NumberState.UNKNOWN) == [3, 4]
    known = await ledger.known([1, 2, 3])
    assert known[1] == Known(NumberState.REJECTED, -1000, RUN, "bad")
    assert known[2] == Known(NumberState.UNSENT, -2000, LATER, "was about to be sent when its process ended")
    assert known[3] == Known(NumberState.UNKNOWN, -3000, LATER, "was in flight when its process ended")
    await ledger.close()


@pytest.mark.parametrize("boot", ["boot-2", None])
async def test_after_a_new_start_of_the_machine_every_lease_is_in_doubt(tmp_path: Path, boot: str | None) -> None:
    ledger = await open_sqlite(await in_the_middle(tmp_path), boot)
    assert ledger.recovered == {NumberState.UNKNOWN: 6, NumberState.UNSENT: 0}
    assert await ledger.in_state(NumberState.UNKNOWN) == [1, 2, 3, 4, 5, 6]
    assert (await ledger.known([1]))[1].reason == "may have been in flight when its machine went down"
    assert (await ledger.known([3]))[3].reason == "was in flight when its machine went down"
    await ledger.close()


async def test_without_a_boot_id_every_lease_is_in_doubt_each_time(tmp_path: Path) -> None:
    ledger = await open_sqlite(tmp_path / "killed.db", None)
    await ledger.lease(RUN, [batch(1)])
    copy = copy_as_it_is(tmp_path / "killed.db", tmp_path / "ledger.db")
    await ledger.close()
    ledger = await open_sqlite(copy, None)
    assert await ledger.in_state(NumberState.UNKNOWN) == [1]
    await ledger.close()


async def test_recovery_happens_once(tmp_path: Path) -> None:
    place = await in_the_middle(tmp_path)
    for expected in ({NumberState.UNKNOWN: 2, NumberState.UNSENT: 4}, {NumberState.UNKNOWN: 0, NumberState.UNSENT: 0}):
        ledger = await open_sqlite(place)
        assert ledger.recovered == expected
        await ledger.close()


# -- the machine


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("/var/lib/ledger.db", None),
        ("/srv/ledger.db", "nfs4"),
        ("/srv/local/ledger.db", None),
        ("/srv/localized/ledger.db", "nfs4"),
        ("/mnt/my share/ledger.db", "cifs"),
        ("/mnt/stacked/ledger.db", "fuse.sshfs"),
        ("relative", None),
    ],
)
def test_the_innermost_mount_decides(tmp_path: Path, place: str, kind: str | None) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "21 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
        "30 21 0:50 / /srv rw shared:1 master:2 - nfs4 filer:/srv rw,vers=4.2\n"
        "31 30 254:1 / /srv/local rw - xfs /dev/vdb rw\n"
        "32 21 0:51 / /mnt/my\\040share rw - cifs //filer/share rw\n"
        "33 21 0:52 / /mnt/stacked rw - ext4 /dev/vdc rw\n"
        "34 33 0:53 / /mnt/stacked rw - fuse.sshfs me@host: rw\n"
    )
    assert filesystem.network_type(Path(place), mounts) == kind


def test_where_there_is_no_list_of_mounts_nothing_is_refused(tmp_path: Path) -> None:
    assert filesystem.network_type(tmp_path, tmp_path / "none") is None


def test_a_windows_share_is_refused(tmp_path: Path) -> None:
    from pathlib import PureWindowsPath

    assert filesystem.network_type(PureWindowsPath(r"\\filer\share\ledger.db"), tmp_path) == "a Windows share"
    assert filesystem.network_type(PureWindowsPath(r"C:\ledger.db"), tmp_path) is None
