"""A real browser, and a watch over whatever its pages complain about."""

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
"""Milliseconds that anything may take before a test gives up on it."""
HIDDEN_BY_A_RESTART = ("WebSocket connection to", "net::ERR_CONNECTION")
"""A browser's words for a server that is away: not the page's fault."""


def installed() -> str | None:
    """Where a Chromium is, if Playwright did not bring its own."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


async def launch(playwright: Playwright) -> Browser:
    """Playwright's own Chromium where it has one, else the system's."""
    if Path(playwright.chromium.executable_path).exists():
        return await playwright.chromium.launch(args=ARGUMENTS)
    return await playwright.chromium.launch(executable_path=installed(), args=ARGUMENTS)


class Watch:
    """Collects whatever a page complains about."""

    def __init__(self) -> None:
        self.complaints: list[str] = []
        self.foreign: list[str] = []

    def over(self, page: Page, address: str) -> None:
        """Look over this page from now on."""

        def console(message: ConsoleMessage) -> None:
            away = any(words in message.text for words in HIDDEN_BY_A_RESTART)
            # What has no page of ours around it has no icon; browsers ask for one by themselves.
            icon = message.location["url"].endswith("/favicon.ico")
            if message.type in ("error", "warning") and not (away or icon):
                self.complaints.append(f"{message.type}: {message.text}")

        def request(request: Request) -> None:
            if not request.url.startswith((address, "blob:")):
                self.foreign.append(request.url)

        page.on("console", console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", request)
