"""A reader beside the running service sees one moment and cannot write."""

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core.errors import DatabaseDamaged
from bot.store.database import open_database
from bot.store.reading import open_reading
from bot.store.tables import settings
from tests.conftest import NewUrl


async def test_a_reader_sees_the_rows_of_one_moment_despite_later_writes(
    new_tables_url: NewUrl,
) -> None:
    url = await new_tables_url()
    async with open_database(url) as database:
        async with open_reading(url) as rows:
            before = await rows.run(_names)
            await database.run(_add)
            assert await rows.run(_names) == before
        assert await database.read(_names) == sorted([*before, "new"])


async def test_a_reader_cannot_write(new_tables_url: NewUrl) -> None:
    url = await new_tables_url()
    with pytest.raises((DatabaseDamaged, sa.exc.DBAPIError)):
        async with open_reading(url) as rows:
            await rows.run(_add)


def _names(connection: Connection) -> list[str]:
    return list(connection.scalars(sa.select(settings.c.name).order_by(settings.c.name)))


def _add(connection: Connection) -> None:
    connection.execute(sa.insert(settings).values(name="new", value=""))
