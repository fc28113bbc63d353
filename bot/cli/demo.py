"""`zoetrope demo`: the whole service on this machine, a chat room in the browser, no accounts.

The room is the real thing over a simulated gateway; with `--gateway` over a configured one. What is
kept in the data directory makes a second start go on where the first ended.
"""

import asyncio
import socket
import webbrowser
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from bot import log
from bot.app import run
from bot.cli.words import tell
from bot.config import Config, load
from bot.core.errors import Broken
from bot.simulator.server import Simulator

RENDER_TIME = 5.0
"""Seconds that a simulated video takes at least: long enough to watch its card, short enough."""
TYPICAL = 6.0
"""Seconds that it takes as a rule, for the card's first guess."""
PORTS_TRIED = 20
HOST = "127.0.0.1"
KEY = "sk-sim"
LIMITS = {
    "ZOETROPE_LIMITS__PERSON_VIDEOS_PER_DAY": "10",
    "ZOETROPE_LIMITS__PERSON_AT_ONCE": "2",
    "ZOETROPE_LIMITS__COMMUNITY_VIDEOS_PER_DAY": "-1",
    "ZOETROPE_LIMITS__PURSE_VIDEOS_PER_DAY": "-1",
}
"""Generous, but near enough to run into: limits are part of what there is to try."""


async def run_demo(
    *, port: int, browser: bool, data: Path, gateway: str | None, file: Path | None
) -> None:
    """Run until interrupted; tell the address and, if wanted, open it."""

    def ready(address: str) -> None:
        Console(soft_wrap=True, highlight=False).print(tell("demo.ready", url=address))
        if browser:
            asyncio.get_running_loop().run_in_executor(None, _show, address)

    opened = _simulated(data) if gateway is None else _real(file, gateway, data)
    async with opened as config:
        log.configure(level="WARNING", secrets=config.secrets)
        # The room has no owner, so there is no code to tell.
        await run(_at_home(config, port), ready=ready, announce=lambda _code: None)
    Console().print(tell("demo.goodbye"))


@asynccontextmanager
async def _simulated(data: Path) -> AsyncIterator[Config]:
    """Its gateway keeps its videos and its port: what was under way is finished next time."""
    simulator = Simulator(key=KEY, render_time=RENDER_TIME, folder=data / "simulator")
    port = await asyncio.to_thread(_kept_port, data / "simulator" / "port")
    async with AsyncExitStack() as stack:
        try:
            url = await stack.enter_async_context(simulator.serve(HOST, port))
        except OSError as error:
            raise Broken("demo_port_taken", port=port, data=str(data)) from error
        yield _typically(load(None, environment=_ours(data) | LIMITS | _gateway(url)))


@asynccontextmanager
async def _real(file: Path | None, gateway: str, data: Path) -> AsyncIterator[Config]:
    """A configured gateway, with the operator's own limits: this one may cost money."""
    config = load(file, over=_ours(data) | {"ZOETROPE_DEFAULT_GATEWAY": gateway})
    able = tuple(model for model in config.catalog.models if model.gateway == gateway)
    yield replace(config, catalog=replace(config.catalog, models=able))


def _ours(data: Path) -> dict[str, str]:
    return {
        "ZOETROPE_PLAYGROUND__ENABLED": "true",
        "ZOETROPE_DATA_DIR": str(data),
    }


def _gateway(url: str) -> dict[str, str]:
    name = "ZOETROPE_GATEWAYS__SIMULATOR__"
    return {
        f"{name}BASE_URL": url,
        f"{name}API_KEY": KEY,
        f"{name}DIALECT": "documented",
        f"{name}POLL_STEP": "0.5",
    }


def _typically(config: Config) -> Config:
    """The simulator is quicker than any real model, and a card says what is true."""
    quick = tuple(replace(model, typical=TYPICAL) for model in config.catalog.models)
    return replace(config, catalog=replace(config.catalog, models=quick))


def _at_home(config: Config, port: int) -> Config:
    """The room alone, on this machine alone, with rows and files of its own."""
    settings = config.settings
    return replace(
        config,
        settings=settings.model_copy(
            update={
                "database_url": None,
                "storage_url": None,
                "discord": settings.discord.model_copy(update={"token": None}),
                "web": settings.web.model_copy(
                    update={"host": HOST, "port": _free_port(port), "public_url": None}
                ),
            }
        ),
    )


def _show(address: str) -> None:
    """Open a window; a browser inside this terminal would only be in the way."""
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return
    if type(browser) is not webbrowser.GenericBrowser:
        browser.open(address)


def _free_port(first: int) -> int:
    """`first`, or one of the next, that nobody listens at."""
    for port in range(first, first + PORTS_TRIED):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except (OSError, OverflowError):
                continue
            return port
    raise Broken("demo_ports_taken", first=first, last=first + PORTS_TRIED - 1)


def _kept_port(file: Path) -> int:
    """The simulated gateway's port: jobs under way know it by its address."""
    if not file.exists():
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(str(probe.getsockname()[1]), "utf-8")
    return int(file.read_text("utf-8"))
