"""Checks of the media for operators: if rows and files agree, and what a sweep would remove."""

from collections.abc import Iterable, Mapping, Sequence

from bot.core.keeping import FileStore, Ledger, Rules, Stored, by
from bot.core.ports import Clock
from bot.core.strays import Strays

Values = Mapping[str, object]
MOST_NAMED = 200
"""The most files of a kind that are named. All files are counted."""


class Inspection:
    """Read-only checks, which work with or without a running service."""

    def __init__(
        self, *, ledger: Ledger, file_store: FileStore, rules: Rules, clock: Clock
    ) -> None:
        self._ledger = ledger
        self._file_store = file_store
        self._rules = rules
        self._clock = clock
        self._strays = Strays(ledger=ledger, file_store=file_store, rules=rules, clock=clock)

    async def verify(self) -> Values:
        """Compare rows and files."""
        files = {file.key: file async for page in self._file_store.files() for file in page}
        lost: list[Values] = []
        cut: list[Values] = []
        wanted: set[str] = set()
        async for page in self._strays.pages():
            wanted |= page.keys
            wanted.update(map(self._file_store.video_key, page.open_jobs))
            for key, (job, size) in page.own.items():
                found = files.get(key)
                if found is None:
                    lost.append({"job": job, "key": key})
                elif size is not None and size != found.size:
                    cut.append({"job": job, "key": key, "bytes": found.size, "expected": size})
        strays = [file for file in files.values() if file.key not in wanted]
        return {
            "files": _counted(files.values()),
            "kinds": _kinds(files.values()),
            "missing": _named(lost),
            "other_size": _named(cut),
            "without_row": _named([_file(each) for each in strays]) | _counted(strays),
            "most_bytes": self._rules.most_bytes,
        }

    async def due(self) -> Values:
        """Count what a sweep would remove now."""
        now, rules = self._clock.now(), self._rules
        due = await self._ledger.due(
            videos_by=by(rules.videos, now),
            inputs_by=by(rules.inputs, now),
            unconfirmed_by=rules.unconfirmed_by(now),
            words_by=by(rules.words, now),
        )
        strays = [*await self._strays.stored(), *await self._strays.received()]
        found: dict[str, object] = {kind: step.values for kind, step in due.items()}
        if rules.most_bytes is not None:
            size = sum([file.size async for page in self._file_store.files() for file in page])
            over = size - rules.most_bytes
            found["over_most"] = {"rows": 0, "files": 0, "bytes": over}
        return {"dry_run": True, **found, "strays": {"rows": 0, **_counted(strays)}}


def _counted(files: Iterable[Stored]) -> dict[str, object]:
    sizes = [file.size for file in files]
    return {"files": len(sizes), "bytes": sum(sizes)}


def _kinds(files: Iterable[Stored]) -> dict[str, object]:
    """Return the counts of files by the first part of their keys."""
    kinds: dict[str, list[Stored]] = {}
    for file in files:
        kinds.setdefault(file.key.partition("/")[0], []).append(file)
    return {kind: _counted(each) for kind, each in sorted(kinds.items())}


def _named(found: Sequence[Values]) -> dict[str, object]:
    return {"count": len(found), "named": list(found[:MOST_NAMED])}


def _file(stored: Stored) -> Values:
    return {"key": stored.key, "bytes": stored.size}
