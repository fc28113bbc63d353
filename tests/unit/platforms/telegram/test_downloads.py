"""Pictures that the client downloads from Telegram."""

from dataclasses import replace

import pytest

from bot.core import cards, replies
from bot.core.errors import Refused, Temporary
from bot.core.jobs import Status
from bot.core.orders import Person, Picture, Sound
from bot.core.posts import Post, PostKind
from bot.i18n import say
from tests.fakes.telegram import (
    flood,
    reset,
)
from tests.unit.core.orders import changed
from tests.unit.platforms.telegram.house import House


async def test_a_file_above_telegrams_download_limit_is_refused(house: House) -> None:
    house.fake.files.download_limit = 100
    sent = await house.ann.sends_document(b"x" * 500, "cat.png")
    assert sent.media is not None
    source = sent.media.file.id
    for given, what in (
        (Picture(source=source, filename="cat.png", size=500_000), "picture"),
        (Sound(source=source, filename="song.mp3", size=500_000), "sound"),
    ):
        with pytest.raises(Refused) as caught:
            await house.platform.fetch(given, house.folder / "into", most=10**6)
        assert caught.value.code == f"{what}_too_large"
        assert f"That {what} is 0.5 MB" in say(replies.error(caught.value).text, "en")


async def test_a_429_for_a_download_is_temporary_with_telegrams_wait(house: House) -> None:
    house.fake.faults.add("getFile", flood(7))
    sent = await house.ann.sends_document(b"x" * 500, "cat.png")
    assert sent.media is not None
    picture = Picture(source=sent.media.file.id, filename="cat.png", size=500)
    with pytest.raises(Temporary) as caught:
        await house.platform.fetch(picture, house.folder / "into", most=10_000)
    assert (caught.value.code, caught.value.retry_after) == ("telegram_busy", 8.0)


async def test_a_broken_download_can_be_retried(house: House) -> None:
    house.fake.faults.add("file", reset(), times=2)  # aiohttp retries once by itself
    sent = await house.ann.sends_document(b"x" * 500, "cat.png")
    assert sent.media is not None
    picture = Picture(source=sent.media.file.id, filename="cat.png", size=500)
    with pytest.raises(Temporary):
        await house.platform.fetch(picture, house.folder / "into", most=10_000)
    await house.platform.fetch(picture, house.folder / "into", most=10_000)
    assert (house.folder / "into").read_bytes() == b"x" * 500


@pytest.mark.parametrize("is_faceless", [False, True])
async def test_the_card_of_a_silent_job_says_where_the_video_is(
    house: House, is_faceless: bool
) -> None:
    """A group that wrote as itself has no private chat with the bot."""
    about = replace(house.job(), status=Status.DELIVERED, silent=True)
    if is_faceless:
        club = Person(id="-1001", name="Club")
        about = replace(about, order=changed(about.order, person=club))
    post = Post(id=1, job_id=about.id, kind=PostKind.CARD, due_at=None)
    said = cards.card(about)
    await house.platform.send(post, about, said, video=None)
    lines = house.posts()[-1].text.splitlines()
    assert (
        lines[0]
        == "Done. I did not post it; the person who asked for it finds the video in /history."
    )
    assert ("To see it, send me /history in a private chat." in lines) is not is_faceless
