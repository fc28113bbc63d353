"""Polling Telegram fails in every way: it is retried in time, and stored updates are handled
meanwhile.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.core.errors import Broken
from bot.core.supervision import LEAST, MOST, MOST_ASKED
from bot.platforms.telegram.listener import Listener
from bot.store.proposals import Proposals
from bot.store.settings import StoredValues as Facts
from tests.fakes.telegram import (
    Fault,
    bad_gateway,
    conflict,
    error,
    garbled,
    internal,
    reset,
    unauthorized,
)
from tests.unit.platforms.telegram.conftest import Lobby

WAIT = 10.0


def listener_of(lobby: Lobby) -> Listener:
    return Listener(
        lobby.platform,
        entry=lobby.entry,
        proposals=Proposals(lobby.database),
        updates=lobby.updates,
        facts=Facts(lobby.database),
        clock=lobby.clock,
        currency="USD",
        webhook=None,
    )


@asynccontextmanager
async def listening(lobby: Lobby) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(listener_of(lobby).run())
    try:
        yield task
    finally:
        task.cancel()
        lobby.fake.updates.end_poll()
        await asyncio.gather(task, return_exceptions=True)


async def until(holds: Callable[[], bool], lobby: Lobby) -> None:
    """Run the event loop and the clock until the condition holds."""
    async with asyncio.timeout(WAIT):
        while not holds():
            await lobby.clock.advance(LEAST)


async def heard(lobby: Lobby) -> None:
    """Place an order, and wait until it is taken."""
    before = len(await lobby.jobs())
    await lobby.ann.says("/video a cat")
    async with asyncio.timeout(WAIT):
        while len(await lobby.jobs()) == before:
            await lobby.clock.advance(LEAST)


def is_up(lobby: Lobby) -> Callable[[], bool]:
    return lambda: lobby.platform.supervisor.is_up


def lines_of(lines: list[Any], event: str) -> list[str]:
    return [line["why"] for line in lines if line["event"] == event]


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (reset(), "telegram_unreachable"),
        (internal(), "telegram_unreachable"),
        (bad_gateway(), "telegram_unreadable"),
        (garbled(), "telegram_unreadable"),
        (garbled(b"null"), "telegram_unreadable"),
        (garbled(b'{"ok": true, "result": {}}'), "telegram_unreadable"),
        (garbled(b'{"ok": true, "result": [{"no": "number"}]}'), "telegram_unreadable"),
        (conflict(), "telegram_another_listens"),
        (error(429, "Too Many Requests"), "telegram_busy"),
    ],
)
async def test_a_failing_get_updates_is_retried_and_logged_once(
    lobby: Lobby, fault: Fault, why: str
) -> None:
    lobby.fake.faults.add("getUpdates", fault, times=3)
    with capture_logs() as lines:
        async with listening(lobby) as task:
            await until(is_up(lobby), lobby)
            await heard(lobby)
            assert not task.done()
    assert lines_of(lines, "telegram.disconnected") == [why]
    assert [line["event"] for line in lines].count("telegram.recovered") == 1
    assert not any("exc_info" in line for line in lines)
    assert lobby.fake.token not in str(lines)


@pytest.mark.parametrize("method", ["getMe", "setMyCommands", "deleteWebhook"])
async def test_an_unreachable_telegram_at_the_start_is_waited_for(
    lobby: Lobby, method: str
) -> None:
    lobby.fake.faults.add(method, reset(), times=3)
    async with listening(lobby):
        await until(is_up(lobby), lobby)
        await heard(lobby)


@pytest.mark.parametrize(
    "body",
    [
        b'{"ok": true, "result": []}',
        b'{"ok": true, "result": {}}',
        b'{"ok": true, "result": null}',
        b'{"ok": true}',
        b'{"ok": false}',
        b"[]",
        b"null",
        b"<html>Log in to the hotel</html>",
        b"\xff\xfe",
        b"",
    ],
)
async def test_a_senseless_answer_of_telegram_is_called_unreadable_and_the_call_retried(
    lobby: Lobby, body: bytes
) -> None:
    lobby.fake.faults.add("getMe", garbled(body), times=3)
    with capture_logs() as lines:
        async with listening(lobby):
            await until(is_up(lobby), lobby)
    assert lines_of(lines, "telegram.disconnected") == ["telegram_unreadable"]


async def test_the_telegram_listener_is_up_before_the_first_message(lobby: Lobby) -> None:
    async with listening(lobby):
        await until(is_up(lobby), lobby)
        await lobby.fake.next("poll", where=lambda it: it.timeout > 0, timeout=WAIT)


@pytest.mark.proof
async def test_after_an_outage_of_telegram_polling_resumes_within_half_a_minute(
    lobby: Lobby,
) -> None:
    async with listening(lobby):
        await until(is_up(lobby), lobby)
        lobby.fake.faults.add("getUpdates", reset(), times=None)
        lobby.fake.updates.end_poll()
        began = lobby.clock.now()
        await until(lambda: lobby.clock.now() - began > 900, lobby)
        assert not await lobby.platform.is_connected()
        lobby.fake.faults.clear()
        back = lobby.clock.now()
        async with asyncio.timeout(WAIT):
            while not lobby.platform.supervisor.is_up:
                # A retry is waiting, besides the task that waits for rows; no request is in
                # progress.
                if lobby.clock.sleepers > 1:
                    await lobby.clock.advance(LEAST)
                await asyncio.sleep(0)
        assert lobby.clock.now() - back <= MOST + LEAST
        assert await lobby.platform.is_connected()


async def test_stored_updates_are_handled_while_telegram_cannot_be_polled(lobby: Lobby) -> None:
    async with listening(lobby):
        await until(is_up(lobby), lobby)
        hold = lobby.fake.faults.hold_before("sendMessage")
        await lobby.ann.says("/help")
        await hold.reached()
        lobby.fake.faults.add("getUpdates", reset(), times=None)
        lobby.fake.updates.end_poll()
        await until(lambda: not lobby.platform.supervisor.is_up, lobby)
        hold.release()
        await lobby.fake.next("message", timeout=WAIT)


async def test_a_webhook_set_by_somebody_else_is_removed(lobby: Lobby) -> None:
    async with listening(lobby):
        await until(is_up(lobby), lobby)
        lobby.fake.updates.webhook_url = "https://elsewhere.example"
        lobby.fake.updates.end_poll()
        await until(lambda: not lobby.fake.updates.webhook_url, lobby)
        await heard(lobby)


async def test_a_telegram_token_refused_at_the_start_ends_the_service(lobby: Lobby) -> None:
    lobby.fake.faults.add("getMe", reset())
    lobby.fake.faults.add("getMe", unauthorized())
    async with listening(lobby) as task:
        await until(task.done, lobby)
        with pytest.raises(ExceptionGroup) as caught:
            await task
    assert caught.group_contains(Broken, match="telegram_token_bad")


async def test_a_telegram_token_refused_later_ends_nothing_and_is_logged_once_an_hour(
    lobby: Lobby,
) -> None:
    with capture_logs() as lines:
        async with listening(lobby) as task:
            await until(is_up(lobby), lobby)
            lobby.fake.faults.add("getUpdates", unauthorized(), times=3)
            lobby.fake.updates.end_poll()
            began = lobby.clock.now()
            await until(lambda: not lobby.platform.supervisor.is_up, lobby)
            await until(is_up(lobby), lobby)
            assert lobby.clock.now() - began >= 2 * MOST_ASKED
            assert not task.done()
    assert lines_of(lines, "telegram.refused") == ["telegram_token_bad"]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("callback_query", "text"),
        ("callback_query", {"from": ["x"]}),
        ("message", {"chat": 7, "from": [], "media_group_id": {}}),
        ("message", None),
        ("message", []),
    ],
)
async def test_a_malformed_update_does_not_stop_the_next_update(
    lobby: Lobby, kind: str, body: Any
) -> None:
    async with listening(lobby):
        await until(is_up(lobby), lobby)
        lobby.fake.updates._put(kind, body, None)
        await heard(lobby)
        assert await lobby.platform.is_connected()
