"""The one-time code makes exactly one owner, however many people know it."""

import asyncio
import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core.access import Access, Default
from bot.core.errors import Refused
from bot.core.jobs import Reason
from bot.core.notices import Pause
from bot.core.orders import Address, Person
from bot.store.places import Places
from tests.contract.rows import NOON, Store
from tests.fakes.clock import FakeClock

HALL = Address(platform="discord", channel="1", community="9")


@pytest.fixture
def access(store: Store) -> Access:
    return Access(
        places=Places(store.database),
        facts=store.settings,
        default=Default.CLOSED,
        clock=FakeClock(NOON),
    )


async def claimed(access: Access, code: str, name: str) -> bool:
    """Whether the code makes this person the owner."""
    try:
        await access.claim(code, Person(id=name, name=name), HALL)
    except Refused:
        return False
    return True


async def test_of_twenty_people_who_use_the_code_at_once_only_one_becomes_owner(
    access: Access,
) -> None:
    code = await access.new_code()
    assert code is not None
    won = await asyncio.gather(*(claimed(access, code, f"p{number}") for number in range(20)))
    assert sum(won) == 1


async def test_a_withdrawn_owner_code_no_longer_works(access: Access) -> None:
    code = await access.new_code()
    assert code is not None
    await access.forget_code()
    assert not await claimed(access, code, "ann")


async def test_a_new_owner_code_replaces_the_old_one(access: Access) -> None:
    old, new = await access.new_code(), await access.new_code()
    assert old is not None
    assert new is not None
    assert not await claimed(access, old, "eve")
    assert await claimed(access, new, "ann")
    assert await access.new_code() is None


@pytest.mark.parametrize("code", ["", " ", "AAAA-BBBB-CCCC"])
async def test_a_wrong_or_empty_code_makes_nobody_the_owner(access: Access, code: str) -> None:
    assert not await claimed(access, code, "eve")
    assert await access.new_code() is not None


async def test_the_documented_sql_commands_hand_the_bot_to_a_new_owner(
    store: Store, access: Access
) -> None:
    """Messages for the old owner are dropped, and there is an owner's code again."""
    page = (Path(__file__).parents[2] / "docs" / "operating.md").read_text("utf-8")
    (given,) = set(re.findall(r'^ *(?:sqlite3|psql) \S+ (?:-c )?"([^"]+)"', page, re.MULTILINE))
    code = await access.new_code()
    assert code is not None
    assert await claimed(access, code, "ann")
    empty = Pause(Reason.NO_BALANCE, until=NOON + 300)
    await store.pauses.pause("main", empty, detail="", rooms=(), now=NOON)

    def give(connection: Connection) -> None:
        for statement in given.split(";"):
            connection.execute(sa.text(statement))

    await store.database.run(give)
    assert await store.notices.claim(["discord"], now=NOON + 1, until=NOON + 9, most=9) == []
    await access.check(Person(id="bob", name="Bob"), HALL)
    code = await access.new_code()
    assert code is not None
    assert await claimed(access, code, "bob")
