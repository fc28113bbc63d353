"""The whole path on Telegram: the real app and aiogram, a fake Bot API, a simulated gateway."""

import asyncio
import json

import pytest

from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from tests.e2e.telegram import Hall
from tests.e2e.world import WAIT, png
from tests.fakes.telegram import Item


def pictures(hall: Hall) -> list[str]:
    """Return the digests of the pictures that reached the gateway."""
    created = [entry for entry in hall.simulator.journal if entry.operation == "create"]
    return [file.sha256 for entry in created for file in entry.files.values()]


# --- from prompts ---------------------------------------------------------------------------------


async def test_a_video_command_on_telegram_becomes_a_video_and_its_card_goes(hall: Hall) -> None:
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
async def test_a_plain_text_on_telegram_is_a_proposal_until_go_is_pressed(hall: Hall) -> None:
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
async def test_a_photo_on_telegram_gets_the_movement_that_is_chosen_in_the_proposals_menu(
    hall: Hall,
) -> None:
    async with hall.app():
        await hall.ann.sends_photo(png())
        await hall.ann.presses(await hall.words(), "Movement")
        menu = await hall.telegram.next("edit", timeout=WAIT)
        await hall.ann.presses(menu, "Orbit")
        chosen = await hall.telegram.next("edit", timeout=WAIT)
    assert "Orbit" in chosen.text


@pytest.mark.proof
async def test_go_pressed_twice_on_telegram_makes_one_video(hall: Hall) -> None:
    async with hall.app():
        await hall.ann.says("a cat")
        draft = await hall.words()
        await asyncio.gather(*(hall.ann.presses(draft, "Go") for _ in range(2)))
        await hall.video()
        for _ in range(2):
            await hall.telegram.next("callback", timeout=WAIT)
    assert hall.simulator.charges == 1


@pytest.mark.proof
async def test_a_telegram_video_command_without_a_prompt_asks_for_the_prompt(hall: Hall) -> None:
    async with hall.app():
        await hall.ann.says("/video --seconds 2")
        question = await hall.words()
        await hall.ann.says("a fox", reply_to=question)
        video = await hall.video()
        assert "a fox" in video.text
        assert video.media is not None
        assert video.media.duration == 2


# --- from pictures --------------------------------------------------------------------------------


async def test_animate_as_a_reply_to_a_telegram_photo_animates_that_photo(hall: Hall) -> None:
    async with hall.app():
        photo = await hall.ann.sends_photo(png())
        await hall.words()  # a proposal, as for any photo without a command
        await hall.ann.says("/animate wave", reply_to=photo)
        await hall.video()
    assert pictures(hall), "it came along"
    assert hall.telegram.downloads, "and was fetched from Telegram"


@pytest.mark.proof
async def test_animate_as_the_caption_of_a_telegram_document_animates_that_picture(
    hall: Hall,
) -> None:
    async with hall.app():
        await hall.ann.sends_document(png(), "cat.png", caption="/animate")
        await hall.video()
    assert pictures(hall)


@pytest.mark.proof
async def test_a_telegram_album_of_two_pictures_is_one_order_with_first_and_last_frame(
    hall: Hall,
) -> None:
    async with hall.app():
        items = [Item(content=png("red"), caption="/animate"), Item(content=png("blue"))]
        await hall.ann.sends_album(items)
        made = await hall.simulator.next("create")
        await hall.video()
    assert {"first_frame_url", "last_frame_url"} <= set(made.metadata or {})
    assert hall.simulator.charges == 1


# --- groups ---------------------------------------------------------------------------------------


@pytest.mark.proof
async def test_card_and_video_of_an_order_in_a_telegram_topic_stay_in_that_topic(
    hall: Hall,
) -> None:
    club = hall.telegram.supergroup("club", hall.ann, is_forum=True)
    topic = hall.telegram.topic(club, "videos")
    async with hall.app():
        await hall.ann.says("/video@zoetrope_bot a cat", chat=club, topic=topic)
        card, video = await hall.card(), await hall.video()
    assert (card.topic, video.topic) == (topic, topic)


async def test_a_text_in_a_telegram_group_that_does_not_address_the_bot_gets_no_answer(
    hall: Hall,
) -> None:
    club = hall.telegram.supergroup("club", hall.ann)
    async with hall.app():
        await hall.ann.says("hello everybody", chat=club)
        await hall.ann.says("/help@zoetrope_bot", chat=club)
        await hall.words()
    assert len(hall.telegram.posts(club)) == 1


async def test_animate_as_a_reply_to_a_photo_that_telegram_hides_says_that_no_picture_is_visible(
    hall: Hall,
) -> None:
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
async def test_a_group_that_becomes_a_supergroup_gets_the_videos_of_its_jobs(hall: Hall) -> None:
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
async def test_a_group_that_became_a_supergroup_still_orders_with_its_own_gateway_key(
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
async def test_try_again_pressed_twice_on_telegram_makes_one_more_video(hall: Hall) -> None:
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
async def test_remix_on_telegram_asks_for_a_new_prompt(hall: Hall) -> None:
    async with hall.app():
        await hall.ann.says("/video a cat")
        first = await hall.video()
        await hall.ann.presses(first, "Remix")
        question = await hall.words()
        await hall.ann.says("a dog", reply_to=question)
        assert "a dog" in (await hall.video()).text


@pytest.mark.proof
async def test_in_a_telegram_group_only_the_person_who_pressed_remix_is_asked_for_a_prompt(
    hall: Hall,
) -> None:
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
async def test_a_stranger_who_presses_delete_on_telegram_is_refused_and_the_video_stays(
    hall: Hall,
) -> None:
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
async def test_delete_on_telegram_asks_for_confirmation_and_removes_the_message(hall: Hall) -> None:
    async with hall.app():
        await hall.ann.says("/video a cat")
        video = await hall.video()
        await hall.ann.presses(video, "Delete")
        sure = await hall.telegram.next("edit", where=lambda it: it.id == video.id, timeout=WAIT)
        await hall.ann.presses(sure, "Really delete?")
        await hall.telegram.next("delete", where=lambda it: it.id == video.id, timeout=WAIT)


@pytest.mark.proof
async def test_history_on_telegram_sends_a_video_again_without_a_second_upload(hall: Hall) -> None:
    async with hall.app():
        await hall.ann.says("/video a cat")
        await hall.video()
        await hall.ann.says("/history")
        again = await hall.posts_again(await hall.words())
        assert "a cat" in again.text
    uploads = [call for call in hall.telegram.calls_of("sendVideo") if call.files]
    assert len(uploads) == 1
