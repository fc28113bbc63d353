"""The fake Discord against the unmodified discord.py: messages, files, faults, and the gateway."""

import asyncio
import io
import sys
from asyncio.subprocess import Process, create_subprocess_exec
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from tests.fakes.discord import (
    MIB,
    FakeDiscord,
    Fault,
    Intent,
    Message,
    Permission,
    Request,
    accepted,
    error,
    hang_up,
    rate_limited,
    reset,
)

from . import sample_bot
from .conftest import Clock
from .sample_bot import SampleBot, discord, running

MESSAGES = r"/channels/\d+/messages$"

Room = discord.PartialMessageable


def contents(messages: list[Message]) -> list[str]:
    return [message.content for message in messages]


def video(size: int) -> discord.File:
    return discord.File(io.BytesIO(b"v" * size), "cat.mp4", description="a cat")


async def heard(bot: SampleBot) -> discord.Message:
    """Return the next message that the bot got."""
    return await asyncio.wait_for(bot.heard.get(), 60)


def is_post(request: Request) -> bool:
    return request.method == "POST" and request.path.endswith("/messages")


async def start(fake: FakeDiscord) -> Process:
    """Start the sample bot as a process of its own; it posts one message and stays."""
    root = Path(__file__).parents[4]
    words = [fake.api_url, fake.gateway_url, fake.token, str(fake.channel.id)]
    return await create_subprocess_exec(sys.executable, "-m", sample_bot.__name__, *words, cwd=root)


# ---- what the bot may read


async def test_the_content_of_a_message_is_visible_only_if_it_mentions_the_bot(
    fake: FakeDiscord, bot: SampleBot
) -> None:
    ann, bob = fake.person("ann"), fake.person("bob")
    said = await ann.say("my cat", attachments=[fake.attachment(b"cat", "cat.png")])
    dog = fake.attachment(b"dog", "dog.png")
    await bob.say("move it", attachments=[dog], mentions_bot=True, reply_to=said)
    unread, mention = await heard(bot), await heard(bot)
    assert (unread.content, unread.attachments) == ("", [])
    assert mention.content == f"<@{fake.bot.id}> move it"
    assert [each.filename for each in mention.attachments] == ["dog.png"]
    assert mention.reference is not None
    assert isinstance(mention.reference.resolved, discord.Message)
    assert mention.reference.resolved.attachments == []


async def test_a_reply_mentions_the_bot_unless_it_replies_to_an_interaction(
    fake: FakeDiscord, bot: SampleBot, room: Room
) -> None:
    ann = fake.person("ann")
    asked = await ann.slash("video", prompt="a cat")
    await asked.answered()
    assert asked.original is not None
    await room.send("plain")
    plain = await fake.next("message", lambda message: message.content == "plain")
    await ann.say("one", reply_to=asked.original)
    await ann.say("two", reply_to=plain)
    await ann.say("three", channel=ann.dm)
    told = [(await heard(bot)).content for _ in range(3)]
    assert told == ["", "two", "three"]


async def test_the_message_content_intent_makes_all_content_visible(fake: FakeDiscord) -> None:
    fake.grant(Intent.MESSAGE_CONTENT)
    async with running(fake.token, SampleBot(content_intent=True)) as bot:
        await fake.person("ann").say("hello")
        assert (await heard(bot)).content == "hello"


# ---- sending


async def test_the_bot_keeps_its_role_when_it_speaks(
    fake: FakeDiscord, bot: SampleBot, room: Room
) -> None:
    await room.send("hello")
    await fake.person("ann").say("hello", mentions_bot=True)
    await heard(bot)
    (guild,) = bot.guilds
    assert [each.id for each in guild.me.roles] == [fake.guild.id, fake.guild.bot_role.id]


@pytest.mark.proof
async def test_a_reaction_of_the_bot_is_shown_at_its_message(
    fake: FakeDiscord, bot: SampleBot
) -> None:
    said = await fake.person("ann").say("hello", mentions_bot=True)
    await (await heard(bot)).add_reaction("⏳")
    marked = await fake.next("reaction")
    assert (marked.id, marked.reactions) == (said.id, ("⏳",))


async def test_a_video_is_uploaded_whole(fake: FakeDiscord, room: Room) -> None:
    sent = await room.send("done", file=video(3 * MIB))
    (post,) = fake.posts()
    assert post.id == sent.id
    assert post.attachments[0].content == b"v" * 3 * MIB
    assert (post.attachments[0].size, post.attachments[0].description) == (3 * MIB, "a cat")
    assert fake.requests[-1].files[0].filename == "cat.mp4"


async def test_a_file_over_the_upload_limit_of_the_guild_is_refused(
    fake: FakeDiscord, room: Room
) -> None:
    fake.guild.upload_limit = MIB
    with pytest.raises(discord.HTTPException, match="40005") as refusal:
        await room.send(file=video(MIB + 1))
    assert refusal.value.status == 413
    fake.guild.upload_limit = 2 * MIB
    await room.send(file=video(MIB + 1))
    assert len(fake.posts()) == 1


async def test_a_nonce_makes_one_message_within_its_window(
    fake: FakeDiscord, room: Room, clock: Clock
) -> None:
    first = await room.send("done", nonce="job-1-file", file=video(10))
    clock.now += fake.world.nonce_window - 1
    assert await room.send("done", nonce="job-1-file", file=video(10)) == first
    await room.send("failed", nonce="job-1-failed")
    clock.now += 2
    assert await room.send("done", nonce="job-1-file") != first
    assert contents(fake.posts()) == ["done", "failed", "done"]


async def test_a_reply_to_a_deleted_message_becomes_a_plain_message_unless_strict(
    fake: FakeDiscord, room: Room
) -> None:
    said = await fake.person("ann").say("hello")
    await fake.person("mod").delete(said)
    for strict, expected in ((False, None), (True, "Unknown message")):
        reference = discord.MessageReference(
            message_id=said.id, channel_id=room.id, fail_if_not_exists=strict
        )
        if expected is None:
            await room.send("done", reference=reference)
        else:
            with pytest.raises(discord.HTTPException, match=expected):
                await room.send("done", reference=reference)
    assert [post.reference for post in fake.posts()] == [None]


async def test_only_allowed_mentions_notify_people(fake: FakeDiscord, room: Room) -> None:
    ann, bob = fake.person("ann"), fake.person("bob")
    text = f"@everyone <@{ann.id}> <@{bob.id}>"
    owner = discord.AllowedMentions(
        users=[discord.Object(ann.id)], everyone=False, roles=False, replied_user=False
    )
    await room.send(text, allowed_mentions=owner)
    await room.send(text)
    assert [post.pings for post in fake.posts()] == [{ann.id}, {ann.id, bob.id, "everyone"}]


async def test_the_bot_can_edit_and_delete_its_own_message(fake: FakeDiscord, room: Room) -> None:
    sent = await room.send("50 %", file=video(10))
    await sent.edit(content="done")
    edit = await fake.next("edit")
    assert (edit.id, edit.content, len(edit.attachments)) == (sent.id, "done", 1)
    await sent.edit(attachments=[])
    await sent.delete()
    assert fake.posts() == []
    with pytest.raises(discord.NotFound, match="10008"):
        await sent.edit(content="more")


async def test_the_history_of_a_channel_is_read_from_a_given_time_on(
    fake: FakeDiscord, room: Room, clock: Clock
) -> None:
    await room.send("old")
    clock.now += 60
    since = datetime.fromtimestamp(clock.now, UTC)
    clock.now += 60
    await fake.person("ann").say("secret")
    await room.send("new", view=sample_bot.view("7"))
    found = [message async for message in room.history(after=since, limit=50)]
    assert [message.content for message in found] == ["", "new"]
    assert found[1].components != []


# --- refused requests


@pytest.mark.parametrize(
    ("missing", "code"),
    [
        (Permission.VIEW_CHANNEL, "50001"),
        (Permission.SEND_MESSAGES, "50013"),
        (Permission.ATTACH_FILES, "50013"),
    ],
)
async def test_a_request_without_the_needed_permission_is_forbidden(
    fake: FakeDiscord, room: Room, missing: Permission, code: str
) -> None:
    fake.deny(fake.channel, missing)
    with pytest.raises(discord.Forbidden, match=code):
        await room.send("done", file=video(10))
    fake.allow(fake.channel, missing)
    await room.send("done", file=video(10))


async def test_a_message_to_a_removed_channel_is_refused_as_not_found(
    fake: FakeDiscord, room: Room
) -> None:
    fake.remove_channel(fake.channel)
    with pytest.raises(discord.NotFound, match="10003"):
        await room.send("done")


async def test_a_direct_message_to_a_person_who_takes_none_is_forbidden(
    fake: FakeDiscord, bot: SampleBot
) -> None:
    ann = fake.person("ann")
    private = await bot.create_dm(discord.Object(ann.id))
    await private.send("hello")
    ann.dms_open = False
    with pytest.raises(discord.Forbidden, match="50007"):
        await private.send("hello again")
    assert contents(fake.posts(ann.dm)) == ["hello"]


async def test_a_message_that_is_too_long_or_empty_is_refused(
    fake: FakeDiscord, room: Room
) -> None:
    with pytest.raises(discord.HTTPException, match=r"50035.*\n.*content"):
        await room.send("a" * 2001)
    with pytest.raises(discord.HTTPException, match="50006"):
        await room.send("")


# ---- faults


@pytest.mark.parametrize(
    ("fault", "raised", "visible"),
    [
        (error(503), discord.DiscordServerError, 0),
        (rate_limited(via=False), discord.HTTPException, 0),
        (reset(), aiohttp.ClientOSError, 0),
        (hang_up(), aiohttp.ServerDisconnectedError, 0),
        (accepted(error(503)), discord.DiscordServerError, 1),
        (accepted(reset()), aiohttp.ClientOSError, 1),
        (accepted(hang_up()), aiohttp.ServerDisconnectedError, 1),
    ],
)
async def test_a_scripted_fault_is_raised_once_and_a_repeat_with_the_same_nonce_succeeds(
    fake: FakeDiscord, room: Room, fault: Fault, raised: type[Exception], visible: int
) -> None:
    fake.faults.add("POST", MESSAGES, fault)
    with pytest.raises(raised):
        await room.send("done", nonce="1", file=video(MIB))
    assert len(fake.posts()) == visible
    await room.send("done", nonce="1", file=video(MIB))
    assert len(fake.posts()) == 1


async def test_discord_py_waits_for_a_scripted_rate_limit(fake: FakeDiscord, room: Room) -> None:
    fake.faults.add("POST", MESSAGES, rate_limited(0.01))
    await room.send("done")
    assert [request.status for request in fake.requests[-2:]] == [429, 200]


@pytest.mark.proof
async def test_a_bot_killed_before_its_answer_makes_no_second_message_when_it_repeats_the_nonce(
    fake: FakeDiscord,
) -> None:
    hold = fake.hold("POST", MESSAGES)
    first = await start(fake)
    held = await hold.reached(timeout=20)
    assert (contents(fake.posts()), held.status) == (["done"], None)
    first.kill()
    await first.wait()
    await fake.disconnected()
    hold.release()
    assert await fake.next("request", is_post) is held
    second = await start(fake)
    again = await fake.next("request", is_post, timeout=20)
    assert (again.status, contents(fake.posts())) == (200, ["done"])
    second.kill()
    await second.wait()


# ---- the gateway


@pytest.mark.parametrize("code", [None, 1001])
async def test_a_cut_gateway_connection_is_resumed_with_the_missed_events(
    fake: FakeDiscord, bot: SampleBot, code: int | None
) -> None:
    ann = fake.person("ann")
    await fake.drop_gateway(code=code)
    await fake.disconnected()
    await ann.say("meanwhile", mentions_bot=True)
    assert (await heard(bot)).content.endswith("meanwhile")
    await asyncio.wait_for(bot.resumed.wait(), 60)
    assert (fake.gateway.resumes, len(fake.gateway.sessions)) == (1, 1)


async def test_a_client_whose_session_is_forgotten_identifies_again(
    fake: FakeDiscord, bot: SampleBot
) -> None:
    before = fake.gateway.sessions[0]
    await fake.drop_gateway(resumable=False)
    await fake.connected()
    assert fake.gateway.sessions != [before]
    await fake.person("ann").say("hello", mentions_bot=True)
    assert (await heard(bot)).content.endswith("hello")


# ---- downloads


async def test_an_attachment_link_expires_after_a_day(fake: FakeDiscord, clock: Clock) -> None:
    cat = fake.attachment(b"cat", "cat.png")
    async with aiohttp.ClientSession() as http:
        for later, status in ((0, 200), (24 * 3600, 404)):
            clock.now += later
            async with http.get(cat.url) as answer:
                assert answer.status == status
    assert [download.status for download in fake.downloads] == [200, 404]


async def test_a_scripted_download_can_declare_a_wrong_length(fake: FakeDiscord) -> None:
    cat = fake.attachment(b"cat" * 100, "cat.png")
    async with aiohttp.ClientSession() as http:
        cat.content_length = None
        async with http.get(cat.url) as answer:
            assert (answer.content_length, await answer.read()) == (None, cat.content)
        cat.content_length = 1000
        async with http.get(cat.url) as answer:
            with pytest.raises(aiohttp.ClientPayloadError):
                await answer.read()


async def test_a_scripted_download_can_stall_until_it_is_released(fake: FakeDiscord) -> None:
    cat = fake.attachment(b"cat" * 100, "cat.png")
    cat.stall_after = 3
    async with aiohttp.ClientSession() as http, http.get(cat.url) as answer:
        assert await answer.content.readexactly(3) == b"cat"
        cat.resume()
        assert await answer.content.read() == b"cat" * 99
