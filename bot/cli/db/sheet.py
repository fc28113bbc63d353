"""A backup on the terminal: what is in it, name by name."""

from collections.abc import Iterator
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from bot.backups.archive import Manifest
from bot.cli import tables
from bot.cli.words import tell
from bot.i18n import printable

_MB = 1e6


def show(manifest: Manifest) -> None:
    """Print it."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _lines(manifest):
        table.add_row(name, printable(value))
    tables.show(Console(highlight=False, markup=False), table)


def values(manifest: Manifest) -> dict[str, object]:
    """The same for programs; the files only by their number and bytes."""
    shown = manifest.model_dump(mode="json", exclude={"files"})
    return {**shown, "files": len(manifest.files), "bytes": manifest.bytes}


def moment(at: float) -> str:
    """In this machine's time zone."""
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def _lines(manifest: Manifest) -> Iterator[tuple[str, str]]:
    yield tell("backup.made_at"), moment(manifest.made_at)
    yield tell("backup.app"), f"{manifest.app} ({manifest.revision}, {manifest.database})"
    each = ", ".join(f"{count} {status}" for status, count in sorted(manifest.jobs.items()))
    yield tell("backup.jobs"), each or tell("backup.nothing")
    if newest := manifest.newest_job:
        yield tell("backup.newest"), f"{newest.id}, {moment(newest.ordered_at)}"
    size = manifest.bytes / _MB
    yield tell("backup.files"), tell("backup.size", count=len(manifest.files), megabytes=size)
    if missing := len(manifest.missing):
        yield tell("backup.missing"), tell("backup.missing_files", count=missing)
