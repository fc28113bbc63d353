"""The fake Telegram's updates: what confirms them, who gets them, and scripted mistakes."""

import asyncio
from typing import Any

import aiohttp
import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramConflictError
from aiogram.types import ReactionTypeEmoji, Update
from pydantic import ValidationError

from tests.fakes.telegram import FakeTelegram, Membership, Person
from tests.fakes.telegram.updates import DAY

from .conftest import Clock

POLL = 30


async def ids(bot: Bot, offset: int | None = None, **more: Any) -> list[int]:
    """Return the ids of the updates that aiogram gets."""
    return [update.update_id for update in await bot.get_updates(offset=offset, **more)]


async def poll(http: aiohttp.ClientSession, fake: FakeTelegram, **fields: Any) -> Any:
    """Call getUpdates without aiogram and return the JSON answer."""
    address = f"{fake.api_url}/bot{fake.token}/getUpdates"
    async with http.post(address, json=fields) as answer:
        return await answer.json()


# ---- offsets


async def test_only_a_higher_offset_confirms_an_update(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    first = fake.updates.of(await ann.says("one")).id
    await ann.says("two")
    assert await ids(bot) == [first, first + 1]
    assert await ids(bot, first) == [first, first + 1]
    assert await ids(bot, first + 1) == [first + 1]
    assert await ids(bot) == [first + 1]
    assert await ids(bot, first + 2) == []
    assert fake.updates.offsets == [0, first, first + 1, 0, first + 2]
    assert [poll.given for poll in fake.updates.polls][-2:] == [[first + 1], []]


async def test_a_negative_offset_keeps_only_the_newest_update(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    for text in ("one", "two", "three"):
        await ann.says(text)
    newest = fake.updates.all[-1].id
    assert await ids(bot, -1) == [newest]
    assert await ids(bot) == [newest]


async def test_an_offset_far_in_the_future_confirms_no_update(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    waiting = fake.updates.of(await ann.says("one")).id
    assert await ids(bot, waiting + 1000) == [waiting]


async def test_a_limit_on_updates_leaves_the_remaining_updates_for_later(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    first = fake.updates.of(await ann.says("one")).id
    await ann.says("two")
    assert await ids(bot, limit=1) == [first]
    assert await ids(bot, first + 1, limit=1) == [first + 1]


async def test_updates_are_dropped_after_a_day(
    fake: FakeTelegram, bot: Bot, ann: Person, clock: Clock
) -> None:
    await ann.says("one")
    clock.now += DAY - 1
    late = fake.updates.of(await ann.says("two")).id
    clock.now += 2
    assert await ids(bot) == [late]


# --- long polling


async def test_a_long_poll_ends_with_the_first_update(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(ids(bot, timeout=POLL))
        asked = await fake.next("poll")
        said = await ann.says("hello")
    assert waiting.result() == asked.given == [fake.updates.of(said).id]


async def test_a_long_poll_is_capped_at_fifty_seconds_and_may_end_empty(
    fake: FakeTelegram, bot: Bot
) -> None:
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(ids(bot, timeout=600))
        asked = await fake.next("poll")
        fake.updates.end_poll()
    assert (asked.timeout, waiting.result()) == (50, [])


async def test_a_second_long_poll_ends_the_first_with_a_conflict(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    first = asyncio.create_task(ids(bot, timeout=POLL))
    await fake.next("poll")
    second = asyncio.create_task(ids(bot, timeout=POLL))
    with pytest.raises(TelegramConflictError, match="only one bot instance"):
        await first
    await ann.says("hello")
    assert len(await second) == 1


# --- kinds of updates


async def test_allowed_updates_are_remembered_and_decide_what_is_queued(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    await ids(bot, allowed_updates=["my_chat_member"])
    await ann.says("not wanted")
    await ids(bot)
    group = fake.group("Club", ann, bot=Membership.LEFT)
    await ann.adds_bot(group)
    assert [update.kind for update in fake.updates.pending] == ["my_chat_member"]
    await ids(bot, allowed_updates=[])
    await ann.says("wanted again")
    assert fake.updates.pending[-1].kind == "message"


async def test_reactions_are_delivered_only_if_they_are_allowed_updates(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    said = await ann.says("hello")
    await ann.reacts(said, "👍")
    assert [update.kind for update in fake.updates.pending] == ["message"]
    await ids(bot, allowed_updates=["message_reaction"])
    await ann.reacts(said, "👎")
    reaction = (await bot.get_updates())[-1].message_reaction
    assert reaction is not None
    (emoji,) = reaction.new_reaction
    assert isinstance(emoji, ReactionTypeEmoji)
    assert emoji.emoji == "👎"


# --- scripted deliveries


async def test_a_confirmed_update_can_be_delivered_again(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    told = fake.updates.of(await ann.says("hello"))
    assert await ids(bot, told.id + 1) == []
    fake.updates.redeliver(told)
    assert await ids(bot, told.id + 1) == [told.id]
    assert await ids(bot, told.id + 1) == []


async def test_one_message_can_be_delivered_under_two_update_ids(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    said = await ann.says("hello")
    fake.updates.repeat(said)
    one, other = await bot.get_updates()
    assert one.update_id + 1 == other.update_id
    assert one.message == other.message


async def test_a_batch_of_updates_can_contain_malformed_and_unknown_ones(
    fake: FakeTelegram, ann: Person, http: aiohttp.ClientSession
) -> None:
    fake.updates.add_malformed()
    fake.updates.add_unknown()
    await ann.says("hello")
    malformed, unknown, good = (await poll(http, fake))["result"]
    with pytest.raises(ValidationError):
        Update.model_validate(malformed)
    assert set(Update.model_validate(unknown).model_dump(exclude_none=True)) == {"update_id"} | set(
        unknown
    )
    assert Update.model_validate(good).message is not None


# ---- webhook and poll exclude each other


async def test_a_webhook_ends_long_polling_with_a_conflict(fake: FakeTelegram, bot: Bot) -> None:
    waiting = asyncio.create_task(ids(bot, timeout=POLL))
    await fake.next("poll")
    await bot.set_webhook("http://127.0.0.1:9/hook")
    with pytest.raises(TelegramConflictError, match="terminated by setWebhook request"):
        await waiting
    with pytest.raises(TelegramConflictError, match="deleteWebhook"):
        await ids(bot)
    await bot.delete_webhook()
    assert await ids(bot) == []
