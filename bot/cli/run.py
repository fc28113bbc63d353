"""`zoetrope run`: run the service in the foreground."""

import asyncio
import os
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy.engine import make_url

from bot import log
from bot.app import run
from bot.cli.errors import unreachable
from bot.cli.first_lists import with_lists
from bot.cli.introduction import introduce
from bot.cli.words import listed, tell
from bot.config import Config, Misconfigured, Problem, load
from bot.installed import PACKAGE, strays
from bot.web.server import reached_at

TELEGRAM_MB = 50
"""The largest file in megabytes that Telegram's own Bot API server takes."""
TELEGRAM_PORTS = frozenset({443, 80, 88, 8443})
"""The ports that Telegram's own server sends webhooks to."""


def run_service(file: Path | None, *, new_database: bool = False) -> None:
    """Run until a signal ends the service. `new_database`: accept another or an empty database."""
    os.umask(0o077)  # other users of this machine must not read people's files
    config = asyncio.run(with_lists(load(file)))
    if problems := obstacles(config):
        raise Misconfigured(problems)
    log.configure(level=config.settings.log_level, secrets=config.secrets)
    for remark in config.remarks:
        print(remark.sentence("en"), flush=True)
    standing: list[str] = []
    beside: set[asyncio.Task[None]] = set()

    def ready(address: str) -> None:
        standing.append(address)
        beside.add(asyncio.get_running_loop().create_task(introduce(config)))  # ends with the loop
        if "playground" in config.platforms:
            print(tell("demo.ready", url=address), flush=True)

    try:
        asyncio.run(run(config, ready=ready, announce=_show, new_database=new_database))
    except OSError as error:
        # Before the service is ready, only the database is contacted over the network.
        if standing or error.filename or make_url(config.database_url).host is None:
            raise
        raise unreachable(config.database_url, error) from error


def obstacles(config: Config) -> list[Problem]:
    """Return the problems that stop `run` but not `generate`, as far as they show beforehand."""
    found = list(mixed())
    if not config.catalog.models:
        gateways = {"gateways": ", ".join(config.offers)}
        found.append(Problem("models", "no_models_listed", gateways))
    if not config.platforms:
        found.append(Problem("discord.token", "platform_missing"))
    elif not _is_room_reached(config):
        given = {"given": repr(config.settings.web.host)}
        found.append(Problem("web.host", "room_elsewhere", given))
    found += _alone(config)
    folders = {"data_dir": config.data_dir}
    storage = urlsplit(config.settings.storage_url or "")
    if storage.path and storage.scheme in ("", "file"):
        folders["storage_url"] = Path(unquote(storage.path))
    for key, folder in folders.items():
        nearest = next(it for it in (folder, *folder.absolute().parents) if os.path.lexists(it))
        if not (nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)):
            values = {"folder": str(folder), "nearest": str(nearest)}
            found.append(Problem(key, "folder_unusable", values))
    return found


def mixed(package: Path = PACKAGE) -> Iterator[Problem]:
    """Yield a problem if some files of the program belong to another version."""
    from bot.store.migrations import forks

    if files := [*strays(package), *forks()]:
        yield Problem("", "program_mixed", {"files": listed(files), "folder": str(package)})


def _alone(config: Config) -> Iterator[Problem]:
    """Yield a problem for each setting of Telegram that lacks another setting."""
    table = config.settings.telegram
    if "telegram" not in config.platforms:
        return
    if table.webhook and config.settings.web.public_url is None:
        yield Problem("telegram.webhook", "webhook_nowhere")
    elif table.webhook and not table.local and not _is_called(config.settings.web.public_url):
        yield Problem("web.public_url", "webhook_uncalled")
    if table.local and table.api_url is None:
        yield Problem("telegram.local", "server_missing")
    if table.upload_limit_mb > TELEGRAM_MB and table.api_url is None:
        yield Problem("telegram.upload_limit_mb", "server_missing")


def _is_called(public_url: str | None) -> bool:
    """Whether Telegram accepts this address for webhooks. The address itself is not tested."""
    url = urlsplit(public_url or "")
    host, port = url.hostname or "", url.port or 443
    try:
        is_public = ip_address(host).is_global
    except ValueError:  # a name
        is_public = "." in host and not host.endswith(".localhost")
    return url.scheme == "https" and port in TELEGRAM_PORTS and is_public


def _is_room_reached(config: Config) -> bool:
    """True if there is no room, or the room listens at an address that its guard accepts."""
    if "playground" not in config.platforms:
        return True
    from bot.platforms.playground.routes import NAMES

    return reached_at(config.settings.web.host) in NAMES


def _show(code: str) -> None:
    # Print to standard output for a person; the log may be stored, and must not hold the code.
    print(tell("run.code", code=code), flush=True)
