"""`zoetrope db restore`: restore a backup, after a question."""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import typer

from bot.backups import opening, restoring
from bot.backups.archive import Backup
from bot.backups.restoring import Later, Restored
from bot.cli import drawing
from bot.cli.control import configuration
from bot.cli.db import sheet
from bot.cli.errors import reached
from bot.cli.init.talk import Talk
from bot.cli.owner import check_user
from bot.cli.storage import storage_at
from bot.cli.words import listed, tell
from bot.config import Config
from bot.core.clock import SystemClock
from bot.core.errors import DatabaseInUse, Refused, Temporary
from bot.core.jobs import UNNAMED
from bot.store.deletions import Deletions


def restore_backup(file: Path | None, source: str, *, yes: bool, as_json: bool) -> None:
    """Show the backup at `source` and what it can't bring back, ask, and restore it."""
    config = configuration(file)
    check_user(config)
    with _stopped(config):
        asyncio.run(restoring.check_stopped(config))
    with opening.named(source, now=SystemClock().now()) as backup:
        restoring.check_known(backup)
        later = asyncio.run(restoring.later_jobs(config, backup))
        if not as_json:
            sheet.show(backup.manifest)
            tell_lost(config, later)
        if not yes:
            _ask()
        restored = asyncio.run(restore(config, backup))
    if as_json:
        drawing.as_json(_values(restored, later))
    else:
        _tell_done(restored)


def _ask() -> None:
    if sys.stdin is None or not sys.stdin.isatty():
        raise Refused("restore_unanswered")
    if not Talk().ask_yes("restore.sure"):
        print(tell("restore.left"))
        raise typer.Exit(1)


async def restore(config: Config, backup: Backup) -> Restored:
    """Restore this backup. Raises `Temporary("restore_running")` if the service runs."""
    with _stopped(config), storage_at(config.storage_url) as storage:
        return await restoring.restore(config, storage, backup, now=SystemClock().now())


@contextmanager
def _stopped(config: Config) -> Iterator[None]:
    """Turn the error of a lock that the service holds into the advice for a restore."""
    try:
        with reached(config.database_url):
            yield
    except DatabaseInUse as taken:
        raise Temporary("restore_running", holder=taken.values["holder"]) from taken


def tell_lost(config: Config, later: Sequence[Later] | None) -> None:
    """Print which later jobs the restore loses."""
    print()
    if later is None:
        print(tell("restore.unknown"))
    elif later:
        print(tell("restore.later", count=len(later)))
        ids = [id_ for each in later if (id_ := each.gateway_id) and id_ != UNNAMED]
        if ids:
            print(tell("restore.later_ids", count=len(ids), ids=listed(ids)))
        if unnamed := len(later) - len(ids):
            print(tell("restore.later_unnamed", count=unnamed))
    if not (journal := Deletions(config.data_dir).file).exists():
        print(tell("restore.no_journal", file=str(journal)))


def _tell_done(restored: Restored) -> None:
    settled = restored.settled
    print()
    print(tell("restore.done"))
    for name in ("held", "polling", "posts", "deleted", "unheard", "carried"):
        if count := getattr(settled, name):
            print(f"- {tell(f'restored.{name}', count=count)}")
    if restored.files:
        print(f"- {tell('restored.files', count=restored.files)}")
    if restored.missing:
        print(f"- {tell('restored.missing', count=len(restored.missing))}")
    if settled.stopped:
        print(tell("restore.stopped"))
    if restored.aside:
        print(tell("restore.aside", folder=str(restored.aside)))
    if restored.schema:
        print(tell("restore.aside_schema", schema=restored.schema))


def _values(restored: Restored, later: Sequence[Later] | None) -> dict[str, object]:
    return {
        **asdict(restored.settled),
        "files": restored.files,
        "missing": list(restored.missing),
        "aside": str(restored.aside) if restored.aside else None,
        "schema": restored.schema,
        "later": None if later is None else [asdict(each) for each in later],
    }
