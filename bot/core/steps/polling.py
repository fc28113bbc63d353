"""Looks at jobs that are being made, many at a time: claimed together, and written down together.

Most looks find that a job is still being made; that is one line of a shared write. Of any other
the whole row is read, and what follows is the step that one look by itself takes. A look is free
and may be taken twice, so a stop waits for none of them.
"""

import asyncio
import math
from collections.abc import Collection, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.core import failures, fetching
from bot.core.desk import Desk
from bot.core.errors import Temporary
from bot.core.jobs import CLAIM, LAST_DEADLINE, UNNAMED, Job
from bot.core.outcomes import Running
from bot.core.pending import Pending, Seen
from bot.core.people import People
from bot.core.posts import EDIT_PACE, PostKind, is_shown
from bot.core.steps.jobs import Steps
from bot.core.steps.waiting import risen
from bot.core.wake import UNKNOWN, Wake
from bot.core.worker import RENEWAL
from bot.log import get_logger

AT_ONCE, FEW_AT_ONCE = 16, 8
"""Looks under way at most; and while people wait for answers."""
BATCH, FEW, FEW_LEFT = 800, 250, 200
"""Jobs that wait for their looks at most; while people wait; and when the next are claimed."""
TOGETHER, SOON = 0.1, 0.02
"""Seconds between two claims, or two writes; and between two parts while people wait."""
LINES, FEW_LINES = 1_000, 32
"""Looks of one write; and of one part while people wait."""
MOST_UNWRITTEN = 1_000
"""Looks that are not written down yet; beyond, the database takes nothing and no more are taken."""
REST = 30.0
"""Seconds after which the rows are looked at even if nobody rang."""
LAST = 5.0
"""Seconds for the end: the next start takes up what could not be given back by then."""

log = get_logger()


class Polls(Protocol):
    """The rows of jobs that are being made. Each method is one whole transaction."""

    async def claim(
        self, *, now: float, until: float, most: int, but: Collection[str]
    ) -> list[Pending]:
        """Take up to `most` that are due, but none of `but`, which we hold.

        One whose claim ran out is none of them: its process may have died of it.
        """

    async def next_due(self, *, but: Collection[str]) -> float | None:
        """When the earliest, but none of `but`, can be claimed."""

    async def renew(self, ids: Collection[str], *, until: float) -> None:
        """Let the claims on these last until then."""

    async def release(self, ids: Collection[str]) -> None:
        """Give these back without a word."""

    async def whole(self, job: Pending) -> Job | None:
        """All of its row; None if it has moved on since."""

    async def write(self, seen: Sequence[Seen], *, now: float, ahead: float) -> bool:
        """Write down those that nobody else has moved; whether cards are due because of it.

        `ahead`: seconds by which the clock of the rows is ahead of the steady one.
        """

    async def finish(self) -> None:
        """We hold none any more."""


@dataclass(slots=True, kw_only=True)
class Polling:
    """One per process. It holds nothing that the rows do not tell."""

    desk: Desk
    polls: Polls
    steps: Steps
    wake: Wake
    people: People
    _due: asyncio.Queue[Pending] = field(init=False, default_factory=asyncio.Queue)
    """Claimed, and not begun."""
    _held: set[str] = field(init=False, default_factory=set)
    """Ids of those, of looks under way, and of what is not written down yet."""
    _seen: list[Seen] = field(init=False, default_factory=list)
    """Not written down yet."""
    _has_seen: asyncio.Event = field(init=False, default_factory=asyncio.Event)
    _has_room: asyncio.Event = field(init=False, default_factory=asyncio.Event)
    _part: tuple[float, int] = field(init=False, default=(0.0, 0))
    """When the present part ends, and how many looks it may still have."""
    _resting_until: float = field(init=False, default=0.0)

    async def run(self) -> None:
        """Look until cancelled; then write down what was seen, and give the rest back."""
        loops: list[Coroutine[Any, Any, None]] = [self._poll_in_turn(at) for at in range(AT_ONCE)]
        loops += [self._claim_on(), self._write_on(), self._renew_on()]
        try:
            async with asyncio.TaskGroup() as group:
                for loop in loops:
                    group.create_task(loop)
        finally:
            await self._wind_down()

    # --- claims ----------------------------------------------------------------------------------

    async def _claim_on(self) -> None:
        is_more = True
        while True:
            if not is_more:
                await self._rest()
            while self._due.qsize() > FEW_LEFT or len(self._seen) > MOST_UNWRITTEN:
                self._has_room.clear()
                await self._has_room.wait()
            is_more = await self._claim()

    async def _claim(self) -> bool:
        """Take what is due; whether there may be more."""
        now = self.desk.clock.now()
        most = (FEW if self.people.are_here else BATCH) - self._due.qsize()
        try:
            rows = await self.polls.claim(now=now, until=now + CLAIM, most=most, but=self._taken)
        except Exception as error:  # noqa: BLE001 - full or away: it comes back, we go on
            await self._failed("claim.failed", error)
            return False
        for row in rows:
            if row.id not in self._held:
                self._held.add(row.id)
                self._due.put_nowait(row)
        return len(rows) == most

    @property
    def _taken(self) -> set[str]:
        """The ids that are ours, and those of jobs with a step under way.

        A job that was found made goes on to its next step before its row tells.
        """
        return self._held | self.desk.bells.in_hand.keys()

    async def _rest(self) -> None:
        """Until a row is due. Rows that become due one after another are claimed together."""
        clock, due = self.desk.clock, UNKNOWN
        while True:
            await clock.sleep(TOGETHER)
            due = min(due, self.wake.due())
            if due == UNKNOWN:
                self._resting_until = math.inf  # what is written from now on is not in the answer
                try:
                    first = await self.polls.next_due(but=self._taken)
                except Exception as error:  # noqa: BLE001 - as with the claim
                    await self._failed("claim.failed", error)
                    continue
                due = math.inf if first is None else first
            wait = min(REST, due - clock.now())
            if wait <= 0:
                return
            self._resting_until = clock.steady() + wait
            await self.wake.heard_within(clock.sleep(wait), until=clock.now() + wait)
            if clock.steady() >= self._resting_until:
                return

    async def _renew_on(self) -> None:
        while True:
            await self.desk.clock.sleep(RENEWAL)
            if self._held:
                until = self.desk.clock.now() + CLAIM
                try:
                    await self.polls.renew(list(self._held), until=until)
                except Exception as error:  # noqa: BLE001 - the next one may succeed
                    await self._failed("claim.not_renewed", error)

    # --- looks -----------------------------------------------------------------------------------

    async def _poll_in_turn(self, number: int) -> None:
        while True:
            while self.people.are_here and number >= FEW_AT_ONCE:
                await self.desk.clock.sleep(max(SOON, self.people.stay))
            job = await self._due.get()
            if self._due.qsize() <= FEW_LEFT:
                self._has_room.set()
            while self.people.are_here and not self._is_in_part():
                await self.desk.clock.sleep(SOON)
            try:
                await self._poll(job)
            except Exception as error:  # noqa: BLE001 - one job does not end the others
                failures.record("step.failed", error, job=job.id)
                await self._give_back(job)

    def _is_in_part(self) -> bool:
        """Whether one more look may begin while people wait: few of them in a while."""
        now = self.desk.clock.steady()
        ends, left = self._part if now < self._part[0] else (now + SOON, FEW_LINES)
        self._part = ends, left - 1
        return left > 0

    async def _poll(self, job: Pending) -> None:
        desk, asked_at = self.desk, self.desk.clock.now()
        gateway = desk.gateways.get(job.gateway)
        is_known = gateway is not None and gateway.base_url == job.base_url
        if gateway is None or not is_known or job.gateway_id in (None, UNNAMED):
            await self._take(job)
            return
        seen = await gateway.glance(job.gateway_id or "")
        if not isinstance(seen, Running) or desk.is_past(LAST_DEADLINE, job.submitted_at):
            read = seen.read if not isinstance(seen, Running) else lambda _: seen
            whole = await self.polls.whole(job)
            if whole:
                poll = fetching.beside(whole.sources, read(whole.request.written))
                await self.steps.polled(whole, poll, asked_at=asked_at)
            self._held.discard(job.id)
            return
        if desk.pauses.may_end_by_poll(job.gateway):
            await desk.works(job, asked_at=asked_at)
        due = desk.clock.steady() + max(seen.at_least or 0.0, await desk.next_poll(job))
        progress = risen(job.progress, seen.progress)
        shows = is_shown(job.progress, progress, age=asked_at - job.created_at)
        self._seen.append(Seen(job.id, job.version, progress, due, shows))
        self._has_seen.set()

    async def _take(self, job: Pending) -> None:
        """Its step, as of any other job."""
        whole = await self.polls.whole(job)
        if whole:
            await self.steps.take(whole)
        self._held.discard(job.id)

    async def _give_back(self, job: Pending) -> None:
        """Tried until the database takes it: a row that stays claimed would wait for nothing."""
        while True:
            await self.desk.clock.sleep(1.0)
            try:
                await self.polls.release([job.id])
            except Exception:  # noqa: BLE001, S112 - a full disk, a database that is away
                continue
            self._held.discard(job.id)
            return

    # --- writes ----------------------------------------------------------------------------------

    async def _write_on(self) -> None:
        while True:
            await self._has_seen.wait()
            if self.people.are_here:
                await self.desk.clock.sleep(SOON)
                await self._write_part(FEW_LINES)
            else:
                if len(self._seen) < LINES:
                    await self.desk.clock.sleep(TOGETHER)
                await self._write_part(LINES)

    async def _write_part(self, most: int) -> None:
        """Nothing that was seen is forgotten: a write that failed is tried again."""
        part = self._seen[:most]
        try:
            await self._write(part)
        except Exception as error:  # noqa: BLE001 - a full disk, a database that is away
            await self._failed("looks.not_written", error)
            return
        del self._seen[: len(part)]
        self._held.difference_update(each.id for each in part)
        self._has_room.set()
        if not self._seen:
            self._has_seen.clear()
        due = min(each.due for each in part)
        if due < self._resting_until:
            self.wake.ring(due + self.desk.clock.now() - self.desk.clock.steady())

    async def _write(self, part: Sequence[Seen]) -> None:
        clock = self.desk.clock
        now = clock.now()
        if await self.polls.write(part, now=now, ahead=now - clock.steady()):
            self.desk.bells.owed({PostKind.CARD: now + EDIT_PACE})

    async def _wind_down(self) -> None:
        try:
            async with asyncio.timeout(LAST):
                if self._seen:
                    await self._write(self._seen)
                await self.polls.release(self._held)
                await self.polls.finish()
        except Exception as error:  # noqa: BLE001 - the next start finds the claims of the dead
            log.warning("looks.not_given_back", error=type(error).__name__)

    async def _failed(self, event: str, error: Exception) -> None:
        """One line for what time heals; it is said each second."""
        code = error.code if isinstance(error, Temporary) else type(error).__name__
        log.warning(event, worker="looks", error=code)
        await self.desk.clock.sleep(1.0)
