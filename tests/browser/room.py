"""The room's page as tests use it in a browser."""

from playwright.async_api import FilePayload, Page, expect

from bot.simulator.faults import Fault
from tests.e2e.house import House
from tests.e2e.world import png

PICTURE = FilePayload(name="sea.png", mimeType="image/png", buffer=png("teal"))


async def say(page: Page, text: str) -> None:
    await page.locator("#words").fill(text)
    await page.keyboard.press("Enter")


async def become(page: Page, name: str) -> None:
    await page.get_by_role("radio", name=name).check()


def stuck(house: House) -> None:
    """The gateway is too busy to take anything: what is asked for stays in the queue."""
    house.simulator.faults.add(Fault("create", "answer", 429, "later", retry_after=600), times=9)


async def queued(page: Page) -> None:
    """The gateway has said that it is busy, so nothing is on its way to it."""
    await expect(page.locator(".card").last).to_contain_text("not answering right now")
