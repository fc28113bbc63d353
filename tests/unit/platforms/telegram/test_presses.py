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
    """Return a job of Ann from a topic, and the message with its video there."""
    club = lobby.fake.supergroup("club", lobby.ann, is_forum=True)
    topic = lobby.fake.topic(club, "videos")
    job = await lobby.made(await lobby.ordered(chat=club, topic=topic))
    return job, await lobby.result(job)


@pytest.mark.parametrize("is_old", [False, True])
async def test_try_again_in_a_topic_orders_into_the_same_topic(lobby: Lobby, is_old: bool) -> None:
    job, video = await in_topic(lobby)
    await lobby.hear(await lobby.ann.presses(video, "Try again", is_old=is_old))
    _, again = await lobby.jobs()
    assert again.order.call.address.channel == job.order.call.address.channel


@pytest.mark.parametrize("button", ["Remix", "Continue", "Original file"])
async def test_messages_that_a_button_causes_stay_in_its_topic(lobby: Lobby, button: str) -> None:
    _, video = await in_topic(lobby)
    await lobby.hear(await lobby.ann.presses(video, button, is_old=True))
    brought = lobby.fake.posts(video.chat)[-1]
    assert brought.id != video.id
    assert brought.topic is video.topic


async def test_try_again_pressed_in_another_chat_does_not_use_the_jobs_topic(lobby: Lobby) -> None:
    """The button is in another chat, and its topic is not known."""
    job, _ = await in_topic(lobby)
    other = lobby.fake.supergroup("other", lobby.ann)
    shown = await lobby.result(await lobby.made(await lobby.ordered(chat=other)))
    keys = {"inline_keyboard": [[{"text": "again", "callback_data": f"v1:retry:{job.id}"}]]}
    shown = lobby.fake.world.edit(replace(shown, markup=keys))
    await lobby.hear(await lobby.ann.presses(shown, "again", is_old=True))
    assert (await lobby.jobs())[-1].order.call.address.channel == str(other.id)


# --- unforeseen errors ----------------------------------------------------------------------------


async def test_a_press_during_a_database_error_is_answered_and_retried(
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
async def test_a_refusal_of_an_answered_press_is_a_message(lobby: Lobby, attempts: int) -> None:
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
async def test_an_alert_about_a_limit_has_the_time_in_words(lobby: Lobby, limits: Limits) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    video = await lobby.result(await lobby.made(await lobby.ordered(chat=club)))
    lobby.allow(replace(limits, person_at_once=None))
    pressed = await lobby.ann.presses(video, "Try again")
    await lobby.hear(pressed)
    said = (await pressed.answered()).text
    assert " new one " in said
    assert not EPOCH.search(said)


async def test_an_alert_for_go_writes_the_time_in_words(lobby: Lobby) -> None:
    lobby.allow(Limits(person_videos=1, person_at_once=None))
    await lobby.ordered()
    await lobby.hear(words := await lobby.ann.says("a cat"))
    pressed = await lobby.ann.presses(lobby.answer(words), "Go")
    await lobby.hear(pressed)
    said = (await pressed.answered()).text
    assert "You get a new one " in said
    assert not EPOCH.search(said)


# --- uploads --------------------------------------------------------------------------------------


async def its_video(lobby: Lobby) -> Message:
    return await lobby.result(await lobby.made(await lobby.ordered()))


def words(lobby: Lobby, video: Message) -> list[str]:
    """Return the texts of the replies to the video."""
    return [each.text for each in lobby.fake.posts(video.chat) if each.reply_to == video.id]


async def test_a_press_of_original_file_is_answered_before_the_upload_begins(lobby: Lobby) -> None:
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
async def test_an_error_after_an_answered_press_is_a_message(
    lobby: Lobby, fault: Fault, said: str
) -> None:
    video = await its_video(lobby)
    lobby.fake.faults.add("sendDocument", fault)
    await lobby.hear(await lobby.ann.presses(video, "Original file"))
    (value,) = words(lobby, video)
    assert said in value


async def test_a_document_refused_with_429_is_retried_without_a_message(lobby: Lobby) -> None:
    video = await its_video(lobby)
    lobby.fake.faults.add("sendDocument", flood(7))
    with pytest.raises(Temporary):
        await lobby.hear(await lobby.ann.presses(video, "Original file"))
    assert words(lobby, video) == []


async def test_a_document_with_an_unknown_outcome_is_not_sent_again(lobby: Lobby) -> None:
    video = await its_video(lobby)
    lobby.fake.faults.add("sendDocument", accepted(reset()))
    lobby.fake.faults.add("sendMessage", internal())
    await lobby.hear(await lobby.ann.presses(video, "Original file"))
    assert len(lobby.fake.calls_of("sendDocument")) == 1


async def test_original_file_pressed_by_somebody_else_is_refused_in_an_alert(lobby: Lobby) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    video = await lobby.result(await lobby.made(await lobby.ordered(chat=club)))
    bob = lobby.fake.person("Bob", started=True)
    await bob.joins(club)
    pressed = await bob.presses(video, "Original file")
    await lobby.hear(pressed)
    assert "belongs to somebody else" in (await pressed.answered()).text
    assert lobby.fake.calls_of("sendDocument") == []


# --- files too large to send ----------------------------------------------------------------------


@pytest.mark.parametrize("button", ["Original file", "Post it again"])
@pytest.mark.parametrize("is_seen", [True, False])
async def test_a_file_too_large_for_telegram_comes_as_a_link_or_a_sentence(
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


async def test_a_file_that_the_server_found_too_large_is_not_uploaded_again(lobby: Lobby) -> None:
    job = await lobby.made(await lobby.ordered())
    video = await lobby.result(job)
    lobby.fake.desk.upload_limit = VIDEO.size - 1
    await press(lobby, video, "Original file")
    lobby.fake.calls.clear()
    await press(lobby, video, "Original file")
    assert "too large for this chat" in lobby.fake.posts(video.chat)[-1].text
    assert lobby.fake.calls_of("sendDocument") == []


async def test_in_private_a_press_does_not_ask_for_the_rank_of_its_person(lobby: Lobby) -> None:
    """In an earlier version, each press asked Telegram for the presser's rank."""
    job = await lobby.made(await lobby.ordered())
    video = await lobby.result(job)
    for button in ("Original file", "Try again", "Delete", "Keep it"):
        await press(lobby, video, button)
    assert lobby.fake.calls_of("getChatMember") == []


# --- deleting -------------------------------------------------------------------------------------


async def a_copy(lobby: Lobby) -> tuple[Job, Message]:
    """Return a video of Ann, and a copy of it posted by /history."""
    job = await lobby.made(await lobby.ordered())
    original = await lobby.result(job)
    now = lobby.clock.now()
    job = await lobby.store.moved(await lobby.job(job.id), moves.delivered(job, now=now))
    await lobby.platform.videos.show(str(lobby.ann.id), job)
    return job, lobby.fake.posts(original.chat)[-1]


async def press(lobby: Lobby, message: Message, button: str) -> str:
    """Press a button, and return the text of the alert, empty if there is none."""
    await lobby.clock.advance(5)  # a pause between presses, so that no rate limit applies
    pressed = await lobby.ann.presses(message, button)
    await lobby.hear(pressed)
    return (await pressed.answered()).text


async def former(lobby: Lobby, job: Job, act: str, label: str) -> Message:
    """Return a message with a button of a former version."""
    await lobby.hear(asked := await lobby.ann.says("/help"))
    shown = lobby.answer(asked)
    key = {"text": label, "callback_data": f"v1:{act}:{job.id}"}
    return lobby.fake.world.edit(replace(shown, markup={"inline_keyboard": [[key]]}))


def keys(message: Message) -> list[str]:
    return [str(each["text"]) for each in message.buttons]


async def test_deleting_a_video_from_a_copy_removes_that_copy_too(lobby: Lobby) -> None:
    job, copy = await a_copy(lobby)
    await press(lobby, copy, "Delete")
    assert await press(lobby, copy, "Really delete?") == "Deleted."
    assert (await lobby.job(job.id)).video is None
    assert lobby.fake.now(copy) is None


@pytest.mark.proof
@pytest.mark.parametrize("button", ["Delete", "Really delete?"])
async def test_a_copy_of_a_deleted_video_goes_when_it_is_pressed(lobby: Lobby, button: str) -> None:
    job, copy = await a_copy(lobby)
    if button != "Delete":
        await press(lobby, copy, "Delete")
    await lobby.service.delete(job.id, Actor(person=job.order.call.person))
    assert "already gone" in await press(lobby, copy, button)
    assert lobby.fake.now(copy) is None


async def test_keep_it_after_delete_brings_the_buttons_back(lobby: Lobby) -> None:
    job, copy = await a_copy(lobby)
    await press(lobby, copy, "Delete")
    assert keys(lobby.fake.now(copy) or copy) == ["Really delete?", "Keep it"]
    await press(lobby, copy, "Keep it")
    assert keys(lobby.fake.now(copy) or copy) == keys(copy)
    assert await lobby.job(job.id) == job


async def test_keep_it_pressed_by_somebody_else_does_not_restore_the_buttons(lobby: Lobby) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    job = await lobby.made(await lobby.ordered(chat=club))
    video = await lobby.result(job)
    await lobby.store.moved(await lobby.job(job.id), moves.delivered(job, now=lobby.clock.now()))
    await press(lobby, video, "Delete")
    bob = lobby.fake.person("Bob", started=True)
    await bob.joins(club)
    await lobby.hear(await bob.presses(video, "Keep it"))
    assert keys(lobby.fake.now(video) or video) == ["Really delete?", "Keep it"]


# --- swept videos ---------------------------------------------------------------------------------


async def swept(lobby: Lobby, job: Job) -> None:
    """Sweep the job's video, 31 days after the job's end."""
    row = await lobby.job(job.id)
    gone_at = (row.ended_at or 0) + 31 * 86_400
    await lobby.store.moved(row, replace(row, video=None, video_gone_at=gone_at))


async def test_buttons_of_a_swept_video_say_how_long_the_video_was_kept(lobby: Lobby) -> None:
    job, copy = await a_copy(lobby)
    listed = await former(lobby, job, "show", "▶ a cat")
    await swept(lobby, job)
    sentence = "I kept that video for 31 days, and my copy is gone now."
    for message, button in ((copy, "Original file"), (copy, "Continue"), (listed, "▶ a cat")):
        assert await press(lobby, message, button) == sentence
    await lobby.hear(asked := await lobby.ann.says("/history"))
    assert "One of your latest videos is gone" in lobby.answer(asked).text


async def test_the_message_of_a_swept_video_can_still_be_deleted(lobby: Lobby) -> None:
    job, copy = await a_copy(lobby)
    await swept(lobby, job)
    await press(lobby, copy, "Delete")
    assert await press(lobby, copy, "Really delete?") == "Deleted."
    assert not (await lobby.job(job.id)).has_result
    assert lobby.fake.now(copy) is None


# --- ranks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_old", [False, True])
async def test_an_admin_is_recognized_on_an_old_bot_api_server(lobby: Lobby, is_old: bool) -> None:
    lobby.fake.quirks.knows_few_rights = is_old
    admin = lobby.fake.person("admin")
    club = lobby.fake.supergroup("club", lobby.ann, admin)
    lobby.fake.promote(club, admin)
    card = await lobby.card(job := await lobby.ordered(chat=club))
    await lobby.hear(await admin.presses(card, "Cancel"))
    assert (await lobby.job(job.id)).reason is Reason.BY_ADMIN


async def test_a_person_whose_rank_telegram_does_not_tell_counts_as_a_member(lobby: Lobby) -> None:
    admin = lobby.fake.person("admin")
    club = lobby.fake.supergroup("club", admin, lobby.ann)
    card = await lobby.card(await lobby.ordered(chat=club))
    lobby.fake.faults.add("getChatMember", bad_request("CHAT_ADMIN_REQUIRED"))
    pressed = await admin.presses(card, "Cancel")
    await lobby.hear(pressed)
    assert "belongs to somebody else" in (await pressed.answered()).text


# --- the group as a person ------------------------------------------------------------------------


@dataclass
class Club:
    """A group whose owner writes anonymously, and a video of a picture posted by the group."""

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


async def test_an_anonymous_admin_tries_a_job_again_as_the_group(lobby: Lobby, club: Club) -> None:
    await lobby.hear(await club.owner.presses(club.video, "Try again"))
    jobs = await lobby.store.jobs.recent("telegram", str(club.chat.id), most=9)
    assert [each.order.call.person for each in jobs] == [club.job.order.call.person] * 2


async def test_an_anonymous_admin_remixes_a_job_as_the_group(lobby: Lobby, club: Club) -> None:
    await lobby.hear(await club.owner.presses(club.video, "Remix"))
    asked = lobby.fake.posts(club.chat)[-1]
    await lobby.hear(await club.owner.says("a dog", chat=club.chat, reply_to=asked))
    jobs = await lobby.store.jobs.recent("telegram", str(club.chat.id), most=9)
    assert {each.request.prompt for each in jobs} == {"jump", "a dog"}


async def test_an_anonymous_admin_gets_the_file_of_a_groups_video(lobby: Lobby, club: Club) -> None:
    await lobby.hear(await club.owner.presses(club.video, "Original file"))
    assert len(lobby.fake.calls_of("sendDocument")) == 1


async def test_an_anonymous_admin_may_delete_a_groups_video(lobby: Lobby, club: Club) -> None:
    await lobby.hear(await club.owner.presses(club.video, "Delete"))
    await lobby.hear(await club.owner.presses(club.video, "Really delete?"))
    assert (await lobby.job(club.job.id)).video is None


@pytest.mark.parametrize("is_admin", [True, False])
@pytest.mark.parametrize("button", ["Try again", "Remix", "Original file"])
async def test_only_an_admin_who_is_anonymous_now_acts_for_the_group(
    lobby: Lobby, club: Club, button: str, is_admin: bool
) -> None:
    """An admin who writes under a name does not, nor does a member who once was anonymous."""
    if is_admin:
        lobby.fake.promote(club.chat, lobby.ann)
    lobby.ann.is_anonymous = not is_admin
    alert = await press(lobby, club.video, button)
    assert alert.startswith(("Somebody else posted", "That order belongs to somebody else."))


async def test_an_anonymous_admin_does_not_act_in_another_group(lobby: Lobby, club: Club) -> None:
    other = lobby.fake.supergroup("other", club.owner, lobby.ann)
    shown = await lobby.result(await lobby.made(await lobby.ordered(chat=other)))
    data = {"text": "file", "callback_data": f"v1:file:{club.job.id}"}
    shown = lobby.fake.world.edit(replace(shown, markup={"inline_keyboard": [[data]]}))
    pressed = await club.owner.presses(shown, "file")
    await lobby.hear(pressed)
    assert "somebody else" in (await pressed.answered()).text


# --- lanes ----------------------------------------------------------------------------------------


async def test_an_upload_has_a_lane_apart_from_other_presses(lobby: Lobby) -> None:
    video = await lobby.result(await lobby.made(await lobby.ordered()))
    presses = [await lobby.ann.presses(video, button) for button in ("Original file", "Delete")]
    inbox = inbox_of(lobby, lobby.commands.handle)
    await inbox.take([lobby.fake.updates.of(press).json for press in presses])
    due = await lobby.updates.due(now=lobby.clock.now(), most=9)
    assert [update.lane for update in due] == [f"video:{lobby.ann.id}", f"press:{lobby.ann.id}"]


@pytest.mark.proof
async def test_an_update_told_to_wait_100_times_is_still_handled(lobby: Lobby) -> None:
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


async def test_a_press_with_made_up_data_removes_no_message(lobby: Lobby) -> None:
    """Apps can be made to press any data under any message of ours."""
    asked = await lobby.ann.says("/quota")
    await lobby.hear(asked)
    (quota,) = lobby.fake.posts(lobby.ann.private)
    for data in ("v1:drop:abc", "v1:go:abc", "v1:confirm:abc", "v1:list:jobs", "v1:stop:abc"):
        pressed = lobby.fake.world.press(quota, lobby.ann, data)
        await lobby.hear(pressed)
        assert "I don't know that button" in (await pressed.answered()).text
    assert lobby.fake.posts(lobby.ann.private) == [quota]
