"""Admission, what the page is given, and what is turned away."""

import asyncio
import re
import zlib
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from aiohttp import web
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bot.core.catalog import Catalog
from bot.core.commands import COMMANDS, Who
from bot.core.orders import SOUND_BYTES
from bot.core.wishes import ON_OFF, OPTIONS, QUALITIES, SWITCHES
from bot.platforms.playground import files
from bot.platforms.playground.doors import AT_ONCE, POLICY, Doors
from bot.web.server import serve
from tests.e2e.world import png
from tests.unit.core.orders import CATALOG, SINGING, SORA, WAN_TEXT
from tests.unit.media.heif import heic
from tests.unit.platforms.playground.conftest import Hall, open_hall, running, words

PAGE = Path(__file__).parents[4] / "bot" / "platforms" / "playground" / "page"
SCRIPTS = sorted(each.name for each in PAGE.glob("*.js"))


async def status(hall: Hall, path: str, method: str = "GET", **options: Any) -> int:
    async with hall.session.request(method, f"{hall.url}{path}", **options) as answer:
        await answer.read()
        return answer.status


async def knock(hall: Hall, headers: dict[str, str]) -> int:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await hall.session.ws_connect(f"{hall.url}socket", headers=headers)
    return caught.value.status


# --- the guard -----------------------------------------------------------------------------------


async def test_without_the_key_there_is_nothing(hall: Hall) -> None:
    for path in ("/", "/room/", "/room/wrong/", "/room/wrong/page/room.js"):
        async with hall.session.get(hall.origin + path) as answer:
            assert answer.status == 404


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "[", ""]
)
async def test_a_strangers_name_for_this_machine_opens_nothing(hall: Hall, host: str) -> None:
    """DNS rebinding: the browser sits here, the page that asks does not."""
    assert await status(hall, "", headers={"Host": host}) in (400, 403)


@pytest.mark.parametrize(
    ("peer", "answer"),
    [("127.0.0.1", 200), ("::1", 200), ("192.168.1.7", 403), ("203.0.113.9", 403), ("", 403)],
)
async def test_only_who_sits_at_this_machine_comes_in(hall: Hall, peer: str, answer: int) -> None:
    """The name they use for it does not count: a stranger can say any."""
    async with serve(
        [_from(peer, each) for each in hall.doors.routes], host="127.0.0.1", port=0
    ) as origin:
        come = replace(hall, origin=origin)
        assert await status(come, "") == answer
        if answer == 403:
            assert await status(come, "page/room.js") == 403
            assert await status(come, "pictures", "POST", headers={"Origin": origin}) == 403
            assert await knock(come, {"Origin": origin}) == 403


def _from(peer: str, route: web.AbstractRouteDef) -> web.AbstractRouteDef:
    """The same door, at which everybody arrives from there."""
    assert isinstance(route, web.RouteDef)

    async def handler(request: web.Request) -> web.StreamResponse:
        arrived = request.clone(remote=peer)
        answer: web.StreamResponse = await route.handler(arrived)
        return answer

    return web.RouteDef(route.method, route.path, handler, route.kwargs)


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
async def test_whoever_comes_through_a_proxy_sits_elsewhere(hall: Hall, header: str) -> None:
    assert await status(hall, "", headers={header: "for=203.0.113.9"}) == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1", None])
async def test_only_our_own_page_opens_the_socket_and_sends_pictures(
    hall: Hall, origin: str | None
) -> None:
    headers = {"Origin": origin} if origin else {}
    assert await knock(hall, headers) == 403
    assert await status(hall, "pictures", "POST", data=png(), headers=headers) == 403


async def test_the_address_stays_the_same(tmp_path: Path) -> None:
    paths = []
    for _ in range(2):
        async with open_hall(tmp_path) as hall:
            paths.append(hall.doors.path)
    assert paths[0] == paths[1]
    assert re.fullmatch(r"/room/[\w-]{22}/", paths[0])
    assert (tmp_path / "playground" / "key").stat().st_mode & 0o777 == 0o600


async def test_two_rooms_have_two_addresses(tmp_path: Path) -> None:
    paths = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        async with open_hall(tmp_path / name) as hall:
            paths.add(hall.doors.path)
    assert len(paths) == 2


# --- the page ------------------------------------------------------------------------------------


async def test_the_page_may_run_and_load_nothing_but_its_own(hall: Hall) -> None:
    async with hall.session.get(hall.url) as answer:
        page = await answer.text()
        assert answer.headers["Content-Security-Policy"] == POLICY
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "unsafe" not in POLICY
    assert not re.search(r"\son\w+=|style=|<style|<script(?![^>]*src=)|https?://", page)


@pytest.mark.parametrize("file", sorted(each.name for each in PAGE.iterdir()))
async def test_each_part_of_the_page_is_served(hall: Hall, file: str) -> None:
    assert file == "index.html" or await status(hall, f"page/{file}") == 200


@pytest.mark.parametrize("file", ["nothing.js", "..%2f__init__.py", "%2e%2e/client.py"])
async def test_nothing_else_is(hall: Hall, file: str) -> None:
    assert await status(hall, f"page/{file}") == 404


@pytest.mark.parametrize(
    ("catalog", "attach", "any_sound"),
    [
        (CATALOG, "Attach a picture", False),
        (SINGING, "Attach a picture, or a sound to it", True),
    ],
)
async def test_a_page_takes_sounds_where_a_model_does(
    tmp_path: Path, catalog: Catalog, attach: str, any_sound: bool
) -> None:
    async with open_hall(tmp_path, catalog=catalog) as hall, hall.page() as page:
        welcome = page.welcome
    assert welcome["words"]["attach"] == attach
    assert bool(welcome["sounds"]["types"]) is any_sound


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_script_never_makes_markup_of_text(name: str) -> None:
    script = (PAGE / name).read_text("utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", script)


# --- pictures and videos -------------------------------------------------------------------------


async def upload(
    hall: Hall, data: bytes, name: str = "sea.png", *, kind: str = "pictures"
) -> tuple[int, Any]:
    async with hall.session.post(
        f"{hall.url}{kind}?name={name}", data=BytesIO(data), headers={"Origin": hall.origin}
    ) as answer:
        return answer.status, await answer.json()


async def test_a_picture_is_taken_and_shown_as_what_it_is(hall: Hall) -> None:
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
async def test_a_picture_is_taken_as_what_it_is(hall: Hall, content: bytes, shown: str) -> None:
    _, taken = await upload(hall, content, "sea.jpg")
    async with hall.session.get(f"{hall.url}files/{taken['name']}") as answer:
        assert (await answer.read(), answer.content_type) == (content, shown)


async def test_a_picture_that_browsers_do_not_show_is_handed_to_them_as_one_that_they_do(
    hall: Hall,
) -> None:
    content = heic(Image.new("RGB", (64, 64), "teal"))
    _, taken = await upload(hall, content, "sea.heic")
    async with hall.session.get(f"{hall.url}files/{taken['name']}") as answer:
        assert answer.content_type == "image/jpeg"
        with Image.open(BytesIO(await answer.read())) as shown:
            assert (shown.format, shown.size) == ("JPEG", (64, 64))
    given = hall.platform.files.path(taken["name"])
    assert given is not None
    assert given.read_bytes() == content


async def test_one_that_cannot_be_decoded_is_handed_out_as_it_is(hall: Hall) -> None:
    content = heic(Image.new("RGB", (64, 64), "teal"))[:-20]
    _, taken = await upload(hall, content, "sea.heic")
    async with hall.session.get(f"{hall.url}files/{taken['name']}") as answer:
        assert (await answer.read(), answer.content_type) == (content, "image/heic")


async def test_a_damaged_picture_is_told_from_what_is_none(hall: Hall) -> None:
    code, notice = await upload(hall, _saved("JPEG")[:50])
    assert (code, notice["text"]) == (
        415,
        ["That picture is damaged. Save it anew, or send another one."],
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        *((each, "no picture") for each in (b"", b"GIF", b"<script>", b"\x00" * 99)),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "I can't read "),
    ],
)
async def test_what_is_no_picture_is_not_kept(hall: Hall, content: bytes, told: str) -> None:
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
async def test_a_sound_is_taken_and_played_as_what_it_is(
    hall: Hall, content: bytes, shown: str
) -> None:
    _, taken = await upload(hall, content, "song.mp3", kind="sounds")
    async with hall.session.get(f"{hall.url}files/{taken['name']}") as answer:
        assert (await answer.read(), answer.content_type) == (content, shown)


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"<html>", 415, "I see no sound there that I can use."),
        (b"OggS" + bytes(SOUND_BYTES), 413, "That sound has 15.0 MB; up to 15 work."),
    ],
)
async def test_what_is_no_sound_is_not_kept(
    hall: Hall, content: bytes, code: int, said: str
) -> None:
    answered, notice = await upload(hall, content, kind="sounds")
    assert (answered, notice["text"][0].startswith(said)) == (code, True), notice
    assert list((hall.platform.folder / "files").iterdir()) == []


@pytest.mark.parametrize("size", [(8100, 8100), (12_000, 12_000), (30_000, 30_000)])
async def test_too_many_pixels_are_told_as_such(
    hall: Hall, size: tuple[int, int], recwarn: pytest.WarningsRecorder
) -> None:
    code, notice = await upload(hall, _huge(size))
    millions = size[0] * size[1] / 1e6
    said = f"That picture has {millions:.0f} megapixels; I take up to 65. Make it smaller first."
    assert (code, notice["text"]) == (415, [said])
    assert list((hall.platform.folder / "files").iterdir()) == []
    assert [each.category.__name__ for each in recwarn if "Bomb" in each.category.__name__] == []


def _huge(size: tuple[int, int]) -> bytes:
    """A small picture whose header says otherwise."""
    small = png()
    header = b"IHDR" + size[0].to_bytes(4) + size[1].to_bytes(4) + small[24:29]
    return small[:12] + header + zlib.crc32(header).to_bytes(4) + small[33:]


async def test_what_was_never_sent_makes_room_for_what_comes(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A holder of the key can't fill the disk; what was sent stays."""
    monkeypatch.setattr(files, "MOST_UNSENT", 2 * len(png()))
    taken = [(await upload(hall, png()))[1]["name"]]
    async with hall.page() as page:
        await page.tell(do="say", text="", pictures=[taken[0]])
    taken += [(await upload(hall, png()))[1]["name"] for _ in range(3)]
    there = {each.name for each in (hall.platform.folder / "files").iterdir()}
    assert there == {taken[0], *taken[2:]}


async def test_a_page_has_few_wishes_done_at_once(
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
async def test_words_and_times_are_told_in_one_language(
    hall: Hall, wanted: str, given: str
) -> None:
    address = f"{hall.url}socket?{urlencode({'locale': wanted})}"
    async with hall.session.ws_connect(address, headers={"Origin": hall.origin}) as socket:
        assert (await socket.receive_json())["locale"] == given


async def test_more_than_8_mb_are_turned_away_as_they_come(hall: Hall) -> None:
    code, notice = await upload(hall, png() + b"0" * 8_000_000)
    assert code == 413
    assert "I take up to 8" in notice["text"][0]
    assert list((hall.platform.folder / "files").iterdir()) == []


@pytest.mark.parametrize("name", ["key", "..%2fkey", "..%2fhistory.jsonl", "0" * 32 + ".png"])
async def test_nothing_but_our_files_is_served(hall: Hall, name: str) -> None:
    assert await status(hall, f"files/{name}") == 404


async def test_what_was_never_sent_is_swept_away_at_the_next_start(tmp_path: Path) -> None:
    async with open_hall(tmp_path) as hall, hall.page() as page:
        _, sent = await upload(hall, png())
        await upload(hall, png())
        await page.tell(do="say", text="", pictures=[sent["name"]])
    async with open_hall(tmp_path) as hall:
        kept = [each.name for each in (tmp_path / "playground" / "files").iterdir()]
        assert kept == [sent["name"]]


# --- the socket ----------------------------------------------------------------------------------


async def test_a_page_is_given_all_it_needs(hall: Hall) -> None:
    async with hall.page() as page:
        welcome = page.welcome
    assert welcome["messages"] == []
    assert [each["name"] for each in welcome["commands"]] == [
        each.name for each in COMMANDS.values() if each.who is Who.EVERYBODY
    ]
    assert [(each["id"], each["moderates"]) for each in welcome["people"]] == [
        ("ann", True),
        ("bob", False),
    ]
    assert all(welcome["words"].values())
    assert welcome["words"]["too_large"] == "That picture is too large: 8 MB is the most."
    assert welcome["pictures"]["most_bytes"] == 8_000_000
    assert {"image/png", "image/heic"} < set(welcome["pictures"]["types"])
    assert {".png", ".heic"} < set(welcome["pictures"]["suffixes"])
    assert welcome["aspects"] == ["16:9", "9:16", "1:1", "4:3", "3:4", "3:2", "2:3", "21:9"]
    assert welcome["qualities"] == list(QUALITIES)
    assert welcome["bot"] == "zoetrope"


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_script_repeats_nothing_that_the_room_tells_it(name: str) -> None:
    script = (PAGE / name).read_text("utf-8")
    assert not re.search(r"zoetrope|\b8_?000|16:9|720p|image/", script)


async def test_every_word_that_the_page_asks_for_is_there(hall: Hall) -> None:
    scripts = [(PAGE / name).read_text("utf-8") for name in SCRIPTS]
    page = (PAGE / "index.html").read_text("utf-8")
    asked = set(re.findall(r"\bwords\.([a-z_]+)", "".join(scripts)))
    asked |= set(re.findall(r'say\("([a-z_]+)"', "".join(scripts)))
    asked |= set(re.findall(r'data-(?:word|label|title)="([a-z_]+)"', page))
    async with hall.page() as open_page:
        given = set(open_page.welcome["words"])
    assert asked - given == set()
    composed = {name for name in given if name.startswith(("any_", "say_", "try_"))}
    positions = {f"{switch}_{each}" for switch in SWITCHES for each in ON_OFF.values()}
    options = set(OPTIONS)
    assert given - asked - composed - options - positions == set(), "words that nobody reads"


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "{}",
        '{"do": "say", "nonce": "short", "person": "ann"}',
        '{"do": "ask", "nonce": "12345678", "person": "eve", "command": "help"}',
        '{"do": "press", "nonce": "12345678", "person": "ann", "action": "fly", "about": "1"}',
        '{"do": "say", "nonce": "12345678", "person": "ann", "admin": true}',
    ],
)
async def test_nonsense_closes_the_socket(hall: Hall, text: str) -> None:
    async with hall.page() as page:
        await page.socket.send_str(text)
        closing = await page.socket.receive(timeout=10)
        assert (closing.type, closing.data) == (aiohttp.WSMsgType.CLOSE, 1008)


@pytest.mark.parametrize(
    ("text", "nonce"),
    [
        ('{"nonce":"the-nonce","person":"ann","do":"say","text":"\\ud800"}', "the-nonce"),
        (
            '{"do": "fly", "text": "\\"nonce\\": \\"no-nonce-1\\"", "nonce": "the-nonce"}',
            "the-nonce",
        ),
        ('{"nonce": "' + "n" * 41 + '"}', ""),
        ("nonsense", ""),
    ],
)
async def test_what_closed_the_socket_is_named_by_its_nonce(
    hall: Hall, text: str, nonce: str
) -> None:
    async with hall.page() as page:
        await page.socket.send_str(text)
        closing = await page.socket.receive(timeout=10)
        assert (closing.data, closing.extra) == (1008, nonce)


async def test_a_room_that_closes_says_come_back_later(hall: Hall) -> None:
    doors = Doors(hall.platform, hall.commands, clock=hall.clock)
    async with serve(doors.routes, host="127.0.0.1", port=0) as origin:
        late = replace(hall, doors=doors, origin=origin)
        assert await knock(late, {"Origin": origin}) == 503
        async with running(doors):
            socket = await hall.session.ws_connect(f"{late.url}socket", headers={"Origin": origin})
            await socket.receive_json()
            receiving = asyncio.create_task(socket.receive(timeout=10))
        closing = await receiving
        assert (closing.type, closing.data) == (aiohttp.WSMsgType.CLOSE, 1012)
        assert await knock(late, {"Origin": origin}) == 503


async def test_what_is_said_in_one_window_is_seen_in_the_other(hall: Hall) -> None:
    async with hall.page() as one, hall.page() as other:
        await one.tell(do="say", text="hello")
        seen = await other.socket.receive_json(timeout=10)
        assert (seen["type"], seen["message"]["text"]) == ("post", "hello")
        refused = await one.tell(do="say", text=" ")
        assert "Tell me" in words(refused)


# --- what choices come to -------------------------------------------------------------------------


async def quoted(hall: Hall, **draft: object) -> tuple[int, str]:
    async with hall.session.post(
        f"{hall.url}quote", json={"person": "ann", **draft}, headers={"Origin": hall.origin}
    ) as answer:
        return answer.status, (await answer.json())["text"] if answer.ok else ""


async def test_choices_are_told_with_their_limit_and_their_price_before_anything_is_sent(
    tmp_path: Path,
) -> None:
    """In the words of the card; where nothing can be had, in none, and it costs nothing to ask."""
    model = replace(WAN_TEXT, auto=True, prices={"720p": 200_000}, sizes={"720p": {"16:9": "x"}})
    async with open_hall(tmp_path, catalog=Catalog(models=(model, SORA))) as hall:
        said = [
            await quoted(hall),
            await quoted(hall, wish={"seconds": "auto"}),
            await quoted(hall, wish={"model": "sora"}, pictures=1),
            await quoted(hall, wish={"model": "wan"}, pictures=1),
            await quoted(hall, wish={"colour": "red"}),
        ]
    assert said == [
        (200, "Wan · 5 s · 16:9 · 720p · Costs 1.00 USD"),
        (200, "Wan · up to 10 s · 16:9 · 720p · Costs up to 2.00 USD"),
        (200, "Sora · 4 s · 16:9 · 720p"),
        (200, ""),
        (400, ""),
    ]


async def test_no_other_page_learns_what_choices_come_to(hall: Hall) -> None:
    address = f"{hall.url}quote"
    async with hall.session.post(address, json={}, headers={"Origin": "http://evil"}) as answer:
        assert answer.status == 403
