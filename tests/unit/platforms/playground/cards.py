"""Cards of the room as tests read them."""

from typing import Any

from tests.unit.platforms.playground.conftest import Hall, Page


async def card_of(hall: Hall, page: Page, text: str = "a cat", **wish: Any) -> dict[str, Any]:
    """Place an order on the page, and return its card."""
    await page.say(text, **wish)
    (card,) = [m["message"] for m in page.seen if "look" in m["message"]][-1:]
    return dict(card)
