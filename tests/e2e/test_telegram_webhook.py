"""Telegram calls our webhook: only Telegram is accepted, and gets 200 only after the commit."""

import asyncio
from typing import Any

import aiohttp
import pytest

from bot.core.errors import Broken
from tests.e2e.telegram import Hall
from tests.e2e.world import WAIT
from tests.fakes.telegram import unauthorized


def called(port: int) -> dict[str, Any]:
    """Return the settings under which the fake Telegram can reach our webhook."""
    return {
        "TELEGRAM__WEBHOOK": "true",
        "WEB__PORT": str(port),
        "WEB__PUBLIC_URL": f"http://127.0.0.1:{port}",
    }


@pytest.mark.proof
async def test_an_update_that_telegram_sends_to_the_webhook_becomes_a_video(
    hall: Hall, unused_tcp_port: int
) -> None:
    async with hall.app(None, **called(unused_tcp_port)):
        await hall.telegram.next("setWebhook", timeout=WAIT)
        await hall.ann.says("/video a cat")
        await hall.video()
    assert hall.telegram.updates.polls == []
    assert hall.simulator.charges == 1


@pytest.mark.proof
async def test_an_order_is_not_lost_when_the_bot_changes_from_webhook_to_polling(
    hall: Hall, unused_tcp_port: int
) -> None:
    async with hall.app(None, **called(unused_tcp_port)):
        await hall.telegram.next("setWebhook", timeout=WAIT)
    await hall.ann.says("/video a cat")
    async with hall.app():
        await hall.video()
    assert hall.simulator.charges == 1


@pytest.mark.parametrize("secret", [None, "", "guessed", "ключ"])
async def test_a_webhook_request_without_the_right_secret_is_refused(
    hall: Hall, unused_tcp_port: int, secret: str | None
) -> None:
    headers = {} if secret is None else {"X-Telegram-Bot-Api-Secret-Token": secret}
    told = {"update_id": 10**9, "message": {"text": "/video a cat"}}
    async with hall.app(None, **called(unused_tcp_port)) as address:
        await hall.telegram.next("setWebhook", timeout=WAIT)
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{address}/telegram", json=told, headers=headers) as answer,
        ):
            assert answer.status == 403
    assert hall.simulator.charges == 0


@pytest.mark.proof
async def test_a_revoked_telegram_token_stops_only_telegram(
    hall: Hall, unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.platforms.telegram.webhook.CHECK_EVERY", 0.1)
    async with (
        hall.app(None, **called(unused_tcp_port)) as address,
        aiohttp.ClientSession() as session,
        asyncio.timeout(WAIT),
    ):
        await hall.telegram.next("getWebhookInfo", timeout=WAIT)
        hall.telegram.faults.add("*", unauthorized(), times=None)
        said = "ok\n"
        while said == "ok\n":
            async with session.get(f"{address}/readyz") as response:
                said = await response.text()
        assert said == "telegram: not connected\n"


async def test_a_webhook_address_that_telegram_refuses_ends_the_start(
    hall: Hall, unused_tcp_port: int
) -> None:
    where = called(unused_tcp_port) | {"WEB__PUBLIC_URL": "http://videos.example"}

    async def serve() -> None:
        async with hall.app(None, **where):
            await asyncio.Event().wait()

    with pytest.raises(Broken, match="telegram_webhook_refused"):
        await asyncio.wait_for(serve(), WAIT)
