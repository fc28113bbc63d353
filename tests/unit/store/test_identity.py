"""A database that is gone or replaced is noticed at the start; none begins empty silently."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core.errors import Broken
from bot.store.database import check_database, open_database
from bot.store.identity import Home
from bot.store.settings import StoredValues
from tests.conftest import NewUrl
from tests.contract.rows import Store


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "data")


async def _used(url: str, home: Home) -> None:
    """Open the database and store a job in it."""
    async with open_database(url, home=home) as database:
        await Store(database).admitted()


async def _refused(url: str, home: Home) -> str:
    """Return the code with which `run` refuses the database; `doctor` gives the same."""
    with pytest.raises(Broken) as polled:
        await check_database(url, home=home)
    with pytest.raises(Broken) as refusal:
        async with open_database(url, home=home):
            pass
    assert polled.value.code == refusal.value.code
    return refusal.value.code


async def test_a_first_start_and_later_starts_accept_their_database(
    new_url: NewUrl, home: Home
) -> None:
    url = await new_url()
    for _ in range(2):
        await _used(url, home)
        await check_database(url, home=home)
    assert home.marker.stat().st_mode & 0o022 == 0


@pytest.mark.proof
async def test_an_empty_database_in_place_of_the_known_one_is_refused_unless_wanted(
    new_url: NewUrl, home: Home
) -> None:
    await _used(await new_url(), home)
    url = await new_url()
    assert await _refused(url, home) == "database_missing"
    assert await _refused(url, home) == "database_missing", "a refusal leaves nothing behind"
    await _used(url, Home(home.folder, anew=True))
    await _used(url, home)


@pytest.mark.parametrize("how", ["deleted", "emptied", "its rows deleted"])
async def test_a_database_file_that_lost_its_rows_is_refused(
    new_sqlite_url: NewUrl, home: Home, how: str
) -> None:
    url = await new_sqlite_url()
    await _used(url, home)
    file = Path(url.removeprefix("sqlite:///"))
    match how:
        case "deleted":
            file.unlink()
        case "emptied":
            file.write_bytes(b"")
        case _:
            with closing(sqlite3.connect(file)) as other, other:
                for table in ("posts", "jobs", "settings"):
                    other.execute(f"DELETE FROM {table}")
    assert await _refused(url, home) == "database_missing"
    assert how != "deleted" or not file.exists()


@pytest.mark.proof
async def test_another_database_than_the_known_one_is_refused_unless_wanted(
    new_url: NewUrl, home: Home
) -> None:
    await _used(await new_url(), home)
    other = await new_url()
    await _used(other, Home(home.folder / "elsewhere"))
    assert await _refused(other, home) == "database_other"
    await _used(other, Home(home.folder, anew=True))
    await _used(other, home)


@pytest.mark.parametrize("trace", ["media/videos/ab/x.mp4", "playground/room.jsonl"])
async def test_without_a_marker_old_media_or_messages_show_that_a_database_is_missing(
    new_url: NewUrl, home: Home, trace: str
) -> None:
    """An earlier version left such traces."""
    file = home.folder / trace
    file.parent.mkdir(parents=True)
    url = await new_url()
    await _used(url, home)
    home.marker.unlink()
    await _used(url, home)  # the missing marker alone is no reason
    home.marker.unlink()
    file.write_bytes(b"x")
    assert await _refused(await new_url(), home) == "database_missing"


async def test_a_database_without_an_id_from_an_earlier_version_or_backup_is_accepted(
    new_url: NewUrl, home: Home
) -> None:
    url = await new_url()
    await _used(url, home)

    def forget(connection: Connection) -> None:
        connection.execute(sa.text("DELETE FROM settings WHERE name = 'database.id'"))

    async with open_database(url) as database:
        await database.run(forget)
    before = home.marker.read_text("ascii")
    await _used(url, home)
    assert home.marker.read_text("ascii") == before
    async with open_database(url) as database:
        assert await StoredValues(database).get("database.id") == before.strip()
