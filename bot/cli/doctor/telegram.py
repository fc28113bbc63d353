"""Check the bot at Telegram: its token, privacy mode in groups, files, and other listeners."""

import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

from bot.cli.doctor import clock
from bot.cli.doctor.findings import Finding
from bot.config import Config
from bot.core.errors import Broken, DatabaseInUse
from bot.platforms.telegram.portal import PATH, Portal, open_portal
from bot.store.database import check_database


async def check(config: Config) -> AsyncIterator[Finding]:
    """Yield the findings, beginning with the token; none if Telegram is not configured."""
    table = config.settings.telegram
    if table.token is None:
        return
    token = table.token.get_secret_value()
    async with open_portal(token, api_url=table.api_url) as portal:
        async for finding in _findings(portal, config):
            yield finding


async def _findings(portal: Portal, config: Config) -> AsyncIterator[Finding]:
    identity = await portal.identity()
    yield Finding.ok("doctor.telegram", name=identity.name, url=identity.address)
    if drift := clock.compared("Telegram", portal.date, now=time.time()):
        yield drift
    if identity.sees_everything:
        yield Finding.ok("doctor.telegram_sees_all")
    else:
        yield Finding.ok("doctor.telegram_sees_private")
    async for finding in _files(portal, config):
        yield finding
    called = await portal.webhook()
    if called and not config.settings.telegram.webhook:
        yield Finding.note("doctor.telegram_webhook_left")
    elif called not in ("", f"{config.settings.web.public_url}{PATH}"):
        yield Finding.note("doctor.telegram_webhook_elsewhere")
    elif not called and not await _is_running(config):
        await portal.check_listener()
        yield Finding.ok("doctor.telegram_alone")


async def _files(portal: Portal, config: Config) -> AsyncIterator[Finding]:
    """Check whether pictures can be downloaded from the operator's own Bot API server."""
    table = config.settings.telegram
    if table.api_url is None:
        return
    path = await portal.file_path()
    if path is None:
        if table.local:
            yield Finding.note("doctor.telegram_files_untried")
        return
    match Path(path).is_absolute(), table.local:
        case True, True if os.access(path, os.R_OK):
            yield Finding.ok("doctor.telegram_files_here")
        case True, True:
            yield Finding.problem("doctor.telegram_files_apart")
        case True, False:
            yield Finding.problem("doctor.telegram_local_unset")
        case False, True:
            yield Finding.problem("doctor.telegram_local_unlike")


async def _is_running(config: Config) -> bool:
    """Whether our own service holds the database, and so is the one that listens.

    True with PostgreSQL, where this can't be found out.
    """
    if not config.database_url.startswith("sqlite"):
        return True
    try:
        await check_database(config.database_url)
    except DatabaseInUse:
        return True
    except Broken:
        return False
    except Exception:  # noqa: BLE001 - another check reports the database's errors
        return True
    return False
