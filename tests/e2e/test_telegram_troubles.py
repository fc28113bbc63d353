"""The whole path on Telegram when sending fails, people are strangers, or results are private."""

import time
from pathlib import Path

import pytest

from bot.core.preferences import Preferences
from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from tests.e2e.telegram import Hall
from tests.e2e.world import WAIT, Codes, png
from tests.fakes.telegram import FakeTelegram, accepted, bad_request, internal, reset

# --- when Telegram fails --------------------------------------------------------------------------


@pytest.mark.proof
@pytest.mark.parametrize("fault", [accepted(reset()), accepted(internal())], ids=["reset", "500"])
async def test_a_telegram_video_whose_sending_has_an_unknown_outcome_is_not_sent_again(
    hall: Hall, fault: object
) -> None:
    """The video may be in the chat already. The retry replaces the card with the video."""
    hall.telegram.faults.add("sendVideo", fault)  # type: ignore[arg-type]
    async with hall.app():
        await hall.ann.says("/video a cat")
        card = await hall.card()
        edited = await hall.telegram.next("edit", where=lambda it: bool(it.media), timeout=WAIT)
        assert edited.id == card.id
    assert len(hall.telegram.calls_of("sendVideo")) == 1
    assert hall.simulator.charges == 1


@pytest.mark.proof
async def test_a_telegram_video_that_was_refused_is_sent_again(hall: Hall) -> None:
    hall.telegram.faults.add("sendVideo", bad_request("replied message not found"))
    async with hall.app():
        await hall.ann.says("/video a cat")
        video = await hall.video()
    assert video.reply_to is None
    assert len(hall.telegram.posts(hall.ann.private)) == 2, "its card, and one video"


@pytest.mark.proof
async def test_a_telegram_update_delivered_twice_is_one_order(hall: Hall) -> None:
    async with hall.app():
        asked = await hall.ann.says("/video a cat")
        hall.telegram.updates.repeat(asked)
        await hall.video()
        assert "1 of 9 videos" in await hall.told(hall.ann, "/quota")
    assert hall.simulator.charges == 1


@pytest.mark.proof
async def test_a_telegram_update_that_cannot_be_read_does_not_delay_later_updates(
    hall: Hall,
) -> None:
    hall.telegram.updates.add_malformed()
    hall.telegram.updates.add_unknown()
    async with hall.app():
        await hall.ann.says("/video a cat")
        await hall.video()


@pytest.mark.proof
async def test_a_telegram_message_sent_while_the_service_was_down_is_served_after_the_start(
    hall: Hall,
) -> None:
    async with hall.app():
        pass
    await hall.ann.says("/video a cat")
    async with hall.app():
        await hall.video()


# --- owners ---------------------------------------------------------------------------------------


@pytest.mark.proof
async def test_a_closed_telegram_bot_refuses_everybody_until_it_is_claimed(hall: Hall) -> None:
    codes = Codes()
    bob = hall.telegram.person("bob", started=True)
    async with hall.app(codes.append, ACCESS="closed"):
        assert "not switched on here" in await hall.told(bob, "/video a cat")
        assert "not switched on here" in await hall.told(bob, "a cat")
        assert "You are my owner now" in await hall.told(hall.ann, f"/claim {await codes.first()}")
        own = await hall.telegram.next(
            "setMyCommands", where=lambda it: "allow" in it.raw["commands"], timeout=WAIT
        )
        assert own.fields["scope"] == {"type": "chat", "chat_id": hall.ann.id}
        assert "wrong or already used" in await hall.told(bob, f"/claim {await codes.first()}")
        await hall.ann.says("/video a cat")
        await hall.video()
    assert hall.simulator.charges == 1


@pytest.mark.proof
async def test_a_telegram_owner_allows_one_person_by_their_id(hall: Hall) -> None:
    """An id once opened the whole chat by mistake. A name that matches nobody allows nobody."""
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
async def test_the_telegram_token_does_not_leak_when_calls_fail(
    hall: Hall, capfd: pytest.CaptureFixture[str]
) -> None:
    """The token is in no request to anybody else, in no row and in no log line."""
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


# --- too large, too late, or by an anonymous sender -----------------------------------------------


@pytest.mark.proof
async def test_a_video_too_large_for_telegram_comes_as_a_link(
    hall: Hall, unused_tcp_port: int
) -> None:
    public = {"WEB__PORT": str(unused_tcp_port), "WEB__PUBLIC_URL": "https://videos.example"}
    async with hall.app(None, TELEGRAM__UPLOAD_LIMIT_MB="0.001", **public):
        await hall.ann.says("/video a cat")
        link = await hall.telegram.next("message", where=lambda it: "/v/" in it.text, timeout=WAIT)
    assert "https://videos.example/v/" in link.text
    assert hall.telegram.calls_of("sendVideo") == []


@pytest.mark.proof
async def test_original_file_on_telegram_sends_the_same_bytes_as_a_document(hall: Hall) -> None:
    async with hall.app():
        await hall.ann.says("/video a cat")
        video = await hall.video()
        await hall.ann.presses(video, "Original file")
        file = await hall.video()
    assert file.media is not None
    assert video.media is not None
    assert (file.media.kind, file.media.sha256) == ("document", video.media.sha256)


@pytest.mark.proof
async def test_original_file_on_telegram_sends_the_original_of_a_converted_video(
    hall: Hall,
) -> None:
    """The original comes byte for byte."""
    async with hall.app():
        await hall.ann.says("/video a cat [content-webm]")
        video = await hall.video()
        await hall.ann.presses(video, "Original file")
        file = await hall.video()
    assert video.media is not None
    assert (video.media.kind, video.media.content[4:8]) == ("video", b"ftyp")
    assert file.media is not None
    (original,) = hall.folder.rglob("originals/**/*.webm")
    assert (file.media.kind, file.media.content) == ("document", original.read_bytes())


async def test_start_on_telegram_offers_an_example_that_becomes_a_proposal(hall: Hall) -> None:
    async with hall.app():
        await hall.ann.starts()
        hello = await hall.words()
        assert "videos left today" in hello.text
        await hall.ann.presses(hello, hello.buttons[0]["text"])
        assert "Shall I make this?" in (await hall.words()).text
    assert hall.simulator.charges == 0


async def test_an_anonymous_telegram_admin_cannot_claim_the_bot(hall: Hall) -> None:
    codes = Codes()
    club = hall.telegram.supergroup("club", hall.ann)
    hall.ann.is_anonymous = True
    async with hall.app(codes.append, ACCESS="closed"):
        await hall.ann.says(f"/claim@zoetrope_bot {await codes.first()}", chat=club)
        assert "Only my owner" in (await hall.words()).text


async def test_an_order_older_than_an_hour_is_asked_about_and_not_charged(
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
async def test_a_result_for_a_person_who_blocked_the_bot_is_kept_in_the_history(hall: Hall) -> None:
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
async def test_a_private_result_on_telegram_goes_to_its_person_and_the_group_is_told(
    hall: Hall,
) -> None:
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
async def test_a_private_result_for_a_person_without_a_private_chat_is_kept_in_the_history(
    hall: Hall,
) -> None:
    bob = hall.telegram.person("bob")
    group = hall.telegram.group("club", bob)
    await hall.prefers(str(bob.id), Preferences(private=True))
    async with hall.app():
        await bob.says("/video@zoetrope_bot a cat", chat=group)
        await hall.card()
        kept = await hall.telegram.next(
            "edit", where=lambda it: "kept it for you alone" in it.text, timeout=WAIT
        )
    assert "/history" in kept.text
    assert [bool(each.media) for each in hall.telegram.posts(group)] == [False]
    assert hall.simulator.charges == 1


@pytest.mark.proof
async def test_a_private_result_with_an_unknown_outcome_is_not_shown_in_the_group(
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
async def test_a_proposal_shows_the_persons_settings_and_go_makes_the_video_it_shows(
    hall: Hall,
) -> None:
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
