"""The work that the steps of a job share: saving, postponing, and pausing a gateway.

Every write checks the row's version and wakes the loops that have to act next.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from bot.core import moves, schedule
from bot.core.bells import Bells
from bot.core.errors import Unwritten
from bot.core.handed_on import HandedOn
from bot.core.jobs import CLAIM, HARD_DEADLINE, LAST_DEADLINE, Job, Reason, Status
from bot.core.learned import Key, Learned
from bot.core.notices import HUSH, Pause
from bot.core.outcomes import Locked
from bot.core.pending import Pending
from bot.core.ports import Clock, Gateway, Jobs, Pauses
from bot.core.prompts import unquoted
from bot.log import get_logger

PAUSE = 50.0
"""Seconds until a gateway that refused our key or balance is tried again.

The rest of a minute is for the response and for the jobs that are then sent.
"""

UNCALLED = 1.5 * PAUSE
"""Seconds until a job whose POST was refused for our key or balance is due again.

It is due earlier if the gateway's pause ends. The first probe of the gateway comes after `PAUSE`,
so the job does not come before the probe.
"""

SETTLED = 600.0
"""Seconds without a clock step before a deadline may end a job."""

log = get_logger()

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepContext:
    """The rows, the gateways, the clock and the bells that a job's steps share.

    `rooms`: platforms where every person is the operator. `said_on`: platforms on which this
    process sends posts.
    """

    jobs: Jobs
    learned: Learned
    pauses: Pauses
    gateways: Mapping[str, Gateway]
    clock: Clock
    bells: Bells
    rooms: Collection[str] = ()
    said_on: Collection[str] = ()
    _remarked: dict[tuple[str, str], float] = field(init=False, default_factory=dict)
    _found: dict[str, Job] = field(init=False, default_factory=dict)
    """Jobs handed to the step of a new state that is not written to their rows yet."""

    async def hand_on(self, before: Job, after: Job) -> Job | None:
        """Write a change, and claim the row for its next step if that can begin at once."""
        on = self.bells.way_on(after)
        until = self.clock.now() + CLAIM if on else None
        return await self.save(before, replace(after, claimed_until=until), on=on)

    def hand_on_found(self, job: Job, found: Job) -> bool:
        """Hand a claimed job to the step of the state in which a poll found it. Return success.

        Nothing is written here; the step does that. After a crash the job is polled again.
        """
        on = self.bells.way_on(found)
        if on is not None:
            self._found[job.id] = found
            self.bells.hand_on(job, on)
        return on is not None

    def found(self, job: Job) -> Job | None:
        """Return and forget the new state of a job from `hand_on_found`; None if there is none."""
        return self._found.pop(job.id, None)

    async def save(self, before: Job, after: Job, *, on: HandedOn[Job] | None = None) -> Job | None:
        """Write a change. Return None if the row has changed meanwhile."""
        now = self.clock.now()
        saved = await self.jobs.save(before, after, now=now)
        if saved is not None:
            self._tell(before, saved)
            self.bells.changed(before, saved, now=now, on=on)
        return saved

    async def keep(self, before: Job, after: Job) -> Job | None:
        """Write a change, and claim the post of the video if it can be sent at once."""
        platform = after.order.call.address.platform
        if platform not in self.said_on or not self.bells.results_on.has_room:
            return await self.save(before, after)
        now = self.clock.now()
        saved, result = await self.jobs.keep(before, after, now=now, until=now + CLAIM)
        if saved is not None:
            self._tell(before, saved)
            self.bells.changed(before, saved, now=now, result=result)
        return saved

    def _tell(self, before: Job, saved: Job) -> None:
        """Log a change of state, ring for an unconfirmed job, and learn from a made video."""
        if saved.status is before.status:
            return
        log.info(f"job.{saved.status}", job=saved.id, reason=saved.reason, **_words(saved))
        if saved.status is Status.UNCONFIRMED:
            self.bells.watch.ring()
        if saved.status is Status.COMPLETED:
            self.learned.learn(saved)

    async def insist(
        self,
        job: Job,
        write: Callable[[], Awaitable[Result]],
        *,
        until_then: Callable[[], None] = lambda: None,
    ) -> Result:
        """Retry a write until the database accepts it. Call `until_then` after each failure.

        An error other than `Unwritten` is raised, as retries would never end.
        """
        is_logged = False
        while True:
            try:
                return await write()
            except Unwritten as error:  # a full disk, a database that is away
                until_then()
                if not is_logged:
                    log.warning("job.unwritten", job=job.id, code=error.code)
                is_logged = True
                await self.clock.sleep(1.0)
            except Exception:
                until_then()
                raise

    async def begin(self, job: Job, at_once: int | None) -> Job | None:
        """Save that the POST is about to be sent, if the model has a free slot; return the row.

        Otherwise the returned row is still queued. None if the row has changed meanwhile.
        """
        now = self.clock.now()
        begun = await self.jobs.begin(job, now=now, at_once=at_once)
        if begun is not None:
            log.info(f"job.{begun.status}", job=begun.id, reason=begun.reason)
            self.bells.changed(job, begun, now=now)
            if at_once is not None:
                self.bells.each_job[Status.QUEUED,].ring(now)  # the next job may get a slot
        return begun

    async def put_off(self, job: Job, seconds: float, *, was: Job | None = None) -> None:
        """Postpone a job by `seconds` and end its claim. `was`: the row before the changes."""
        later = moves.put_off(job, due_at=self.clock.now() + seconds)
        await self.save(was or job, later)

    async def turn_away(self, job: Job, seconds: float) -> None:
        """Postpone a step that did not begin. The job's count of crashes stays."""
        later = moves.put_off(job, due_at=self.clock.now() + seconds)
        await self.save(job, replace(later, crashes=job.crashes))

    async def again(self, job: Job, *, base: float, most: float) -> None:
        """Retry the same step later, with a wait that doubles each time."""
        wait = schedule.back_off(job.attempts + 1, base=base, most=most)
        await self.put_off(replace(job, attempts=job.attempts + 1), wait, was=job)

    def ring(self) -> None:
        """Ring for all jobs and posts, as any of them may have become due."""
        self.bells.jobs.ring()
        self.bells.posts.ring()

    # --- gateways ------------------------------------------------------------------------------

    async def gateway(self, job: Job) -> Gateway | None:
        """Return the job's gateway. If it is not configured, postpone the job; return None."""
        gateway = self.gateways.get(job.gateway)
        if gateway is None or gateway.base_url != job.base_url:
            log.error("gateway.unknown", job=job.id, gateway=job.gateway)
            await self._without_gateway(job)
            return None
        return gateway

    def step(self, job: Job | Pending) -> float:
        """Return the configured seconds between two polls of the job's gateway."""
        return self.gateways[job.gateway].poll_step

    async def pause(self, job: Job, locked: Locked) -> None:
        """Pause the job's gateway, which refuses our key or our balance."""
        log.error("gateway.refused", gateway=job.gateway, reason=locked.reason, seconds=PAUSE)
        now = self.clock.now()
        self.learned.missed(job.gateway, until=now + PAUSE)
        pause = Pause(locked.reason, until=now + PAUSE, polls_only=job.status is Status.IN_PROGRESS)
        await self.pauses.pause(job.gateway, pause, detail=locked.detail, rooms=self.rooms, now=now)
        self.bells.notices.ring()

    async def lock(self, job: Job, locked: Locked) -> bool:
        """Pause the gateway, because it refused the POST for our key or our balance.

        Return False, without a pause, if the refusal concerns this job alone.
        """
        now = self.clock.now()
        paused = await self.pauses.lock(
            job,
            self.gateways[job.gateway].account,
            Pause(locked.reason, until=now + PAUSE),
            detail=locked.detail,
            rooms=self.rooms,
            now=now,
        )
        facts = {"gateway": job.gateway, "reason": locked.reason}
        if paused:
            log.error("gateway.refused", **facts, seconds=PAUSE)
            self.bells.notices.ring()
        else:
            words = _without_persons(job, locked.detail)
            log.warning("job.refused_alone", job=job.id, **facts, words=words)
        return paused

    async def passed(self, job: Job, *, balance: bool = True) -> None:
        """Record that the response to the job's POST shows a good key, and a good balance."""
        account = self.gateways[job.gateway].account
        await self.pauses.passed(job, account, balance=balance)

    async def remark(self, job: Job, subject: str, detail: str) -> None:
        """Write owners a notice about the job's gateway, as often as `notices.is_news` allows."""
        key, steady = (job.gateway, subject), self.clock.steady()
        if steady - self._remarked.get(key, -HUSH) < HUSH:
            return
        self._remarked[key] = steady
        now = self.clock.now()
        await self.pauses.remark(job.gateway, subject, detail=detail, rooms=self.rooms, now=now)
        self.bells.notices.ring()

    async def works(self, job: Job | Pending, *, asked_at: float) -> None:
        """Record that a request about this job, sent at `asked_at`, succeeded.

        That ends the gateway's pause if the pause began before `asked_at`. A poll ends only a pause
        that began with refused polls.
        """
        ended = await self.pauses.works(
            job.gateway,
            polled=isinstance(job, Pending) or job.status is Status.IN_PROGRESS,
            asked_at=asked_at,
            rooms=self.rooms,
            now=self.clock.now(),
        )
        if ended:
            log.info("gateway.accepted", gateway=job.gateway)
            self.ring()

    async def held(self, job: Job) -> Pause | None:
        """Return the pause or hold that keeps this job's POST back; None if there is none."""
        return await self.pauses.held(job.gateway, now=self.clock.now())

    async def catch_up(self, job: Job) -> None:
        """Make a job that was just requeued due if its gateway began to work meanwhile."""
        if await self.pauses.catch_up(job.gateway, now=self.clock.now()):
            self.ring()

    # --- time ----------------------------------------------------------------------------------

    def is_past(self, deadline: float, since: float | None) -> bool:
        """Whether `deadline` seconds have passed since the time `since`, by a settled clock.

        This is False soon after a start, as a time server may still correct the clock.
        """
        is_past = since is not None and self.clock.now() - since > deadline
        return is_past and self.clock.settled() >= SETTLED

    def elapsed(self, job: Job | Pending) -> float:
        """Return the seconds since the POST, or since the order if no POST was sent."""
        return self.clock.now() - (job.submitted_at or job.created_at)

    async def next_poll(
        self, job: Job | Pending, *, elapsed: float | None = None, least: float = 0.0
    ) -> float:
        """Return the seconds until the next poll of a job, at least about `least`.

        The time differs between jobs, to spread the polls.
        """
        elapsed = self.elapsed(job) if elapsed is None else elapsed
        if elapsed > HARD_DEADLINE and self.clock.settled() >= SETTLED:
            least, wait = max(least, schedule.LATE_STEP), 0.0
        else:
            pace = await self.learned.pace(Key.of(job))
            wait = pace.next_poll(elapsed, step=self.step(job), by=job.id)
        return max(wait, schedule.spread(least, by=f"{job.id} {job.version}"))

    async def made_after(self, job: Job) -> float | None:
        """Return the age at which the job was surely not made yet; None if unknown."""
        return await self.learned.made_after(job, step=self.step(job), now=self.clock.now())

    async def _without_gateway(self, job: Job) -> None:
        queued = job.status is Status.QUEUED
        if self.is_past(LAST_DEADLINE, job.created_at):
            reason = Reason.BUSY if queued else Reason.TIMED_OUT
            await self.save(job, moves.failed(job, reason, charged=not queued))
        else:
            waiting = replace(job, reason=Reason.BUSY) if queued else job
            await self.put_off(waiting, PAUSE, was=job)


def _words(job: Job) -> dict[str, str]:
    """Return the gateway's message on a failed or unconfirmed job, for the log alone."""
    if job.detail is None or job.status not in (Status.FAILED, Status.UNCONFIRMED):
        return {}
    return {"words": _without_persons(job, job.detail)}


def _without_persons(job: Job, said: str) -> str:
    """Return a gateway's message for the log, without quotations of the person's texts."""
    # Each line by itself, as parts of a short line are too short to be found otherwise.
    for text in job.request.written.splitlines():
        said = unquoted(said, text)
    return said
