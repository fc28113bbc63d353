"""Admission to the room, and the page that it serves."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from bot.core.catalog import Catalog
from bot.platforms.playground.routes import POLICY
from bot.web.server import serve
from tests.e2e.world import png
from tests.unit.core.orders import CATALOG, SINGING
from tests.unit.platforms.playground.conftest import Hall, open_hall
from tests.unit.platforms.playground.requests import PAGE, SCRIPTS, knock, status

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
        [_from(peer, each) for each in hall.room_routes.routes], host="127.0.0.1", port=0
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
            paths.append(hall.room_routes.path)
    assert paths[0] == paths[1]
    assert re.fullmatch(r"/room/[\w-]{22}/", paths[0])
    assert (tmp_path / "playground" / "key").stat().st_mode & 0o777 == 0o600


async def test_two_rooms_have_two_addresses(tmp_path: Path) -> None:
    paths = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        async with open_hall(tmp_path / name) as hall:
            paths.add(hall.room_routes.path)
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
