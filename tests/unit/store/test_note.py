"""The jobs being polled are noted beside the database, without a write to it."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection
from structlog.testing import capture_logs

from bot.core.jobs import CLAIM, Status
from bot.store.database import Database
from bot.store.note import Note
from bot.store.polls import Polls
from tests.contract.rows import NOON, Store
from tests.databases import open_rows


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rows.db"


def test_the_next_process_reads_the_note_of_the_last_one(file: Path) -> None:
    note = Note(file)
    note.write(["one", "two"])
    note.write(["three"])
    assert Note(file).read() == ["three"]
    note.remove()
    note.remove()
    assert Note(file).read() == []


def test_no_other_account_of_the_machine_can_read_the_note(file: Path) -> None:
    Note(file).write(["one"])
    assert (file.parent / "rows.db.looks").stat().st_mode & 0o777 == 0o600


def test_a_note_that_was_cut_short_still_gives_its_whole_lines(file: Path) -> None:
    Note(file).write(["one", "two", "three"])
    (file.parent / "rows.db.looks").write_bytes(b"one\ntwo\nth\xff")
    assert Note(file).read()[:2] == ["one", "two"]


def test_a_note_that_cannot_be_written_or_read_is_logged_and_stops_nothing(file: Path) -> None:
    (file.parent / "rows.db.looks").mkdir()
    with capture_logs() as logs:
        note = Note(file)
        note.write(["one"])
        note.write(["one", "two"])
        assert note.read() == []
        note.remove()
    assert [each["event"] for each in logs] == ["looks.not_noted", "looks.note_unread"]


def test_a_trouble_with_the_note_that_returns_is_logged_again(file: Path) -> None:
    place = file.parent / "rows.db.looks"
    with capture_logs() as logs:
        note = Note(file)
        for _ in range(2):
            place.mkdir()
            note.write(["one"])
            place.rmdir()
            note.write(["one"])
            assert note.read() == ["one"]
            note.remove()
    assert [each["event"] for each in logs] == ["looks.not_noted"] * 2


def test_a_database_without_a_file_has_no_note() -> None:
    note = Note(None)
    note.write(["one"])
    assert note.read() == []
    note.remove()


async def test_claiming_jobs_for_polls_writes_no_row(tmp_path: Path) -> None:
    """Neither reading a whole row nor the end of a poll writes a row."""
    async with open_rows(tmp_path) as database:
        store, polls = Store(database), Polls(database)
        row = await store.in_state(Status.IN_PROGRESS)
        row = await store.moved(row, replace(row, due_at=NOON))
        before = await _changes(database)
        (taken,) = await polls.claim(now=NOON, until=NOON + CLAIM, most=9, but=())
        assert Note(tmp_path / "rows.db").read() == [row.id]
        assert await polls.whole(taken) == row
        await polls.finish()
        assert await _changes(database) == before
        assert Note(tmp_path / "rows.db").read() == []


async def test_the_note_keeps_all_polled_jobs_until_the_next_start_has_read_it(
    tmp_path: Path,
) -> None:
    """A note that is read twice would count a crash for jobs that ended long ago."""
    async with open_rows(tmp_path) as database:
        store, polls = Store(database), Polls(database)
        ids: list[str] = []
        for _ in range(2):
            row = await store.in_state(Status.IN_PROGRESS)
            await store.moved(row, replace(row, due_at=NOON))
            found = await polls.claim(now=NOON, until=NOON + CLAIM, most=9, but=ids)
            ids += [each.id for each in found]
        assert len(ids) == 2
        assert Note(tmp_path / "rows.db").read() == ids
        moved = await store.in_state(Status.COMPLETED)
        Note(tmp_path / "rows.db").write([*ids, moved.id])
        assert await Polls(database).expire_claims(now=NOON) == 2
        assert await Polls(database).expire_claims(now=NOON) == 0
        assert Note(tmp_path / "rows.db").read() == []


async def _changes(database: Database) -> int:
    """Return how many rows this connection has changed."""

    def read(connection: Connection) -> int:
        answer = connection.exec_driver_sql("SELECT total_changes()")
        return int(answer.scalar_one())

    return await database.read(read)
