"""Videos and their files that the client sends to Telegram."""

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.config.settings import Telegram
from bot.core import cards, replies
from bot.core.errors import Refused, Temporary
from bot.core.jobs import Job, Original, Status
from bot.core.orders import Address
from bot.core.posting import SEND_TIME
from bot.core.posts import Post, PostKind
from bot.core.sizes import LEARNED_FOR
from bot.platforms.telegram.videos import MOST_AT_ONCE, patience
from tests.fakes.telegram import (
    accepted,
    garbled,
    reset,
)
from tests.fakes.telegram.desk import LOCAL_UPLOAD_LIMIT
from tests.unit.platforms.telegram.house import MP4, ORIGINAL, House, with_card

WAIT = 10.0


# --- videos ---------------------------------------------------------------------------------------


async def test_a_video_is_sent_with_its_size_and_length_and_its_file_id_is_kept(
    house: House,
) -> None:
    await house.send()
    (post,) = house.posts()
    assert post.media is not None
    assert (post.media.content, post.media.width, post.media.duration) == (MP4, 16, 5)
    assert house.rows.handles == {"videos/a.mp4": post.media.file.id}


@pytest.mark.filterwarnings("ignore:unread_data")  # aiohttp's own multipart reader, in the fake
async def test_a_large_video_that_is_refused_lowers_the_upload_limit_for_all_videos(
    house: House,
) -> None:
    """A proxy in front of a local Bot API server may take less than the server itself."""
    house.fake.desk.upload_limit = 11_000_000
    assert (await house.trouble(size=12_000_000)).code == "file_too_large"
    assert await most(house) == await most(house, "videos/other.mp4") == 9_000_000


@pytest.mark.filterwarnings("ignore:unread_data")  # aiohttp's own multipart reader, in the fake
async def test_a_small_video_that_is_refused_lowers_the_upload_limit_for_itself_alone(
    house: House,
) -> None:
    house.fake.desk.upload_limit = 900_000
    assert (await house.trouble(size=1_000_000)).code == "file_too_large"
    assert await most(house) == 750_000
    assert await most(house, "videos/other.mp4") == 50_000_000


@pytest.mark.filterwarnings("ignore:unread_data")  # aiohttp's own multipart reader, in the fake
async def test_a_lowered_upload_limit_ends_after_a_while(house: House) -> None:
    house.fake.desk.upload_limit = 11_000_000
    await house.trouble(size=12_000_000)
    await house.clock.advance(LEARNED_FOR - 1)
    assert await most(house) == 9_000_000
    await house.clock.advance(1)
    assert await most(house) == 50_000_000


async def most(house: House, key: str = "videos/a.mp4") -> int:
    """Return the upload limit for the video under this key, in bytes."""
    about = house.job()
    assert about.video is not None
    about = replace(about, video=replace(about.video, key=key))
    return await house.platform.upload_limit(about)


async def test_an_edit_without_a_change_is_not_sent_and_uses_no_budget(house: House) -> None:
    about = replace(house.job(), status=Status.IN_PROGRESS, video=None)
    card = Post(id=1, job_id=about.id, kind=PostKind.CARD, due_at=None)
    stands = await house.platform.send(card, about, cards.card(about), video=None)
    card = replace(card, message_id=stands[0], channel_id=stands[1])
    for progress in (0, 50, 50, 50, 0):
        await house.clock.advance(60)
        now = replace(about, progress=progress)
        for _ in range(20):
            async with asyncio.timeout(5):  # if the edit waited for a turn, it would wait for ever
                await house.platform.edit(card, now, cards.card(now))
    assert len(house.fake.calls_of("editMessageText")) == 2


async def test_a_card_too_old_to_be_deleted_is_a_definite_refusal(house: House) -> None:
    """The card still exists, so it does not count as gone."""
    about = house.job()
    card = Post(id=1, job_id=about.id, kind=PostKind.CARD, due_at=None)
    stands = await house.platform.send(card, about, cards.card(about), video=None)
    await house.clock.advance(48 * 3600 + 1)
    with pytest.raises(Refused) as caught:
        await house.platform.remove(stands)
    assert caught.value.code == "card_stays"


@pytest.mark.parametrize(
    ("channel", "message", "address"),
    [
        ("-1001234567890", "7", "https://t.me/c/1234567890/7"),
        ("-1001234567890/3", "7", "https://t.me/c/1234567890/7"),
        ("-1001234567890", "0", None),
        ("-1234", "7", None),
        ("42", "7", None),
    ],
)
async def test_only_messages_in_supergroups_have_a_link(
    house: House, channel: str, message: str, address: str | None
) -> None:
    there = Address(platform="telegram", channel=channel, message=message)
    assert house.platform.link_to(there) == address


async def test_after_an_edit_with_an_unknown_outcome_going_back_to_the_former_text_is_sent(
    house: House,
) -> None:
    about = replace(house.job(), status=Status.IN_PROGRESS, video=None, progress=1)
    card = Post(id=1, job_id=about.id, kind=PostKind.CARD, due_at=None)
    stands = await house.platform.send(card, about, cards.card(about), video=None)
    card = replace(card, message_id=stands[0], channel_id=stands[1])
    house.fake.faults.add("editMessageText", accepted(reset()))
    half = replace(about, progress=50)
    await house.clock.advance(60)
    with pytest.raises(Temporary):
        await house.platform.edit(card, half, cards.card(half))
    assert "50 %" in house.posts()[-1].text
    await house.clock.advance(60)
    await house.platform.edit(card, about, cards.card(about))
    assert "1 %" in house.posts()[-1].text


async def test_no_link_of_a_stranger_is_previewed(house: House) -> None:
    """Neither a card nor its edit previews a stranger's link. Only a link of ours is previewed."""
    wish = "a cat like on https://stranger.example/cats"
    about = house.job()
    about = replace(about, request=replace(about.request, prompt=wish))
    waiting = replace(about, status=Status.IN_PROGRESS, video=None)
    card = Post(id=1, job_id=about.id, kind=PostKind.CARD, due_at=None)
    stands = await house.platform.send(card, waiting, cards.card(waiting), video=None)
    assert previews(house) == [{"is_disabled": True}]
    card = replace(card, message_id=stands[0], channel_id=stands[1])
    await house.clock.advance(60)
    done = replace(waiting, progress=50)
    await house.platform.edit(card, done, cards.card(done))
    assert previews(house) == [{"is_disabled": True}]
    ours = "https://videos.example/v/a"
    post = Post(id=2, job_id=about.id, kind=PostKind.RESULT, due_at=None)
    said = replies.result(about, link=ours, link_expires_at=0.0)
    await house.platform.send(post, about, said, video=None)
    assert previews(house)[1:] == [{"is_disabled": False, "url": ours}]


def previews(house: House) -> list[object]:
    return [each.preview for each in house.posts()]


@pytest.mark.parametrize(
    "part",
    [
        {"chat": "here"},
        {"date": None},
        {"paid_media": {"paid_media": [{"type": "hologram"}]}},
        {"reply_markup": {"inline_keyboard": 7}},
        {"video": {"file_id": "f", "file_unique_id": "u", "duration": "long"}},
    ],
)
async def test_a_sent_video_counts_as_sent_although_its_answer_has_malformed_parts(
    house: House, part: dict[str, Any]
) -> None:
    video = {"video": {"file_id": "f", "file_unique_id": "u"}}
    result = {"message_id": 77, "date": 1, "chat": {"id": 1}, **video, **part}
    body = json.dumps({"ok": True, "result": result}).encode()
    house.fake.faults.add("sendVideo", accepted(garbled(body)))
    number, _ = await house.send()
    assert (number, len(house.posts())) == ("77", 1)
    assert house.rows.handles == {"videos/a.mp4": "f"}, "and can be sent again by its name"


async def test_an_answer_without_a_message_id_has_an_unknown_outcome(house: House) -> None:
    body = b'{"ok": true, "result": {"date": 1}}'
    house.fake.faults.add("sendVideo", accepted(garbled(body)))
    problem = await house.trouble()
    assert isinstance(problem, Temporary)
    assert not problem.unsent, "it may stand"


@pytest.mark.proof
@pytest.mark.filterwarnings("ignore:unread_data")  # aiohttp's own multipart reader, in the fake
async def test_a_local_bot_api_server_takes_a_larger_video_than_telegrams_own_server(
    house: House,
) -> None:
    size = 53_000_000
    assert (await house.trouble(size=size)).code == "file_too_large"
    house.fake.desk.upload_limit = LOCAL_UPLOAD_LIMIT
    await house.send(size=size)
    (post,) = house.posts()
    assert post.media is not None
    assert post.media.file.size == size


async def test_the_file_id_of_a_silent_video_returned_as_an_animation_is_kept(house: House) -> None:
    house.fake.quirks.silent_videos_are_animations = True
    await house.send()
    assert list(house.rows.handles) == ["videos/a.mp4"]


async def test_showing_a_video_again_costs_no_upload(house: House) -> None:
    await house.send()
    await house.platform.videos.show(str(house.ann.id), house.job())
    first, second = house.fake.calls_of("sendVideo")
    assert (bool(first.files), bool(second.files)) == (True, False)


async def test_sending_a_video_as_a_file_twice_costs_one_upload(house: House) -> None:
    for _ in range(2):
        await house.platform.videos.show_file(str(house.ann.id), house.job())
    first, second = house.fake.calls_of("sendDocument")
    assert (bool(first.files), bool(second.files)) == (True, False)
    assert [each.media and each.media.content for each in house.posts()] == [MP4, MP4]


async def test_the_file_of_a_converted_video_is_its_original(house: House) -> None:
    about = house.job()
    assert about.video is not None
    original = Original(key="originals/a.mkv", size=len(ORIGINAL))
    about = replace(about, video=replace(about.video, converted=original))
    await house.platform.videos.show_file(str(house.ann.id), about)
    await house.platform.videos.show(str(house.ann.id), about)
    file, clip = house.posts()
    assert file.media is not None
    assert (file.media.kind, file.media.content) == ("document", ORIGINAL)
    assert clip.media is not None
    assert (clip.media.kind, clip.media.content) == ("video", MP4)
    assert list(house.rows.handles) == ["originals/a.mkv#file", "videos/a.mp4"]


async def test_a_video_that_does_not_play_everywhere_is_sent_as_a_file(house: House) -> None:
    about = unplayable(house.job())
    await house.send(about)
    await house.platform.videos.show_file(str(house.ann.id), about)
    await house.platform.videos.show(str(house.ann.id), about)
    assert house.fake.calls_of("sendVideo") == []
    assert [bool(each.files) for each in house.fake.calls_of("sendDocument")] == [
        True,
        False,
        False,
    ]


async def test_a_video_that_does_not_play_everywhere_replaces_its_card_as_a_file(
    house: House,
) -> None:
    """If an earlier send has an unknown outcome, the card becomes the result."""
    about = unplayable(await with_card(house))
    await house.send(about, again=True)
    (post,) = house.posts()
    assert post.media is not None
    assert (post.media.kind, post.media.content) == ("document", MP4)
    assert list(house.rows.handles) == ["videos/a.mp4#file"]


def unplayable(job: Job) -> Job:
    assert job.video is not None
    return replace(job, video=replace(job.video, plays=False))


async def test_a_video_and_its_document_have_separate_file_ids(house: House) -> None:
    """Telegram does not accept the file id of a document for a video."""
    await house.send()
    await house.platform.videos.show_file(str(house.ann.id), house.job())
    clip, file = (each.media for each in house.posts())
    assert clip is not None
    assert file is not None
    assert house.rows.handles == {"videos/a.mp4": clip.file.id, "videos/a.mp4#file": file.file.id}


@pytest.mark.parametrize("key", ["videos/a.mp4", "videos/a.mp4#file"])
async def test_a_file_id_that_telegram_forgot_causes_a_new_upload(house: House, key: str) -> None:
    house.rows.handles[key] = house.fake.files.foreign_id()
    videos = house.platform.videos
    show = videos.show_file if key.endswith("file") else videos.show
    await show(str(house.ann.id), house.job())
    (post,) = house.posts()
    assert post.media is not None
    assert post.media.content == MP4


async def test_the_file_id_of_a_shrunk_copy_is_not_kept_for_the_video(house: House) -> None:
    """If it were kept, every later message would show the shrunk copy."""
    await house.send(size=len(MP4) - 1)
    assert house.rows.handles == {}
    await house.platform.videos.show(str(house.ann.id), house.job())
    shown = house.posts()[-1].media
    assert shown is not None
    assert (shown.content, house.rows.handles) == (MP4, {"videos/a.mp4": shown.file.id})


async def test_uploads_beyond_the_limit_are_put_off(house: House) -> None:
    others = [house.fake.person(f"{number}", started=True) for number in range(MOST_AT_ONCE)]
    videos, holds = house.platform.videos, [house.fake.hold("sendDocument") for _ in others]
    tasks = [asyncio.create_task(videos.show_file(str(it.id), house.job())) for it in others]
    for hold in holds:
        await hold.reached()
    for show in (videos.show, videos.show_file):
        with pytest.raises(Temporary) as caught:
            await show(str(house.ann.id), house.job())
        assert (caught.value.unsent, caught.value.retry_after) == (True, 5.0)
    house.platform.line.pace.progress(house.ann.id)  # nothing was sent to the chat itself
    for hold in holds:
        hold.release()
    await asyncio.gather(*tasks)
    house.rows.handles.clear()
    await videos.show_file(str(house.ann.id), house.job())


async def test_a_video_that_telegram_has_already_needs_no_free_upload(house: House) -> None:
    await house.send()
    others = [house.fake.person(f"{number}", started=True) for number in range(MOST_AT_ONCE)]
    videos, holds = house.platform.videos, [house.fake.hold("sendDocument") for _ in others]
    tasks = [asyncio.create_task(videos.show_file(str(it.id), house.job())) for it in others]
    for hold in holds:
        await hold.reached()
    await videos.show(str(house.ann.id), house.job())
    for hold in holds:
        hold.release()
    await asyncio.gather(*tasks)


# --- how long an upload may take ------------------------------------------------------------------


CLOUD = 50
"""Megabytes that Telegram's own server takes."""
MOST = next(it.le for it in Telegram.model_fields["upload_limit_mb"].metadata if hasattr(it, "le"))
"""The largest upload limit that may be configured, in megabytes."""


@pytest.mark.parametrize(("megabytes", "silence"), [(CLOUD, 120), (MOST, 1333)])
def test_the_timeout_of_an_upload_grows_with_its_size_and_stays_below_the_claim(
    tmp_path: Path, megabytes: int, silence: int
) -> None:
    """A local Bot API server answers only after it has passed the file on, at 1.5 megabytes a
    second.
    """
    clip = tmp_path / "video.mp4"
    with clip.open("wb") as file:
        file.truncate(megabytes * 1_000_000)
    times = patience(clip)
    assert int(times.sock_read) == silence
    assert times.sock_read < times.total < SEND_TIME


@pytest.mark.parametrize("way", ["sendVideo", "editMessageMedia", "sendDocument"])
async def test_an_upload_without_an_answer_ends_in_a_timeout(
    house: House, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = await with_card(house)
    monkeypatch.setattr("bot.platforms.telegram.videos.SILENCE", 0.05)
    house.fake.hold(way)
    if way == "sendDocument":
        sending: Coroutine[Any, Any, object] = house.platform.videos.show_file(
            str(house.ann.id), about
        )
    else:
        sending = house.send(about, again=way == "editMessageMedia")
    with pytest.raises(Temporary):
        await asyncio.wait_for(sending, WAIT)
