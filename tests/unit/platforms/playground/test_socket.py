"""The socket of the room's page."""

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from bot.core.catalog import Catalog
from bot.core.commands import COMMANDS, Who
from bot.core.wishes import ON_OFF, OPTIONS, QUALITIES, SWITCHES
from bot.platforms.playground.routes import RoomRoutes
from bot.web.server import serve
from tests.unit.core.orders import SORA, USING, WAN_TEXT
from tests.unit.platforms.playground.conftest import Hall, open_hall, running, words
from tests.unit.platforms.playground.requests import PAGE, SCRIPTS, knock

# --- the socket ----------------------------------------------------------------------------------


async def test_the_page_is_welcomed_with_all_that_it_needs(hall: Hall) -> None:
    async with hall.page() as page:
        welcome = page.welcome
    assert welcome["messages"] == []
    assert [each["name"] for each in welcome["commands"]] == [
        each.name for each in COMMANDS.values() if each.who is Who.EVERYBODY and each.use is None
    ]
    assert [(each["id"], each["moderates"]) for each in welcome["people"]] == [
        ("ann", True),
        ("bob", False),
    ]
    assert all(welcome["words"].values())
    assert welcome["words"]["too_large"] == (
        "That picture is too large; the most is 8 MB. Please send a smaller one."
    )
    assert welcome["pictures"]["most_bytes"] == 8_000_000
    assert {"image/png", "image/heic"} < set(welcome["pictures"]["types"])
    assert {".png", ".heic"} < set(welcome["pictures"]["suffixes"])
    assert welcome["aspects"] == ["16:9", "9:16", "1:1", "4:3", "3:4", "3:2", "2:3", "21:9"]
    assert welcome["qualities"] == list(QUALITIES)
    assert welcome["bot"] == "zoetrope"


async def test_the_room_offers_commands_and_files_that_some_model_can_use(tmp_path: Path) -> None:
    async with open_hall(tmp_path, catalog=USING) as hall, hall.page() as page:
        welcome = page.welcome
    uses = {each["name"]: each["use"] for each in welcome["commands"] if each["use"]}
    assert uses == {"character": "character", "edit": "edit", "extend": "extend"}
    assert (welcome["most_pictures"], welcome["videos"]["most_bytes"]) == (10, 100_000_000)


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_rooms_scripts_contain_no_value_that_the_room_sends(name: str) -> None:
    script = (PAGE / name).read_text("utf-8")
    assert not re.search(r"zoetrope|\b8_?000|16:9|720p|image/", script)


async def test_every_text_that_the_page_uses_is_sent_and_every_text_sent_is_used(
    hall: Hall,
) -> None:
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
async def test_an_unreadable_frame_closes_the_socket(hall: Hall, text: str) -> None:
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
async def test_the_close_frame_names_the_nonce_of_the_unreadable_frame(
    hall: Hall, text: str, nonce: str
) -> None:
    async with hall.page() as page:
        await page.socket.send_str(text)
        closing = await page.socket.receive(timeout=10)
        assert (closing.data, closing.extra) == (1008, nonce)


async def test_a_closing_room_closes_its_sockets_with_1012_and_refuses_new_ones(hall: Hall) -> None:
    room_routes = RoomRoutes(hall.platform, hall.commands, clock=hall.clock)
    async with serve(room_routes.routes, host="127.0.0.1", port=0) as origin:
        late = replace(hall, room_routes=room_routes, origin=origin)
        assert await knock(late, {"Origin": origin}) == 503
        async with running(room_routes):
            socket = await hall.session.ws_connect(f"{late.url}socket", headers={"Origin": origin})
            await socket.receive_json()
            receiving = asyncio.create_task(socket.receive(timeout=10))
        closing = await receiving
        assert (closing.type, closing.data) == (aiohttp.WSMsgType.CLOSE, 1012)
        assert await knock(late, {"Origin": origin}) == 503


async def test_a_message_sent_in_one_window_is_shown_in_the_other(hall: Hall) -> None:
    async with hall.page() as one, hall.page() as other:
        await one.tell(do="say", text="hello")
        seen = await other.socket.receive_json(timeout=10)
        assert (seen["type"], seen["message"]["text"]) == ("post", "hello")
        refused = await one.tell(do="say", text=" ")
        assert "Please tell me" in words(refused)


# --- quotes for chosen options --------------------------------------------------------------------


async def quoted(hall: Hall, **draft: object) -> tuple[int, str]:
    """Ask for a quote, and return its status and its text."""
    async with hall.session.post(
        f"{hall.url}quote", json={"person": "ann", **draft}, headers={"Origin": hall.origin}
    ) as answer:
        return answer.status, (await answer.json())["text"] if answer.ok else ""


async def test_a_quote_tells_model_limit_and_price_before_an_order_is_sent(tmp_path: Path) -> None:
    """The quote uses the words of the card.

    It is empty if no model fits, and asking costs nothing.
    """
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


async def test_a_foreign_page_gets_no_quote(hall: Hall) -> None:
    address = f"{hall.url}quote"
    async with hall.session.post(address, json={}, headers={"Origin": "http://evil"}) as answer:
        assert answer.status == 403
