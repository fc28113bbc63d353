"""The port: what the core says is posted once, in its place; what Discord says is understood."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.core import cards, replies
from bot.core.errors import BotError, Broken, GivenTooLarge, PictureGone, Refused, Temporary
from bot.core.jobs import Status, Video
from bot.core.orders import Address, Call, Order, Person, Picture
from bot.core.platforms import DirectMessage, Standing, upload_limit
from bot.core.posts import Form, Post, PostKind
from bot.core.replies import Reply, Text
from bot.core.sizes import LEARNED_FOR, PLAUSIBLE
from bot.core.wishes import Wish
from bot.platforms.discord import messages
from bot.platforms.discord.client import HISTORY, DiscordPlatform
from tests.fakes.clock import FakeClock
from tests.fakes.discord import (
    MIB,
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
from tests.unit.core.orders import changed, job
from tests.unit.platforms.discord.conftest import Bot

SEND = r"/channels/\d+/messages$"
VIDEO = Video(key="v", size=1000, width=16, height=9, seconds=5.0)
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100


@pytest.fixture
def ann(fake: FakeDiscord) -> Member:
    return fake.person("ann")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "video.mp4"
    path.write_bytes(b"0" * VIDEO.size)
    return path


class Desk:
    """Posts about one finished job of Ann's."""

    def __init__(self, bot: Bot, ann: Member) -> None:
        self.bot = bot
        address = Address(
            platform="discord", channel=str(ann.home.id), community=str(bot.fake.guild.id)
        )
        wish = Order(
            call=Call(
                event_id="1",
                address=address,
                person=Person(id=str(ann.id), name="Ann"),
                locale="en-US",
            ),
            wish=Wish(prompt="a cat"),
        )
        self.job = job(order=wish, status=Status.COMPLETED, video=VIDEO, created_at=bot.clock.now())

    def post(self, kind: PostKind = PostKind.RESULT, **changes: Any) -> Post:
        plain = Post(id=1, job_id=self.job.id, kind=kind, due_at=None, attempts=1)
        return replace(plain, **changes)

    def reply(self, kind: PostKind) -> Reply:
        if kind is PostKind.CARD:
            return cards.card(self.job)
        return replies.result(self.job) if kind is PostKind.RESULT else replies.failure(self.job)

    async def send(
        self, kind: PostKind = PostKind.RESULT, *, video: Path | None = None, **changes: Any
    ) -> Standing:
        post = self.post(kind, form=Form.FILE if video else Form.TEXT, **changes)
        return await self.bot.platform.send(post, self.job, self.reply(kind), video=video)

    async def tell(self) -> None:
        words = Text(id="notice.works", values={"gateway": "main"})
        await self.bot.platform.tell(
            DirectMessage(
                person_id=self.job.order.call.person.id, reply=Reply(text=words), nonce="n1"
            )
        )

    async def refused(self, **changes: Any) -> str:
        with pytest.raises(Refused) as caught:
            await self.send(**changes)
        return caught.value.code


@pytest.fixture
def desk(bot: Bot, ann: Member) -> Desk:
    return Desk(bot, ann)


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
            await Desk(idle, ann).send()
    assert caught.value.code == "discord_unreachable"
    assert caught.value.unsent
    assert caught.value.away, "no fault of theirs"


# --- sending -------------------------------------------------------------------------------------


async def test_a_result_is_a_reply_that_pings_its_person(
    fake: FakeDiscord, bot: Bot, desk: Desk, ann: Member, path: Path
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
    fake: FakeDiscord, desk: Desk, path: Path
) -> None:
    video = replace(VIDEO, key="originals/a.mkv", plays=False)
    desk.job = replace(desk.job, video=video)
    await desk.send(video=path.rename(path.with_suffix(".mkv")))
    shown = await fake.next("message")
    assert [each.filename for each in shown.attachments] == [f"zoetrope-{desk.job.id}.mkv"]
    assert "could not convert this one" in shown.content


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


async def test_the_same_nonce_brings_the_same_message(fake: FakeDiscord, desk: Desk) -> None:
    fake.faults.add("POST", SEND, accepted(hang_up()))
    with pytest.raises(Temporary):
        await desk.send()
    (shown,) = fake.posts()
    assert await desk.send() == place(shown)
    assert fake.posts() == [shown]


@pytest.mark.parametrize("fault", [error(503), reset(), hang_up(), rate_limited(via=False)])
async def test_an_unknown_end_is_never_a_no(fake: FakeDiscord, desk: Desk, fault: Any) -> None:
    fake.faults.add("POST", SEND, fault)
    with pytest.raises(Temporary):
        await desk.send()
    await desk.send()


async def test_a_deleted_request_does_not_stop_the_result(
    fake: FakeDiscord, desk: Desk, ann: Member
) -> None:
    request = await ann.say("a cat")
    await ann.delete(request)
    address = replace(desk.job.order.call.address, message=str(request.id))
    desk.job = replace(desk.job, order=changed(desk.job.order, address=address))
    await desk.send()
    assert (await fake.next("message")).type is MessageType.PLAIN
    assert len([each for each in fake.requests if each.path.endswith("/messages")]) == 1


async def test_without_the_history_the_result_is_no_reply(
    fake: FakeDiscord, desk: Desk, ann: Member
) -> None:
    request = await ann.say("a cat")
    fake.deny(fake.channel, Permission.READ_MESSAGE_HISTORY)
    address = replace(desk.job.order.call.address, message=str(request.id))
    desk.job = replace(desk.job, order=changed(desk.job.order, address=address))
    await desk.send()
    assert (await fake.next("message")).type is MessageType.PLAIN


async def test_words_that_automod_forbids_are_left_out(fake: FakeDiscord, desk: Desk) -> None:
    fake.faults.add("POST", SEND, error(400, 200000))
    await desk.send()
    shown = await fake.next("message")
    assert "a cat" not in shown.content
    assert "AI-generated" in shown.content


async def test_direct_messages_go_to_the_person(fake: FakeDiscord, desk: Desk, ann: Member) -> None:
    await desk.send(direct=True)
    shown = await fake.next("message")
    assert (shown.channel, shown.reference) == (ann.dm, None)


@pytest.mark.parametrize("kind", [PostKind.RESULT, PostKind.FAILURE])
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("gone", "in The Workshop, in a channel that is gone or that I can't see any more."),
        ("denied", "in #general in The Workshop, where I was not allowed to post it."),
    ],
)
async def test_what_comes_directly_instead_says_why_and_where_it_was_asked_for(
    fake: FakeDiscord, bot: Bot, desk: Desk, change: str, told: str, kind: PostKind
) -> None:
    if change == "gone":
        fake.remove_channel(fake.channel)
        while bot.platform.client.get_channel(fake.channel.id):
            await asyncio.sleep(0)
    await desk.send(kind, direct=True)
    assert f"You asked for it {told}" in (await fake.next("message")).content


async def test_a_direct_message_where_it_was_asked_for_gives_no_reason(
    fake: FakeDiscord, desk: Desk, ann: Member
) -> None:
    address = replace(desk.job.order.call.address, community=None, channel=str(ann.dm.id))
    desk.job = replace(desk.job, order=changed(desk.job.order, address=address))
    await desk.send(direct=True)
    assert "You asked for it" not in (await fake.next("message")).content


async def test_a_person_who_takes_none_is_a_definite_no(desk: Desk, ann: Member) -> None:
    ann.dms_open = False
    assert await desk.refused(direct=True) == "person_unreachable"


async def test_direct_messages_refused_at_random_are_tried_once_more(
    fake: FakeDiscord, desk: Desk
) -> None:
    fake.faults.add("POST", SEND, error(403, 50001), times=2)
    with pytest.raises(Temporary):
        await desk.send(direct=True)
    assert await desk.refused(direct=True, attempts=2) == "forbidden"


async def test_an_operator_is_told_in_a_direct_message(
    fake: FakeDiscord, desk: Desk, ann: Member
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
    fake: FakeDiscord, desk: Desk, ann: Member
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
    fake: FakeDiscord, desk: Desk, ann: Member
) -> None:
    words = Reply(text=Text(id="notice.works", values={"gateway": "main"}))
    person, begun = desk.job.order.call.person.id, fake.world.clock()
    await ann.say(messages.notice(words, "en").content or "", channel=ann.dm)
    message = DirectMessage(person_id=person, reply=words, nonce="n1", since=begun)
    stands = await desk.bot.platform.tell(message)
    assert stands in [place(each) for each in fake.posts(ann.dm)]


async def test_a_channel_that_is_gone_is_a_definite_no(fake: FakeDiscord, desk: Desk) -> None:
    fake.remove_channel(fake.channel)
    assert await desk.refused() == "channel_gone"


async def test_a_file_that_may_not_be_attached_costs_only_the_file(
    fake: FakeDiscord, desk: Desk, path: Path
) -> None:
    fake.deny(fake.channel, Permission.ATTACH_FILES)
    assert await desk.refused(video=path) == "files_forbidden"
    await desk.send()


# --- how large -----------------------------------------------------------------------------------


async def limit(desk: Desk, *, clip: str = VIDEO.key, direct: bool = False) -> int:
    about = replace(desk.job, video=replace(VIDEO, key=clip))
    return await upload_limit(desk.bot.platform, desk.post(direct=direct), about)


async def test_a_boosted_server_takes_more(fake: FakeDiscord, idle: Bot, ann: Member) -> None:
    boosted = fake.add_guild("Boosted", premium_tier=2)
    desk = Desk(idle, ann)
    address = replace(desk.job.order.call.address, community=str(boosted.id))
    elsewhere = replace(desk.job, order=changed(desk.job.order, address=address))
    async with idle.running():
        assert await limit(desk) == 10 * MIB
        assert await idle.platform.upload_limit(elsewhere) == 50 * MIB
        assert await idle.platform.direct_limit(elsewhere) == 10 * MIB


async def test_one_small_video_that_is_refused_makes_no_other_smaller(
    fake: FakeDiscord, desk: Desk, path: Path
) -> None:
    fake.guild.upload_limit = fake.world.default_upload_limit = 900
    assert await desk.refused(video=path) == "file_too_large"
    assert await limit(desk) == 750
    assert await limit(desk, direct=True) == 10 * MIB
    assert await limit(desk, clip="other") == 10 * MIB


async def test_the_size_of_what_was_sent_is_learned_and_not_that_of_what_is_stored(
    fake: FakeDiscord, desk: Desk, path: Path
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
    fake: FakeDiscord, bot: Bot, desk: Desk, path: Path
) -> None:
    fake.faults.add("POST", SEND, error(413, 40005))
    os.truncate(path, PLAUSIBLE)
    assert await desk.refused(video=path) == "file_too_large"
    assert await limit(desk, clip="other") == PLAUSIBLE * 3 // 4
    assert await limit(desk, direct=True, clip="other") == 10 * MIB
    await bot.clock.advance(LEARNED_FOR)
    assert await limit(desk) == 10 * MIB


async def test_what_is_refused_in_a_direct_message_tells_nothing_of_the_server(
    fake: FakeDiscord, desk: Desk, path: Path
) -> None:
    fake.faults.add("POST", SEND, error(413, 40005))
    os.truncate(path, PLAUSIBLE)
    assert await desk.refused(video=path, direct=True) == "file_too_large"
    assert await limit(desk, direct=True, clip="other") == PLAUSIBLE * 3 // 4
    assert await limit(desk, clip="other") == 10 * MIB


# --- editing and finding -------------------------------------------------------------------------


async def test_a_card_is_brought_up_to_date(fake: FakeDiscord, bot: Bot, desk: Desk) -> None:
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
    fake: FakeDiscord, bot: Bot, desk: Desk, fault: Any, code: str
) -> None:
    message_id, channel_id = await desk.send(PostKind.CARD)
    fake.faults.add("PATCH", "/messages/", fault)
    card = desk.post(PostKind.CARD, message_id=message_id, channel_id=channel_id)
    with pytest.raises(Refused) as caught:
        await bot.platform.edit(card, desk.job, cards.card(desk.job))
    assert caught.value.code == code


async def test_a_message_is_taken_away_and_one_that_is_gone_is_as_good(
    fake: FakeDiscord, bot: Bot, desk: Desk
) -> None:
    stands = await desk.send()
    for _ in range(2):
        await bot.platform.remove(stands)
    assert fake.posts() == []


async def test_a_message_that_cannot_be_taken_away_now_is_tried_again(
    fake: FakeDiscord, bot: Bot, desk: Desk
) -> None:
    stands = await desk.send()
    fake.faults.add("DELETE", r"/messages/\d+$", error(403, 40006))
    with pytest.raises(Temporary):
        await bot.platform.remove(stands)


@pytest.mark.parametrize("kind", list(PostKind))
async def test_each_of_our_messages_is_found_by_job_and_kind(
    fake: FakeDiscord, bot: Bot, desk: Desk, ann: Member, kind: PostKind
) -> None:
    sent = {each: await desk.send(each) for each in PostKind}
    await ann.say(desk.job.id)
    other = replace(desk.job, id="other")
    assert await bot.platform.find(desk.post(kind), desk.job) == sent[kind]
    assert await bot.platform.find(desk.post(kind), other) is None


@pytest.mark.parametrize("status", list(Status))
async def test_a_card_is_found_whatever_it_shows(
    fake: FakeDiscord, bot: Bot, desk: Desk, status: Status
) -> None:
    desk.job = replace(desk.job, status=status)
    sent = await desk.send(PostKind.CARD)
    assert await bot.platform.find(desk.post(PostKind.CARD), desk.job) == sent


async def test_only_messages_since_then_are_looked_at(
    fake: FakeDiscord, bot: Bot, desk: Desk, ann: Member, clock: FakeClock
) -> None:
    sent = await desk.send()
    await clock.advance(3600)
    later = desk.post(sending_at=clock.now())
    await ann.say("anything new?")
    assert await bot.platform.find(later, desk.job) is None
    assert await bot.platform.find(desk.post(), desk.job) == sent


async def test_a_card_is_looked_for_from_its_order_on_whenever_it_is_missed(
    fake: FakeDiscord, bot: Bot, desk: Desk, clock: FakeClock
) -> None:
    """It may be the command's own answer: killed then, no row tells that a send was begun."""
    answered = await desk.send(PostKind.CARD)
    await clock.advance(6 * 3600)
    retry = desk.post(PostKind.CARD, sending_at=clock.now())
    assert await bot.platform.find(retry, desk.job) == answered


@pytest.mark.proof
async def test_a_card_that_was_said_late_is_found_in_a_channel_full_of_words(
    fake: FakeDiscord, bot: Bot, desk: Desk, ann: Member, clock: FakeClock
) -> None:
    for number in range(HISTORY + 1):
        await ann.say(f"chatter {number}")
    await clock.advance(3600)
    begun = clock.now()
    sent = await desk.send(PostKind.CARD)
    assert await bot.platform.find(desk.post(PostKind.CARD, sending_at=begun), desk.job) == sent


async def test_ours_is_found_among_hundreds_of_other_people_s(
    fake: FakeDiscord, bot: Bot, desk: Desk, ann: Member
) -> None:
    begun = bot.clock.now()
    for number in range(300):
        await ann.say(f"chatter {number}")
    sent = await desk.send()
    assert await bot.platform.find(desk.post(sending_at=begun), desk.job) == sent


async def test_a_direct_message_is_found_too(bot: Bot, desk: Desk, ann: Member) -> None:
    sent = await desk.send(direct=True)
    await ann.say("where is it?")
    assert await bot.platform.find(desk.post(direct=True), desk.job) == sent
    assert await bot.platform.find(desk.post(), desk.job) is None


@pytest.mark.parametrize("right", [Permission.VIEW_CHANNEL, Permission.READ_MESSAGE_HISTORY])
async def test_a_channel_that_can_not_be_read_tells_nothing(
    fake: FakeDiscord, bot: Bot, desk: Desk, right: Permission
) -> None:
    """Without one of the rights Discord says no, without the other it shows an empty history."""
    await desk.send()
    fake.deny(fake.channel, right)
    with pytest.raises(Refused, match="history_unreadable"):
        await bot.platform.find(desk.post(), desk.job)


async def test_a_history_that_is_too_long_tells_nothing(
    bot: Bot, desk: Desk, ann: Member, clock: FakeClock
) -> None:
    for number in range(HISTORY + 1):
        await ann.say(f"chatter {number}")
    with pytest.raises(Refused, match="history_unreadable"):
        await bot.platform.find(desk.post(), desk.job)


async def test_a_channel_that_does_not_answer_is_asked_again_later(
    fake: FakeDiscord, bot: Bot, desk: Desk
) -> None:
    fake.faults.add("GET", SEND, error(503))
    with pytest.raises(Temporary):
        await bot.platform.find(desk.post(), desk.job)


# --- fetching ------------------------------------------------------------------------------------


@pytest.fixture
async def offline(idle: Bot) -> AsyncIterator[DiscordPlatform]:
    """Open, but not logged in: a worker is."""
    async with idle.platform as platform:
        yield platform


async def test_a_picture_is_streamed_to_disk(
    fake: FakeDiscord, offline: DiscordPlatform, tmp_path: Path
) -> None:
    image = fake.attachment(PNG, "cat.png")
    await offline.fetch(_picture(image.url), tmp_path / "p", most=1000)
    assert (tmp_path / "p").read_bytes() == PNG


@pytest.mark.parametrize(
    ("lie", "error"),
    [
        ({"expired": True}, PictureGone()),
        ({"content": PNG * 20, "content_length": None}, GivenTooLarge()),
        ({"content": PNG * 20, "content_length": 2160}, GivenTooLarge()),
        ({"content": PNG[:50]}, Temporary("picture_unreachable")),
        ({"content": PNG[:50], "content_length": 50}, Temporary("picture_incomplete")),
        ({"content": PNG * 2, "content_length": None}, Temporary("picture_incomplete")),
    ],
)
async def test_what_is_not_as_declared_is_no_picture(
    fake: FakeDiscord,
    offline: DiscordPlatform,
    tmp_path: Path,
    lie: dict[str, Any],
    error: BotError,
) -> None:
    image = fake.attachment(PNG, "cat.png")
    for name, value in lie.items():
        setattr(image, name, value)
    with pytest.raises(type(error)) as caught:
        await offline.fetch(_picture(image.url), tmp_path / "p", most=1000)
    assert caught.value.code == error.code


@pytest.mark.parametrize(
    "source",
    [
        "http://cdn.discordapp.com/a.png",
        "https://cdn.discordapp.com:8443/a.png",
        "https://cdn.discordapp.com.evil.test/a.png",
        "https://evil.test/cdn.discordapp.com/a.png",
        "https://169.254.169.254/latest",
        "file:///etc/passwd",
        "",
    ],
)
async def test_nothing_else_is_ever_asked_for(
    offline: DiscordPlatform, tmp_path: Path, source: str
) -> None:
    with pytest.raises(Broken) as caught:
        await offline.fetch(_picture(source), tmp_path / "p", most=1000)
    assert caught.value.code == "picture_elsewhere"


def _picture(source: str) -> Picture:
    return Picture(source=source, filename="cat.png", size=len(PNG))
