"""The bytes of a file, read in threads that may come back late."""

import errno
import sys
from pathlib import Path

import pytest

from cashin_async.sources.blocks import READ, Blocks


def test_a_file_comes_in_blocks_and_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * (READ + 5))
    blocks = Blocks(str(path), None)
    assert [len(blocks.read()), blocks.taken] == [READ, READ]
    assert [len(blocks.read()), blocks.taken] == [5, READ + 5]
    assert [len(blocks.read()), blocks.taken] == [0, READ + 5]
    blocks.close()


def test_who_comes_back_late_opens_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x")
    blocks = Blocks(str(path), None)
    blocks.close()
    with pytest.raises(OSError, match="is closed") as caught:
        blocks.read()
    assert caught.value.errno == errno.EBADF


def test_a_process_without_standard_input_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(OSError, match="standard input is closed"):
        Blocks("-", None).read()
