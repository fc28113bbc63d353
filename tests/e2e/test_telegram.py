"""The whole way on Telegram: the real app and aiogram, a fake Bot API, a simulated gateway."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.preferences import Preferences
from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from tests.e2e.telegram import Hall
from tests.e2e.world import WAIT, Codes, png
from tests.fakes.telegram import FakeTelegram, Item, accepted, bad_request, internal, reset


@pytest.fixture
async def hall(tmp_path: Path, renderer: Renderer) -> AsyncIterator[Hall]:
    """A fake Telegram and a simulated gateway that takes a fifth of a second for a video."""
    simulator = Simulator(render_time=0.2, renderer=renderer)
    async with FakeTelegram() as telegram, simulator.serve() as url:
        yield Hall(telegram=telegram, simulator=simulator, gateway_url=url, folder=tmp_path)
        telegram.check()


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
        assert "AI-generated · Sora 2 · asked by ann" in video.text
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
    assert "only if I am an admin" in answer.text


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


# --- when Telegram stumbles -----------------------------------------------------------------------


@pytest.mark.proof
@pytest.mark.parametrize("fault", [accepted(reset()), accepted(internal())], ids=["reset", "500"])
async def test_a_video_whose_sending_has_an_unknown_end_is_not_sent_again(
    hall: Hall, fault: object
) -> None:
    """It stands already; what is repeated takes the place of the status message."""
    hall.telegram.faults.add("sendVideo", fault)  # type: ignore[arg-type]
    async with hall.app():
        await hall.ann.says("/video a cat")
        card = await hall.card()
        edited = await hall.telegram.next("edit", where=lambda it: bool(it.media), timeout=WAIT)
        assert edited.id == card.id
    assert len(hall.telegram.calls_of("sendVideo")) == 1
    assert hall.simulator.charges == 1


@pytest.mark.proof
async def test_a_video_that_surely_was_not_sent_is_sent_again(hall: Hall) -> None:
    hall.telegram.faults.add("sendVideo", bad_request("replied message not found"))
    async with hall.app():
        await hall.ann.says("/video a cat")
        video = await hall.video()
    assert video.reply_to is None
    assert len(hall.telegram.posts(hall.ann.private)) == 2, "its card, and one video"


@pytest.mark.proof
async def test_a_message_told_twice_is_one_order(hall: Hall) -> None:
    async with hall.app():
        asked = await hall.ann.says("/video a cat")
        hall.telegram.updates.repeat(asked)
        await hall.video()
        assert "of 9 videos today" in await hall.told(hall.ann, "/quota")
    assert hall.simulator.charges == 1


@pytest.mark.proof
async def test_what_cannot_be_read_does_not_hold_up_the_rest(hall: Hall) -> None:
    hall.telegram.updates.add_malformed()
    hall.telegram.updates.add_unknown()
    async with hall.app():
        await hall.ann.says("/video a cat")
        await hall.video()


@pytest.mark.proof
async def test_what_was_said_while_it_was_down_is_heard_when_it_is_back(hall: Hall) -> None:
    async with hall.app():
        pass
    await hall.ann.says("/video a cat")
    async with hall.app():
        await hall.video()


# --- owners ---------------------------------------------------------------------------------------


@pytest.mark.proof
async def test_closed_until_its_owner_opens_it(hall: Hall) -> None:
    codes = Codes()
    bob = hall.telegram.person("bob", started=True)
    async with hall.app(codes.append, ACCESS="closed"):
        assert "not switched on here" in await hall.told(bob, "/video a cat")
        assert "not switched on here" in await hall.told(bob, "a cat")
        assert "You own this bot" in await hall.told(hall.ann, f"/claim {await codes.first()}")
        own = await hall.telegram.next(
            "setMyCommands", where=lambda it: "allow" in it.raw["commands"], timeout=WAIT
        )
        assert own.fields["scope"] == {"type": "chat", "chat_id": hall.ann.id}
        assert "wrong or was used" in await hall.told(bob, f"/claim {await codes.first()}")
        await hall.ann.says("/video a cat")
        await hall.video()
    assert hall.simulator.charges == 1


@pytest.mark.proof
async def test_the_owner_lets_one_person_in_by_their_number(hall: Hall) -> None:
    """A number opened the whole place once; a name that says nothing opens none."""
    codes = Codes()
    bob = hall.telegram.person("bob", started=True)
    eve = hall.telegram.person("eve", started=True)
    async with hall.app(codes.append, ACCESS="closed"):
        assert "send /claim and the code" in await hall.told(bob, "/video a cat")
        await hall.told(hall.ann, f"/claim {await codes.first()}")
        assert f"/allow {bob.id}" in await hall.told(bob, "/video a cat")
        assert "can't tell whom you mean" in await hall.told(hall.ann, "/allow @bob")
        assert "in private now" in await hall.told(hall.ann, f"/allow {bob.id}")
        await bob.says("/video a cat")
        await hall.video()
        assert "not switched on here" in await hall.told(eve, "/video a cat")
        assert "any more" in await hall.told(hall.ann, f"/disallow {bob.id}")
        assert "not switched on here" in await hall.told(bob, "/video a cat")
    assert hall.simulator.charges == 1


# --- secrets --------------------------------------------------------------------------------------


@pytest.mark.proof
async def test_the_token_goes_nowhere(hall: Hall, capfd: pytest.CaptureFixture[str]) -> None:
    """Not into a request to anybody else, nor a row, nor a log line, whatever goes wrong."""
    hall.telegram.faults.add("sendVideo", reset())
    hall.telegram.faults.add("getFile", reset())
    async with hall.app(LOG_LEVEL="DEBUG"):
        await hall.ann.sends_photo(png(), caption="/animate")
        await hall.telegram.next("edit", where=lambda it: bool(it.media), timeout=WAIT)
    said = capfd.readouterr()
    assert not hall.telegram.leaks(said.out + said.err)
    for file in (hall.folder / "data").rglob("*"):
        if file.is_file():
            assert not hall.telegram.leaks(file.read_bytes()), file.name
    assert not hall.telegram.leaks(repr(hall.simulator.journal))


# --- what is too large, too late, or said by nobody -----------------------------------------------


@pytest.mark.proof
async def test_what_is_too_large_to_send_comes_as_a_link(hall: Hall, unused_tcp_port: int) -> None:
    public = {"WEB__PORT": str(unused_tcp_port), "WEB__PUBLIC_URL": "https://videos.example"}
    async with hall.app(None, TELEGRAM__UPLOAD_LIMIT_MB="0.001", **public):
        await hall.ann.says("/video a cat")
        link = await hall.telegram.next("message", where=lambda it: "/v/" in it.text, timeout=WAIT)
    assert "https://videos.example/v/" in link.text
    assert hall.telegram.calls_of("sendVideo") == []


@pytest.mark.proof
async def test_the_very_file_comes_on_request(hall: Hall) -> None:
    async with hall.app():
        await hall.ann.says("/video a cat")
        video = await hall.video()
        await hall.ann.presses(video, "As file")
        file = await hall.video()
    assert file.media is not None
    assert video.media is not None
    assert (file.media.kind, file.media.sha256) == ("document", video.media.sha256)


@pytest.mark.proof
async def test_of_a_converted_video_as_file_gives_the_original(hall: Hall) -> None:
    """Byte for byte; meanwhile its card says that it is converted."""
    async with hall.app():
        await hall.ann.says("/video a cat [content-webm]")
        video = await hall.video()
        await hall.ann.presses(video, "As file")
        file = await hall.video()
    assert video.media is not None
    assert (video.media.kind, video.media.content[4:8]) == ("video", b"ftyp")
    assert file.media is not None
    (original,) = hall.folder.rglob("originals/**/*.webm")
    assert (file.media.kind, file.media.content) == ("document", original.read_bytes())


async def test_start_offers_something_to_begin_with(hall: Hall) -> None:
    async with hall.app():
        await hall.ann.starts()
        hello = await hall.words()
        assert "videos left for you today" in hello.text
        await hall.ann.presses(hello, hello.buttons[0]["text"])
        assert "Shall I make this?" in (await hall.words()).text
    assert hall.simulator.charges == 0


async def test_an_anonymous_admin_is_no_owner(hall: Hall) -> None:
    codes = Codes()
    club = hall.telegram.supergroup("club", hall.ann)
    hall.ann.is_anonymous = True
    async with hall.app(codes.append, ACCESS="closed"):
        await hall.ann.says(f"/claim@zoetrope_bot {await codes.first()}", chat=club)
        assert "Only the owner" in (await hall.words()).text


async def test_what_was_said_long_ago_is_asked_about_and_not_billed(
    tmp_path: Path, renderer: Renderer
) -> None:
    now = time.time()
    simulator = Simulator(render_time=0.2, renderer=renderer)
    async with FakeTelegram(clock=lambda: now - 3600) as telegram, simulator.serve() as url:
        hall = Hall(telegram=telegram, simulator=simulator, gateway_url=url, folder=tmp_path)
        await hall.ann.says("/video a cat")
        async with hall.app():
            assert "I was away" in (await hall.words()).text
    assert simulator.charges == 0


@pytest.mark.proof
async def test_a_blocked_bot_keeps_the_result(hall: Hall) -> None:
    async with hall.app():
        async with hall.simulator.holding("retrieve"):
            await hall.ann.says("/video a cat")
            await hall.card()
            await hall.ann.blocks_bot()
        await hall.telegram.next("sendVideo", timeout=WAIT)
        await hall.ann.unblocks_bot()
        await hall.ann.says("/history")
        assert (await hall.posts_again(await hall.words())).media is not None
    assert hall.simulator.charges == 1


# --- results for one person alone -----------------------------------------------------------------


@pytest.mark.proof
async def test_a_private_result_goes_to_its_person_and_the_group_is_told_so(hall: Hall) -> None:
    group = hall.telegram.group("club", hall.ann)
    await hall.prefers(str(hall.ann.id), Preferences(seconds=2, private=True))
    async with hall.app():
        await hall.ann.says("/video@zoetrope_bot a cat", chat=group)
        card = await hall.card()
        assert "2 s" in card.text
        video = await hall.video()
        await hall.telegram.next("edit", where=lambda it: "in private" in it.text, timeout=WAIT)
    assert video.chat == hall.ann.private
    assert [bool(each.media) for each in hall.telegram.posts(group)] == [False]


@pytest.mark.proof
async def test_a_private_result_for_somebody_who_never_wrote_first_is_kept(hall: Hall) -> None:
    bob = hall.telegram.person("bob")
    group = hall.telegram.group("club", bob)
    await hall.prefers(str(bob.id), Preferences(private=True))
    async with hall.app():
        await bob.says("/video@zoetrope_bot a cat", chat=group)
        await hall.card()
        kept = await hall.telegram.next(
            "edit", where=lambda it: "kept for you alone" in it.text, timeout=WAIT
        )
    assert "/history" in kept.text
    assert [bool(each.media) for each in hall.telegram.posts(group)] == [False]
    assert hall.simulator.charges == 1


@pytest.mark.proof
async def test_a_private_result_whose_sending_has_an_unknown_end_does_not_become_the_card(
    hall: Hall,
) -> None:
    hall.telegram.faults.add("sendVideo", accepted(reset()))
    group = hall.telegram.group("club", hall.ann)
    await hall.prefers(str(hall.ann.id), Preferences(private=True))
    async with hall.app():
        await hall.ann.says("/video@zoetrope_bot a cat", chat=group)
        await hall.telegram.next("edit", where=lambda it: "in private" in it.text, timeout=WAIT)
    assert [bool(each.media) for each in hall.telegram.posts(group)] == [False]


@pytest.mark.proof
async def test_a_draft_shows_lasting_choices_and_go_makes_what_it_shows(hall: Hall) -> None:
    await hall.prefers(str(hall.ann.id), Preferences(seconds=2, aspect="9:16"))
    async with hall.app():
        await hall.ann.says("a cat on the moon")
        draft = await hall.words()
        assert "2 s · 9:16" in draft.text
        await hall.ann.presses(draft, "Length")
        await hall.ann.presses(await hall.telegram.next("edit", timeout=WAIT), "1 s")
        await hall.ann.presses(await hall.telegram.next("edit", timeout=WAIT), "Go")
        video = await hall.video()
    assert video.media is not None
    assert (video.media.width, video.media.height, video.media.duration) == (72, 128, 1)
