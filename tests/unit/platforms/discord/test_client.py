"""The Discord client connects and sends: each post once, in its channel."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.core import replies
from bot.core.errors import Broken, Refused, Temporary
from bot.core.jobs import Status
from bot.core.platforms import DirectMessage
from bot.core.posts import Form, Post, PostKind
from bot.core.replies import Reply, Text
from bot.platforms.discord import messages
from bot.platforms.discord.client import DiscordPlatform
from tests.fakes.discord import (
    FakeDiscord,
    Intent,
    Message,
    MessageType,
    Permission,
    accepted,
    error,
    hang_up,
    rate_limited,
    reset,
)
from tests.fakes.discord import Person as Member
from tests.unit.core.orders import changed
from tests.unit.platforms.discord.bot import Bot
from tests.unit.platforms.discord.desk import SEND, VIDEO, StepContext


def place(message: Message) -> tuple[str, str]:
    return str(message.id), str(message.channel.id)


# --- connecting ----------------------------------------------------------------------------------


async def broken(platform: DiscordPlatform) -> str:
    async with platform:
        with pytest.raises(Broken) as caught:
            await platform.run()
    return caught.value.code


async def test_a_wrong_token_is_said_in_one_word(fake: FakeDiscord, idle: Bot) -> None:
    idle.settings = replace(idle.settings, token="wrong")
    idle.fresh()
    assert await broken(idle.platform) == "discord_token_bad"


async def test_an_intent_that_was_not_granted_too(fake: FakeDiscord, idle: Bot) -> None:
    idle.settings = replace(idle.settings, message_content=True)
    idle.fresh()
    assert await broken(idle.platform) == "discord_intents"


async def test_only_the_intents_that_are_needed_are_asked_for(fake: FakeDiscord, bot: Bot) -> None:
    (session,) = fake.gateway.live
    assert session.intents == Intent.GUILDS | Intent.GUILD_MESSAGES | Intent.DIRECT_MESSAGES


async def test_before_the_login_posts_are_put_off(idle: Bot, ann: Member) -> None:
    async with idle.platform:
        with pytest.raises(Temporary) as caught:
            await StepContext(idle, ann).send()
    assert caught.value.code == "discord_unreachable"
    assert caught.value.unsent
    assert caught.value.away, "no fault of theirs"


# --- sending -------------------------------------------------------------------------------------


async def test_a_result_is_a_reply_that_pings_its_person(
    fake: FakeDiscord, bot: Bot, desk: StepContext, ann: Member, path: Path
) -> None:
    request = await ann.say("a cat")
    address = replace(desk.job.order.call.address, message=str(request.id))
    desk.job = replace(desk.job, order=changed(desk.job.order, address=address))
    stands = await desk.send(video=path)
    shown = await fake.next("message")
    assert stands == place(shown)
    assert (shown.type, shown.reference) == (MessageType.REPLY, request.id)
    assert shown.pings == frozenset({ann.id})
    assert [(each.filename, len(each.content)) for each in shown.attachments] == [
        (f"zoetrope-{desk.job.id}.mp4", VIDEO.size)
    ]
    assert [each["label"] for each in shown.buttons] == ["Try again", "Remix", "Delete"]


async def test_a_video_that_could_not_be_converted_is_a_file_and_says_so(
    fake: FakeDiscord, desk: StepContext, path: Path
) -> None:
    video = replace(VIDEO, key="originals/a.mkv", plays=False)
    desk.job = replace(desk.job, video=video)
    await desk.send(video=path.rename(path.with_suffix(".mkv")))
    shown = await fake.next("message")
    assert [each.filename for each in shown.attachments] == [f"zoetrope-{desk.job.id}.mkv"]
    assert "could not convert this video" in shown.content


async def test_a_command_s_result_replies_to_no_card_that_goes(fake: FakeDiscord, bot: Bot) -> None:
    ann = fake.person("ann")
    asked = await ann.slash("video", prompt="a cat")
    await asked.answered()
    await bot.service.recorded.get()
    (admitted,) = bot.service.submitted
    done = replace(admitted, status=Status.COMPLETED, video=VIDEO)
    post = Post(id=9, job_id=done.id, kind=PostKind.RESULT, due_at=None)
    await bot.platform.send(post, done, replies.result(done), video=None)
    shown = await fake.next("message", lambda each: each.nonce == post.nonce(Form.TEXT))
    assert asked.original_id is not None
    assert (shown.reference, shown.pings) == (None, frozenset({ann.id}))


async def test_the_same_nonce_brings_the_same_message(fake: FakeDiscord, desk: StepContext) -> None:
    fake.faults.add("POST", SEND, accepted(hang_up()))
    with pytest.raises(Temporary):
        await desk.send()
    (shown,) = fake.posts()
    assert await desk.send() == place(shown)
    assert fake.posts() == [shown]


@pytest.mark.parametrize("fault", [error(503), reset(), hang_up(), rate_limited(via=False)])
async def test_an_unknown_end_is_never_a_no(
    fake: FakeDiscord, desk: StepContext, fault: Any
) -> None:
    fake.faults.add("POST", SEND, fault)
    with pytest.raises(Temporary):
        await desk.send()
    await desk.send()


async def test_a_deleted_request_does_not_stop_the_result(
    fake: FakeDiscord, desk: StepContext, ann: Member
) -> None:
    request = await ann.say("a cat")
    await ann.delete(request)
    address = replace(desk.job.order.call.address, message=str(request.id))
    desk.job = replace(desk.job, order=changed(desk.job.order, address=address))
    await desk.send()
    assert (await fake.next("message")).type is MessageType.PLAIN
    assert len([each for each in fake.requests if each.path.endswith("/messages")]) == 1


async def test_without_the_history_the_result_is_no_reply(
    fake: FakeDiscord, desk: StepContext, ann: Member
) -> None:
    request = await ann.say("a cat")
    fake.deny(fake.channel, Permission.READ_MESSAGE_HISTORY)
    address = replace(desk.job.order.call.address, message=str(request.id))
    desk.job = replace(desk.job, order=changed(desk.job.order, address=address))
    await desk.send()
    assert (await fake.next("message")).type is MessageType.PLAIN


async def test_words_that_automod_forbids_are_left_out(
    fake: FakeDiscord, desk: StepContext
) -> None:
    fake.faults.add("POST", SEND, error(400, 200000))
    await desk.send()
    shown = await fake.next("message")
    assert "a cat" not in shown.content
    assert "AI-generated" in shown.content


async def test_direct_messages_go_to_the_person(
    fake: FakeDiscord, desk: StepContext, ann: Member
) -> None:
    await desk.send(direct=True)
    shown = await fake.next("message")
    assert (shown.channel, shown.reference) == (ann.dm, None)


@pytest.mark.parametrize("kind", [PostKind.RESULT, PostKind.FAILURE])
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("gone", "in The Workshop, in a channel that is gone or that I can't see any more."),
        ("denied", "in #general in The Workshop, where I am not allowed to post it."),
    ],
)
async def test_what_comes_directly_instead_says_why_and_where_it_was_asked_for(
    fake: FakeDiscord, bot: Bot, desk: StepContext, change: str, told: str, kind: PostKind
) -> None:
    if change == "gone":
        fake.remove_channel(fake.channel)
        while bot.platform.client.get_channel(fake.channel.id):
            await asyncio.sleep(0)
    await desk.send(kind, direct=True)
    assert f"You asked for this video {told}" in (await fake.next("message")).content


async def test_a_direct_message_where_it_was_asked_for_gives_no_reason(
    fake: FakeDiscord, desk: StepContext, ann: Member
) -> None:
    address = replace(desk.job.order.call.address, community=None, channel=str(ann.dm.id))
    desk.job = replace(desk.job, order=changed(desk.job.order, address=address))
    await desk.send(direct=True)
    assert "You asked for this video" not in (await fake.next("message")).content


async def test_a_person_who_takes_none_is_a_definite_no(desk: StepContext, ann: Member) -> None:
    ann.dms_open = False
    assert await desk.refused(direct=True) == "person_unreachable"


async def test_direct_messages_refused_at_random_are_tried_once_more(
    fake: FakeDiscord, desk: StepContext
) -> None:
    fake.faults.add("POST", SEND, error(403, 50001), times=2)
    with pytest.raises(Temporary):
        await desk.send(direct=True)
    assert await desk.refused(direct=True, attempts=2) == "forbidden"


async def test_an_operator_is_told_in_a_direct_message(
    fake: FakeDiscord, desk: StepContext, ann: Member
) -> None:
    fake.faults.add("POST", SEND, error(403, 50001))
    with pytest.raises(Temporary):
        await desk.tell()
    await desk.tell()
    shown = await fake.next("message")
    assert (shown.channel, shown.content) == (ann.dm, "“main” works again.")
    ann.dms_open = False
    with pytest.raises(Refused, match="person_unreachable"):
        await desk.tell()


async def test_what_an_operator_may_have_been_told_is_looked_for_before_it_is_said_again(
    fake: FakeDiscord, desk: StepContext, ann: Member
) -> None:
    """Its answer was lost, and its nonce is forgotten by now."""
    words = Reply(text=Text(id="notice.works", values={"gateway": "main"}))
    tell, person = desk.bot.platform.tell, desk.job.order.call.person.id
    message = DirectMessage(person_id=person, reply=words, nonce="n1")
    begun = fake.world.clock()
    await tell(message)
    fake.world.nonce_window = 0.0
    stands = await tell(replace(message, since=begun))
    (shown,) = fake.posts(ann.dm)
    assert stands == place(shown)
    await tell(message)
    assert len(fake.posts(ann.dm)) == 2, "negative control: without a look it stands twice"


async def test_the_same_words_of_somebody_else_are_not_taken_for_ours(
    fake: FakeDiscord, desk: StepContext, ann: Member
) -> None:
    words = Reply(text=Text(id="notice.works", values={"gateway": "main"}))
    person, begun = desk.job.order.call.person.id, fake.world.clock()
    await ann.say(messages.notice(words, "en").content or "", channel=ann.dm)
    message = DirectMessage(person_id=person, reply=words, nonce="n1", since=begun)
    stands = await desk.bot.platform.tell(message)
    assert stands in [place(each) for each in fake.posts(ann.dm)]


async def test_a_channel_that_is_gone_is_a_definite_no(
    fake: FakeDiscord, desk: StepContext
) -> None:
    fake.remove_channel(fake.channel)
    assert await desk.refused() == "channel_gone"


async def test_a_file_that_may_not_be_attached_costs_only_the_file(
    fake: FakeDiscord, desk: StepContext, path: Path
) -> None:
    fake.deny(fake.channel, Permission.ATTACH_FILES)
    assert await desk.refused(video=path) == "files_forbidden"
    await desk.send()
