"""Pictures and sounds that people upload to the room."""

import asyncio
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bot.core.orders import SOUND_BYTES
from bot.platforms.playground import files
from bot.platforms.playground.routes import AT_ONCE
from tests.e2e.world import png
from tests.unit.media.heif import heic
from tests.unit.platforms.playground.conftest import Hall, open_hall
from tests.unit.platforms.playground.requests import status


async def upload(
    hall: Hall, data: bytes, name: str = "sea.png", *, kind: str = "pictures"
) -> tuple[int, Any]:
    async with hall.session.post(
        f"{hall.url}{kind}?name={name}", data=BytesIO(data), headers={"Origin": hall.origin}
    ) as answer:
        return answer.status, await answer.json()


async def test_an_uploaded_picture_is_served_unchanged_with_its_media_type(hall: Hall) -> None:
    code, taken = await upload(hall, png(size=(40, 30)))
    assert code == 200
    async with hall.session.get(f"{hall.url}files/{taken['name']}") as answer:
        assert (await answer.read(), answer.content_type) == (png(size=(40, 30)), "image/png")
        assert "sandbox" in answer.headers["Content-Security-Policy"]
    known = hall.platform.files.taken(taken["name"])
    assert known is not None
    assert (known.filename, known.width, known.height) == ("sea.png", 40, 30)


def _saved(kind: str, **options: Any) -> bytes:
    body = BytesIO()
    Image.new("RGB", (40, 30), "teal").save(body, kind, **options)
    return body.getvalue()


TEXTS = PngInfo()
TEXTS.add_text("x", "y" * 3_000_000, zip=True)


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (_saved("AVIF"), "image/avif"),
        (_saved("MPO", save_all=True), "image/jpeg"),
        (_saved("PNG", pnginfo=TEXTS), "image/png"),
    ],
)
async def test_an_uploaded_picture_gets_its_media_type_from_its_content(
    hall: Hall, content: bytes, shown: str
) -> None:
    _, taken = await upload(hall, content, "sea.jpg")
    async with hall.session.get(f"{hall.url}files/{taken['name']}") as answer:
        assert (await answer.read(), answer.content_type) == (content, shown)


async def test_a_picture_that_browsers_cannot_show_is_served_as_a_jpeg(hall: Hall) -> None:
    content = heic(Image.new("RGB", (64, 64), "teal"))
    _, taken = await upload(hall, content, "sea.heic")
    async with hall.session.get(f"{hall.url}files/{taken['name']}") as answer:
        assert answer.content_type == "image/jpeg"
        with Image.open(BytesIO(await answer.read())) as shown:
            assert (shown.format, shown.size) == ("JPEG", (64, 64))
    given = hall.platform.files.path(taken["name"])
    assert given is not None
    assert given.read_bytes() == content


async def test_an_uploaded_picture_that_cannot_be_decoded_is_served_unchanged(hall: Hall) -> None:
    content = heic(Image.new("RGB", (64, 64), "teal"))[:-20]
    _, taken = await upload(hall, content, "sea.heic")
    async with hall.session.get(f"{hall.url}files/{taken['name']}") as answer:
        assert (await answer.read(), answer.content_type) == (content, "image/heic")


async def test_a_damaged_upload_is_called_a_damaged_picture(hall: Hall) -> None:
    code, notice = await upload(hall, _saved("JPEG")[:50])
    assert (code, notice["text"]) == (
        415,
        ["That picture is damaged. Please save it again, or send another one."],
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        *(
            (each, "That file is not a picture")
            for each in (b"", b"GIF", b"<script>", b"\x00" * 99)
        ),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "I can't read "),
    ],
)
async def test_an_upload_that_is_no_picture_is_refused_and_not_kept(
    hall: Hall, content: bytes, told: str
) -> None:
    code, notice = await upload(hall, content)
    assert code == 415
    assert told in notice["text"][0]
    assert list((hall.platform.folder / "files").iterdir()) == []


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (b"ID3 la", "audio/mpeg"),
        (b"\xff\xfb la", "audio/mpeg"),
        (b"OggS la", "audio/ogg"),
        (b"RIFF    WAVE", "audio/wav"),
        (b"    ftypM4A ", "audio/mp4"),
        (b"fLaC la", "audio/flac"),
        (b"ID3\4\0\0\0\0\0\0\xff\xf1la", "audio/aac"),
        (b"\x1a\x45\xdf\xa3 la", "audio/webm"),
        (b"#!AMR\n la", "audio/basic"),
    ],
)
async def test_an_uploaded_sound_gets_its_media_type_from_its_content(
    hall: Hall, content: bytes, shown: str
) -> None:
    _, taken = await upload(hall, content, "song.mp3", kind="sounds")
    async with hall.session.get(f"{hall.url}files/{taken['name']}") as answer:
        assert (await answer.read(), answer.content_type) == (content, shown)


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"<html>", 415, "I see no sound there that I can use."),
        (b"OggS" + bytes(SOUND_BYTES), 413, "That sound is 15.0 MB; the most I take is 15 MB."),
    ],
)
async def test_an_upload_that_is_no_sound_is_refused_and_not_kept(
    hall: Hall, content: bytes, code: int, said: str
) -> None:
    answered, notice = await upload(hall, content, kind="sounds")
    assert (answered, notice["text"][0].startswith(said)) == (code, True), notice
    assert list((hall.platform.folder / "files").iterdir()) == []


@pytest.mark.parametrize("size", [(8100, 8100), (12_000, 12_000), (30_000, 30_000)])
async def test_an_upload_with_too_many_pixels_is_refused_with_the_limit(
    hall: Hall, size: tuple[int, int], recwarn: pytest.WarningsRecorder
) -> None:
    code, notice = await upload(hall, _huge(size))
    millions = size[0] * size[1] / 1e6
    too_many = f"That picture has {millions:.0f} megapixels; I take up to 65."
    said = f"{too_many} Please make it smaller first."
    assert (code, notice["text"]) == (415, [said])
    assert list((hall.platform.folder / "files").iterdir()) == []
    assert [each.category.__name__ for each in recwarn if "Bomb" in each.category.__name__] == []


def _huge(size: tuple[int, int]) -> bytes:
    """Return a small picture whose header claims another size."""
    small = png()
    header = b"IHDR" + size[0].to_bytes(4) + size[1].to_bytes(4) + small[24:29]
    return small[:12] + header + zlib.crc32(header).to_bytes(4) + small[33:]


async def test_uploads_that_were_never_sent_are_removed_to_make_room(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A holder of the room's key must not be able to fill the disk. Files of messages stay."""
    monkeypatch.setattr(files, "MOST_UNSENT", 2 * len(png()))
    taken = [(await upload(hall, png()))[1]["name"]]
    async with hall.page() as page:
        await page.tell(do="say", text="", pictures=[taken[0]])
    taken += [(await upload(hall, png()))[1]["name"] for _ in range(3)]
    there = {each.name for each in (hall.platform.folder / "files").iterdir()}
    assert there == {taken[0], *taken[2:]}


async def test_a_page_has_only_a_few_requests_handled_at_once(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    going, most, on = 0, 0, asyncio.Event()

    async def hear(*_: object) -> dict[str, object]:
        nonlocal going, most
        going += 1
        most = max(most, going)
        await on.wait()
        going -= 1
        return {}

    monkeypatch.setattr(hall.commands, "hear", hear)
    async with hall.page() as page:
        for number in range(9):
            wish = {"nonce": f"nonce-{number:05}", "person": "ann", "do": "ask", "command": "help"}
            await page.socket.send_json(wish)
        while most < AT_ONCE:
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        on.set()
        heard = [(await page.socket.receive_json(timeout=10))["type"] for _ in range(9)]
    assert (most, heard) == (AT_ONCE, ["heard"] * 9)


@pytest.mark.parametrize(
    ("wanted", "given"),
    [("en-GB", "en-GB"), ("en", "en"), ("de-DE", "en"), ("", "en"), ("en-<b>", "en"), ("EN", "en")],
)
async def test_texts_and_times_are_sent_in_the_language_that_the_page_gets(
    hall: Hall, wanted: str, given: str
) -> None:
    address = f"{hall.url}socket?{urlencode({'locale': wanted})}"
    async with hall.session.ws_connect(address, headers={"Origin": hall.origin}) as socket:
        assert (await socket.receive_json())["locale"] == given


async def test_an_upload_of_more_than_8_mb_is_refused_while_it_arrives(hall: Hall) -> None:
    code, notice = await upload(hall, png() + b"0" * 8_000_000)
    assert code == 413
    assert "the most I take is 8 MB" in notice["text"][0]
    assert list((hall.platform.folder / "files").iterdir()) == []


@pytest.mark.parametrize("name", ["key", "..%2fkey", "..%2fhistory.jsonl", "0" * 32 + ".png"])
async def test_a_path_that_is_no_uploaded_file_answers_404(hall: Hall, name: str) -> None:
    assert await status(hall, f"files/{name}") == 404


async def test_uploads_that_were_never_sent_are_removed_at_the_next_start(tmp_path: Path) -> None:
    async with open_hall(tmp_path) as hall, hall.page() as page:
        _, sent = await upload(hall, png())
        await upload(hall, png())
        await page.tell(do="say", text="", pictures=[sent["name"]])
    async with open_hall(tmp_path) as hall:
        kept = [each.name for each in (tmp_path / "playground" / "files").iterdir()]
        assert kept == [sent["name"]]
