"""`zoetrope demo`: the whole service on this machine, with a room in the browser, no accounts.

The service uses a simulated gateway, or with `--gateway` a configured one. A second start resumes
from the data folder. Each gateway has its own data folder, because only the gateway that accepted
a job can finish it.
"""

import asyncio
import socket
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

from bot import log
from bot.app import run
from bot.cli import terminal
from bot.cli.check import paid
from bot.cli.first_lists import with_lists
from bot.cli.simulator import KEY, check_locks, only_gateway
from bot.cli.words import tell
from bot.config import Config, load
from bot.config.saving import PRIVATE, save
from bot.core.errors import Broken
from bot.simulator.server import Simulator

RENDER_TIME = 5.0
"""The shortest time in seconds for a simulated video: enough to watch its card."""
TYPICAL = 6.0
"""Typical seconds for a simulated video, for the card's first estimate."""
PORTS_TRIED = 20
FOLDER = "zoetrope-demo"
SIMULATED = "simulated gateway"
IN_TERMINALS = ("www-browser", "links", "links2", "elinks", "lynx", "w3m", "browsh")
HOST = "127.0.0.1"
_LEADING = """<!doctype html>
<meta charset="utf-8"><meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url={address}">
<a href="{address}">Zoetrope</a>
"""
LIMITS = {
    "ZOETROPE_LIMITS__PERSON_VIDEOS_PER_DAY": "10",
    "ZOETROPE_LIMITS__PERSON_AT_ONCE": "2",
    "ZOETROPE_LIMITS__COMMUNITY_VIDEOS_PER_DAY": "-1",
    "ZOETROPE_LIMITS__PURSE_VIDEOS_PER_DAY": "-1",
}
"""Limits of the demo: generous, but low enough that people can try how a limit works."""


async def run_demo(
    *, port: int, browser: bool, data: Path | None, gateway: str | None, file: Path | None
) -> None:
    """Run until interrupted. Print the address, and open a browser if `browser` is set."""
    console = terminal.plain(soft_wrap=True)
    data = data or Path(FOLDER if gateway is None else f"{FOLDER}-{gateway}")
    opened = _simulated(data) if gateway is None else _real(file, gateway, data)
    async with opened as config:
        note = "" if gateway is None else paid(config)

        def ready(address: str) -> None:
            console.print(tell("demo.ready", url=address))
            if note:
                console.print(note)
            if browser:
                asyncio.get_running_loop().run_in_executor(None, _show, address, way)

        log.configure(level="WARNING", secrets=config.secrets)
        way = data.absolute() / "open.html"
        try:
            # The room has no owner, so no code is announced. Simulated videos cost nothing, so the
            # database may be a new one.
            await run(
                _at_home(config, port),
                ready=ready,
                announce=lambda _code: None,
                note=note,
                new_database=gateway is None,
            )
        finally:
            await asyncio.to_thread(way.unlink, missing_ok=True)
    console.print(tell("demo.goodbye"))


@asynccontextmanager
async def _simulated(data: Path) -> AsyncIterator[Config]:
    """Run a simulated gateway; yield the demo's configuration.

    The gateway keeps its videos and its port, so the next start can finish running jobs.
    """
    await asyncio.to_thread(_keep_to, data, SIMULATED)
    check_locks()
    folder = data / "simulator"
    port = await asyncio.to_thread(_kept_port, folder / "port")
    if not _is_free(port):
        # Check the port first: a second demo must not touch the files of the first.
        raise Broken("demo_port_taken", port=port, data=str(data))
    async with Simulator(key=KEY, render_time=RENDER_TIME, folder=folder).serve(HOST, port) as url:
        gateway = only_gateway(url, key=KEY, poll_step=0.5)
        yield _typically(load(None, environment=_ours(data) | LIMITS | gateway))


@asynccontextmanager
async def _real(file: Path | None, gateway: str, data: Path) -> AsyncIterator[Config]:
    """Yield the demo's configuration for a configured gateway, with the operator's limits.

    Videos of this gateway may cost money.
    """
    given = load(file, over=_ours(data) | {"ZOETROPE_DEFAULT_GATEWAY": gateway})
    config = await with_lists(given, gateway)
    await asyncio.to_thread(_keep_to, data, f"gateway {gateway}")
    yield config.kept_to(gateway)


def _keep_to(data: Path, gateway: str) -> None:
    """Create the data folder. Raises `Broken` if the folder belongs to another gateway.

    Only the folder's owner may read it: it holds prompts, pictures and the room's key.
    """
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark = data / "gateway"
    with suppress(FileNotFoundError):
        kept = mark.read_text("utf-8", errors="replace").strip()
        if kept not in (gateway, ""):
            raise Broken("demo_folder_taken", data=str(data), kept=kept, wanted=gateway)
    if gateway != SIMULATED and (data / "simulator").exists():
        raise Broken("demo_folder_taken", data=str(data), kept=SIMULATED, wanted=gateway)
    save(mark, gateway, mode=PRIVATE)


def _ours(data: Path) -> dict[str, str]:
    return {
        "ZOETROPE_PLAYGROUND__ENABLED": "true",
        "ZOETROPE_BACKUP__DAILY": "false",  # the folder may be that of the real service
        "ZOETROPE_DATA_DIR": str(data),
    }


def _typically(config: Config) -> Config:
    """Return the configuration with the simulator's typical time, so cards estimate correctly."""
    quick = tuple(replace(model, typical=TYPICAL) for model in config.catalog.models)
    return replace(config, catalog=replace(config.catalog, models=quick))


def _at_home(config: Config, port: int) -> Config:
    """Return the configuration with the room as only network, local address and own data."""
    settings = config.settings
    return replace(
        config,
        catalog=config.catalog.unlinked(),
        settings=settings.model_copy(
            update={
                "database_url": None,
                "storage_url": None,
                "discord": settings.discord.model_copy(update={"token": None}),
                "telegram": settings.telegram.model_copy(update={"token": None}),
                "web": settings.web.model_copy(
                    update={"host": HOST, "port": _free_port(port), "public_url": None}
                ),
            }
        ),
    )


def _show(address: str, way: Path) -> None:
    """Open the address in a browser window; do nothing if the only browser is a terminal's.

    All users of this machine can read a program's arguments, and the address holds the room's key.
    So the browser gets `way`, a file readable only by us that redirects to the address.
    """
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return
    if Path(browser.name).name in IN_TERMINALS:
        return
    if type(browser) is webbrowser.GenericBrowser:
        # A program from $BROWSER may run for long: start it in the background. VS Code and WSL
        # open the browser on another machine, which can't read our file: pass the address.
        webbrowser.BackgroundBrowser([browser.name, *browser.args]).open(address)
        return
    save(way, _LEADING.format(address=address), mode=PRIVATE)
    browser.open(way.as_uri())


def _free_port(first: int) -> int:
    """Return the first free port from `first` on. Raises `Broken` after `PORTS_TRIED` ports."""
    for port in range(first, first + PORTS_TRIED):
        if _is_free(port):
            return port
    raise Broken("demo_ports_taken", first=first, last=first + PORTS_TRIED - 1)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError):
            return False
        return True


def _kept_port(file: Path) -> int:
    """Return the simulated gateway's port, which must stay: running jobs know its address.

    If the file is missing or damaged, choose a new port and store it.
    """
    file.parent.mkdir(mode=0o700, exist_ok=True)
    with suppress(FileNotFoundError, ValueError):
        kept = int(file.read_text("utf-8"))
        if 0 < kept < 65_536:
            return kept
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = int(probe.getsockname()[1])
    save(file, str(port), mode=PRIVATE)
    return port
