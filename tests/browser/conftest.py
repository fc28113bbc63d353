"""A browser, a house and a page for each test; without a browser a loud skip."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from tests.browser.chromium import WAIT, Watch, launch
from tests.e2e.house import House

NewPage = Callable[..., Awaitable[Page]]

expect.set_options(timeout=WAIT)


@pytest.fixture
async def house(tmp_path: Path, renderer: Renderer) -> AsyncIterator[House]:
    """Its gateway takes a fifth of a second for a video."""
    simulator = Simulator(render_time=0.2, renderer=renderer)
    async with simulator.serve() as url:
        yield House(simulator=simulator, gateway_url=url, folder=tmp_path)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Chromium, headless."""
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


@pytest.fixture
async def open_page(browser: Browser, watch: Watch) -> AsyncIterator[NewPage]:
    """Opens a window of its own. No page ever complains or asks anywhere else."""

    async def open_(address: str, **options: Any) -> Page:
        context = await browser.new_context(locale="en-GB", **options)
        context.set_default_timeout(WAIT)
        page = await context.new_page()
        watch.over(page, "/".join(address.split("/")[:3]) + "/")
        await page.goto(address)
        return page

    yield open_
    assert watch.complaints == []
    assert watch.foreign == []


@pytest.fixture
def visit(open_page: NewPage) -> NewPage:
    """Opens the room and waits until it stands."""

    async def open_(address: str, **options: Any) -> Page:
        page = await open_page(address, **options)
        await page.locator("body.ready").wait_for()
        return page

    return open_
