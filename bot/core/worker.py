"""The worker loop: claim due rows, take one step of each, repeat. A crash loses no state.

Jobs (gateway and media) and posts (chat) both run on this loop.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from bot.core import failures
from bot.core.errors import Temporary
from bot.core.handed_on import HandedOn
from bot.core.ports import Clock
from bot.core.wake import UNKNOWN, Wake
from bot.log import get_logger

Row = TypeVar("Row")

RENEWAL = 10.0
"""Seconds between two renewals of claims: three may fail before a claim expires."""

MOST_STEPS = 16
"""The most steps of one loop that run at once."""

LAST = 2.0
"""Seconds that cancelled steps may take to end."""

log = get_logger()


class Rows(Protocol[Row]):
    """The rows of one loop, and the claims on them."""

    async def claim(self, most: int) -> list[Row]:
        """Claim up to `most` due rows; no other worker gets them until they are released."""

    async def next_due(self) -> float | None:
        """Return when the earliest row can be claimed."""

    async def renew(self, held: Sequence[Row]) -> None:
        """Extend the claims on these rows."""

    async def release(self, row: Row) -> None:
        """Release an unused claim. Does nothing if the row has changed since the claim."""

    def hold(self, row: Row, /) -> None:
        """Record that a step of this claimed row begins."""

    def let_go(self, row: Row, /) -> float:
        """Record that the step of this row is over. Return when the row is due again.

        Returns `UNKNOWN` if only the rows can tell.
        """


@dataclass(slots=True, kw_only=True)
class Worker(Generic[Row]):
    """Runs up to `slots` steps at once until it is cancelled.

    `step(row)` takes one step and saves its outcome. If a step raises, it saved nothing, so its
    claim is released. The release is retried until the database accepts it.
    """

    name: str
    rows: Rows[Row]
    step: Callable[[Row], Awaitable[None]]
    clock: Clock
    wake: Wake
    handed_on: HandedOn[Row] = field(default_factory=HandedOn)
    """Rows that another step claimed for this loop."""
    slots: int = MOST_STEPS
    check: float = 30.0
    """Seconds after which the rows are read even if the bell has not rung."""
    grace: float = 30.0
    """Seconds that running steps may take to end after the worker was cancelled."""
    _steps: dict[asyncio.Task[None], Row] = field(init=False, default_factory=dict)
    _ending: bool = field(init=False, default=False)
    _renewed_at: float = field(init=False)
    _checked_at: float = field(init=False)
    _due: float = field(init=False, default=0.0)
    """When the earliest row can be claimed, as far as is known."""

    def __post_init__(self) -> None:
        self._renewed_at = self._checked_at = self.clock.steady()

    async def run(self) -> None:
        """Work until cancelled; then give running steps `grace` seconds to end."""
        try:
            while True:
                self._begin_handed_on()
                free = self.slots - len(self._steps)
                is_due = free > 0 and self._due <= self.clock.now()
                rows = await self._claimed(free) if is_due else []
                for row in rows:
                    self._begin(row)
                if is_due and len(rows) < free:
                    self._due = await self._next_due()
                await self._renew()
                if not rows:
                    await self._rest()
        finally:
            await self._wind_down()

    def _begin_handed_on(self) -> None:
        for row in self.handed_on.take():
            self.rows.hold(row)
            self._begin(row)
        self.handed_on.free = max(0, self.slots - len(self._steps))

    async def _claimed(self, most: int) -> list[Row]:
        try:
            return await self.rows.claim(most)
        except Exception as error:  # noqa: BLE001 - full or away: it comes back, we go on
            self._failed(error)
            await self.clock.sleep(1.0)
            return []

    def _failed(self, error: Exception) -> None:
        """Log a database error in one line, as it repeats each second."""
        if isinstance(error, Temporary):
            log.warning("claim.failed", worker=self.name, code=error.code)
        else:
            log.error("claim.failed", worker=self.name, exc_info=error)

    def _begin(self, row: Row) -> None:
        task = asyncio.create_task(self._one(row))
        self._steps[task] = row
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        # A free slot, and perhaps the same row's next step.
        self.wake.ring(self.rows.let_go(self._steps.pop(task)))

    async def _one(self, row: Row) -> None:
        try:
            await self.step(row)
        except Exception as error:  # noqa: BLE001 - one row does not end the others
            failures.record("step.failed", error, worker=self.name)
            await self._give_back(row)

    async def _give_back(self, row: Row) -> None:
        """Release the claim on a row. Retry until the database accepts it.

        While the worker ends there is one try: the next start finds the claims of ended processes.
        """
        while True:
            try:
                await self.rows.release(row)
            except Exception:  # noqa: BLE001 - a full disk, a database that is away
                if self._ending:
                    return
                await self.clock.sleep(1.0)
            else:
                return

    async def _renew(self) -> None:
        """Renew the claims of all running steps, every `RENEWAL` seconds."""
        now = self.clock.steady()
        if now - self._renewed_at < RENEWAL:
            return
        self._renewed_at = now
        if self._steps:
            try:
                await self.rows.renew(list(self._steps.values()))
            except Exception as error:  # noqa: BLE001 - the next one may succeed, and claims hold
                log.warning("claim.not_renewed", worker=self.name, error=type(error).__name__)

    async def _rest(self) -> None:
        """Sleep until the bell rings, the next row is due, or the rows must be read anyway."""
        is_full = len(self._steps) >= self.slots
        wait = min(self.check, RENEWAL) if self._steps else self.check
        if not is_full:
            wait = min(wait, max(0.0, self._due - self.clock.now()))
        nap = self.clock.sleep(wait)
        await self.wake.heard_within(nap, until=None if is_full else self._due)
        self._due = min(self._due, self.wake.due())
        if self._due == UNKNOWN or self.clock.steady() - self._checked_at >= self.check:
            self._due = await self._next_due()

    async def _next_due(self) -> float:
        self._checked_at = self.clock.steady()
        try:
            due = await self.rows.next_due()
        except Exception as error:  # noqa: BLE001 - as with the claim: it comes back
            self._failed(error)
            return self.clock.now() + 1.0
        return math.inf if due is None else due

    async def _wind_down(self) -> None:
        self._ending = True
        self.handed_on.free = 0
        for row in self.handed_on.take():
            await self._give_back(row)
        if not self._steps:
            return
        _, late = await asyncio.wait(self._steps, timeout=self.grace)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=LAST)
