"""How long things are kept after a job's end, and the sweeps that let them go, step by step.

Each step is a short transaction or a removal of a few files, so nobody waits for a sweep. A sweep
that ends anywhere goes on where it was: what is to go is in the rows.
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
"""Seconds between two looks for files that no row names."""
STEP = 20
"""Rows or files of one step."""
SHARED_STEP = 5
"""Rows of one step on inputs: each of their files is looked for in all orders that are kept."""
_FOREVER = float("inf")

log = get_logger()


class Retention:
    """Sweeps."""

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
        """When files that no row names are looked for next."""
        self.bytes_over: int | None = None
        """Bytes that the last sweep could not let go; None before the first."""

    async def run(self) -> None:
        """Sweep until cancelled. Trouble with rows or files is for the next sweep."""
        is_well = True
        while True:
            # A clock that was just set may be wrong, and what went would not come back.
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
        """Let everything go whose time has come; what went, by kind. Two of them take turns."""
        # Which files rows name is read in pages: rows that another sweep changed would be missed.
        async with self._turn:
            return await self._sweep()

    async def asked(self, *, sure: bool = False) -> Values:
        """A sweep that an operator asks for; `sure`: that the clock is right.

        Raises `Refused("sweep_unsettled")` while it may be wrong.
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
            self._strays_at = self._clock.steady() + STRAYS_EVERY  # of one that fails as well
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
        """Steps until none finds anything, or so many bytes are gone."""
        gone = Step()
        while gone.size < enough:
            done = await step()
            if done.looked_at == 0:
                break
            gone += done
            await self._remove()
        return gone

    async def _remove(self) -> None:
        """Remove the files that rows have let go."""
        after = ""
        while keys := await self._ledger.discarded(after=after, most=STEP):
            await self._ledger.forget([key for key in keys if await self._removal.remove(key)])
            after = keys[-1]

    # --- room ----------------------------------------------------------------------------------

    async def _for_room(self) -> dict[str, Step]:
        """Files that people have elsewhere go first; a video that nobody has seen never does."""
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
        """Bytes that the media have beyond what they may; negative while there is room.

        For a file that could not be removed, no other goes.
        """
        return await self.size(but=self._removal.left) - (self._rules.most_bytes or 0)

    async def size(self, *, but: Collection[str] = ()) -> int:
        """Bytes of all media but these."""
        pages = self._file_store.files()
        return sum([file.size async for page in pages for file in page if file.key not in but])
