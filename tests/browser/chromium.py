"""A browser for tests, and a record of everything that its pages complain about."""

import shutil
from pathlib import Path

from playwright.async_api import Browser, ConsoleMessage, Page, Playwright, Request

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
WAIT = 20_000.0
"""Milliseconds until a test gives up on a step."""
HIDDEN_BY_A_RESTART = ("WebSocket connection to", "net::ERR_CONNECTION")
"""Parts of console messages about an unreachable server, which are not the page's fault."""


def installed() -> str | None:
    """Return the path of the system's Chromium, or None.

    Used if Playwright has no Chromium of its own.
    """
    return shutil.which("chromium") or shutil.which("chromium-browser")


async def launch(playwright: Playwright) -> Browser:
    """Start Playwright's own Chromium if it is installed, else the system's."""
    if Path(playwright.chromium.executable_path).exists():
        return await playwright.chromium.launch(args=ARGUMENTS)
    return await playwright.chromium.launch(executable_path=installed(), args=ARGUMENTS)


class Watch:
    """The console errors, page errors and foreign requests of watched pages."""

    def __init__(self) -> None:
        self.complaints: list[str] = []
        self.foreign: list[str] = []

    def over(self, page: Page, address: str) -> None:
        """Watch `page` from now on. Requests may go only to `address`."""

        def console(message: ConsoleMessage) -> None:
            away = any(words in message.text for words in HIDDEN_BY_A_RESTART)
            # Browsers ask for an icon by themselves for files without a page of ours.
            icon = message.location["url"].endswith("/favicon.ico")
            if message.type in ("error", "warning") and not (away or icon):
                self.complaints.append(f"{message.type}: {message.text}")

        def request(request: Request) -> None:
            if not request.url.startswith((address, "blob:")):
                self.foreign.append(request.url)

        page.on("console", console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", request)
