"""Lists and menus on Telegram: the answer to a command, and the effect of presses."""

from dataclasses import replace

import pytest

from bot.core.jobs import Job, Status
from bot.core.orders import Person
from bot.core.replies import Reply, Text
from bot.platforms.telegram import messages
from bot.platforms.telegram.messages import MOST_TEXT
from tests.fakes.telegram import Chat, Message
from tests.unit.platforms.telegram.conftest import Lobby


async def asked(lobby: Lobby, command: str, chat: Chat | None = None) -> Message:
    """Say a command, and return the answer."""
    await lobby.clock.advance(60)
    addressed = f"{command}@zoetrope_bot" if chat else command
    said = await lobby.ann.says(addressed, chat=chat)
    await lobby.hear(said)
    return lobby.answer(said)


async def pressed(lobby: Lobby, message: Message, *buttons: str) -> Message:
    """Press these buttons, and return the message as it is then."""
    for button in buttons:
        await lobby.clock.advance(5)
        standing = lobby.fake.now(message)
        assert standing is not None
        await lobby.hear(await lobby.ann.presses(standing, button))
    return lobby.fake.now(message) or message


def keys(message: Message) -> list[str]:
    return [str(each["text"]) for each in message.buttons]


async def delivered(lobby: Lobby, *, chat: Chat | None = None) -> tuple[Job, Message]:
    """Return a finished job of Ann, and the message with its video."""
    job = await lobby.made(await lobby.ordered(chat=chat))
    video = await lobby.result(job)
    return await lobby.job(job.id), video


# --- jobs in progress -----------------------------------------------------------------------------


async def test_jobs_are_listed_on_telegram_and_cancelled_in_their_list(lobby: Lobby) -> None:
    first = await lobby.ordered()
    await lobby.clock.advance(1)
    second = await lobby.ordered()
    listed = await asked(lobby, "/jobs")
    assert listed.text.startswith("Your orders under way:\n1. “a cat”")
    assert listed.entities[0]["type"] == "bold"
    assert keys(listed) == ["Stop 1", "Stop 2"]
    left = await pressed(lobby, listed, "Stop 1")
    assert (await lobby.job(second.id)).status is Status.CANCELLED
    assert (await lobby.job(first.id)).status is Status.QUEUED
    assert keys(left) == ["Stop 1"]
    assert "You have no orders under way" in (await pressed(lobby, listed, "Stop 1")).text


async def test_a_person_cannot_cancel_a_job_from_somebody_elses_list(lobby: Lobby) -> None:
    bob = lobby.fake.person("Bob")
    club = lobby.fake.supergroup("club", lobby.ann, bob)
    job = await lobby.ordered(chat=club)
    listed = await asked(lobby, "/jobs", club)
    press = await bob.presses(listed, "Stop 1")
    await lobby.hear(press)
    assert "somebody else" in (await press.answered()).text
    assert (await lobby.job(job.id)).status is Status.QUEUED
    assert lobby.fake.now(listed) == listed


# --- settings -------------------------------------------------------------------------------------


async def test_a_setting_on_telegram_is_chosen_and_marked_and_back_leaves_its_menu(
    lobby: Lobby,
) -> None:
    menu = await asked(lobby, "/settings")
    model = next(each for each in keys(menu) if each.startswith("Model"))
    opened = await pressed(lobby, menu, model)
    assert keys(opened)[-1] == "‹ Back"
    assert opened.markup is not None
    assert len(opened.markup["inline_keyboard"][-1]) == 1, "the way back has a row of its own"
    chosen = await pressed(lobby, menu, "Wan")
    assert [each for each in keys(chosen) if "Wan" in each]
    again = await pressed(lobby, menu, next(each for each in keys(chosen) if "Wan" in each))
    assert "• Wan" in keys(again)
    assert keys(await pressed(lobby, menu, "‹ Back")) == keys(chosen)


@pytest.mark.parametrize("command", ["/settings", "/history"])
async def test_settings_and_history_are_refused_in_a_group(lobby: Lobby, command: str) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    assert "private" in (await asked(lobby, command, club)).text
    assert keys(await asked(lobby, command, club)) == []


# --- earlier videos -------------------------------------------------------------------------------


async def test_an_earlier_video_in_the_history_links_to_its_message_and_back(lobby: Lobby) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    _, video = await delivered(lobby, chat=club)
    listed = await asked(lobby, "/history")
    entry = await pressed(lobby, listed, "a cat")
    number = str(club.id).removeprefix("-100")
    urls = [each["url"] for each in entry.buttons if "url" in each]
    assert urls == [f"https://t.me/c/{number}/{video.id}"]
    assert keys(entry) == ["Post it again", "Delete", "‹ Back", "Go to message"]
    assert keys(await pressed(lobby, listed, "‹ Back")) == ["a cat"]


async def test_in_a_private_chat_an_earlier_video_has_no_link_to_its_message(lobby: Lobby) -> None:
    await delivered(lobby)
    entry = await pressed(lobby, await asked(lobby, "/history"), "a cat")
    assert keys(entry) == ["Post it again", "Delete", "‹ Back"]


async def test_an_earlier_video_is_posted_again_and_the_list_stays(lobby: Lobby) -> None:
    await delivered(lobby)
    listed = await asked(lobby, "/history")
    entry = await pressed(lobby, listed, "a cat", "Post it again")
    assert [bool(each.media) for each in lobby.fake.posts(lobby.ann.private)[-2:]] == [False, True]
    assert lobby.fake.now(listed) == entry


async def test_keep_it_after_delete_returns_to_the_entry_of_the_video(lobby: Lobby) -> None:
    job, _ = await delivered(lobby)
    listed = await asked(lobby, "/history")
    entry = await pressed(lobby, listed, "a cat")
    assert keys(await pressed(lobby, listed, "Delete")) == ["Really delete?", "Keep it"]
    assert keys(await pressed(lobby, listed, "Keep it")) == keys(entry)
    assert (await lobby.job(job.id)).has_result
    await pressed(lobby, listed, "Delete", "Really delete?")
    assert not (await lobby.job(job.id)).has_result
    assert lobby.fake.now(listed) is None


@pytest.mark.parametrize(("act", "method"), [("show", "sendVideo"), ("file", "sendDocument")])
async def test_telegram_buttons_of_earlier_versions_work(
    lobby: Lobby, act: str, method: str
) -> None:
    job, video = await delivered(lobby)
    key = {"text": "old", "callback_data": f"v1:{act}:{job.id}"}
    lobby.fake.world.edit(replace(video, markup={"inline_keyboard": [[key]]}))
    before = len(lobby.fake.calls_of(method))
    await pressed(lobby, video, "old")
    assert len(lobby.fake.calls_of(method)) == before + 1


# --- help -----------------------------------------------------------------------------------------


async def test_help_mentions_the_owner_in_private_and_notifies_nobody_in_a_group(
    lobby: Lobby,
) -> None:
    owner = lobby.fake.person("Olga", started=True)
    person = Person(id=str(owner.id), name="Olga")
    code = await lobby.entry.access.new_code()
    address = (await lobby.ordered()).order.call.address
    await lobby.entry.access.claim(code or "", person, address)
    club = lobby.fake.supergroup("club", owner, lobby.ann)
    alone, among = await asked(lobby, "/help"), await asked(lobby, "/help", club)
    assert "ask my owner" in alone.text
    assert "ask my owner" in among.text
    rung = [each["user"]["id"] for each in alone.entities if each["type"] == "text_mention"]
    assert rung == [owner.id]
    assert not [each for each in among.entities if each["type"] == "text_mention"]
    assert "/allow" not in alone.text, "for owners alone"


async def test_back_leaves_a_menu_of_a_proposal(lobby: Lobby) -> None:
    said = await lobby.ann.says("a cat")
    await lobby.hear(said)
    draft = lobby.answer(said)
    menu = await pressed(lobby, draft, "Length")
    assert keys(menu)[-1] == "‹ Back"
    assert keys(await pressed(lobby, draft, "‹ Back")) == keys(draft)


def test_a_list_too_long_for_telegram_is_cut() -> None:
    facts = tuple(Text(id="help.contact", values={"contact": "x" * 400}) for _ in range(40))
    rendered = messages.listing(Reply(text=Text(id="help.title"), facts=facts), "en")
    assert rendered.text.endswith("…")
    assert len(rendered.text.encode("utf-16-le")) // 2 <= MOST_TEXT
