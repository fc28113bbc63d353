"""The journal of deletions: each deletion is recorded before anything is deleted."""

from pathlib import Path

import pytest

from bot.core.errors import Broken, Unwritten
from bot.store.deletions import Deletion, Deletions
from tests.fakes.disk import no_file_larger_than, synced


def test_deletions_are_read_back_in_their_order(tmp_path: Path) -> None:
    journal = Deletions(tmp_path / "data")
    assert list(journal.read()) == []
    entries = [Deletion("job1", 1.5), Deletion("job2", 2.0)]
    for entry in entries:
        journal.add(entry.job_id, at=entry.at)
    assert list(Deletions(tmp_path / "data").read()) == entries
    assert journal.file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("left", [1, 20])
def test_a_journal_line_cut_by_a_crash_does_not_hide_other_deletions(
    tmp_path: Path, left: int
) -> None:
    journal = Deletions(tmp_path)
    journal.add("job1", at=1.0)
    journal.add("job2", at=2.0)
    lines = journal.file.read_text().splitlines(keepends=True)
    journal.file.write_text(lines[0] + lines[1][:left])
    journal.add("job3", at=3.0)
    assert [entry.job_id for entry in journal.read()] == ["job1", "job3"]


def test_a_deletion_is_synced_to_the_disk_before_the_call_returns(tmp_path: Path) -> None:
    journal = Deletions(tmp_path)
    with synced(tmp_path) as places:
        journal.add("job1", at=1.0)
        journal.add("job2", at=2.0)
    assert places == [journal.file, tmp_path, journal.file]


async def test_a_deletion_that_cannot_be_journalled_raises(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where a folder should be")
    with pytest.raises(Unwritten):
        await Deletions(tmp_path / "data").note("job1", 1.0)


def test_a_deletion_is_written_whole_or_not_at_all_on_a_full_disk(tmp_path: Path) -> None:
    journal = Deletions(tmp_path)
    journal.add("job1", at=1.0)
    size = journal.file.stat().st_size
    with no_file_larger_than(size + 10), pytest.raises(OSError, match="File too large"):
        journal.add("job2", at=2.0)
    journal.add("job3", at=3.0)
    assert [entry.job_id for entry in journal.read()] == ["job1", "job3"]


def test_a_journal_entry_of_a_newer_version_raises_instead_of_being_skipped(tmp_path: Path) -> None:
    journal = Deletions(tmp_path)
    journal.file.write_text('{"what": "person", "job": "", "at": 1}\n')
    with pytest.raises(Broken, match="deletions_newer"):
        list(journal.read())
