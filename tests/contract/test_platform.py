"""Claims about chat networks, each on all of them."""

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
from bot.simulator.render import Renderer
from tests.contract.places import DiscordPlace, PlaygroundPlace, Stage
from tests.contract.scenes import DiscordScene, PlaygroundScene, Scene
from tests.contract.telegram import TelegramPlace, TelegramScene
from tests.e2e.world import png

PLACES: Mapping[str, Callable[[Path], AbstractAsyncContextManager[Stage]]] = {
    "discord": DiscordPlace.open,
    "playground": PlaygroundPlace.open,
    "telegram": TelegramPlace.open,
}
REMEMBERING = ("discord", "playground")
"""Networks that know a nonce again and show their history; on Telegram `again` stands for both."""
SCENES: Mapping[str, Callable[[Path, Renderer], AbstractAsyncContextManager[Scene]]] = {
    "discord": DiscordScene.open,
    "playground": PlaygroundScene.open,
    "telegram": TelegramScene.open,
}


@pytest.fixture(params=PLACES)
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    async with PLACES[request.param](tmp_path) as place:
        yield place


@pytest.fixture(params=REMEMBERING)
async def remembering(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    async with PLACES[request.param](tmp_path) as place:
        yield place


# --- the port ------------------------------------------------------------------------------------


async def test_a_network_at_work_is_connected(place: Stage) -> None:
    assert await place.platform.is_connected()


@pytest.mark.parametrize("kind", list(PostKind))
async def test_a_message_says_what_it_is_about(place: Stage, kind: PostKind) -> None:
    message_id, _ = await place.send(kind)
    assert place.shown() == [message_id]
    assert "a cat" in place.words(message_id)


async def test_the_same_nonce_says_it_once(remembering: Stage) -> None:
    stands = await remembering.send()
    assert await remembering.send() == stands
    assert remembering.shown() == [stands[0]]


async def test_another_nonce_is_another_message(place: Stage) -> None:
    result = await place.send(PostKind.RESULT)
    assert await place.send(PostKind.FAILURE) != result
    assert len(place.shown()) == 2


async def test_a_video_comes_along_whole(place: Stage) -> None:
    message_id, _ = await place.send(video=place.file(b"a whole video"))
    assert place.attached(message_id) == [b"a whole video"]


async def test_a_card_is_edited_in_its_place(place: Stage) -> None:
    stands = await place.send(PostKind.CARD)
    card = place.standing(stands, PostKind.CARD)
    await place.platform.edit(card, place.job, place.reply(PostKind.FAILURE))
    assert place.shown() == [stands[0]]
    assert "could not make" in place.words(stands[0])


async def test_a_card_that_is_gone_is_a_definite_no(place: Stage) -> None:
    stands = await place.send(PostKind.CARD)
    card = place.standing(stands, PostKind.CARD)
    await place.platform.remove(stands)
    with pytest.raises(Refused):
        await place.platform.edit(card, place.job, place.reply(PostKind.CARD))


async def test_what_is_removed_is_gone_and_stays_gone(place: Stage) -> None:
    stands = await place.send(video=place.file())
    for _ in range(2):
        await place.platform.remove(stands)
    assert place.shown() == []
    if isinstance(place.platform, ReadsHistory):
        with suppress(Refused):  # a history that shows nothing at all tells nothing
            assert await place.platform.find(place.standing(stands), place.job) is None


async def test_each_post_of_a_job_is_found_again(remembering: Stage) -> None:
    stands = {kind: await remembering.send(kind) for kind in (PostKind.CARD, PostKind.RESULT)}
    assert isinstance(remembering.platform, ReadsHistory)
    find, job = remembering.platform.find, remembering.job
    for kind, where in stands.items():
        assert await find(remembering.post(kind), job) == where
    assert await find(remembering.post(PostKind.FAILURE), job) is None


async def test_a_picture_is_fetched_whole(place: Stage) -> None:
    picture = await place.picture(png())
    into = place.folder / "picture"
    await place.platform.fetch(picture, into, most=10_000)
    assert into.read_bytes() == png()


async def test_never_more_than_asked_for(place: Stage) -> None:
    picture = await place.picture(png())
    with pytest.raises(Refused) as caught:
        await place.platform.fetch(picture, place.folder / "picture", most=50)
    assert caught.value.code == "picture_too_large"
    sound = Sound(source=picture.source, filename="song.mp3", size=picture.size)
    with pytest.raises(Refused) as caught:
        await place.platform.fetch(sound, place.folder / "sound", most=50)
    assert caught.value.code == "sound_too_large"


async def test_a_picture_that_is_gone_is_a_definite_no(place: Stage) -> None:
    picture = await place.picture(png())
    place.lose(picture)
    with pytest.raises(Refused) as caught:
        await place.platform.fetch(picture, place.folder / "picture", most=10_000)
    assert caught.value.code == "picture_gone"


async def test_there_is_room_for_a_usual_video(place: Stage) -> None:
    assert await upload_limit(place.platform, place.post(), place.job) >= 8_000_000


def message_to(place: Stage, reply: Reply) -> DirectMessage:
    return DirectMessage(person_id=place.job.order.call.person.id, reply=reply, nonce="n1")


async def test_an_operator_is_told_by_themselves(place: Stage) -> None:
    words = Text(id="notice.works", values={"gateway": "main"})
    await place.platform.tell(message_to(place, Reply(text=words)))
    (said,) = place.told()
    assert "“main” works again." in said


async def test_what_an_operator_was_told_is_changed_where_it_stands(place: Stage) -> None:
    begun = Reply(text=Text(id="notice.works", values={"gateway": "main"}))
    over = Reply(text=Text(id="cause.stuck_over"))
    stands = await place.platform.tell(message_to(place, begun))
    await place.platform.retell(stands, over)
    (said,) = place.told()
    assert "No video is stuck any more." in said
    await place.platform.retell(stands, over)


async def test_what_an_operator_took_away_stays_away(place: Stage) -> None:
    words = Reply(text=Text(id="cause.stuck_over"))
    stands = await place.platform.tell(message_to(place, words))
    with pytest.raises(Refused):
        await place.platform.retell(stands._replace(message_id="1"), words)


# --- the whole house -----------------------------------------------------------------------------


@pytest.fixture(params=SCENES)
async def scene(
    request: pytest.FixtureRequest, tmp_path: Path, renderer: Renderer
) -> AsyncIterator[Scene]:
    async with SCENES[request.param](tmp_path, renderer) as scene:
        yield scene


async def test_an_order_becomes_a_card_and_then_a_video(scene: Scene) -> None:
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
async def test_a_failure_is_said_and_does_not_count(scene: Scene) -> None:
    await scene.ask("ann", "a cat [fail]")
    (failure,) = await scene.until_over()
    assert "content rules" in failure.text
    assert "does not count" in failure.text
    assert (failure.has_video, failure.pings) == (False, 1)


@pytest.mark.proof
async def test_a_failure_offers_another_model_in_its_place(scene: Scene) -> None:
    await scene.ask("ann", "a cat [fail]")
    (failure,) = await scene.until_over()
    assert failure.buttons == ("Edit", "Try on Wan 2.5", "Try again")
    assert await scene.press("ann", failure, "Try on Wan 2.5") is None
    _, result = await scene.until_over(2)
    assert "Wan 2.5" in result.text
    assert scene.simulator.charges == 2


@pytest.mark.proof
async def test_the_same_event_twice_is_one_job(scene: Scene) -> None:
    await scene.ask("ann", "a cat", event="1")
    await scene.ask("ann", "a cat", event="1")
    await scene.ask("ann", "a dog", event="2")
    await scene.until_over(2)
    assert scene.simulator.charges == 2


@pytest.mark.proof
async def test_only_the_owner_presses_cancel(scene: Scene) -> None:
    scene.simulator.faults.add(Fault("create", "answer", 429, "later", retry_after=600), times=9)
    await scene.ask("ann", "a cat")
    card = await scene.until_card("not answering right now")
    assert await scene.press("bob", card, "Cancel") == "That one belongs to somebody else."
    assert await scene.press("ann", card, "Cancel") is None
    cancelled = await scene.until_card("Cancelled.")
    assert (cancelled.id, cancelled.buttons) == (card.id, ("Try again",))
    assert len(scene.said()) == 1, "the card is the one message"
    assert scene.simulator.charges == 0


@pytest.mark.proof
async def test_only_the_owner_deletes(scene: Scene) -> None:
    await scene.ask("ann", "a cat")
    (result,) = await scene.until_over()
    assert await scene.press("bob", result, "Delete") == "That one belongs to somebody else."
