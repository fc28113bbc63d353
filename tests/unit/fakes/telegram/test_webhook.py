"""The fake Telegram's webhook: what is posted, and what happens when a post is refused."""

from collections.abc import AsyncIterator

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import Update
from aiohttp import web

from tests.fakes.telegram import FakeTelegram, Person
from tests.fakes.telegram.webhook import SECRET_HEADER


class Hook:
    """A server that takes updates, or answers with the status that the test sets."""

    def __init__(self) -> None:
        self.url = ""
        self.status = 200
        self.received: list[tuple[str | None, Update]] = []

    async def answer(self, request: web.Request) -> web.Response:
        update = Update.model_validate(await request.json())
        self.received.append((request.headers.get(SECRET_HEADER), update))
        return web.Response(status=self.status)


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    hook = Hook()
    app = web.Application()
    app.router.add_post("/hook", hook.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hook.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield hook
    await runner.cleanup()


async def test_updates_are_posted_to_the_webhook_with_its_secret(
    fake: FakeTelegram, bot: Bot, ann: Person, hook: Hook
) -> None:
    await ann.says("one")
    await bot.set_webhook(hook.url, secret_token="s3cret")
    await ann.says("two")
    for _ in range(2):
        assert (await fake.next("delivery")).is_taken
    assert [secret for secret, _ in hook.received] == ["s3cret", "s3cret"]
    assert [it.message.text for _, it in hook.received if it.message] == ["one", "two"]
    assert fake.updates.pending == []


async def test_an_update_that_the_webhook_refuses_is_posted_again(
    fake: FakeTelegram, bot: Bot, ann: Person, hook: Hook
) -> None:
    hook.status = 500
    await bot.set_webhook(hook.url)
    await ann.says("one")
    assert (await fake.next("delivery")).status == 500
    info = await bot.get_webhook_info()
    assert (info.url, info.pending_update_count) == (hook.url, 1)
    assert info.last_error_message == "Wrong response from the webhook: 500 Internal Server Error"
    hook.status = 204
    fake.webhook.retry()
    assert (await fake.next("delivery")).is_taken
    assert len({update.update_id for _, update in hook.received}) == 1
    fake.updates.redeliver(fake.updates.all[0])
    assert (await fake.next("delivery")).is_taken
    assert len(hook.received) == 3


async def test_an_update_stays_pending_if_nobody_answers_at_the_webhook(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    await bot.set_webhook("http://127.0.0.1:9/hook")
    await ann.says("one")
    assert (await fake.next("delivery")).status == 0
    await bot.delete_webhook()
    assert len(await bot.get_updates()) == 1
    await bot.delete_webhook(drop_pending_updates=True)
    assert await bot.get_updates() == []


@pytest.mark.parametrize(
    ("url", "secret", "words"),
    [
        ("http://example.com/", "", "bad webhook: An HTTPS URL must be provided for webhook"),
        ("https://example.com:99/", "", "can be set up only on ports 80, 88, 443 or 8443"),
        ("https://example.com/", "é", "secret token contains unallowed characters"),
        ("https://example.com/", "x" * 257, "secret token is too long"),
    ],
)
async def test_an_invalid_webhook_address_is_refused(
    bot: Bot, url: str, secret: str, words: str
) -> None:
    with pytest.raises(TelegramBadRequest, match=words):
        await bot.set_webhook(url, secret_token=secret)
