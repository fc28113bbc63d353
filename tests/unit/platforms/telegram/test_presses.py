"""The effect of a pressed button."""

import asyncio
import re
from dataclasses import dataclass, replace
from itertools import count

import pytest
from sqlalchemy.exc import OperationalError

from bot.core import moves
from bot.core.errors import Temporary
from bot.core.jobs import Job, Reason, Status
from bot.core.posting import Link
from bot.core.quotas import Limits
from bot.core.service import Actor
from bot.core.updates import Update
from bot.platforms.telegram.inbox import Handle, Inbox
from tests.e2e.world import png
from tests.fakes.telegram import (
    Chat,
    Fault,
    Message,
    Person,
    accepted,
    bad_request,
    flood,
    internal,
    reset,
)
from tests.unit.platforms.telegram.conftest import VIDEO, Lobby, locked

# --- old messages ---------------------------------------------------------------------------------


async def in_topic(lobby: Lobby) -> tuple[Job, Message]:
    """A job of Ann's from a topic, and its video there."""
    club = lobby.fake.supergroup("club", lobby.ann, is_forum=True)
    topic = lobby.fake.topic(club, "videos")
    job = await lobby.made(await lobby.ordered(chat=club, topic=topic))
    return job, await lobby.result(job)


@pytest.mark.parametrize("is_old", [False, True])
async def test_tried_again_it_comes_where_it_came_before(lobby: Lobby, is_old: bool) -> None:
    job, video = await in_topic(lobby)
    await lobby.hear(await lobby.ann.presses(video, "Try again", is_old=is_old))
    _, again = await lobby.jobs()
    assert again.order.call.address.channel == job.order.call.address.channel


@pytest.mark.parametrize("button", ["Remix", "Continue", "Original file"])
async def test_what_a_button_brings_comes_into_the_topic_too(lobby: Lobby, button: str) -> None:
    _, video = await in_topic(lobby)
    await lobby.hear(await lobby.ann.presses(video, button, is_old=True))
    brought = lobby.fake.posts(video.chat)[-1]
    assert brought.id != video.id
    assert brought.topic is video.topic


async def test_the_topic_of_another_chat_is_none_of_this_one(lobby: Lobby) -> None:
    """A button that stands elsewhere: its topic is not known."""
    job, _ = await in_topic(lobby)
    other = lobby.fake.supergroup("other", lobby.ann)
    shown = await lobby.result(await lobby.made(await lobby.ordered(chat=other)))
    keys = {"inline_keyboard": [[{"text": "again", "callback_data": f"v1:retry:{job.id}"}]]}
    shown = lobby.fake.world.edit(replace(shown, markup=keys))
    await lobby.hear(await lobby.ann.presses(shown, "again", is_old=True))
    assert (await lobby.jobs())[-1].order.call.address.channel == str(other.id)


# --- what nobody foresaw --------------------------------------------------------------------------


async def test_a_button_rests_while_its_row_waits_for_better_times(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = await lobby.card(job := await lobby.ordered())
    pressed = await lobby.ann.presses(card, "Cancel")
    with monkeypatch.context() as trouble:
        trouble.setattr(lobby.store.jobs, "save", locked)
        with pytest.raises(OperationalError):
            await lobby.hear(pressed)
    assert [each.text for each in pressed.answers] == [""]
    await lobby.hear(pressed, attempts=1)
    assert (await lobby.job(job.id)).status is Status.CANCELLED


@pytest.mark.parametrize("attempts", [0, 1])
async def test_once_it_rests_a_refusal_comes_as_words(lobby: Lobby, attempts: int) -> None:
    video = await lobby.result(await lobby.made(await lobby.ordered()))
    await lobby.places.decide("telegram", f"@{lobby.ann.id}", allowed=False, by="ada", now=0)
    pressed = await lobby.ann.presses(video, "Try again")
    await lobby.hear(pressed, attempts=attempts)
    alerts = [each.text for each in pressed.answers]
    words = [each.text for each in lobby.fake.posts(video.chat) if each.reply_to == video.id]
    (said,) = alerts if attempts == 0 else words
    assert "not switched on here" in said
    assert len(alerts) + len(words) == 1


EPOCH = re.compile(r"\d{6}")


@pytest.mark.proof
@pytest.mark.parametrize(
    "limits",
    [Limits(person_videos=1), Limits(community_videos=1), Limits(purse_videos=1)],
    ids=["person", "community", "purse"],
)
async def test_an_alert_says_a_time_in_words(lobby: Lobby, limits: Limits) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    video = await lobby.result(await lobby.made(await lobby.ordered(chat=club)))
    lobby.allow(replace(limits, person_at_once=None))
    pressed = await lobby.ann.presses(video, "Try again")
    await lobby.hear(pressed)
    said = (await pressed.answered()).text
    assert " new one " in said
    assert not EPOCH.search(said)


async def test_go_says_a_time_in_words_too(lobby: Lobby) -> None:
    lobby.allow(Limits(person_videos=1, person_at_once=None))
    await lobby.ordered()
    await lobby.hear(words := await lobby.ann.says("a cat"))
    pressed = await lobby.ann.presses(lobby.answer(words), "Go")
    await lobby.hear(pressed)
    said = (await pressed.answered()).text
    assert "You get a new one " in said
    assert not EPOCH.search(said)


# --- what takes its time --------------------------------------------------------------------------


async def its_video(lobby: Lobby) -> Message:
    return await lobby.result(await lobby.made(await lobby.ordered()))


def words(lobby: Lobby, video: Message) -> list[str]:
    """The replies to it."""
    return [each.text for each in lobby.fake.posts(video.chat) if each.reply_to == video.id]


async def test_a_button_rests_before_its_upload_begins(lobby: Lobby) -> None:
    pressed = await lobby.ann.presses(await its_video(lobby), "Original file")
    hold = lobby.fake.hold_before("sendDocument")
    task = asyncio.create_task(lobby.hear(pressed))
    await hold.reached()
    assert [each.text for each in pressed.answers] == [""]
    hold.release()
    await task
    assert len(pressed.answers) == 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (bad_request("not enough rights to send documents to the chat"), "does not accept that"),
        (accepted(reset()), "did not tell me whether the video arrived"),
    ],
)
async def test_what_goes_wrong_then_is_said_in_words(lobby: Lobby, fault: Fault, said: str) -> None:
    video = await its_video(lobby)
    lobby.fake.faults.add("sendDocument", fault)
    await lobby.hear(await lobby.ann.presses(video, "Original file"))
    (value,) = words(lobby, video)
    assert said in value


async def test_what_surely_was_not_sent_comes_again(lobby: Lobby) -> None:
    video = await its_video(lobby)
    lobby.fake.faults.add("sendDocument", flood(7))
    with pytest.raises(Temporary):
        await lobby.hear(await lobby.ann.presses(video, "Original file"))
    assert words(lobby, video) == []


async def test_what_may_have_been_sent_is_not_sent_again_to_say_so(lobby: Lobby) -> None:
    video = await its_video(lobby)
    lobby.fake.faults.add("sendDocument", accepted(reset()))
    lobby.fake.faults.add("sendMessage", internal())
    await lobby.hear(await lobby.ann.presses(video, "Original file"))
    assert len(lobby.fake.calls_of("sendDocument")) == 1


async def test_somebody_elses_video_is_refused_in_an_alert(lobby: Lobby) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    video = await lobby.result(await lobby.made(await lobby.ordered(chat=club)))
    bob = lobby.fake.person("Bob", started=True)
    await bob.joins(club)
    pressed = await bob.presses(video, "Original file")
    await lobby.hear(pressed)
    assert "belongs to somebody else" in (await pressed.answered()).text
    assert lobby.fake.calls_of("sendDocument") == []


# --- too large to be sent -------------------------------------------------------------------------


@pytest.mark.parametrize("button", ["Original file", "Post it again"])
@pytest.mark.parametrize("is_seen", [True, False])
async def test_what_is_too_large_comes_as_a_link_or_in_words(
    lobby: Lobby, button: str, is_seen: bool
) -> None:
    job = await lobby.made(await lobby.ordered())
    pressed = await lobby.result(job)
    row, video = await lobby.job(job.id), replace(VIDEO, key="videos/b.mp4", size=50_000_001)
    await lobby.store.moved(row, replace(row, video=video))
    if button != "Original file":
        pressed = await former(lobby, row, "show", button)
    lobby.link = Link("https://videos.example/v/a", lobby.clock.now()) if is_seen else None
    uploads = len(lobby.fake.calls_of("sendVideo"))
    await press(lobby, pressed, button)
    said = lobby.fake.posts(pressed.chat)[-1].text
    assert ("https://videos.example/v/a" if is_seen else "too large for this chat") in said
    assert len(lobby.fake.calls_of("sendVideo")) == uploads
    assert lobby.fake.calls_of("sendDocument") == []


async def test_what_a_server_was_found_to_refuse_is_not_uploaded_to_it_by_a_button(
    lobby: Lobby,
) -> None:
    job = await lobby.made(await lobby.ordered())
    video = await lobby.result(job)
    lobby.fake.desk.upload_limit = VIDEO.size - 1
    await press(lobby, video, "Original file")
    lobby.fake.calls.clear()
    await press(lobby, video, "Original file")
    assert "too large for this chat" in lobby.fake.posts(video.chat)[-1].text
    assert lobby.fake.calls_of("sendDocument") == []


async def test_in_a_private_chat_nobody_is_asked_who_its_person_is(lobby: Lobby) -> None:
    """Each press asked for the rank of whoever pressed it, in the chat of their own."""
    job = await lobby.made(await lobby.ordered())
    video = await lobby.result(job)
    for button in ("Original file", "Try again", "Delete", "Keep it"):
        await press(lobby, video, button)
    assert lobby.fake.calls_of("getChatMember") == []


# --- to delete ------------------------------------------------------------------------------------


async def a_copy(lobby: Lobby) -> tuple[Job, Message]:
    """A video of Ann's, once more by /history."""
    job = await lobby.made(await lobby.ordered())
    original = await lobby.result(job)
    now = lobby.clock.now()
    job = await lobby.store.moved(await lobby.job(job.id), moves.delivered(job, now=now))
    await lobby.platform.videos.show(str(lobby.ann.id), job)
    return job, lobby.fake.posts(original.chat)[-1]


async def press(lobby: Lobby, message: Message, button: str) -> str:
    """The alert's text, if there is one."""
    await lobby.clock.advance(5)  # nobody is faster, and so much is said at once nowhere
    pressed = await lobby.ann.presses(message, button)
    await lobby.hear(pressed)
    return (await pressed.answered()).text


async def former(lobby: Lobby, job: Job, act: str, label: str) -> Message:
    """A message with a button of a former version."""
    await lobby.hear(asked := await lobby.ann.says("/help"))
    shown = lobby.answer(asked)
    key = {"text": label, "callback_data": f"v1:{act}:{job.id}"}
    return lobby.fake.world.edit(replace(shown, markup={"inline_keyboard": [[key]]}))


def keys(message: Message) -> list[str]:
    return [str(each["text"]) for each in message.buttons]


async def test_the_copy_that_was_pressed_goes_as_well(lobby: Lobby) -> None:
    job, copy = await a_copy(lobby)
    await press(lobby, copy, "Delete")
    assert await press(lobby, copy, "Really delete?") == "Deleted."
    assert (await lobby.job(job.id)).video is None
    assert lobby.fake.now(copy) is None


@pytest.mark.proof
@pytest.mark.parametrize("button", ["Delete", "Really delete?"])
async def test_a_copy_of_what_is_gone_goes_with_a_word(lobby: Lobby, button: str) -> None:
    job, copy = await a_copy(lobby)
    if button != "Delete":
        await press(lobby, copy, "Delete")
    await lobby.service.delete(job.id, Actor(person=job.order.call.person))
    assert "already gone" in await press(lobby, copy, button)
    assert lobby.fake.now(copy) is None


async def test_whoever_thinks_again_gets_the_buttons_back(lobby: Lobby) -> None:
    job, copy = await a_copy(lobby)
    await press(lobby, copy, "Delete")
    assert keys(lobby.fake.now(copy) or copy) == ["Really delete?", "Keep it"]
    await press(lobby, copy, "Keep it")
    assert keys(lobby.fake.now(copy) or copy) == keys(copy)
    assert await lobby.job(job.id) == job


async def test_nobody_else_turns_the_buttons_back(lobby: Lobby) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    job = await lobby.made(await lobby.ordered(chat=club))
    video = await lobby.result(job)
    await lobby.store.moved(await lobby.job(job.id), moves.delivered(job, now=lobby.clock.now()))
    await press(lobby, video, "Delete")
    bob = lobby.fake.person("Bob", started=True)
    await bob.joins(club)
    await lobby.hear(await bob.presses(video, "Keep it"))
    assert keys(lobby.fake.now(video) or video) == ["Really delete?", "Keep it"]


# --- kept for its time ----------------------------------------------------------------------------


async def swept(lobby: Lobby, job: Job) -> None:
    """Its video is gone, 31 days later."""
    row = await lobby.job(job.id)
    gone_at = (row.ended_at or 0) + 31 * 86_400
    await lobby.store.moved(row, replace(row, video=None, video_gone_at=gone_at))


async def test_buttons_of_a_video_that_is_gone_say_for_how_long_it_was_kept(lobby: Lobby) -> None:
    job, copy = await a_copy(lobby)
    listed = await former(lobby, job, "show", "▶ a cat")
    await swept(lobby, job)
    sentence = "I kept that video for 31 days, and my copy is gone now."
    for message, button in ((copy, "Original file"), (copy, "Continue"), (listed, "▶ a cat")):
        assert await press(lobby, message, button) == sentence
    await lobby.hear(asked := await lobby.ann.says("/history"))
    assert "One of your latest videos is gone" in lobby.answer(asked).text


async def test_a_message_whose_video_is_gone_can_still_be_deleted(lobby: Lobby) -> None:
    job, copy = await a_copy(lobby)
    await swept(lobby, job)
    await press(lobby, copy, "Delete")
    assert await press(lobby, copy, "Really delete?") == "Deleted."
    assert not (await lobby.job(job.id)).has_result
    assert lobby.fake.now(copy) is None


# --- ranks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_old", [False, True])
async def test_an_admin_is_one_on_old_servers_too(lobby: Lobby, is_old: bool) -> None:
    lobby.fake.quirks.knows_few_rights = is_old
    admin = lobby.fake.person("admin")
    club = lobby.fake.supergroup("club", lobby.ann, admin)
    lobby.fake.promote(club, admin)
    card = await lobby.card(job := await lobby.ordered(chat=club))
    await lobby.hear(await admin.presses(card, "Cancel"))
    assert (await lobby.job(job.id)).reason is Reason.BY_ADMIN


async def test_whom_telegram_does_not_tell_of_has_no_rank(lobby: Lobby) -> None:
    admin = lobby.fake.person("admin")
    club = lobby.fake.supergroup("club", admin, lobby.ann)
    card = await lobby.card(await lobby.ordered(chat=club))
    lobby.fake.faults.add("getChatMember", bad_request("CHAT_ADMIN_REQUIRED"))
    pressed = await admin.presses(card, "Cancel")
    await lobby.hear(pressed)
    assert "belongs to somebody else" in (await pressed.answered()).text


# --- the group itself -----------------------------------------------------------------------------


@dataclass
class Club:
    """A group, and the video of a picture of its own: its owner writes anonymously."""

    chat: Chat
    owner: Person
    job: Job
    video: Message


@pytest.fixture
async def club(lobby: Lobby) -> Club:
    owner = lobby.fake.person("owner", started=True)
    chat = lobby.fake.supergroup("club", owner, lobby.ann)
    owner.is_anonymous = True
    await lobby.hear(
        await owner.sends_photo(png(), caption="/animate@zoetrope_bot jump", chat=chat)
    )
    (job,) = await lobby.store.jobs.recent("telegram", str(chat.id), most=9)
    job = await lobby.made(job)
    video = await lobby.result(job)
    await lobby.store.moved(await lobby.job(job.id), moves.delivered(job, now=lobby.clock.now()))
    return Club(chat, owner, job, video)


async def test_an_anonymous_admin_tries_again_as_the_group(lobby: Lobby, club: Club) -> None:
    await lobby.hear(await club.owner.presses(club.video, "Try again"))
    jobs = await lobby.store.jobs.recent("telegram", str(club.chat.id), most=9)
    assert [each.order.call.person for each in jobs] == [club.job.order.call.person] * 2


async def test_an_anonymous_admin_remixes_as_the_group(lobby: Lobby, club: Club) -> None:
    await lobby.hear(await club.owner.presses(club.video, "Remix"))
    asked = lobby.fake.posts(club.chat)[-1]
    await lobby.hear(await club.owner.says("a dog", chat=club.chat, reply_to=asked))
    jobs = await lobby.store.jobs.recent("telegram", str(club.chat.id), most=9)
    assert {each.request.prompt for each in jobs} == {"jump", "a dog"}


async def test_an_anonymous_admin_gets_the_groups_file(lobby: Lobby, club: Club) -> None:
    await lobby.hear(await club.owner.presses(club.video, "Original file"))
    assert len(lobby.fake.calls_of("sendDocument")) == 1


async def test_an_anonymous_admin_deletes_what_is_the_groups(lobby: Lobby, club: Club) -> None:
    await lobby.hear(await club.owner.presses(club.video, "Delete"))
    await lobby.hear(await club.owner.presses(club.video, "Really delete?"))
    assert (await lobby.job(club.job.id)).video is None


@pytest.mark.parametrize("is_admin", [True, False])
@pytest.mark.parametrize("button", ["Try again", "Remix", "Original file"])
async def test_nobody_else_counts_for_the_group(
    lobby: Lobby, club: Club, button: str, is_admin: bool
) -> None:
    """Neither an admin who writes under a name, nor whoever once was anonymous."""
    if is_admin:
        lobby.fake.promote(club.chat, lobby.ann)
    lobby.ann.is_anonymous = not is_admin
    alert = await press(lobby, club.video, button)
    assert "somebody else" in alert.casefold()


async def test_an_anonymous_admin_is_nobody_elsewhere(lobby: Lobby, club: Club) -> None:
    other = lobby.fake.supergroup("other", club.owner, lobby.ann)
    shown = await lobby.result(await lobby.made(await lobby.ordered(chat=other)))
    data = {"text": "file", "callback_data": f"v1:file:{club.job.id}"}
    shown = lobby.fake.world.edit(replace(shown, markup={"inline_keyboard": [[data]]}))
    pressed = await club.owner.presses(shown, "file")
    await lobby.hear(pressed)
    assert "somebody else" in (await pressed.answered()).text


# --- lanes ----------------------------------------------------------------------------------------


async def test_an_upload_holds_up_no_other_press(lobby: Lobby) -> None:
    video = await lobby.result(await lobby.made(await lobby.ordered()))
    presses = [await lobby.ann.presses(video, button) for button in ("Original file", "Delete")]
    inbox = inbox_of(lobby, lobby.commands.handle)
    await inbox.take([lobby.fake.updates.of(press).json for press in presses])
    due = await lobby.updates.due(now=lobby.clock.now(), most=9)
    assert [update.lane for update in due] == [f"video:{lobby.ann.id}", f"press:{lobby.ann.id}"]


@pytest.mark.proof
async def test_to_be_told_to_wait_is_no_failed_try(lobby: Lobby) -> None:
    value = lobby.fake.updates.of(await lobby.ann.says("/help"))
    tries, done = count(1), asyncio.Event()

    async def handle(_: Update) -> None:
        if next(tries) <= 100:
            raise Temporary("telegram_busy", retry_after=2.0, unsent=True)
        done.set()

    inbox = inbox_of(lobby, handle)
    await inbox.take([value.json])
    work = asyncio.create_task(inbox.work())
    while not done.is_set():
        await lobby.clock.asleep()
        await lobby.clock.advance(2.0)
    assert next(tries) == 102
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


def inbox_of(lobby: Lobby, handle: Handle) -> Inbox:
    return Inbox(
        lobby.platform.line.bot,
        lobby.updates,
        handle,
        clock=lobby.clock,
        hears=lambda _: None,
        move=lobby.platform.line.move,
        excuse=lobby.commands.excuse,
    )


async def test_a_made_up_press_takes_no_message_away(lobby: Lobby) -> None:
    """Apps can be made to press any text under any message of ours."""
    asked = await lobby.ann.says("/quota")
    await lobby.hear(asked)
    (quota,) = lobby.fake.posts(lobby.ann.private)
    for data in ("v1:drop:abc", "v1:go:abc", "v1:confirm:abc", "v1:list:jobs", "v1:stop:abc"):
        pressed = lobby.fake.world.press(quota, lobby.ann, data)
        await lobby.hear(pressed)
        assert "I don't know that button" in (await pressed.answered()).text
    assert lobby.fake.posts(lobby.ann.private) == [quota]
