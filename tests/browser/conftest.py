"""Fixtures of browser tests: one server and one window for each test, in one shared browser.

Without a browser the tests are skipped with a reason. A new window shares no cookies, storage or
cache with another window, and starting a browser takes longer than most tests. The browser outlives
a test and needs an event loop that does too, so all fixtures here use the session's event loop.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from tests.browser.chromium import WAIT, Watch, launch
from tests.e2e.house import House

NewPage = Callable[..., Awaitable[Page]]

expect.set_options(timeout=WAIT)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(loop_scope="session")
async def house(tmp_path: Path, renderer: Renderer) -> AsyncIterator[House]:
    """Yield the service with the room.

    Its simulated gateway takes a fifth of a second for a video.
    """
    simulator = Simulator(render_time=0.2, renderer=renderer)
    async with simulator.serve() as url:
        yield House(simulator=simulator, gateway_url=url, folder=tmp_path)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Yield a headless Chromium for the whole session."""
    async with async_playwright() as playwright:
        try:
            browser = await launch(playwright)
        except Exception as error:
            if "NEED_BROWSER" in os.environ:
                raise
            pytest.skip(f"NO BROWSER, SO NOTHING IS KNOWN OF THE PAGES: {error}")
        yield browser
        await browser.close()


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser, watch: Watch) -> AsyncIterator[NewPage]:
    """Yield a function that opens a page in a new window.

    A complaint or a foreign request of a page fails the test.
    """

    async def open_(address: str, **options: Any) -> Page:
        context = await browser.new_context(locale="en-GB", **options)
        await windows.enter_async_context(context)
        context.set_default_timeout(WAIT)
        page = await context.new_page()
        watch.over(page, "/".join(address.split("/")[:3]) + "/")
        await page.goto(address)
        return page

    async with AsyncExitStack() as windows:
        yield open_
        assert watch.complaints == []
        assert watch.foreign == []


@pytest.fixture
def visit(open_page: NewPage) -> NewPage:
    """Return a function that opens the room's page and waits until it is ready."""

    async def open_(address: str, **options: Any) -> Page:
        page = await open_page(address, **options)
        await page.locator("body.ready").wait_for()
        return page

    return open_


@pytest_asyncio.fixture(loop_scope="session")
async def address(house: House) -> AsyncIterator[str]:
    async with house.open() as address:
        yield address
