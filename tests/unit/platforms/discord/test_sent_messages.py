"""The Discord client's messages: their size, their edits, and how they are found again."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.core import cards
from bot.core.errors import Refused, Temporary
from bot.core.jobs import Status
from bot.core.platforms import upload_limit
from bot.core.posts import PostKind
from bot.core.sizes import LEARNED_FOR, PLAUSIBLE
from bot.platforms.discord.client import HISTORY
from tests.fakes.clock import FakeClock
from tests.fakes.discord import (
    MIB,
    FakeDiscord,
    Permission,
    error,
)
from tests.fakes.discord import Person as Member
from tests.unit.core.orders import changed
from tests.unit.platforms.discord.bot import Bot
from tests.unit.platforms.discord.desk import SEND, VIDEO, StepContext

# --- how large -----------------------------------------------------------------------------------


async def limit(desk: StepContext, *, clip: str = VIDEO.key, direct: bool = False) -> int:
    about = replace(desk.job, video=replace(VIDEO, key=clip))
    return await upload_limit(desk.bot.platform, desk.post(direct=direct), about)


async def test_a_boosted_server_takes_more(fake: FakeDiscord, idle: Bot, ann: Member) -> None:
    boosted = fake.add_guild("Boosted", premium_tier=2)
    desk = StepContext(idle, ann)
    address = replace(desk.job.order.call.address, community=str(boosted.id))
    elsewhere = replace(desk.job, order=changed(desk.job.order, address=address))
    async with idle.running():
        assert await limit(desk) == 10 * MIB
        assert await idle.platform.upload_limit(elsewhere) == 50 * MIB
        assert await idle.platform.direct_limit(elsewhere) == 10 * MIB


async def test_one_small_video_that_is_refused_makes_no_other_smaller(
    fake: FakeDiscord, desk: StepContext, path: Path
) -> None:
    fake.guild.upload_limit = fake.world.default_upload_limit = 900
    assert await desk.refused(video=path) == "file_too_large"
    assert await limit(desk) == 750
    assert await limit(desk, direct=True) == 10 * MIB
    assert await limit(desk, clip="other") == 10 * MIB


async def test_the_size_of_what_was_sent_is_learned_and_not_that_of_what_is_stored(
    fake: FakeDiscord, desk: StepContext, path: Path
) -> None:
    """A shrunk copy that is refused makes the next one smaller."""
    fake.guild.upload_limit = fake.world.default_upload_limit = 400
    path.write_bytes(b"0" * 800)
    assert await desk.refused(video=path) == "file_too_large"
    assert await limit(desk) == 600
    path.write_bytes(b"0" * 600)
    assert await desk.refused(video=path) == "file_too_large"
    assert await limit(desk) == 450


async def test_a_large_video_that_is_refused_tells_of_all_there_for_a_while(
    fake: FakeDiscord, bot: Bot, desk: StepContext, path: Path
) -> None:
    fake.faults.add("POST", SEND, error(413, 40005))
    os.truncate(path, PLAUSIBLE)
    assert await desk.refused(video=path) == "file_too_large"
    assert await limit(desk, clip="other") == PLAUSIBLE * 3 // 4
    assert await limit(desk, direct=True, clip="other") == 10 * MIB
    await bot.clock.advance(LEARNED_FOR)
    assert await limit(desk) == 10 * MIB


async def test_what_is_refused_in_a_direct_message_tells_nothing_of_the_server(
    fake: FakeDiscord, desk: StepContext, path: Path
) -> None:
    fake.faults.add("POST", SEND, error(413, 40005))
    os.truncate(path, PLAUSIBLE)
    assert await desk.refused(video=path, direct=True) == "file_too_large"
    assert await limit(desk, direct=True, clip="other") == PLAUSIBLE * 3 // 4
    assert await limit(desk, clip="other") == 10 * MIB


# --- editing and finding -------------------------------------------------------------------------


async def test_a_card_is_brought_up_to_date(fake: FakeDiscord, bot: Bot, desk: StepContext) -> None:
    message_id, channel_id = await desk.send(PostKind.CARD)
    desk.job = replace(desk.job, status=Status.DELIVERED)
    card = desk.post(PostKind.CARD, message_id=message_id, channel_id=channel_id)
    await bot.platform.edit(card, desk.job, cards.card(desk.job))
    shown = await fake.next("edit")
    assert shown.embeds[0]["description"].startswith("Done.")
    assert shown.components == ()


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (error(404, 10008), "card_gone"),
        (error(404, 10003), "channel_gone"),
        (error(403, 50001), "forbidden"),
        (error(403, 50013), "forbidden"),
        (error(403, 50005), "card_not_ours"),
        (error(400, 30046), "card_too_old"),
    ],
)
async def test_a_card_that_cannot_be_edited_is_given_up(
    fake: FakeDiscord, bot: Bot, desk: StepContext, fault: Any, code: str
) -> None:
    message_id, channel_id = await desk.send(PostKind.CARD)
    fake.faults.add("PATCH", "/messages/", fault)
    card = desk.post(PostKind.CARD, message_id=message_id, channel_id=channel_id)
    with pytest.raises(Refused) as caught:
        await bot.platform.edit(card, desk.job, cards.card(desk.job))
    assert caught.value.code == code


async def test_a_message_is_taken_away_and_one_that_is_gone_is_as_good(
    fake: FakeDiscord, bot: Bot, desk: StepContext
) -> None:
    stands = await desk.send()
    for _ in range(2):
        await bot.platform.remove(stands)
    assert fake.posts() == []


async def test_a_message_that_cannot_be_taken_away_now_is_tried_again(
    fake: FakeDiscord, bot: Bot, desk: StepContext
) -> None:
    stands = await desk.send()
    fake.faults.add("DELETE", r"/messages/\d+$", error(403, 40006))
    with pytest.raises(Temporary):
        await bot.platform.remove(stands)


@pytest.mark.parametrize("kind", list(PostKind))
async def test_each_of_our_messages_is_found_by_job_and_kind(
    fake: FakeDiscord, bot: Bot, desk: StepContext, ann: Member, kind: PostKind
) -> None:
    sent = {each: await desk.send(each) for each in PostKind}
    await ann.say(desk.job.id)
    other = replace(desk.job, id="other")
    assert await bot.platform.find(desk.post(kind), desk.job) == sent[kind]
    assert await bot.platform.find(desk.post(kind), other) is None


@pytest.mark.parametrize("status", list(Status))
async def test_a_card_is_found_whatever_it_shows(
    fake: FakeDiscord, bot: Bot, desk: StepContext, status: Status
) -> None:
    desk.job = replace(desk.job, status=status)
    sent = await desk.send(PostKind.CARD)
    assert await bot.platform.find(desk.post(PostKind.CARD), desk.job) == sent


async def test_only_messages_since_then_are_looked_at(
    fake: FakeDiscord, bot: Bot, desk: StepContext, ann: Member, clock: FakeClock
) -> None:
    sent = await desk.send()
    await clock.advance(3600)
    later = desk.post(sending_at=clock.now())
    await ann.say("anything new?")
    assert await bot.platform.find(later, desk.job) is None
    assert await bot.platform.find(desk.post(), desk.job) == sent


async def test_a_card_is_looked_for_from_its_order_on_whenever_it_is_missed(
    fake: FakeDiscord, bot: Bot, desk: StepContext, clock: FakeClock
) -> None:
    """It may be the command's own answer: killed then, no row tells that a send was begun."""
    answered = await desk.send(PostKind.CARD)
    await clock.advance(6 * 3600)
    retry = desk.post(PostKind.CARD, sending_at=clock.now())
    assert await bot.platform.find(retry, desk.job) == answered


@pytest.mark.proof
async def test_a_card_that_was_said_late_is_found_in_a_channel_full_of_words(
    fake: FakeDiscord, bot: Bot, desk: StepContext, ann: Member, clock: FakeClock
) -> None:
    for number in range(HISTORY + 1):
        await ann.say(f"chatter {number}")
    await clock.advance(3600)
    begun = clock.now()
    sent = await desk.send(PostKind.CARD)
    assert await bot.platform.find(desk.post(PostKind.CARD, sending_at=begun), desk.job) == sent


async def test_ours_is_found_among_hundreds_of_other_people_s(
    fake: FakeDiscord, bot: Bot, desk: StepContext, ann: Member
) -> None:
    begun = bot.clock.now()
    for number in range(300):
        await ann.say(f"chatter {number}")
    sent = await desk.send()
    assert await bot.platform.find(desk.post(sending_at=begun), desk.job) == sent


async def test_a_direct_message_is_found_too(bot: Bot, desk: StepContext, ann: Member) -> None:
    sent = await desk.send(direct=True)
    await ann.say("where is it?")
    assert await bot.platform.find(desk.post(direct=True), desk.job) == sent
    assert await bot.platform.find(desk.post(), desk.job) is None


@pytest.mark.parametrize("right", [Permission.VIEW_CHANNEL, Permission.READ_MESSAGE_HISTORY])
async def test_a_channel_that_can_not_be_read_tells_nothing(
    fake: FakeDiscord, bot: Bot, desk: StepContext, right: Permission
) -> None:
    """Without one of the rights Discord says no, without the other it shows an empty history."""
    await desk.send()
    fake.deny(fake.channel, right)
    with pytest.raises(Refused, match="history_unreadable"):
        await bot.platform.find(desk.post(), desk.job)


async def test_a_history_that_is_too_long_tells_nothing(
    bot: Bot, desk: StepContext, ann: Member, clock: FakeClock
) -> None:
    for number in range(HISTORY + 1):
        await ann.say(f"chatter {number}")
    with pytest.raises(Refused, match="history_unreadable"):
        await bot.platform.find(desk.post(), desk.job)


async def test_a_channel_that_does_not_answer_is_asked_again_later(
    fake: FakeDiscord, bot: Bot, desk: StepContext
) -> None:
    fake.faults.add("GET", SEND, error(503))
    with pytest.raises(Temporary):
        await bot.platform.find(desk.post(), desk.job)
