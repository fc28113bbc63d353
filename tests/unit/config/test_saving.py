"""A file is replaced as a whole and keeps its owner; nobody sees a partial file or a secret."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.config.saving import PRIVATE, SHARED, save
from bot.core.errors import Refused


@contextmanager
def watched(folder: Path) -> Iterator[tuple[set[int], set[str]]]:
    """Yield the modes of all files in the folder, and the texts of its visible files, recorded at
    each function call.
    """
    modes: set[int] = set()
    words: set[str] = set()

    def look(*_: object) -> None:
        for file in folder.iterdir():
            modes.add(file.stat().st_mode & 0o777)
            if not file.name.startswith("."):
                words.add(file.read_text())

    sys.setprofile(look)
    try:
        yield modes, words
    finally:
        sys.setprofile(None)


def test_a_secrets_file_is_never_readable_by_others_while_it_is_written(tmp_path: Path) -> None:
    with watched(tmp_path) as (modes, _):
        save(tmp_path / "secrets.env", "A=1\n", mode=PRIVATE)
    assert modes == {0o600}


def test_at_each_moment_of_saving_the_file_is_the_old_one_or_the_new_one(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("old")
    with watched(tmp_path) as (_, words):
        save(file, "new", mode=SHARED)
    assert words == {"old", "new"}
    assert list(tmp_path.iterdir()) == [file], "nothing is left behind"


def test_saving_creates_a_missing_folder(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "secrets.env"
    save(file, "A=1\r\n", mode=PRIVATE)
    assert file.read_bytes() == b"A=1\r\n"
    assert file.stat().st_mode & 0o777 == 0o600


def test_saving_through_a_symbolic_link_keeps_the_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "config.toml"
    link.symlink_to("real/config.toml")
    for text in ("once", "twice"):
        save(link, text, mode=SHARED)
        assert (link.is_symlink(), (tmp_path / "real" / "config.toml").read_text()) == (True, text)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_a_file_saved_by_root_keeps_its_owner(tmp_path: Path) -> None:
    file = tmp_path / "secrets.env"
    file.touch(mode=0o600)
    os.chown(file, 1234, 2345)
    save(file, "A=1\n", mode=PRIVATE)
    assert (file.stat().st_uid, file.stat().st_gid) == (1234, 2345)


def test_a_file_that_cannot_be_saved_is_refused_with_an_error_code(tmp_path: Path) -> None:
    circle = tmp_path / "circle"
    circle.symlink_to(circle)
    for file in (Path("/dev/null/secrets.env"), circle):
        with pytest.raises(Refused) as refused:
            save(file, "A=1\n", mode=PRIVATE)
        assert refused.value.code == "output_unwritable"
