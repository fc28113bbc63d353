"""Readiness depends on a row that was really written: a full disk and a lost file are reported."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection
from structlog.testing import capture_logs

from bot.store.database import Database, open_database
from bot.store.heartbeat import EVERY, Heartbeat
from bot.store.tables import settings
from tests.fakes.clock import FakeClock
from tests.fakes.disk import no_file_larger_than


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "zoetrope.db"


def _url(file: Path) -> str:
    return f"sqlite:///{file}"


async def test_a_disk_without_room_is_logged_once_and_its_end_once(file: Path) -> None:
    clock = FakeClock()
    async with open_database(_url(file)) as database:
        heartbeat = Heartbeat(database, clock)
        assert await heartbeat.beats() is True
        with no_file_larger_than(0):
            assert await heartbeat.beats() is True, "it was written a moment ago"
            await clock.advance(EVERY)
            with capture_logs() as logs:
                for _ in range(2):
                    assert await heartbeat.beats() == "database: disk full"
        (line,) = logs
        assert (line["event"], line["last_written"]) == ("database.unwritten", clock.now() - EVERY)
        assert await heartbeat.beats() is True


async def test_negative_control_a_rolled_back_write_does_not_notice_a_full_disk(file: Path) -> None:
    """Negative control: the check that was used before."""
    async with open_database(_url(file)) as database:
        with no_file_larger_than(0):
            assert await _taken_back(database)


class _TakenBack(Exception):
    pass


async def _taken_back(database: Database) -> bool:
    """Write a row and roll it back; return True if that succeeds."""

    def work(connection: Connection) -> None:
        connection.execute(sa.insert(settings).values(name="trial", value=""))
        raise _TakenBack

    with pytest.raises(_TakenBack):
        await database.run(work)
    return True


async def test_the_heartbeat_reports_a_lock_held_by_another_program(file: Path) -> None:
    async with open_database(_url(file), patience=0.2) as database:
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            assert await Heartbeat(database, FakeClock()).beats() == "database: busy"
            other.execute("ROLLBACK")
        assert await Heartbeat(database, FakeClock()).beats() is True


@pytest.mark.parametrize("how", ["deleted", "emptied"])
async def test_the_heartbeat_reports_a_lost_file_even_though_writes_succeed(
    file: Path, how: str
) -> None:
    async with open_database(_url(file)) as database:
        if how == "deleted":
            file.unlink()
        else:
            file.write_bytes(b"")
        await database.check()
        assert await Heartbeat(database, FakeClock()).beats() == f"database: {how}"
