"""Requests to the room's server."""

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.unit.platforms.playground.conftest import Hall

PAGE = Path(__file__).parents[4] / "bot" / "platforms" / "playground" / "page"
SCRIPTS = sorted(each.name for each in PAGE.glob("*.js"))


async def status(hall: Hall, path: str, method: str = "GET", **options: Any) -> int:
    """Return the status of a request below the room's address."""
    async with hall.session.request(method, f"{hall.url}{path}", **options) as answer:
        await answer.read()
        return answer.status


async def knock(hall: Hall, headers: dict[str, str]) -> int:
    """Return the status with which the room refuses a websocket."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await hall.session.ws_connect(f"{hall.url}socket", headers=headers)
    return caught.value.status
