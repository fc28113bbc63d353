"""What becomes of a pressed button."""

from dataclasses import replace

import pytest
from sqlalchemy.exc import OperationalError

from bot.core.jobs import Job, Status
from tests.fakes.telegram import Message
from tests.unit.platforms.telegram.conftest import Lobby, locked

# --- old messages ---------------------------------------------------------------------------------


async def in_topic(lobby: Lobby) -> tuple[Job, Message]:
    """A job of Ann's from a topic, and its video there."""
    club = lobby.fake.supergroup("club", lobby.ann, is_forum=True)
    topic = lobby.fake.topic(club, "films")
    job = await lobby.made(await lobby.ordered(chat=club, topic=topic))
    return job, await lobby.result(job)


@pytest.mark.parametrize("is_old", [False, True])
async def test_tried_again_it_comes_where_it_came_before(lobby: Lobby, is_old: bool) -> None:
    job, video = await in_topic(lobby)
    await lobby.hear(await lobby.ann.presses(video, "Try again", is_old=is_old))
    _, again = await lobby.jobs()
    assert again.order.address.channel == job.order.address.channel


@pytest.mark.parametrize("button", ["Remix", "As file"])
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
    assert (await lobby.jobs())[-1].order.address.channel == str(other.id)


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
