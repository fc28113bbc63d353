"""The journal of deletions: each is there before anything is gone."""

from pathlib import Path

import pytest

from bot.core.errors import Broken, Unwritten
from bot.store.deletions import Deletion, Deletions
from tests.fakes.disk import no_file_larger_than, synced


def test_each_is_read_again_in_order(tmp_path: Path) -> None:
    journal = Deletions(tmp_path / "data")
    assert list(journal.read()) == []
    entries = [Deletion("job1", 1.5), Deletion("job2", 2.0)]
    for entry in entries:
        journal.add(entry.job_id, at=entry.at)
    assert list(Deletions(tmp_path / "data").read()) == entries
    assert journal.file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("left", [1, 20])
def test_a_line_that_a_crash_cut_takes_no_other_along(tmp_path: Path, left: int) -> None:
    journal = Deletions(tmp_path)
    journal.add("job1", at=1.0)
    journal.add("job2", at=2.0)
    lines = journal.file.read_text().splitlines(keepends=True)
    journal.file.write_text(lines[0] + lines[1][:left])
    journal.add("job3", at=3.0)
    assert [entry.job_id for entry in journal.read()] == ["job1", "job3"]


def test_each_is_on_the_disk_before_anything_is_gone(tmp_path: Path) -> None:
    journal = Deletions(tmp_path)
    with synced(tmp_path) as places:
        journal.add("job1", at=1.0)
        journal.add("job2", at=2.0)
    assert places == [journal.file, tmp_path, journal.file]


async def test_a_disk_that_takes_nothing_deletes_nothing(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where a folder should be")
    with pytest.raises(Unwritten):
        await Deletions(tmp_path / "data").note("job1", 1.0)


def test_an_entry_is_there_as_a_whole_or_the_disk_is_said_to_be_full(tmp_path: Path) -> None:
    journal = Deletions(tmp_path)
    journal.add("job1", at=1.0)
    size = journal.file.stat().st_size
    with no_file_larger_than(size + 10), pytest.raises(OSError, match="File too large"):
        journal.add("job2", at=2.0)
    journal.add("job3", at=3.0)
    assert [entry.job_id for entry in journal.read()] == ["job1", "job3"]


def test_an_entry_of_a_newer_program_is_not_passed_over(tmp_path: Path) -> None:
    journal = Deletions(tmp_path)
    journal.file.write_text('{"what": "person", "job": "", "at": 1}\n')
    with pytest.raises(Broken, match="deletions_newer"):
        list(journal.read())
