"""The commands /character, /edit and /extend on Telegram, with the files that people send."""

from collections.abc import Sequence

import pytest

from bot.core.jobs import Job
from bot.core.orders import Clip, Kind
from bot.core.wishes import Use
from bot.platforms.telegram.clips import MOST_BYTES
from tests.e2e.world import png
from tests.fakes.telegram import Item, Message
from tests.unit.core.orders import USING, offering
from tests.unit.platforms.telegram.conftest import VIDEO, Lobby


@pytest.fixture
def using(lobby: Lobby) -> Lobby:
    lobby.service.accounts = offering(USING, lobby.service.accounts)
    return lobby


def pictures(count: int, caption: str = "") -> list[Item]:
    """Return the pictures of an album, the first with this caption."""
    return [Item(content=png(), caption=caption if not each else "") for each in range(count)]


def sources(album: Sequence[Message]) -> list[str | None]:
    return [each.media.file.id if each.media else None for each in album]


def kept(job: Job) -> list[str | None]:
    return [each.source for each in job.order.pictures]


@pytest.mark.parametrize("caption", ["/character they dance", "/video they dance"])
async def test_an_album_of_three_pictures_with_words_is_one_order_that_keeps_what_they_show(
    using: Lobby, caption: str
) -> None:
    album = await using.ann.sends_album(pictures(3, caption))
    await using.hear_together(*album)
    (job,) = await using.jobs()
    assert (job.request.kind, job.order.wish.prompt) == (Kind.REFERENCES, "they dance")
    assert kept(job) == sources(album)


async def test_a_reply_to_any_picture_of_an_album_means_all_its_pictures(using: Lobby) -> None:
    album = await using.ann.sends_album(pictures(3))
    await using.hear_together(*album)
    await using.hear(await using.ann.says("/character they dance", reply_to=album[1]))
    (job,) = await using.jobs()
    assert kept(job) == sources(album)


async def test_a_reply_to_a_single_picture_keeps_what_it_shows(using: Lobby) -> None:
    cat = await using.ann.sends_photo(png())
    await using.hear(await using.ann.says("/character it dances", reply_to=cat))
    (job,) = await using.jobs()
    assert (job.request.kind, job.order.wish.use) == (Kind.REFERENCES, Use.CHARACTER)
    assert kept(job) == sources([cat])


async def test_a_reply_to_an_album_that_the_bot_never_saw_orders_nothing(using: Lobby) -> None:
    album = await using.ann.sends_album(pictures(3))
    said = await using.ann.says("/character they dance", reply_to=album[0])
    await using.hear(said)
    assert "send the album again" in using.answer(said).text
    assert await using.jobs() == []


async def test_a_character_without_words_is_asked_for_words_and_keeps_its_pictures(
    using: Lobby,
) -> None:
    album = await using.ann.sends_album(pictures(2, "/character"))
    await using.hear_together(*album)
    assert await using.jobs() == []
    await using.hear(await using.ann.says("they dance", reply_to=using.answer(album[0])))
    (job,) = await using.jobs()
    assert (kept(job), job.request.kind) == (sources(album), Kind.REFERENCES)


async def test_words_are_not_asked_for_where_no_model_keeps_a_character(lobby: Lobby) -> None:
    cat = await lobby.ann.sends_photo(png(), caption="/character")
    await lobby.hear(cat)
    assert lobby.answer(cat).text.startswith("No model here keeps")


@pytest.mark.parametrize(
    ("command", "kind"),
    [("/edit make it snow", Kind.VIDEO), ("/extend", Kind.EXTEND)],
)
@pytest.mark.parametrize("is_reply", [True, False])
async def test_a_video_of_a_person_is_changed_or_continued(
    using: Lobby, command: str, kind: Kind, *, is_reply: bool
) -> None:
    if is_reply:
        video = await using.ann.sends_video(b"video")
        await using.hear(await using.ann.says(command, reply_to=video))
    else:
        video = await using.ann.sends_video(b"video", caption=command)
        await using.hear(video)
    (job,) = await using.jobs()
    assert video.media is not None
    assert job.request.kind is kind
    assert job.order.video == Clip(
        source=video.media.file.id, filename="video.mp4", size=5, seconds=3, width=320, height=240,
        author=str(using.ann.id),
    )  # fmt: skip


@pytest.mark.parametrize("command", ["/edit make it snow", "/extend"])
async def test_a_video_of_ours_is_read_from_our_storage(using: Lobby, command: str) -> None:
    job = await using.ordered()
    shown = await using.result(await using.made(job))
    await using.hear(await using.ann.says(command, reply_to=shown))
    *_, later = await using.jobs()
    assert later.order.video is not None
    assert (later.order.video.video_of, later.order.video.source) == (VIDEO.key, None)


async def test_a_video_above_the_limit_of_the_bot_api_is_refused_before_anything(
    using: Lobby,
) -> None:
    said = await using.ann.sends_video(b"video", size=MOST_BYTES + 1, caption="/edit make it snow")
    await using.hear(said)
    assert "21.0 MB; the most I take is 20 MB" in using.answer(said).text
    assert (await using.jobs(), using.fake.files.downloads) == ([], [])


async def test_a_video_at_the_limit_of_the_bot_api_is_an_order(using: Lobby) -> None:
    await using.hear(await using.ann.sends_video(b"video", size=MOST_BYTES, caption="/extend on"))
    assert len(await using.jobs()) == 1


@pytest.mark.parametrize("command", ["/edit make it snow", "/extend"])
async def test_a_command_about_a_video_without_one_asks_for_it(using: Lobby, command: str) -> None:
    said = await using.ann.says(command)
    await using.hear(said)
    assert "I need the video" in using.answer(said).text


async def test_a_video_without_a_use_orders_nothing_and_the_answer_names_the_help(
    using: Lobby,
) -> None:
    said = await using.ann.sends_video(b"video", caption="/video make it snow")
    await using.hear(said)
    assert "/help says what I can do with videos" in using.answer(said).text
    assert await using.jobs() == []
