"""Whether Telegram still calls us: the real aiogram against the fake Bot API, on its own clock."""

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
    """The rows stored; once `full`, no update is."""

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
    """A webhook that stands, and what was said of it: whether calls come, and the log."""

    fake: FakeTelegram
    rows: Rows
    clock: FakeClock
    bot: Bot
    address: str
    ann: Person
    heard: list[bool]
    watch: asyncio.Task[None]

    async def check(self) -> list[tuple[str, object]]:
        """Let it look once; the events logged, with the one value that matters."""
        with capture_logs() as logs:
            await self.clock.advance(CHECK_EVERY)
            await self.clock.asleep()
        value = ("elsewhere", "why", "code")
        return [
            (it["event"], next((it[name] for name in value if name in it), None)) for it in logs
        ]

    async def fails(self) -> None:
        """A call comes in vain."""
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


async def test_while_calls_come_it_says_so_and_nothing_else(house: House) -> None:
    await house.ann.says("/video a cat")
    assert (await house.fake.next("delivery")).is_taken
    assert await house.check() == []
    assert house.heard == [True, True]
    assert len(house.rows.updates) == 1


@pytest.mark.parametrize("elsewhere", ["", "https://elsewhere.example/telegram"])
async def test_a_webhook_that_was_taken_is_set_again(house: House, elsewhere: str) -> None:
    await house.bot.set_webhook(elsewhere)
    assert await house.check() == [("telegram.webhook_lost", bool(elsewhere))]
    assert house.heard == [True, False, False]
    assert house.fake.webhook.url == house.address
    await house.check()
    assert house.heard[-1], "it stays where it was put"
    first, *_, last = house.fake.calls_of("setWebhook")
    assert last.fields == first.fields, "the secret and the kinds of updates included"
    assert last.fields["secret_token"] == house.rows.facts[SECRET]


async def test_calls_that_do_not_reach_us_are_told_of_without_our_address(house: House) -> None:
    await house.fails()
    why = "Wrong response from the webhook: 500 Internal Server Error"
    assert await house.check() == [("telegram.not_called", why)]
    assert house.heard == [True, False]


async def test_the_words_for_a_failure_hold_no_address(house: House) -> None:
    await house.fails()
    house.fake.webhook.last_error = "Failed to resolve host: zoe.example 10.0.0.1 http://a/b"
    assert await house.check() == [("telegram.not_called", "Failed to resolve host:")]


async def test_a_failure_that_was_made_good_is_no_news(house: House) -> None:
    await house.fails()
    house.rows.full = False
    house.fake.webhook.retry()
    assert (await house.fake.next("delivery")).is_taken
    assert await house.check() == []
    assert house.heard == [True, True]


async def test_a_failure_is_told_of_once(house: House) -> None:
    await house.fails()
    await house.check()
    await house.fake.webhook.stop()  # what waits is on its way, and has not failed again
    assert len(house.fake.updates.pending) == 1
    assert await house.check() == []
    assert house.heard == [True, False, True]


async def test_out_of_reach_it_goes_on_and_looks_again(house: House) -> None:
    house.fake.faults.add("getWebhookInfo", internal())
    assert await house.check() == [("telegram.webhook_unknown", "telegram_unreachable")]
    await house.check()
    assert house.heard == [True, False, True]


async def test_an_address_that_is_refused_for_once_is_offered_again(house: House) -> None:
    """Telegram also refuses where it could not look up our name just now."""
    await house.bot.delete_webhook()
    house.fake.faults.add("setWebhook", bad_request("bad webhook: Failed to resolve host"))
    for _ in range(3):
        await house.check()
    assert house.heard == [True, False, False, False, False, True]


async def test_a_token_that_was_withdrawn_ends_it(house: House) -> None:
    house.fake.faults.add("getWebhookInfo", unauthorized())
    await house.clock.advance(CHECK_EVERY)
    async with asyncio.timeout(WAIT):
        with pytest.raises(Broken, match="telegram_token_bad"):
            await house.watch


async def test_out_of_reach_for_several_looks_is_one_line_and_again_one_the_next_time(
    house: House,
) -> None:
    unknown = [("telegram.webhook_unknown", "telegram_unreachable")]
    house.fake.faults.add("getWebhookInfo", internal(), times=2)
    assert [await house.check() for _ in range(3)] == [unknown, [], []]
    assert house.heard[-3:] == [False, False, True]
    house.fake.faults.add("getWebhookInfo", internal())
    assert await house.check() == unknown
