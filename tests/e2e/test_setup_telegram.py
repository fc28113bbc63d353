"""`zoetrope init` and `doctor` for Telegram, its own traps included."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from bot.cli.doctor import findings
from bot.cli.doctor.findings import Finding, Mark
from bot.config import load
from bot.platforms.telegram.portal import open_portal
from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from tests.e2e.telegram import Hall
from tests.e2e.terminal import Terminal, terminal
from tests.e2e.test_cli import zoetrope
from tests.e2e.world import WAIT
from tests.fakes.telegram import FakeTelegram

DISCORD, TELEGRAM = "Bot token (hidden):", "BotFather's token (hidden):"
ADDRESS = "Address of the gateway"
WRONG = "123456789:AAEaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"


@pytest.fixture
async def hall(tmp_path: Path, renderer: Renderer) -> AsyncIterator[Hall]:
    """Nothing that is asked here may write to anybody, or cost anything."""
    simulator = Simulator(render_time=0.2, renderer=renderer)
    async with FakeTelegram() as telegram, simulator.serve() as url:
        yield Hall(telegram=telegram, simulator=simulator, gateway_url=url, folder=tmp_path)
        assert simulator.charges == 0


def init(hall: Hall, *flags: str) -> AbstractAsyncContextManager[Terminal]:
    where = {"ZOETROPE_TELEGRAM__API_URL": hall.telegram.api_url}
    return terminal("init", *flags, folder=hall.folder, **where)


async def look(hall: Hall, **changes: str) -> list[Finding]:
    config = load(None, environment=hall.environment(**changes))
    return [finding async for finding in findings(config)]


def sentences(found: list[Finding], mark: Mark) -> str:
    return "\n".join(finding.sentence for finding in found if finding.mark is mark)


# --- init -----------------------------------------------------------------------------------------


async def test_enter_at_discord_goes_on_with_telegram_alone(hall: Hall) -> None:
    async with init(hall) as person:
        await person.answers(DISCORD, "")
        shown = await person.answers(TELEGRAM, hall.telegram.token)
        assert "send /newbot" in shown
        shown = await person.sees(ADDRESS)
        assert "Write to Zoetrope at https://t.me/zoetrope_bot" in shown
        assert hall.telegram.token not in person.screen
    assert hall.telegram.token in (hall.folder / "secrets.env").read_text("utf-8")
    assert hall.telegram.token not in (hall.folder / "config.toml").read_text("utf-8")


async def test_a_bad_token_is_asked_for_again(hall: Hall) -> None:
    async with init(hall, "--telegram") as person:
        await person.answers(TELEGRAM, "zoetrope_bot")
        await person.sees("is no token of BotFather's")
        await person.answers(TELEGRAM, WRONG)
        await person.sees("Telegram does not accept the token")
        await person.answers(TELEGRAM, hall.telegram.token)
        shown = await person.sees(ADDRESS)
        assert DISCORD not in shown


async def test_each_network_knows_the_others_token(hall: Hall) -> None:
    async with init(hall) as person:
        await person.answers(DISCORD, hall.telegram.token)
        await person.sees("is a token of BotFather's, for Telegram")


async def test_three_variables_are_enough_without_discord(hall: Hall) -> None:
    variables = hall.environment()
    code, said = await zoetrope("init", "--yes", folder=hall.folder, **variables)
    assert code == 0, said
    assert "Telegram takes the token." in said


async def test_run_tells_where_the_bot_is(hall: Hall) -> None:
    async with terminal("run", folder=hall.folder, **hall.environment()) as person:
        await person.sees("On Telegram it is Zoetrope: https://t.me/zoetrope_bot\n")
    hall.telegram.updates.end_poll()


# --- doctor ---------------------------------------------------------------------------------------


async def test_in_a_sound_world_nothing_is_broken(hall: Hall) -> None:
    found = await look(hall)
    assert sentences(found, Mark.PROBLEM) == ""
    said = sentences(found, Mark.OK)
    assert "the bot is called Zoetrope: https://t.me/zoetrope_bot" in said
    assert "Privacy mode is on" in said
    assert "Nobody else asks Telegram" in said


async def test_a_bad_token(hall: Hall) -> None:
    said = sentences(await look(hall, TELEGRAM__TOKEN=WRONG), Mark.PROBLEM)
    assert "Telegram does not accept the token. Send /mybots to @BotFather" in said


async def test_telegram_out_of_reach(hall: Hall) -> None:
    said = sentences(await look(hall, TELEGRAM__API_URL="http://127.0.0.1:9"), Mark.PROBLEM)
    assert "Telegram can't be reached." in said


async def test_privacy_mode_switched_off(hall: Hall) -> None:
    hall.telegram.world.privacy.is_on = False
    assert "Privacy mode is off" in sentences(await look(hall), Mark.OK)


async def test_a_webhook_left_set(hall: Hall) -> None:
    called = {"TELEGRAM__WEBHOOK": "true", "WEB__PUBLIC_URL": "http://127.0.0.1:1"}
    async with hall.app(None, **called):
        await hall.telegram.next("setWebhook", timeout=WAIT)
    assert "A webhook is set at Telegram" in sentences(await look(hall), Mark.NOTE)


async def test_a_webhook_that_leads_nowhere(hall: Hall) -> None:
    said = sentences(await look(hall, TELEGRAM__WEBHOOK="true"), Mark.PROBLEM)
    assert "telegram.webhook needs web.public_url" in said


async def test_another_program_that_asks(hall: Hall) -> None:
    async def other() -> None:
        while True:
            async with open_portal(hall.telegram.token, api_url=hall.telegram.api_url) as portal:
                try:
                    await portal._ask("getUpdates", timeout=50)
                except Exception:  # noqa: BLE001 - like a bot that does not give up
                    continue

    asking = asyncio.create_task(other())
    try:
        await hall.telegram.next("poll", timeout=WAIT)
        said = sentences(await look(hall), Mark.PROBLEM)
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    assert "Another program is asking Telegram for this bot's updates" in said


async def test_our_own_service_is_not_taken_for_another(hall: Hall) -> None:
    async with hall.app():
        said = sentences(await look(hall), Mark.PROBLEM)
    assert "Another program" not in said
