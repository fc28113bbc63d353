"""Helpers for tests of the room's page in a browser."""

from playwright.async_api import FilePayload, Page, expect

from bot.simulator.faults import Fault
from tests.e2e.house import House
from tests.e2e.world import png

PICTURE = FilePayload(name="sea.png", mimeType="image/png", buffer=png("teal"))


async def say(page: Page, text: str) -> None:
    """Type into the composer and press Enter."""
    await page.locator("#words").fill(text)
    await page.keyboard.press("Enter")


async def become(page: Page, name: str) -> None:
    """Choose the person who acts on the page."""
    await page.get_by_role("radio", name=name).check()


def stuck(house: House) -> None:
    """Make the gateway answer 429 to every order, so that jobs stay in the queue."""
    house.simulator.faults.add(Fault("create", "answer", 429, "later", retry_after=600), times=9)


async def queued(page: Page) -> None:
    """Wait until the last card says that the gateway is busy, so that no order is on its way to the
    gateway.
    """
    await expect(page.locator(".card").last).to_contain_text("not answering right now")
