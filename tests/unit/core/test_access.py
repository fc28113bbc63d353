"""Access by place; tests/e2e/test_access.py tests the commands of owners."""

from dataclasses import replace

import pytest

from bot.core.access import Access, Default
from bot.core.errors import Refused
from bot.core.orders import Address, Person
from bot.store.places import Places
from bot.store.settings import StoredValues
from tests.unit.core.workshop import Workshop

ANN = Person(id="ann", name="Ann")
ROOM = Address(platform="room", channel="room", community="room")


async def test_a_private_platform_is_open_to_all_and_others_are_closed_by_default(
    workshop: Workshop,
) -> None:
    access = Access(
        places=Places(workshop.database),
        facts=StoredValues(workshop.database),
        default=Default.CLOSED,
        clock=workshop.clock,
        private=frozenset({"room"}),
    )
    await access.check(ANN, ROOM)
    with pytest.raises(Refused) as caught:
        await access.check(ANN, replace(ROOM, platform="chat"))
    assert caught.value.code == "no_owner"
