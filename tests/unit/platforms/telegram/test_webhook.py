"""The check whether Telegram still calls our webhook: the real aiogram against the fake Bot API, on
the test's clock.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiohttp import web
from structlog.testing import capture_logs

from bot.core.errors import Broken
from bot.core.updates import Update
from bot.platforms.telegram.inbox import Inbox
from bot.platforms.telegram.webhook import CHECK_EVERY, SECRET, Webhook
from tests.fakes.clock import FakeClock
from tests.fakes.telegram import FakeTelegram, Person, bad_request, internal, unauthorized

WAIT = 10.0


@dataclass
class Rows:
    """The stored rows; while `full`, no update can be stored."""

    facts: dict[str, str] = field(default_factory=dict)
    updates: list[Update] = field(default_factory=list)
    full: bool = False

    async def get(self, key: str) -> str | None:
        return self.facts.get(key)

    async def put(self, what: str | Sequence[Update], value: str = "") -> None:
        if isinstance(what, str):
            self.facts[what] = value
        elif self.full:
            raise OSError("no space left")
        else:
            self.updates += what


@dataclass
class House:
    """A webhook that is set, with a record of whether calls arrive and of the log."""

    fake: FakeTelegram
    rows: Rows
    clock: FakeClock
    bot: Bot
    address: str
    ann: Person
    heard: list[bool]
    watch: asyncio.Task[None]

    async def check(self) -> list[tuple[str, object]]:
        """Let the check run once; return the logged events, each with its most important value."""
        with capture_logs() as logs:
            await self.clock.advance(CHECK_EVERY)
            await self.clock.asleep()
        value = ("elsewhere", "why", "code")
        return [
            (it["event"], next((it[name] for name in value if name in it), None)) for it in logs
        ]

    async def fails(self) -> None:
        """Let one call of the webhook fail."""
        self.rows.full = True
        await self.ann.says("/video a cat")
        assert (await self.fake.next("delivery")).status == 500


@pytest.fixture
async def house(unused_tcp_port: int) -> AsyncIterator[House]:
    clock, rows, heard = FakeClock(), Rows(), list[bool]()
    public = f"http://127.0.0.1:{unused_tcp_port}"
    app = web.Application()
    async with FakeTelegram(clock=clock.now) as fake:
        session = AiohttpSession(api=TelegramAPIServer.from_base(fake.api_url))
        bot = Bot(fake.token, session=session)
        webhook = Webhook(bot, public, facts=rows, clock=clock, hears=heard.append)
        app.add_routes(webhook.routes)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
        inbox = Inbox(
            bot,
            rows,  # type: ignore[arg-type]
            _nobody,
            clock=clock,
            hears=heard.append,
            move=_nowhere,
            excuse=_nobody,
        )
        await webhook.open(inbox)
        watch = asyncio.create_task(webhook.watch())
        ann = fake.person("Ann", started=True)
        yield House(fake, rows, clock, bot, f"{public}/telegram", ann, heard, watch)
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
        await runner.cleanup()
        await session.close()


async def _nowhere(_old: int, _new: int) -> None:
    raise AssertionError("no group moves here")


async def _nobody(_: Update) -> None:
    raise AssertionError("nothing is handled here")


async def test_while_webhook_calls_arrive_the_check_reports_nothing(house: House) -> None:
    await house.ann.says("/video a cat")
    assert (await house.fake.next("delivery")).is_taken
    assert await house.check() == []
    assert house.heard == [True, True]
    assert len(house.rows.updates) == 1


@pytest.mark.parametrize("elsewhere", ["", "https://elsewhere.example/telegram"])
async def test_a_lost_webhook_is_set_again_with_its_secret(house: House, elsewhere: str) -> None:
    await house.bot.set_webhook(elsewhere)
    assert await house.check() == [("telegram.webhook_lost", bool(elsewhere))]
    assert house.heard == [True, False, False]
    assert house.fake.webhook.url == house.address
    await house.check()
    assert house.heard[-1], "it stays where it was put"
    first, *_, last = house.fake.calls_of("setWebhook")
    assert last.fields == first.fields, "the secret and the kinds of updates included"
    assert last.fields["secret_token"] == house.rows.facts[SECRET]


async def test_failed_webhook_calls_are_logged_without_our_address(house: House) -> None:
    await house.fails()
    why = "Wrong response from the webhook: 500 Internal Server Error"
    assert await house.check() == [("telegram.not_called", why)]
    assert house.heard == [True, False]


async def test_the_logged_reason_of_a_webhook_failure_holds_no_address(house: House) -> None:
    await house.fails()
    house.fake.webhook.last_error = "Failed to resolve host: zoe.example 10.0.0.1 http://a/b"
    assert await house.check() == [("telegram.not_called", "Failed to resolve host:")]


async def test_a_webhook_failure_that_was_made_good_is_not_reported(house: House) -> None:
    await house.fails()
    house.rows.full = False
    house.fake.webhook.retry()
    assert (await house.fake.next("delivery")).is_taken
    assert await house.check() == []
    assert house.heard == [True, True]


async def test_a_webhook_failure_is_reported_once(house: House) -> None:
    await house.fails()
    await house.check()
    await house.fake.webhook.stop()  # the update is being delivered, and has not failed again
    assert len(house.fake.updates.pending) == 1
    assert await house.check() == []
    assert house.heard == [True, False, True]


async def test_an_unreachable_telegram_is_logged_and_the_webhook_checked_again(
    house: House,
) -> None:
    house.fake.faults.add("getWebhookInfo", internal())
    assert await house.check() == [("telegram.webhook_unknown", "telegram_unreachable")]
    await house.check()
    assert house.heard == [True, False, True]


async def test_a_webhook_address_refused_for_now_is_offered_again(house: House) -> None:
    """Telegram also refuses an address if it could not resolve our host name at that moment."""
    await house.bot.delete_webhook()
    house.fake.faults.add("setWebhook", bad_request("bad webhook: Failed to resolve host"))
    for _ in range(3):
        await house.check()
    assert house.heard == [True, False, False, False, False, True]


async def test_a_revoked_token_ends_the_watch_of_the_webhook(house: House) -> None:
    house.fake.faults.add("getWebhookInfo", unauthorized())
    await house.clock.advance(CHECK_EVERY)
    async with asyncio.timeout(WAIT):
        with pytest.raises(Broken, match="telegram_token_bad"):
            await house.watch


async def test_several_failed_webhook_checks_in_a_row_are_logged_once(house: House) -> None:
    unknown = [("telegram.webhook_unknown", "telegram_unreachable")]
    house.fake.faults.add("getWebhookInfo", internal(), times=2)
    assert [await house.check() for _ in range(3)] == [unknown, [], []]
    assert house.heard[-3:] == [False, False, True]
    house.fake.faults.add("getWebhookInfo", internal())
    assert await house.check() == unknown
