"""Print the contents of a backup."""

from collections.abc import Iterator

from bot.backups.archive import Manifest
from bot.cli import drawing
from bot.cli.words import tell

_MB = 1e6


def show(manifest: Manifest) -> None:
    """Print the contents of a backup."""
    drawing.sheet(_lines(manifest))


def values(manifest: Manifest) -> dict[str, object]:
    """Return the contents for JSON, with only the number and bytes of the files."""
    shown = manifest.model_dump(mode="json", exclude={"files"})
    return {**shown, "files": len(manifest.files), "bytes": manifest.bytes}


def moment(at: float) -> str:
    """Return a time as text in this machine's time zone."""
    return f"{drawing.local(at):%Y-%m-%d %H:%M:%S %Z}"


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
