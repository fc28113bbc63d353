"""`zoetrope init` and `doctor` for Telegram, with its special mistakes."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from bot.cli.doctor import findings
from bot.cli.doctor.findings import Finding, Mark
from bot.cli.doctor.telegram import check as telegrams_look
from bot.config import load
from bot.platforms.telegram.portal import open_portal
from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from tests.e2e.command_line import zoetrope
from tests.e2e.telegram import Hall
from tests.e2e.terminal import Terminal, terminal
from tests.e2e.world import WAIT, png
from tests.fakes.telegram import FakeTelegram, bad_request

DISCORD, TELEGRAM = "Bot token (hidden):", "Token from BotFather (hidden):"
ADDRESS = "Address of the gateway"
WRONG = "123456789:AAEaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"


@pytest.fixture
async def hall(tmp_path: Path, renderer: Renderer) -> AsyncIterator[Hall]:
    """Yield a world, and check afterwards that no message was sent and nothing was paid."""
    simulator = Simulator(render_time=0.2, renderer=renderer)
    async with FakeTelegram() as telegram, simulator.serve() as url:
        yield Hall(telegram=telegram, simulator=simulator, gateway_url=url, folder=tmp_path)
        assert simulator.charges == 0


def init(hall: Hall, *flags: str) -> AbstractAsyncContextManager[Terminal]:
    where = {"ZOETROPE_TELEGRAM__API_URL": hall.telegram.api_url}
    return terminal("init", *flags, folder=hall.folder, **where)


async def check(hall: Hall, **changes: str) -> list[Finding]:
    """Return all findings of doctor, with these changes of the configuration."""
    config = load(None, environment=hall.environment(**changes))
    return [finding async for finding in findings(config)]


def sentences(found: list[Finding], mark: Mark) -> str:
    return "\n".join(finding.sentence for finding in found if finding.mark is mark)


# --- init -----------------------------------------------------------------------------------------


@pytest.mark.proof
async def test_an_empty_answer_for_the_discord_token_sets_up_telegram_alone(hall: Hall) -> None:
    async with init(hall) as person:
        await person.answers(DISCORD, "")
        shown = await person.answers(TELEGRAM, hall.telegram.token)
        assert "send /newbot" in shown
        shown = await person.sees(ADDRESS)
        assert "Write to Zoetrope at https://t.me/zoetrope_bot" in shown
        assert hall.telegram.token not in person.screen
    assert hall.telegram.token in (hall.folder / "secrets.env").read_text("utf-8")
    assert hall.telegram.token not in (hall.folder / "config.toml").read_text("utf-8")


@pytest.mark.proof
async def test_init_asks_again_after_a_bad_telegram_token(hall: Hall) -> None:
    async with init(hall, "--telegram") as person:
        await person.answers(TELEGRAM, "zoetrope_bot")
        await person.sees("is not a token from BotFather")
        await person.answers(TELEGRAM, WRONG)
        await person.sees("Telegram does not accept the token")
        await person.answers(TELEGRAM, hall.telegram.token)
        shown = await person.sees(ADDRESS)
        assert DISCORD not in shown


@pytest.mark.proof
async def test_a_telegram_token_given_for_discord_is_recognized(hall: Hall) -> None:
    async with init(hall) as person:
        await person.answers(DISCORD, hall.telegram.token)
        await person.sees("is a token from BotFather, for Telegram")


@pytest.mark.proof
async def test_init_yes_sets_up_telegram_without_discord(hall: Hall) -> None:
    variables = hall.environment()
    code, said = await zoetrope("init", "--yes", folder=hall.folder, **variables)
    assert code == 0, said
    assert "Telegram accepts the token." in said
    assert "Discord" not in said


@pytest.mark.proof
async def test_run_prints_the_address_of_the_telegram_bot(hall: Hall) -> None:
    async with terminal("run", folder=hall.folder, **hall.environment()) as person:
        await person.sees("On Telegram it is Zoetrope: https://t.me/zoetrope_bot\n")
    hall.telegram.updates.end_poll()


# --- doctor ---------------------------------------------------------------------------------------


@pytest.mark.proof
async def test_doctor_finds_no_problem_in_a_sound_telegram_setup(hall: Hall) -> None:
    found = await check(hall)
    assert sentences(found, Mark.PROBLEM) == ""
    said = sentences(found, Mark.OK)
    assert "The bot is called Zoetrope: https://t.me/zoetrope_bot" in said
    assert "Privacy mode is on" in said
    assert "No other program asks Telegram" in said


async def test_doctor_reports_a_bad_telegram_token(hall: Hall) -> None:
    said = sentences(await check(hall, TELEGRAM__TOKEN=WRONG), Mark.PROBLEM)
    assert "Telegram does not accept the token. Send /mybots to @BotFather" in said


async def test_doctor_reports_that_telegram_cannot_be_reached(hall: Hall) -> None:
    said = sentences(await check(hall, TELEGRAM__API_URL="http://127.0.0.1:9"), Mark.PROBLEM)
    assert "I can't reach Telegram." in said


async def test_doctor_says_that_telegram_privacy_mode_is_off() -> None:
    async with FakeTelegram() as telegram:
        telegram.world.privacy.is_on = False
        assert "ok: Privacy mode is off" in await about(telegram)


async def test_doctor_notes_a_telegram_webhook_left_set() -> None:
    async with standing("https://elsewhere.example/telegram") as telegram:
        assert "note: A webhook is set at Telegram" in await about(telegram)


@pytest.mark.proof
async def test_doctor_reports_a_telegram_webhook_without_a_public_url(hall: Hall) -> None:
    said = sentences(await check(hall, TELEGRAM__WEBHOOK="true"), Mark.PROBLEM)
    assert "telegram.webhook needs web.public_url" in said


@pytest.mark.parametrize(("host", "told"), [("videos", False), ("elsewhere", True)])
async def test_doctor_notes_a_telegram_webhook_that_leads_to_another_address(
    host: str, told: bool
) -> None:
    ours = {"TELEGRAM__WEBHOOK": "true", "WEB__PUBLIC_URL": "https://videos.example"}
    async with standing(f"https://{host}.example/telegram") as telegram:
        said = await about(telegram, **ours)
    assert ("note: Telegram calls another address" in said) is told


async def test_doctor_reports_another_program_that_polls_telegram(hall: Hall) -> None:
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
        said = sentences(await check(hall), Mark.PROBLEM)
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    assert "Another program also asks Telegram for this bot's updates" in said


async def test_doctor_does_not_take_our_own_service_for_another_program_that_polls_telegram(
    hall: Hall,
) -> None:
    async with hall.app():
        said = sentences(await check(hall), Mark.PROBLEM)
    assert "Another program" not in said


# --- a local Bot API server -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("runs", "said", "found"),
    [
        (True, True, "ok: The Bot API server's files can be read here."),
        (True, False, "problem: The server at telegram.api_url runs with --local,"),
        (False, True, "problem: telegram.local is set, but the server"),
    ],
)
async def test_doctor_says_whether_files_of_the_bot_api_server_can_be_read(
    tmp_path: Path, runs: bool, said: bool, found: str
) -> None:
    async with FakeTelegram(local=tmp_path if runs else None) as telegram:
        telegram.give_picture(png())
        assert found in await about(telegram, TELEGRAM__LOCAL=str(said))
        telegram.check()


async def test_doctor_reports_a_bot_api_server_whose_files_are_on_another_disk(
    tmp_path: Path,
) -> None:
    async with FakeTelegram(local=tmp_path) as telegram:
        telegram.give_picture(png())
        told = telegram.hold("getFile")
        looking = asyncio.create_task(about(telegram, TELEGRAM__LOCAL="true"))
        await told.reached()
        shutil.rmtree(tmp_path / telegram.token)
        told.release()
        found = await looking
    assert "problem: The Bot API server keeps its files where I can't read them" in found
    assert not telegram.leaks(found), "the path holds it"


async def test_without_a_profile_picture_doctor_says_that_reading_files_is_untested(
    tmp_path: Path,
) -> None:
    untried = "note: I could not check whether the Bot API server's files can be read"
    async with FakeTelegram(local=tmp_path) as telegram:
        assert untried in await about(telegram, TELEGRAM__LOCAL="true")
        assert "files" not in await about(telegram)
        telegram.faults.add("getUserProfilePhotos", bad_request("user not found"))
        assert untried in await about(telegram, TELEGRAM__LOCAL="true")


@asynccontextmanager
async def standing(webhook: str) -> AsyncIterator[FakeTelegram]:
    """Yield a fake Telegram with a webhook set."""
    async with FakeTelegram() as telegram:
        async with open_portal(telegram.token, api_url=telegram.api_url) as portal:
            await portal._ask("setWebhook", url=webhook)
        yield telegram


async def about(telegram: FakeTelegram, **changes: str) -> str:
    """Return doctor's findings about this Telegram.

    The slow check for another program that polls is left out.
    """
    ours = {
        "DATABASE_URL": "postgresql+asyncpg://nobody@127.0.0.1/none",
        "TELEGRAM__TOKEN": telegram.token,
        "TELEGRAM__API_URL": telegram.api_url,
        "GATEWAYS__MAIN__BASE_URL": "http://127.0.0.1:9",
        "GATEWAYS__MAIN__API_KEY": "sk-sim",
    }
    variables = {f"ZOETROPE_{name}": value for name, value in (ours | changes).items()}
    found = [it async for it in telegrams_look(load(None, environment=variables))]
    return "\n".join(f"{finding.mark}: {finding.sentence}" for finding in found)
