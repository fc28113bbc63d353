"""A database of another program is recognized by its tables and left unchanged."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.core.errors import Broken
from bot.store.database import check_database, open_database
from bot.store.engines import begun, engine_of
from bot.store.identity import Home
from bot.store.listing import open_listing
from tests.conftest import NewUrl

BOOKMARKS = "CREATE TABLE moz_places (id INTEGER)"
ALIKE = "CREATE TABLE jobs (id INTEGER, state TEXT)"
MIGRATED = "CREATE TABLE alembic_version (version_num TEXT)"


@pytest.mark.parametrize("mode", ["delete", "wal"])
@pytest.mark.parametrize("tables", [[BOOKMARKS], [ALIKE], [MIGRATED, BOOKMARKS]])
async def test_a_file_of_another_program_is_refused_and_left_unchanged(
    tmp_path: Path, tables: list[str], mode: str
) -> None:
    file, home = tmp_path / "places.sqlite", Home(tmp_path / "data")
    with closing(sqlite3.connect(file)) as other:
        other.execute(f"PRAGMA journal_mode={mode}")
        for table in tables:
            other.execute(table)
    file.chmod(0o644)
    before = file.read_bytes()
    assert await _refusals(f"sqlite:///{file}", home) == ["database_foreign"] * 3
    assert file.read_bytes() == before
    assert file.stat().st_mode & 0o777 == 0o644
    assert {each.name for each in tmp_path.iterdir()} == {file.name, f"{file.name}.lock"}


async def test_a_file_that_another_program_has_open_loses_no_rows_when_it_is_refused(
    tmp_path: Path,
) -> None:
    """The other program's rows may be in its write-ahead log only."""
    file = tmp_path / "places.sqlite"
    with closing(sqlite3.connect(file)) as other:
        other.execute("PRAGMA journal_mode=wal")
        other.execute(BOOKMARKS)
        assert "database_foreign" in await _refusals(f"sqlite:///{file}", None)
        other.execute("INSERT INTO moz_places VALUES (1)")
        other.commit()
        assert other.execute("PRAGMA quick_check").fetchone() == ("ok",)


@pytest.mark.parametrize("table", [ALIKE, MIGRATED])
async def test_a_server_with_tables_of_another_program_under_our_names_is_refused(
    new_postgres_url: NewUrl, table: str
) -> None:
    url = await new_postgres_url()
    await _say(url, table)
    assert await _refusals(url, None) == ["database_foreign"] * 3


async def test_a_server_schema_may_be_shared_if_no_table_name_collides(
    new_postgres_url: NewUrl,
) -> None:
    url = await new_postgres_url()
    await _say(url, BOOKMARKS)
    for _ in range(2):
        async with open_database(url):
            pass


async def _refusals(url: str, home: Home | None) -> list[str]:
    """Return the codes with which `run`, `doctor` and `jobs list` refuse the database."""
    codes = []
    for attempt in (
        open_database(url, home=home).__aenter__,
        lambda: check_database(url, home=home),
        open_listing(url).__aenter__,
    ):
        with pytest.raises(Broken) as refusal:
            await attempt()
        codes.append(refusal.value.code)
        if refusal.value.code == "database_foreign":
            assert refusal.value.values["tables"]
    return codes


async def _say(url: str, statement: str) -> None:
    async with begun(engine_of(url)) as rows:
        await rows.run(lambda connection: connection.execute(sa.text(statement)))
