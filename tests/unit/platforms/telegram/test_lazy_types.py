"""aiogram's types are built when they are used, and then equal the types that aiogram ships."""

import json
import sys
from asyncio import create_subprocess_exec, gather
from asyncio.subprocess import PIPE
from typing import Any

import pytest

from bot.platforms.telegram.client import NEEDED

MOST_BUILT = 30
"""The most types that importing alone may build: aiogram builds a few for its own use."""

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


async def test_importing_the_telegram_platform_builds_few_of_aiograms_types() -> None:
    """If this fails after an update of aiogram, aiogram builds its types elsewhere than at the end
    of `aiogram.types`. Then adapt `lazy_types` or remove it.
    """
    exported, built = map(int, (await _said("-c", _COUNT)).split())
    assert exported > 400
    assert built < MOST_BUILT


async def test_an_aiogram_imported_earlier_is_left_unchanged() -> None:
    assert await _said("-c", _LATE) == "True\n"


def test_the_types_that_a_first_order_needs_can_be_built_at_the_start() -> None:
    for kind in NEEDED:
        kind.model_rebuild()
        assert kind.__pydantic_complete__


@pytest.mark.proof
async def test_every_type_built_later_equals_the_type_that_aiogram_ships() -> None:
    """If this fails after an update of aiogram, `lazy_types` breaks what its types do."""
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
