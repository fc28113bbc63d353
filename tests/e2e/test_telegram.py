"""The whole way on Telegram: the real app and aiogram, a fake Bot API, a simulated gateway."""

import asyncio
import json

import pytest

from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from tests.e2e.telegram import Hall
from tests.e2e.world import WAIT, png
from tests.fakes.telegram import Item


def pictures(hall: Hall) -> list[str]:
    """Digests of the pictures that reached the gateway."""
    created = [entry for entry in hall.simulator.journal if entry.operation == "create"]
    return [file.sha256 for entry in created for file in entry.files.values()]


# --- from words -----------------------------------------------------------------------------------


async def test_a_command_becomes_a_video(hall: Hall) -> None:
    async with hall.app():
        asked = await hall.ann.says("/video a cat on the moon --seconds 2")
        card = await hall.card()
        video = await hall.video()
        assert card.reply_to == asked.id
        assert video.reply_to == asked.id
        assert "a cat on the moon" in video.text
        assert "AI-generated · Sora 2 · for ann" in video.text
        assert video.media is not None
        assert (video.media.width, video.media.height, video.media.duration) == (128, 72, 2)
        assert video.media.thumbnail is not None
        assert (await hall.telegram.next("delete", timeout=WAIT)).id == card.id
        assert hall.telegram.posts(hall.ann.private) == [video], "one message stays"
    assert hall.simulator.charges == 1


@pytest.mark.proof
async def test_plain_words_are_a_draft_until_somebody_says_go(hall: Hall) -> None:
    async with hall.app():
        await hall.ann.says("a cat on the moon")
        draft = await hall.words()
        assert "Shall I make this?" in draft.text
        assert hall.simulator.charges == 0
        await hall.ann.presses(draft, "Length")
        menu = await hall.telegram.next("edit", timeout=WAIT)
        await hall.ann.presses(menu, "2 s")
        chosen = await hall.telegram.next("edit", timeout=WAIT)
        assert "Sora 2 · 2 s" in chosen.text
        await hall.ann.presses(chosen, "Go")
        video = await hall.video()
        assert video.media is not None
        assert video.media.duration == 2
        gone = await hall.telegram.next("delete", timeout=WAIT)
        assert gone.id == draft.id, "the draft has done its duty"
    assert hall.simulator.charges == 1


@pytest.mark.proof
async def test_a_picture_is_moved_as_its_person_chooses(hall: Hall) -> None:
    async with hall.app():
        await hall.ann.sends_photo(png())
        await hall.ann.presses(await hall.words(), "Movement")
        menu = await hall.telegram.next("edit", timeout=WAIT)
        await hall.ann.presses(menu, "Orbit")
        chosen = await hall.telegram.next("edit", timeout=WAIT)
    assert "Orbit" in chosen.text


@pytest.mark.proof
async def test_go_pressed_twice_makes_one_video(hall: Hall) -> None:
    async with hall.app():
        await hall.ann.says("a cat")
        draft = await hall.words()
        await asyncio.gather(*(hall.ann.presses(draft, "Go") for _ in range(2)))
        await hall.video()
        for _ in range(2):
            await hall.telegram.next("callback", timeout=WAIT)
    assert hall.simulator.charges == 1


@pytest.mark.proof
async def test_a_command_without_words_asks_for_them(hall: Hall) -> None:
    async with hall.app():
        await hall.ann.says("/video --seconds 2")
        question = await hall.words()
        await hall.ann.says("a fox", reply_to=question)
        video = await hall.video()
        assert "a fox" in video.text
        assert video.media is not None
        assert video.media.duration == 2


# --- from pictures --------------------------------------------------------------------------------


async def test_a_reply_to_a_photo_moves_that_very_photo(hall: Hall) -> None:
    async with hall.app():
        photo = await hall.ann.sends_photo(png())
        await hall.words()  # a draft, as photos alone are
        await hall.ann.says("/animate wave", reply_to=photo)
        await hall.video()
    assert pictures(hall), "it came along"
    assert hall.telegram.downloads, "and was fetched from Telegram"


@pytest.mark.proof
async def test_a_caption_and_a_document_count_too(hall: Hall) -> None:
    async with hall.app():
        await hall.ann.sends_document(png(), "cat.png", caption="/animate")
        await hall.video()
    assert pictures(hall)


@pytest.mark.proof
async def test_an_album_is_one_order(hall: Hall) -> None:
    async with hall.app():
        items = [Item(content=png("red"), caption="/animate"), Item(content=png("blue"))]
        await hall.ann.sends_album(items)
        made = await hall.simulator.next("create")
        await hall.video()
    assert {"first_frame_url", "last_frame_url"} <= set(made.metadata or {})
    assert hall.simulator.charges == 1


# --- groups ---------------------------------------------------------------------------------------


@pytest.mark.proof
async def test_in_a_topic_everything_stays_there(hall: Hall) -> None:
    club = hall.telegram.supergroup("club", hall.ann, is_forum=True)
    topic = hall.telegram.topic(club, "videos")
    async with hall.app():
        await hall.ann.says("/video@zoetrope_bot a cat", chat=club, topic=topic)
        card, video = await hall.card(), await hall.video()
    assert (card.topic, video.topic) == (topic, topic)


async def test_words_in_a_group_are_none_of_its_business(hall: Hall) -> None:
    club = hall.telegram.supergroup("club", hall.ann)
    async with hall.app():
        await hall.ann.says("hello everybody", chat=club)
        await hall.ann.says("/help@zoetrope_bot", chat=club)
        await hall.words()
    assert len(hall.telegram.posts(club)) == 1


async def test_a_picture_that_telegram_hides_is_said_to_be_unseen(hall: Hall) -> None:
    hall.telegram.world.privacy.hides_replied_messages = True
    bob = hall.telegram.person("bob")
    club = hall.telegram.supergroup("club", bob, hall.ann)
    async with hall.app():
        photo = await bob.sends_photo(png(), chat=club)
        await hall.ann.says("/animate@zoetrope_bot", chat=club, reply_to=photo)
        answer = await hall.words()
    assert "I can't see a picture" in answer.text
    assert "/animate as its caption" in answer.text
    assert "only if I'm an admin" in answer.text


@pytest.mark.proof
async def test_a_group_that_grows_takes_its_jobs_along(hall: Hall) -> None:
    group = hall.telegram.group("club", hall.ann)
    async with hall.app():
        async with hall.simulator.holding("retrieve"):
            await hall.ann.says("/video@zoetrope_bot a cat", chat=group)
            await hall.card()
            club = hall.telegram.migrate(group)
        video = await hall.video()
    assert video.chat is club
    assert hall.simulator.charges == 1


@pytest.mark.proof
async def test_a_group_that_grew_still_orders_with_its_own_key(
    hall: Hall, renderer: Renderer
) -> None:
    group = hall.telegram.group("club", hall.ann)
    theirs = Simulator(key="sk-club", render_time=0.2, renderer=renderer)
    async with theirs.serve() as url:
        own = {
            "GATEWAYS__CLUB__BASE_URL": url,
            "GATEWAYS__CLUB__API_KEY": "sk-club",
            "GATEWAYS__CLUB__DIALECT": "documented",
            "GATEWAYS__CLUB__POLL_STEP": "0.05",
            "COMMUNITIES": json.dumps({f"telegram:{group.id}": {"gateway": "club"}}),
        }
        async with hall.app(None, **own):
            club = hall.telegram.migrate(group)
            await hall.ann.says("/video@zoetrope_bot a cat", chat=club)
            assert (await hall.video()).chat is club
    assert (theirs.charges, hall.simulator.charges) == (1, 0)


# --- buttons --------------------------------------------------------------------------------------


@pytest.mark.proof
async def test_try_again_tapped_twice_makes_one_more(hall: Hall) -> None:
    async with hall.app():
        await hall.ann.says("/video a cat")
        first = await hall.video()
        await hall.ann.presses(first, "Try again")
        await hall.ann.presses(first, "Try again")
        await hall.video()
        for _ in range(2):
            await hall.telegram.next("callback", timeout=WAIT)
    assert hall.simulator.charges == 2
    assert hall.telegram.unanswered == []


@pytest.mark.proof
async def test_remix_asks_for_other_words(hall: Hall) -> None:
    async with hall.app():
        await hall.ann.says("/video a cat")
        first = await hall.video()
        await hall.ann.presses(first, "Remix")
        question = await hall.words()
        await hall.ann.says("a dog", reply_to=question)
        assert "a dog" in (await hall.video()).text


@pytest.mark.proof
async def test_in_a_group_only_who_pressed_remix_is_asked_for_words(hall: Hall) -> None:
    club = hall.telegram.supergroup("club", hall.telegram.person("owner"), hall.ann)
    async with hall.app():
        await hall.ann.says("/video@zoetrope_bot a cat", chat=club)
        await hall.ann.presses(await hall.video(), "Remix")
        question = await hall.words()
    assert question.markup == {"force_reply": True, "selective": True}
    (mention,) = question.entities
    assert mention["type"] == "text_mention"
    assert mention["user"]["id"] == hall.ann.id


@pytest.mark.proof
async def test_a_strangers_press_is_told_to_the_stranger(hall: Hall) -> None:
    club = hall.telegram.supergroup("club", hall.telegram.person("owner"), hall.ann)
    bob = hall.telegram.person("bob")
    club.members[bob] = club.members[hall.ann]
    async with hall.app():
        await hall.ann.says("/video@zoetrope_bot a cat", chat=club)
        video = await hall.video()
        await bob.presses(video, "Delete")
        answered = await hall.telegram.next("callback", timeout=WAIT)
    (answer,) = answered.answers
    assert "belongs to somebody else" in answer.text
    assert hall.telegram.now(video) is not None


@pytest.mark.proof
async def test_delete_asks_once_more_and_takes_the_message(hall: Hall) -> None:
    async with hall.app():
        await hall.ann.says("/video a cat")
        video = await hall.video()
        await hall.ann.presses(video, "Delete")
        sure = await hall.telegram.next("edit", where=lambda it: it.id == video.id, timeout=WAIT)
        await hall.ann.presses(sure, "Really delete?")
        await hall.telegram.next("delete", where=lambda it: it.id == video.id, timeout=WAIT)


@pytest.mark.proof
async def test_history_sends_a_video_again_without_uploading_it(hall: Hall) -> None:
    async with hall.app():
        await hall.ann.says("/video a cat")
        await hall.video()
        await hall.ann.says("/history")
        again = await hall.posts_again(await hall.words())
        assert "a cat" in again.text
    uploads = [call for call in hall.telegram.calls_of("sendVideo") if call.files]
    assert len(uploads) == 1
