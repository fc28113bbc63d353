"""Gateway ids that the database could not store are kept, whatever a crash does."""

import errno
import os
from pathlib import Path

import pytest

from bot.store.spool import BLOCK, Spool
from tests.fakes.disk import no_file_larger_than


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """Return a prepared spool, as a started service has it."""
    spool = Spool(tmp_path / "data")
    spool.prepare()
    return spool


def test_spooled_ids_are_read_until_they_are_forgotten(spool: Spool) -> None:
    assert list(spool.read()) == []
    spool.add("job1", "video=1/ü")
    spool.add("job2", "2", ["https://media.test/2.mp4"])
    again = Spool(spool.file.parent)
    again.prepare()
    second = ("job2", "2", ("https://media.test/2.mp4",))
    assert list(again.read()) == [("job1", "video=1/ü", ()), second]
    again.forget("job1")
    again.forget("job1")
    assert list(again.read()) == [second]


def test_the_prepared_spool_needs_no_further_room_on_a_full_disk(spool: Spool) -> None:
    """The blocks of the spool are written at the start, so an entry needs no new block."""
    before = spool.file.stat()
    assert before.st_blocks * 512 >= before.st_size
    with no_file_larger_than(before.st_size):
        for number in range(100):
            spool.add(f"job{number}", "v" * 600)
    after = spool.file.stat()
    assert (after.st_size, after.st_blocks) == (before.st_size, before.st_blocks)
    assert len(list(spool.read())) == 100


def test_negative_control_an_unprepared_spool_would_need_room(tmp_path: Path) -> None:
    """Negative control: the limit of the test above does stop a file that has to grow."""
    too_large = os.strerror(errno.EFBIG)
    with no_file_larger_than(0), pytest.raises(OSError, match=too_large):
        Spool(tmp_path).add("job1", "1")


@pytest.mark.parametrize("left", [1, 4, 11, 12, 13, 40, 511])
def test_an_entry_of_the_spool_torn_by_a_crash_does_not_hide_other_entries(
    spool: Spool, left: int
) -> None:
    """Only the first bytes of the entry were written; its room is used again."""
    for name in ("job1", "job2", "job3"):
        spool.add(name, f"{name} " + "v" * 600)
    content = spool.file.read_bytes()
    with spool.file.open("r+b") as file:
        file.seek(2 * BLOCK + left)
        file.write(bytes(2 * BLOCK - left))
    assert [job for job, _, _ in spool.read()] == ["job1", "job3"]
    spool.add("job2", "job2 " + "v" * 600)
    assert spool.file.read_bytes() == content


def test_a_damaged_entry_of_the_spool_is_ignored(spool: Spool) -> None:
    """A wrong id would be polled at the gateway in vain."""
    spool.add("job1", "video-1")
    content = spool.file.read_bytes()
    spool.file.write_bytes(content.replace(b"video-1", b"video-2"))
    assert list(spool.read()) == []


def test_a_full_spool_raises_and_loses_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path, blocks=4)
    for number in range(4):
        spool.add(f"job{number}", str(number))
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        spool.add("job4", "4")
    spool.forget("job2")
    spool.add("job4", "4")
    assert sorted(job for job, _, _ in spool.read()) == ["job0", "job1", "job3", "job4"]


def test_the_spool_file_of_an_earlier_version_is_taken_over(tmp_path: Path) -> None:
    """The former format had one JSON object a line, with lines torn by a crash."""
    former = tmp_path / "pending-ids.jsonl"
    former.write_bytes(
        b'{"job": "job1", "gateway_id": "1"}\n{"job": "jo\n\xff\n[1]\n'
        b'{"job": "job2", "gateway_id": "2"}\n'
    )
    spool = Spool(tmp_path)
    assert list(spool.read()) == [("job1", "1", ()), ("job2", "2", ())]
    spool.prepare()
    assert not former.exists()
    assert list(spool.read()) == [("job1", "1", ()), ("job2", "2", ())]
