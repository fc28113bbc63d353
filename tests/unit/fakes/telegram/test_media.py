"""Files on the fake Telegram: uploads, what is kept of them, and downloads."""

import io
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest, TelegramEntityTooLarge
from aiogram.types import BufferedInputFile, FSInputFile, InputMediaVideo
from aiohttp import web
from PIL import Image

from tests.fakes.telegram import MIB, FakeTelegram, Kind, Membership, Person, bad_gateway

from .conftest import Clock

Fields = dict[str, Any]

VIDEO = b"\x00\x00\x00\x18ftypmp42" + b"v" * 5000


def jpeg(edge: int = 320) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (edge, edge // 2), "teal").save(out, "JPEG")
    return out.getvalue()


def part(content: bytes, name: str = "cat.mp4") -> BufferedInputFile:
    return BufferedInputFile(content, name)


async def refused(call: Awaitable[object]) -> str:
    """Return the message of a refusal."""
    with pytest.raises(TelegramBadRequest) as caught:
        await call
    return caught.value.message.removeprefix("Bad Request: ")


@asynccontextmanager
async def site(body: bytes, content_type: str = "video/mp4") -> AsyncIterator[str]:
    """Serve one file over HTTP."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type=content_type)

    app = web.Application()
    app.router.add_get("/cat.mp4", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/cat.mp4"
    await runner.cleanup()


# --- uploads


async def test_a_sent_video_is_kept_with_all_its_fields(
    fake: FakeTelegram, bot: Bot, ann: Person, tmp_path: Path
) -> None:
    (tmp_path / "cat.mp4").write_bytes(VIDEO)
    sent = await bot.send_video(
        ann.id,
        FSInputFile(tmp_path / "cat.mp4"),
        caption="a cat",
        width=640,
        height=360,
        duration=5,
        thumbnail=part(jpeg(), "thumb.jpg"),
        supports_streaming=True,
        has_spoiler=True,
    )
    media = (await fake.next("message")).media
    assert media is not None
    assert (media.kind, media.content, media.file.name) == (Kind.VIDEO, VIDEO, "cat.mp4")
    assert (media.width, media.height, media.duration) == (640, 360, 5)
    assert (media.supports_streaming, media.has_spoiler) == (True, True)
    assert sent.video is not None
    assert sent.video.thumbnail is not None
    assert (sent.video.file_size, sent.video.thumbnail.width) == (len(VIDEO), 320)
    call = fake.calls_of("sendVideo")[0]
    assert sorted((it.filename, it.size) for it in call.files.values()) == [
        ("cat.mp4", len(VIDEO)),
        ("thumb.jpg", len(jpeg())),
    ]
    fake.check()


async def test_a_file_is_sent_again_by_its_file_id(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    first = await bot.send_video(ann.id, part(VIDEO), width=640, height=360, duration=5)
    assert first.video is not None
    again = await bot.send_video(ann.id, first.video.file_id, caption="once more")
    assert again.video == first.video
    assert [it.media.sha256 for it in fake.posts(ann.private) if it.media] == [
        fake.posts(ann.private)[0].media.sha256  # type: ignore[union-attr]
    ] * 2
    words = await refused(bot.send_document(ann.id, first.video.file_id))
    assert words == "can't use file of type Video as Document"
    words = await refused(bot.send_video(ann.id, fake.files.foreign_id()))
    assert words == "wrong file identifier/HTTP URL specified"


async def test_a_file_in_its_own_multipart_field_is_accepted_and_a_missing_one_refused(
    fake: FakeTelegram, ann: Person, http: aiohttp.ClientSession
) -> None:
    form = aiohttp.FormData({"chat_id": str(ann.id)})
    form.add_field("video", VIDEO, filename="cat.mp4")
    address = f"{fake.api_url}/bot{fake.token}/sendvideo"
    async with http.post(address, data=form) as answer:
        assert (await answer.json())["result"]["video"]["file_name"] == "cat.mp4"
    async with http.post(address, data={"chat_id": str(ann.id)}) as answer:
        assert (await answer.json())["description"] == (
            "Bad Request: there is no video in the request"
        )


async def test_a_video_sent_by_address_is_downloaded_by_the_fake(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    async with site(VIDEO) as url:
        await bot.send_video(ann.id, url)
    media = (await fake.next("message")).media
    assert media is not None
    assert media.content == VIDEO
    async with site(b"<html>", "text/html") as url:
        words = await refused(bot.send_video(ann.id, url))
        assert words == "wrong type of the web page content"
    words = await refused(bot.send_video(ann.id, url))
    assert words == "failed to get HTTP URL content"


async def test_a_file_over_the_upload_limit_is_refused(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    fake.desk.upload_limit = 1000
    with pytest.raises(TelegramEntityTooLarge):
        await bot.send_video(ann.id, part(b"v" * 1001))
    await bot.send_document(ann.id, part(b"v" * 1000))
    assert len(fake.posts(ann.private)) == 1


async def test_a_photo_is_recompressed_and_a_broken_one_refused(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    sent = await bot.send_photo(ann.id, part(jpeg(2000), "cat.jpg"))
    assert sent.photo is not None
    assert (sent.photo[-1].width, sent.photo[-1].height) == (1280, 640)
    words = await refused(bot.send_photo(ann.id, part(b"no picture", "cat.jpg")))
    assert words == "IMAGE_PROCESS_FAILED"


async def test_a_caption_over_1024_characters_is_refused(bot: Bot, ann: Person) -> None:
    await bot.send_video(ann.id, part(VIDEO), caption="x" * 1024)
    words = await refused(bot.send_video(ann.id, part(VIDEO), caption="x" * 1025))
    assert words == "message caption is too long"


async def test_a_group_can_forbid_videos_and_still_take_documents(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    group = fake.group("Club", ann)
    group.denied.add("videos")
    words = await refused(bot.send_video(group.id, part(VIDEO)))
    assert words == "not enough rights to send videos to the chat"
    await bot.send_document(group.id, part(VIDEO))
    group.members[fake.bot] = Membership.ADMINISTRATOR
    await bot.send_video(group.id, part(VIDEO))


async def test_a_bad_thumbnail_is_left_out_and_noticed(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    sent = await bot.send_video(ann.id, part(VIDEO), thumbnail=part(jpeg(400), "t.jpg"))
    assert sent.video is not None
    assert sent.video.thumbnail is None
    with pytest.raises(AssertionError, match="a thumbnail that is no JPEG within 320 px"):
        fake.check()


async def test_an_upload_of_several_megabytes_arrives_whole(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    content = VIDEO + bytes(3 * MIB)
    await bot.send_video(ann.id, part(content))
    media = (await fake.next("message")).media
    assert media is not None
    assert media.content == content


# ---- quirks


async def test_a_silent_video_may_come_back_as_an_animation(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    fake.quirks.silent_videos_are_animations = True
    sent = await bot.send_video(ann.id, part(VIDEO))
    assert sent.video is None
    assert sent.animation is not None
    assert sent.document is not None


async def test_a_message_id_may_be_zero(fake: FakeTelegram, bot: Bot, ann: Person) -> None:
    fake.quirks.zero_ids = 1
    assert (await bot.send_message(ann.id, "one")).message_id == 0
    assert (await bot.send_message(ann.id, "two")).message_id > 0
    assert [it.text for it in fake.posts(ann.private)] == ["one", "two"]


# ---- edits


async def test_an_edit_turns_a_text_message_into_a_video(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    card = await bot.send_message(ann.id, "working")
    here: Fields = {"chat_id": ann.id, "message_id": card.message_id}
    media = InputMediaVideo(media=part(VIDEO), caption="a cat", width=640, height=360, duration=5)
    edited = await bot.edit_message_media(media, **here)
    assert not isinstance(edited, bool)
    assert edited.video is not None
    shown = await fake.next("edit")
    assert shown.media is not None
    assert (shown.text, shown.media.content, shown.media.width) == ("a cat", VIDEO, 640)
    same = InputMediaVideo(media=edited.video.file_id, caption="a cat")
    words = await refused(bot.edit_message_media(same, **here))
    assert words.startswith("message is not modified")
    assert await refused(bot.edit_message_text("x", **here)) == (
        "there is no text in the message to edit"
    )
    await bot.edit_message_caption(**here, caption="two cats")
    assert (await fake.next("edit")).text == "two cats"


async def test_editing_the_caption_of_a_text_message_is_refused(bot: Bot, ann: Person) -> None:
    card = await bot.send_message(ann.id, "working")
    words = await refused(
        bot.edit_message_caption(chat_id=ann.id, message_id=card.message_id, caption="x")
    )
    assert words == "there is no caption in the message to edit"


# --- downloads


async def test_a_picture_is_downloaded_by_its_file_id(
    fake: FakeTelegram, bot: Bot, ann: Person, clock: Clock, http: aiohttp.ClientSession
) -> None:
    await ann.sends_document(b"picture", "cat.png")
    update = (await bot.get_updates())[0].message
    assert update is not None
    assert update.document is not None
    file = await bot.get_file(update.document.file_id)
    assert file.file_path is not None
    stored = await bot.download_file(file.file_path)
    assert stored is not None
    assert stored.read() == b"picture"
    address = f"{fake.api_url}/file/bot{fake.token}/{file.file_path}"
    clock.now += 3601
    async with http.get(address) as answer:
        assert answer.status == 404
    assert [it.status for it in fake.downloads] == [200, 404]
    async with http.get(address.replace(fake.token, "1:x")) as answer:
        assert answer.status == 401


async def test_a_scripted_download_can_fail(
    fake: FakeTelegram, bot: Bot, ann: Person, http: aiohttp.ClientSession
) -> None:
    media = (await ann.sends_document(b"picture", "cat.png")).media
    assert media is not None
    path = (await bot.get_file(media.file.id)).file_path
    fake.faults.add("file", bad_gateway())
    for status in (502, 200):
        async with http.get(f"{fake.api_url}/file/bot{fake.token}/{path}") as answer:
            assert answer.status == status


async def test_a_file_over_20_mb_or_a_lost_one_has_no_download_link(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    large = (await ann.sends_document(b"picture", "cat.png", size=20 * MIB + 1)).media
    lost = (await ann.sends_photo(jpeg())).media
    assert large is not None
    assert lost is not None
    lost.file.is_lost = True
    assert await refused(bot.get_file(large.file.id)) == "file is too big"
    words = await refused(bot.get_file(lost.file.id))
    assert words == "wrong file_id or the file is temporarily unavailable"
    assert await refused(bot.get_file(fake.files.foreign_id())) == "invalid file_id"
