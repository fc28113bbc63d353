"""Polls many jobs at a time: they are claimed together, and their outcomes are saved together.

Most polls find that a video is still being made; these outcomes share one write. For any other
outcome the whole row is read and the job takes its step alone. A poll is free and may be repeated,
so a stop waits for no poll.
"""

import asyncio
import math
from collections.abc import Collection, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.core import failures, fetching
from bot.core.context import StepContext
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
"""The most polls at once: usually, and while people wait for answers."""
BATCH, FEW, FEW_LEFT = 800, 250, 200
"""The most jobs that are claimed: usually, and while people wait for answers.

More jobs are claimed when only `FEW_LEFT` claimed jobs are left to poll.
"""
TOGETHER, SOON = 0.1, 0.02
"""Seconds between two claims or writes; and between two smaller parts while people wait."""
LINES, FEW_LINES = 1_000, 32
"""The most outcomes in one write: usually, and while people wait."""
MOST_UNWRITTEN = 1_000
"""The most unsaved outcomes. With more, the database is failing, and no more jobs are claimed."""
REST = 30.0
"""Seconds after which the rows are read even if `wake` was not rung."""
LAST = 5.0
"""Timeout of the shutdown in seconds. The next start releases claims that are left."""

log = get_logger()


class Polls(Protocol):
    """The rows of jobs that gateways are working on. Each method is one whole transaction."""

    async def claim(
        self, *, now: float, until: float, most: int, but: Collection[str]
    ) -> list[Pending]:
        """Claim up to `most` due jobs, except those whose ids are in `but`.

        A job whose claim expired is not taken: it may have crashed its process.
        """

    async def next_due(self, *, but: Collection[str]) -> float | None:
        """Return when the earliest job that is not in `but` can be claimed."""

    async def renew(self, ids: Collection[str], *, until: float) -> None:
        """Extend the claims on these jobs until `until`."""

    async def release(self, ids: Collection[str]) -> None:
        """Release the claims on these jobs without any other change."""

    async def whole(self, job: Pending) -> Job | None:
        """Return the whole job, or None if its row has changed since `job` was read."""

    async def write(self, seen: Sequence[Seen], *, now: float, ahead: float) -> bool:
        """Save these outcomes in rows that have not changed; return whether cards became due.

        `ahead`: `Clock.now()` minus `Clock.steady()`, in seconds.
        """

    async def finish(self) -> None:
        """Record a clean stop: the next start need not count the claims as ended by a crash.

        Call after `release`.
        """


@dataclass(slots=True, kw_only=True)
class Polling:
    """The polling loops; one per process. A crash loses nothing that the rows don't have."""

    context: StepContext
    polls: Polls
    steps: Steps
    wake: Wake
    people: People
    _due: asyncio.Queue[Pending] = field(init=False, default_factory=asyncio.Queue)
    """Claimed jobs whose polls have not begun."""
    _held: set[str] = field(init=False, default_factory=set)
    """Ids of all claimed jobs: not begun, being polled, or with an unsaved outcome."""
    _seen: list[Seen] = field(init=False, default_factory=list)
    """Outcomes that are not saved yet."""
    _has_seen: asyncio.Event = field(init=False, default_factory=asyncio.Event)
    _has_room: asyncio.Event = field(init=False, default_factory=asyncio.Event)
    _part: tuple[float, int] = field(init=False, default=(0.0, 0))
    """When the current part ends, and how many polls it may still start."""
    _resting_until: float = field(init=False, default=0.0)

    async def run(self) -> None:
        """Poll until cancelled; then save the outcomes and release the claims of unpolled jobs."""
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
        """Claim due jobs. Return whether more may be due."""
        now = self.context.clock.now()
        most = (FEW if self.people.are_here else BATCH) - self._due.qsize()
        try:
            rows = await self.polls.claim(now=now, until=now + CLAIM, most=most, but=self._taken)
        except Exception as error:  # noqa: BLE001 - database full or away: go on until it is back
            await self._failed("claim.failed", error)
            return False
        for row in rows:
            if row.id not in self._held:
                self._held.add(row.id)
                self._due.put_nowait(row)
        return len(rows) == most

    @property
    def _taken(self) -> set[str]:
        """Return the ids of our claimed jobs and of jobs with a step under way.

        A job that was found made begins its next step before its row says so.
        """
        return self._held | self.context.bells.in_hand.keys()

    async def _rest(self) -> None:
        """Sleep until a row is due. Rows that become due at nearly the same time share a claim."""
        clock, due = self.context.clock, UNKNOWN
        while True:
            await clock.sleep(TOGETHER)
            due = min(due, self.wake.due())
            if due == UNKNOWN:
                self._resting_until = math.inf  # the result lacks later writes
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
            await self.context.clock.sleep(RENEWAL)
            if self._held:
                until = self.context.clock.now() + CLAIM
                try:
                    await self.polls.renew(list(self._held), until=until)
                except Exception as error:  # noqa: BLE001 - the next one may succeed
                    await self._failed("claim.not_renewed", error)

    # --- looks -----------------------------------------------------------------------------------

    async def _poll_in_turn(self, number: int) -> None:
        while True:
            while self.people.are_here and number >= FEW_AT_ONCE:
                await self.context.clock.sleep(max(SOON, self.people.stay))
            job = await self._due.get()
            if self._due.qsize() <= FEW_LEFT:
                self._has_room.set()
            while self.people.are_here and not self._is_in_part():
                await self.context.clock.sleep(SOON)
            try:
                await self._poll(job)
            except Exception as error:  # noqa: BLE001 - one job does not end the others
                failures.record("step.failed", error, job=job.id)
                await self._give_back(job)

    def _is_in_part(self) -> bool:
        """Whether one more poll may begin while people wait: `FEW_LINES` in each `SOON` seconds."""
        now = self.context.clock.steady()
        ends, left = self._part if now < self._part[0] else (now + SOON, FEW_LINES)
        self._part = ends, left - 1
        return left > 0

    async def _poll(self, job: Pending) -> None:
        context, asked_at = self.context, self.context.clock.now()
        gateway = context.gateways.get(job.gateway)
        is_known = gateway is not None and gateway.base_url == job.base_url
        if gateway is None or not is_known or job.gateway_id in (None, UNNAMED):
            await self._take(job)
            return
        seen = await gateway.glance(job.gateway_id or "")
        is_late = context.is_past(LAST_DEADLINE, job.submitted_at)
        if not isinstance(seen, Running) or seen.cost or is_late:
            read = seen.read if not isinstance(seen, Running) else lambda _: seen
            whole = await self.polls.whole(job)
            if whole:
                poll = fetching.beside(whole.sources, read(whole.request.written))
                await self.steps.polled(whole, poll, asked_at=asked_at)
            self._held.discard(job.id)
            return
        if context.pauses.may_end_by_poll(job.gateway):
            await context.works(job, asked_at=asked_at)
        due = context.clock.steady() + max(seen.at_least or 0.0, await context.next_poll(job))
        progress = risen(job.progress, seen.progress)
        shows = is_shown(job.progress, progress, age=asked_at - job.created_at)
        self._seen.append(Seen(job.id, job.version, progress, due, shows))
        self._has_seen.set()

    async def _take(self, job: Pending) -> None:
        """Read the whole row of a job and take its next step, outside the batch of polls."""
        whole = await self.polls.whole(job)
        if whole:
            await self.steps.take(whole)
        self._held.discard(job.id)

    async def _give_back(self, job: Pending) -> None:
        """Release the claim on a job, or it would wait in vain. Retry until that is saved."""
        while True:
            await self.context.clock.sleep(1.0)
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
                await self.context.clock.sleep(SOON)
                await self._write_part(FEW_LINES)
            else:
                if len(self._seen) < LINES:
                    await self.context.clock.sleep(TOGETHER)
                await self._write_part(LINES)

    async def _write_part(self, most: int) -> None:
        """Save up to `most` outcomes. After an error they stay in memory and are saved later."""
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
            self.wake.ring(due + self.context.clock.now() - self.context.clock.steady())

    async def _write(self, part: Sequence[Seen]) -> None:
        clock = self.context.clock
        now = clock.now()
        if await self.polls.write(part, now=now, ahead=now - clock.steady()):
            self.context.bells.owed({PostKind.CARD: now + EDIT_PACE})

    async def _wind_down(self) -> None:
        try:
            async with asyncio.timeout(LAST):
                if self._seen:
                    await self._write(self._seen)
                await self.polls.release(self._held)
                await self.polls.finish()
        except Exception as error:  # noqa: BLE001 - the next start releases the claims
            log.warning("looks.not_given_back", error=type(error).__name__)

    async def _failed(self, event: str, error: Exception) -> None:
        """Log a database error in one line and wait one second."""
        code = error.code if isinstance(error, Temporary) else type(error).__name__
        log.warning(event, worker="looks", error=code)
        await self.context.clock.sleep(1.0)
