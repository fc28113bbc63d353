"""The sweeps, which remove files and texts some time after a job's end.

A sweep works in steps: each is a short transaction or the removal of a few files, so other work
does not wait. After a crash the next sweep continues, because the rows tell what is to be removed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime

from bot.core.acts import Values
from bot.core.context import SETTLED
from bot.core.errors import Refused, named
from bot.core.keeping import FileStore, Ledger, Rules, Step, by
from bot.core.ports import Clock
from bot.core.removal import Removal
from bot.core.strays import Strays
from bot.log import get_logger

EVERY = 60.0
"""Seconds between two sweeps."""
STRAYS_EVERY = 3600.0
"""Seconds between two searches for files that no row names."""
STEP = 20
"""Most rows or files of one step."""
SHARED_STEP = 5
"""Most rows of one step on inputs: each of their files is searched for in all stored orders."""
_FOREVER = float("inf")

log = get_logger()


class Retention:
    """Removes what is too old, what doesn't fit into the storage, and files that no row names."""

    def __init__(
        self, *, ledger: Ledger, file_store: FileStore, rules: Rules, clock: Clock
    ) -> None:
        self._ledger = ledger
        self._file_store = file_store
        self._rules = rules
        self._clock = clock
        self._removal = Removal(file_store)
        self._strays = Strays(ledger=ledger, file_store=file_store, rules=rules, clock=clock)
        self._turn = asyncio.Lock()
        self._strays_at = clock.steady()
        """When files that no row names are searched for next."""
        self.bytes_over: int | None = None
        """Bytes over the limit that the last sweep could not remove; None before any sweep."""

    async def run(self) -> None:
        """Sweep until cancelled. After an error, the next sweep tries the rest."""
        is_well = True
        while True:
            # A clock that was just set may be wrong, and removed files can't be restored.
            await self._clock.sleep(max(EVERY, SETTLED - self._clock.settled()))
            try:
                await self.sweep()
            except Exception as error:  # noqa: BLE001 - full or away: it comes back, we go on
                if is_well:
                    log.warning("sweep.failed", why=named(error))
                is_well = False
            else:
                is_well = True

    async def sweep(self) -> Mapping[str, Step]:
        """Remove everything that is due, and return what was removed, by kind.

        Concurrent sweeps run one after the other.
        """
        # The rows are read in pages: rows that a concurrent sweep changed would be missed.
        async with self._turn:
            return await self._sweep()

    async def asked(self, *, sure: bool = False) -> Values:
        """Sweep because an operator asked for it, and return what was removed, for JSON.

        Raises `Refused("sweep_unsettled")` while the clock may be wrong, unless the operator is
        `sure` of it.
        """
        if not sure and self._clock.settled() < SETTLED:
            now = datetime.fromtimestamp(self._clock.now(), UTC)
            raise Refused("sweep_unsettled", time=f"{now:%Y-%m-%d %H:%M} UTC")
        gone = await self.sweep()
        return {"dry_run": False, **{kind: step.values for kind, step in gone.items()}}

    async def _sweep(self) -> Mapping[str, Step]:
        self._removal.begin()
        gone = await self._by_age()
        gone |= await self._for_room()
        if self._clock.steady() >= self._strays_at:
            self._strays_at = self._clock.steady() + STRAYS_EVERY  # also if this one fails
            gone["strays"] = await self._strays.sweep(self._removal)
        if counts := {kind: n for kind, it in gone.items() if (n := it.rows or it.files)}:
            log.info("media.swept", **counts)
        return gone

    async def _by_age(self) -> dict[str, Step]:
        rules, ledger, now = self._rules, self._ledger, self._clock.now()
        gone = {"videos": Step(), "inputs": Step(), "words": Step()}
        await self._remove()
        await ledger.proposals(now=now)
        if (ended_by := by(rules.videos, now)) is not None:
            gone["videos"] = await self._all(
                lambda: ledger.videos(ended_by=ended_by, now=now, most=STEP)
            )
        if (inputs_by := by(rules.inputs, now)) is not None:
            unconfirmed_by = rules.unconfirmed_by(now)
            gone["inputs"] = await self._all(
                lambda: ledger.inputs(
                    ended_by=inputs_by, unconfirmed_by=unconfirmed_by, now=now, most=SHARED_STEP
                )
            )
        if (words_by := by(rules.words, now)) is not None:
            gone["words"] = await self._all(
                lambda: ledger.words(ended_by=words_by, now=now, most=STEP)
            )
        return gone

    async def _all(self, step: Callable[[], Awaitable[Step]], *, enough: float = _FOREVER) -> Step:
        """Repeat the step until it finds no row, or until `enough` bytes are removed."""
        gone = Step()
        while gone.size < enough:
            done = await step()
            if done.looked_at == 0:
                break
            gone += done
            await self._remove()
        return gone

    async def _remove(self) -> None:
        """Remove the discarded files, whose keys the ledger lists."""
        after = ""
        while keys := await self._ledger.discarded(after=after, most=STEP):
            await self._ledger.forget([key for key in keys if await self._removal.remove(key)])
            after = keys[-1]

    # --- room ----------------------------------------------------------------------------------

    async def _for_room(self) -> dict[str, Step]:
        """Remove videos while the media exceed `most_bytes`.

        Originals of converted videos go first, then videos that are in the chat, then videos that
        were posted as links. A video that was not posted is never removed here.
        """
        most = self._rules.most_bytes
        if most is None:
            return {}
        ledger, now = self._ledger, self._clock.now()
        over, gone = await self.over(), {}
        for kind, step in (
            ("originals", lambda: ledger.originals(now=now, most=1)),
            ("in_chat", lambda: ledger.posted(in_chat=True, now=now, most=1)),
            ("linked", lambda: ledger.posted(in_chat=False, now=now, most=1)),
        ):
            gone[kind] = await self._all(step, enough=over)
            if gone[kind].rows:  # rows don't know the bytes of stills
                over = await self.over()
        if over > 0 and not self.bytes_over:
            log.warning("media.over_most", bytes_over=over, most=most)
        self.bytes_over = max(0, over)
        return gone

    async def over(self) -> int:
        """Return the bytes that the media exceed their limit by; negative while there is room.

        Files that could not be removed are not counted: no other file is removed in their place.
        """
        return await self.size(but=self._removal.left) - (self._rules.most_bytes or 0)

    async def size(self, *, but: Collection[str] = ()) -> int:
        """Return the bytes of all stored media, except the files with the keys in `but`."""
        pages = self._file_store.files()
        return sum([file.size async for page in pages for file in page if file.key not in but])
