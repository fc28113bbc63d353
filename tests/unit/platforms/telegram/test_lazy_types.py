"""aiogram's types are built when they are used, and are then what aiogram ships."""

import json
import sys
from asyncio import create_subprocess_exec, gather
from asyncio.subprocess import PIPE
from typing import Any

import pytest

from bot.platforms.telegram.client import NEEDED

MOST_BUILT = 30
"""Types that are built by the import alone: a few of aiogram's are made for its own use."""

_COUNT = """
import bot.platforms.telegram.client, bot.platforms.telegram.listener
import aiogram.types
from pydantic import BaseModel
kinds = [getattr(aiogram.types, name) for name in aiogram.types.__all__]
kinds = [it for it in kinds if isinstance(it, type) and issubclass(it, BaseModel)]
print(len(kinds), sum(it.__pydantic_complete__ for it in kinds))
"""
_LATE = """
import aiogram
original = aiogram.types.User.model_rebuild.__func__
import bot.platforms.telegram.client
assert aiogram.types.User.model_rebuild.__func__ is original
print(aiogram.types.User.__pydantic_complete__)
"""


async def test_the_import_of_the_platform_builds_next_to_none_of_aiograms_types() -> None:
    """Where this fails after an update of aiogram, it builds its types some other way than at the
    end of `aiogram.types`: `lazy_types` has to follow, or to go."""
    exported, built = map(int, (await _said("-c", _COUNT)).split())
    assert exported > 400
    assert built < MOST_BUILT


async def test_aiogram_that_was_imported_earlier_is_left_as_it_is() -> None:
    assert await _said("-c", _LATE) == "True\n"


def test_the_types_that_a_first_order_needs_can_be_built_at_the_start() -> None:
    for kind in NEEDED:
        kind.model_rebuild()
        assert kind.__pydantic_complete__


@pytest.mark.proof
async def test_every_type_can_be_built_later_and_is_the_same_as_aiogram_ships_it() -> None:
    """Where this fails after an update of aiogram, `lazy_types` breaks what its types do."""
    shipped, lazy = await gather(_types("shipped"), _types("lazy"))
    assert lazy["said"] == shipped["said"]
    assert lazy["kinds"] == shipped["kinds"]
    assert sum(fields is not None for fields in lazy["kinds"].values()) > 580


async def _types(variant: str) -> dict[str, Any]:
    module = "tests.unit.platforms.telegram.aiogram_types"
    found: dict[str, Any] = json.loads(await _said("-m", module, variant))
    return found


async def _said(*arguments: str) -> str:
    child = await create_subprocess_exec(sys.executable, *arguments, stdout=PIPE)
    said, _ = await child.communicate()
    assert child.returncode == 0
    return said.decode()
