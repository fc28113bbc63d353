"""The desk where steps write down what happened: saving, putting off, pausing a gateway.

Every write goes through the version fence and rings whoever has to look next.
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
"""Seconds until a gateway that refused our key or balance is asked again.

Once a minute: the rest of it is for the answer, and for what waits to be sent then.
"""

UNCALLED = 1.5 * PAUSE
"""Seconds until an order that met a lock is due by itself.

Between two times at which one is called: else it would be faster than the one that is called.
"""

SETTLED = 600.0
"""Seconds for which a clock has to go on evenly before anything is given up by it."""

log = get_logger()

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The rows, the gateways, the clock and the bells that a job's steps share.

    `rooms`: platforms where whoever comes is the operator. `said_on`: those where this process
    says what is owed.
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
    """Jobs on their way to the step of a state that they were found in, and no row tells yet."""

    async def hand_on(self, before: Job, after: Job) -> Job | None:
        """Write a change, claimed for its next step where that can begin at once."""
        on = self.bells.way_on(after)
        until = self.clock.now() + CLAIM if on else None
        return await self.save(before, replace(after, claimed_until=until), on=on)

    def hand_on_found(self, job: Job, found: Job) -> bool:
        """Hand on a claimed job for the step of the state that it was found in; whether it can be.

        Nothing is written: the step does that, and after a crash it is found once more.
        """
        on = self.bells.way_on(found)
        if on is not None:
            self._found[job.id] = found
            self.bells.hand_on(job, on)
        return on is not None

    def found(self, job: Job) -> Job | None:
        """`job` as it was found, if it was handed on like that; told once."""
        return self._found.pop(job.id, None)

    async def save(self, before: Job, after: Job, *, on: HandedOn[Job] | None = None) -> Job | None:
        """Write a change; None if somebody else was faster."""
        now = self.clock.now()
        saved = await self.jobs.save(before, after, now=now)
        if saved is not None:
            self._tell(before, saved)
            self.bells.changed(before, saved, now=now, on=on)
        return saved

    async def keep(self, before: Job, after: Job) -> Job | None:
        """Write a change, with a claim on the message of its video where that can be sent now."""
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
        """The log, an owner and what is learned hear of it."""
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
        """Write until the database takes it; `until_then` after each time that it does not.

        A lasting error is raised: it would be tried for ever.
        """
        is_told = False
        while True:
            try:
                return await write()
            except Unwritten as error:  # a full disk, a database that is away
                until_then()
                if not is_told:
                    log.warning("job.unwritten", job=job.id, code=error.code)
                is_told = True
                await self.clock.sleep(1.0)
            except Exception:
                until_then()
                raise

    async def begin(self, job: Job, at_once: int | None) -> Job | None:
        """The POST is about to leave, if there is a place for it: `submitting` if it may."""
        now = self.clock.now()
        begun = await self.jobs.begin(job, now=now, at_once=at_once)
        if begun is not None:
            log.info(f"job.{begun.status}", job=begun.id, reason=begun.reason)
            self.bells.changed(job, begun, now=now)
            if at_once is not None:
                self.bells.each_job[Status.QUEUED,].ring(now)  # the next one may be called
        return begun

    async def put_off(self, job: Job, seconds: float, *, was: Job | None = None) -> None:
        """Due again in so many seconds, unclaimed; `was` is the row that `job` was made of."""
        later = moves.put_off(job, due_at=self.clock.now() + seconds)
        await self.save(was or job, later)

    async def turn_away(self, job: Job, seconds: float) -> None:
        """Due again in so many seconds, without having begun: whatever it is suspected of stays."""
        later = moves.put_off(job, due_at=self.clock.now() + seconds)
        await self.save(job, replace(later, crashes=job.crashes))

    async def again(self, job: Job, *, base: float, most: float) -> None:
        """One more try of the same step, after a pause that doubles each time."""
        wait = schedule.back_off(job.attempts + 1, base=base, most=most)
        await self.put_off(replace(job, attempts=job.attempts + 1), wait, was=job)

    def ring(self) -> None:
        """Something may have become due, and nobody knows what."""
        self.bells.jobs.ring()
        self.bells.posts.ring()

    # --- gateways ------------------------------------------------------------------------------

    async def gateway(self, job: Job) -> Gateway | None:
        """The job's own gateway; if the configuration lost it, the job waits and we say so."""
        gateway = self.gateways.get(job.gateway)
        if gateway is None or gateway.base_url != job.base_url:
            log.error("gateway.unknown", job=job.id, gateway=job.gateway)
            await self._without_gateway(job)
            return None
        return gateway

    def step(self, job: Job | Pending) -> float:
        """Seconds between two looks at the job's gateway."""
        return self.gateways[job.gateway].poll_step

    async def pause(self, job: Job, locked: Locked) -> None:
        """Leave the job's gateway alone for a while: it refuses our key or our balance."""
        log.error("gateway.refused", gateway=job.gateway, reason=locked.reason, seconds=PAUSE)
        now = self.clock.now()
        self.learned.missed(job.gateway, until=now + PAUSE)
        pause = Pause(locked.reason, until=now + PAUSE, looking=job.status is Status.IN_PROGRESS)
        await self.pauses.pause(job.gateway, pause, detail=locked.detail, rooms=self.rooms, now=now)
        self.bells.notices.ring()

    async def lock(self, job: Job, locked: Locked) -> bool:
        """The job's POST met a lock: whether its gateway is paused, or the lock is its alone."""
        now = self.clock.now()
        paused = await self.pauses.lock(
            job,
            self.gateways[job.gateway].account,
            Pause(locked.reason, until=now + PAUSE),
            detail=locked.detail,
            rooms=self.rooms,
            now=now,
        )
        told = {"gateway": job.gateway, "reason": locked.reason}
        if paused:
            log.error("gateway.refused", **told, seconds=PAUSE)
            self.bells.notices.ring()
        else:
            words = _without_persons(job, locked.detail)
            log.warning("job.refused_alone", job=job.id, **told, words=words)
        return paused

    async def passed(self, job: Job, *, balance: bool = True) -> None:
        """The job's POST was answered as its gateway answers a good key and a good balance."""
        account = self.gateways[job.gateway].account
        await self.pauses.passed(job, account, balance=balance)

    async def remark(self, job: Job, subject: str, detail: str) -> None:
        """Let the owners of the job's gateway know; the same is written once an hour at most."""
        key, steady = (job.gateway, subject), self.clock.steady()
        if steady - self._remarked.get(key, -HUSH) < HUSH:
            return
        self._remarked[key] = steady
        now = self.clock.now()
        await self.pauses.remark(job.gateway, subject, detail=detail, rooms=self.rooms, now=now)
        self.bells.notices.ring()

    async def works(self, job: Job | Pending, *, asked_at: float) -> None:
        """The job's gateway did what it was asked at that time: a pause of before is over."""
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
        """The pause of its gateway that keeps this order back."""
        return await self.pauses.held(job.gateway, now=self.clock.now())

    async def catch_up(self, job: Job) -> None:
        """An order was just put back: if its gateway was found to work meanwhile, it is due."""
        if await self.pauses.catch_up(job.gateway, now=self.clock.now()):
            self.ring()

    # --- time ----------------------------------------------------------------------------------

    def is_past(self, deadline: float, since: float | None) -> bool:
        """Whether so many seconds have passed, by a clock that was not set just now.

        After a start we can't know: it may be right only once a time server was heard.
        """
        is_past = since is not None and self.clock.now() - since > deadline
        return is_past and self.clock.settled() >= SETTLED

    def elapsed(self, job: Job | Pending) -> float:
        """Seconds since the gateway got the job, or since it was ordered."""
        return self.clock.now() - (job.submitted_at or job.created_at)

    async def next_poll(
        self, job: Job | Pending, *, elapsed: float | None = None, least: float = 0.0
    ) -> float:
        """Seconds until the next look at a running job, `least` about; no two jobs keep step."""
        elapsed = self.elapsed(job) if elapsed is None else elapsed
        if elapsed > HARD_DEADLINE and self.clock.settled() >= SETTLED:
            least, wait = max(least, schedule.LATE_STEP), 0.0
        else:
            pace = await self.learned.pace(Key.of(job))
            wait = pace.next_poll(elapsed, step=self.step(job), by=job.id)
        return max(wait, schedule.spread(least, by=f"{job.id} {job.version}"))

    async def made_after(self, job: Job) -> float | None:
        """Seconds after which a job that is found made was not yet; None where nobody looked."""
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
    """The gateway's words on a job that ends badly, for the log alone."""
    if job.detail is None or job.status not in (Status.FAILED, Status.UNCONFIRMED):
        return {}
    return {"words": _without_persons(job, job.detail)}


def _without_persons(job: Job, said: str) -> str:
    """A gateway's words for the log, without what they quote of what a person wrote."""
    # Each by itself: of a short one no part is long enough to be found among others.
    for text in job.request.written.splitlines():
        said = unquoted(said, text)
    return said
