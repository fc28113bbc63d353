"""The portals name the obstacle: no answer, or an answer that makes no sense."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.core.errors import Temporary
from bot.platforms.discord import portal as discord
from bot.platforms.telegram import portal as telegram

SENSELESS = ["[]", "{}", "null", "7", '{"ok": true, "result": []}', "<html>hotel</html>", ""]
Answer = Callable[[str, int], None]


@pytest.fixture
async def api() -> AsyncIterator[tuple[str, Answer]]:
    """Yield a server that answers every request in the way that was set last."""
    said: list[tuple[str, int]] = [("", 200)]

    async def handle(_: web.Request) -> web.Response:
        text, status = said[-1]
        return web.Response(text=text, status=status, content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", handle)
    server = TestServer(app)
    await server.start_server()
    yield str(server.make_url("")).rstrip("/"), lambda text, status: said.append((text, status))
    await server.close()


async def code_of(question: Callable[[], Awaitable[object]]) -> str:
    """Return the code of the temporary error that a question raises."""
    with pytest.raises(Temporary) as caught:
        await question()
    return caught.value.code


@pytest.mark.parametrize("body", SENSELESS)
async def test_a_senseless_answer_to_a_portal_is_called_unreadable(
    api: tuple[str, Answer], body: str
) -> None:
    url, answer = api
    answer(body, 200)
    async with telegram.open_portal("7:x", api_url=url) as ours:
        assert await code_of(ours.identity) == "telegram_unreadable"
        assert await code_of(ours.webhook) == "telegram_unreadable"
        assert await ours.file_path() is None
    async with discord.open_portal("x", api_url=url) as theirs:
        assert await code_of(theirs.identity) == "discord_unreadable"


@pytest.mark.parametrize("body", ["<html>502</html>", "{}"])
async def test_a_502_answer_to_a_portal_is_called_unreachable(
    api: tuple[str, Answer], body: str
) -> None:
    url, answer = api
    answer(body, 502)
    async with telegram.open_portal("7:x", api_url=url) as ours:
        assert await code_of(ours.identity) == "telegram_unreachable"
    async with discord.open_portal("x", api_url=url) as theirs:
        assert await code_of(theirs.identity) == "discord_unreachable"
