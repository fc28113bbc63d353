"""Copying the rows of a file in place of everything that a server has."""

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core.posts import PostKind
from bot.store.copying import load_server
from bot.store.database import open_database
from bot.store.engines import begun, engine_of
from bot.store.files import file_of
from bot.store.tables import posts, settings
from tests.conftest import NewUrl
from tests.contract.rows import Store


async def _loaded(source: str, target: str) -> None:
    """Copy the rows of an SQLite file into a server."""
    file = file_of(source)
    assert file is not None
    async with begun(engine_of(target)) as rows:
        await load_server(rows, file)


async def test_copying_to_postgresql_removes_characters_that_postgresql_refuses(
    new_sqlite_url: NewUrl, new_postgres_url: NewUrl
) -> None:
    source, target = await new_sqlite_url(), await new_postgres_url()
    async with open_database(source) as database:
        await database.put(settings, {"name": "words"}, {"value": "a\0 cat"})
    await _loaded(source, target)
    async with open_database(target) as database:
        named = sa.select(settings.c.value).where(settings.c.name == "words")
        assert await database.value(named) == "a cat"


async def test_after_a_copy_to_postgresql_new_posts_get_higher_numbers_than_copied_ones(
    new_sqlite_url: NewUrl, new_postgres_url: NewUrl
) -> None:
    source, target = await new_sqlite_url(), await new_postgres_url()
    async with open_database(source) as database:
        earlier = [await Store(database).admitted() for _ in range(3)]
    await _loaded(source, target)
    async with open_database(target) as database:
        new = await Store(database).admitted()
        assert await database.read(_owed) == [*sorted(it.id for it in earlier), new.id]


def _owed(connection: Connection) -> list[str]:
    """Return the jobs of all cards by number; sort all but the newest by id."""
    card = posts.c.kind == PostKind.CARD.value
    *earlier, newest = connection.scalars(
        sa.select(posts.c.job_id).where(card).order_by(posts.c.id)
    )
    return [*sorted(earlier), newest]
