"""Tests of what every chat network must do, run on each of them."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path

import pytest

from bot.core.errors import Refused
from bot.core.orders import Sound
from bot.core.platforms import DirectMessage, ReadsHistory, upload_limit
from bot.core.posts import PostKind
from bot.core.replies import Reply, Text
from bot.simulator.faults import Fault
from tests.contract.places import DiscordPlace, Place, PlaygroundPlace
from tests.contract.scenes import Scene
from tests.contract.telegram import TelegramPlace
from tests.e2e.world import png

PLACES: Mapping[str, Callable[[Path], AbstractAsyncContextManager[Place]]] = {
    "discord": DiscordPlace.open,
    "playground": PlaygroundPlace.open,
    "telegram": TelegramPlace.open,
}
REMEMBERING = ("discord", "playground")
"""Networks that recognize a repeated nonce and show their history.

Telegram does neither; see `again`.
"""


@pytest.fixture(params=PLACES)
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    async with PLACES[request.param](tmp_path) as place:
        yield place


@pytest.fixture(params=REMEMBERING)
async def remembering(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    """A place on a network that recognizes a repeated nonce."""
    async with PLACES[request.param](tmp_path) as place:
        yield place


# --- the platform's interfaces -------------------------------------------------------------------


async def test_a_running_platform_says_that_it_is_connected(place: Place) -> None:
    assert await place.platform.is_connected()


@pytest.mark.parametrize("kind", list(PostKind))
async def test_every_post_of_a_job_quotes_its_prompt(place: Place, kind: PostKind) -> None:
    message_id, _ = await place.send(kind)
    assert place.shown() == [message_id]
    assert "a cat" in place.words(message_id)


async def test_two_sends_with_the_same_nonce_make_one_message(remembering: Place) -> None:
    stands = await remembering.send()
    assert await remembering.send() == stands
    assert remembering.shown() == [stands[0]]


async def test_two_sends_with_different_nonces_make_two_messages(place: Place) -> None:
    result = await place.send(PostKind.RESULT)
    assert await place.send(PostKind.FAILURE) != result
    assert len(place.shown()) == 2


async def test_a_video_is_attached_to_its_message_whole(place: Place) -> None:
    message_id, _ = await place.send(video=place.file(b"a whole video"))
    assert place.attached(message_id) == [b"a whole video"]


async def test_an_edited_card_keeps_its_message_and_shows_the_new_text(place: Place) -> None:
    stands = await place.send(PostKind.CARD)
    card = place.standing(stands, PostKind.CARD)
    await place.platform.edit(card, place.job, place.reply(PostKind.FAILURE))
    assert place.shown() == [stands[0]]
    assert "could not make" in place.words(stands[0])


async def test_an_edit_of_a_removed_card_is_refused(place: Place) -> None:
    stands = await place.send(PostKind.CARD)
    card = place.standing(stands, PostKind.CARD)
    await place.platform.remove(stands)
    with pytest.raises(Refused):
        await place.platform.edit(card, place.job, place.reply(PostKind.CARD))


async def test_a_removed_message_is_gone_and_a_second_removal_raises_nothing(place: Place) -> None:
    stands = await place.send(video=place.file())
    for _ in range(2):
        await place.platform.remove(stands)
    assert place.shown() == []
    if isinstance(place.platform, ReadsHistory):
        with suppress(Refused):  # a history that can't be read finds nothing
            assert await place.platform.find(place.standing(stands), place.job) is None


async def test_each_post_of_a_job_is_found_in_the_history_of_its_channel(
    remembering: Place,
) -> None:
    stands = {kind: await remembering.send(kind) for kind in (PostKind.CARD, PostKind.RESULT)}
    assert isinstance(remembering.platform, ReadsHistory)
    find, job = remembering.platform.find, remembering.job
    for kind, where in stands.items():
        assert await find(remembering.post(kind), job) == where
    assert await find(remembering.post(PostKind.FAILURE), job) is None


async def test_a_picture_that_a_person_posted_is_downloaded_whole(place: Place) -> None:
    picture = await place.picture(png())
    into = place.folder / "picture"
    await place.platform.fetch(picture, into, most=10_000)
    assert into.read_bytes() == png()


async def test_a_file_larger_than_the_maximum_is_refused_by_fetch(place: Place) -> None:
    picture = await place.picture(png())
    with pytest.raises(Refused) as caught:
        await place.platform.fetch(picture, place.folder / "picture", most=50)
    assert caught.value.code == "picture_too_large"
    sound = Sound(source=picture.source, filename="song.mp3", size=picture.size)
    with pytest.raises(Refused) as caught:
        await place.platform.fetch(sound, place.folder / "sound", most=50)
    assert caught.value.code == "sound_too_large"


async def test_fetching_a_picture_that_was_deleted_is_refused(place: Place) -> None:
    picture = await place.picture(png())
    place.lose(picture)
    with pytest.raises(Refused) as caught:
        await place.platform.fetch(picture, place.folder / "picture", most=10_000)
    assert caught.value.code == "picture_gone"


async def test_every_network_takes_a_video_of_8_mb(place: Place) -> None:
    assert await upload_limit(place.platform, place.post(), place.job) >= 8_000_000


def message_to(place: Place, reply: Reply) -> DirectMessage:
    return DirectMessage(person_id=place.job.order.call.person.id, reply=reply, nonce="n1")


async def test_a_notice_reaches_its_owner(place: Place) -> None:
    words = Text(id="notice.works", values={"gateway": "main"})
    await place.platform.tell(message_to(place, Reply(text=words)))
    (said,) = place.told()
    assert "“main” works again." in said


async def test_a_message_to_an_owner_is_edited_in_place_when_its_text_changes(place: Place) -> None:
    begun = Reply(text=Text(id="notice.works", values={"gateway": "main"}))
    over = Reply(text=Text(id="cause.stuck_over"))
    stands = await place.platform.tell(message_to(place, begun))
    await place.platform.retell(stands, over)
    (said,) = place.told()
    assert "No video is stuck any more." in said
    await place.platform.retell(stands, over)


async def test_an_edit_of_a_deleted_message_to_an_owner_is_refused(place: Place) -> None:
    words = Reply(text=Text(id="cause.stuck_over"))
    stands = await place.platform.tell(message_to(place, words))
    with pytest.raises(Refused):
        await place.platform.retell(stands._replace(message_id="1"), words)


# --- the whole service ---------------------------------------------------------------------------


async def test_an_order_shows_a_card_first_and_then_only_its_video(scene: Scene) -> None:
    await scene.ask("ann", "a cat")
    card, *_ = await scene.until(1)
    assert (card.is_card, card.has_video, card.pings) == (True, False, 0)
    (result,) = await scene.until_over()
    assert (result.has_video, result.pings) == (True, 1), "one message, one ping"
    assert result.reply_to != card.id, "it replies to nothing that goes"
    assert "AI-generated" in result.text
    assert result.buttons[:4] == ("Try again", "Remix", "Continue", "Delete")
    assert scene.simulator.charges == 1


@pytest.mark.proof
async def test_a_failed_order_says_why_and_that_it_does_not_count(scene: Scene) -> None:
    await scene.ask("ann", "a cat [fail]")
    (failure,) = await scene.until_over()
    assert "content rules" in failure.text
    assert "does not count" in failure.text
    assert (failure.has_video, failure.pings) == (False, 1)


@pytest.mark.proof
async def test_a_failed_order_offers_another_model_by_a_button(scene: Scene) -> None:
    await scene.ask("ann", "a cat [fail]")
    (failure,) = await scene.until_over()
    assert failure.buttons == ("Edit", "Try with Wan 2.5", "Try again")
    assert await scene.press("ann", failure, "Try with Wan 2.5") is None
    _, result = await scene.until_over(2)
    assert "Wan 2.5" in result.text
    assert scene.simulator.charges == 2


@pytest.mark.proof
async def test_the_same_event_delivered_twice_makes_one_job(scene: Scene) -> None:
    await scene.ask("ann", "a cat", event="1")
    await scene.ask("ann", "a cat", event="1")
    await scene.ask("ann", "a dog", event="2")
    await scene.until_over(2)
    assert scene.simulator.charges == 2


@pytest.mark.proof
async def test_only_the_person_who_ordered_can_press_cancel(scene: Scene) -> None:
    scene.simulator.faults.add(Fault("create", "answer", 429, "later", retry_after=600), times=9)
    await scene.ask("ann", "a cat")
    card = await scene.until_card("not answering right now")
    assert await scene.press("bob", card, "Cancel") == "That order belongs to somebody else."
    assert await scene.press("ann", card, "Cancel") is None
    cancelled = await scene.until_card("Cancelled.")
    assert (cancelled.id, cancelled.buttons) == (card.id, ("Try again",))
    assert len(scene.said()) == 1, "the card is the one message"
    assert scene.simulator.charges == 0


@pytest.mark.proof
async def test_only_the_person_who_ordered_can_press_delete(scene: Scene) -> None:
    await scene.ask("ann", "a cat")
    (result,) = await scene.until_over()
    assert await scene.press("bob", result, "Delete") == "That order belongs to somebody else."
