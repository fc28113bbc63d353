"""The step that polls a job at its gateway until the video is made or the job has failed."""

from dataclasses import dataclass, replace

from bot.core import fetching, moves
from bot.core.context import PAUSE, StepContext
from bot.core.jobs import LAST_DEADLINE, UNNAMED, Job, Reason
from bot.core.notices import SHAPE, WORD, about
from bot.core.outcomes import Done, Failed, Locked, Missing, Polled, Running, Trouble, kind_of
from bot.core.ports import Gateway
from bot.log import get_logger

LOST_AFTER = 600.0
LOST_TRIES = 5
"""A job is lost if its gateway doesn't know its id after these seconds and this many polls."""

log = get_logger()


@dataclass(frozen=True, slots=True)
class Waiting:
    """Polls jobs that gateways are working on."""

    context: StepContext

    async def poll(self, job: Job) -> None:
        """Poll the job's gateway once and save the outcome."""
        gateway = await self.context.gateway(job)
        if gateway is None or job.gateway_id is None:
            return
        asked_at = self.context.clock.now()
        prompt = job.request.written
        poll = await fetching.poll(gateway, job.gateway_id, job.sources, prompt=prompt)
        await self.judge(job, poll, asked_at=asked_at)

    async def judge(self, job: Job, poll: Polled, *, asked_at: float) -> None:
        """Save the outcome of a poll that was sent at `asked_at`."""
        gateway = self.context.gateways[job.gateway]
        if isinstance(poll, Running | Done | Failed) and job.gateway_id != UNNAMED:
            # A job without an id is not polled at all, so this outcome proves nothing.
            await self.context.works(job, asked_at=asked_at)
        if isinstance(poll, Done):
            now = self.context.clock.now()
            done = moves.completed(
                job,
                now=now,
                sources=poll.sources,
                withheld=poll.withheld,
                made_after=await self.context.made_after(job),
                cost=poll.cost,
            )
            # A job that may have crashed our process goes on in single steps and stays suspect.
            if job.crashes or not self.context.hand_on_found(job, done):
                await self.context.hand_on(job, replace(done, crashes=job.crashes))
        elif isinstance(poll, Failed):
            charged = poll.charged or not gateway.refunds_failed
            failed = moves.failed(
                job, poll.reason, charged=charged, detail=poll.detail, cost=poll.cost
            )
            await self.context.save(job, failed)
        elif self.context.is_past(LAST_DEADLINE, job.submitted_at):
            await self.context.save(job, moves.failed(job, Reason.TIMED_OUT, charged=True))
        else:
            await self._poll_later(job, poll, gateway)

    async def _poll_later(
        self, job: Job, poll: Running | Missing | Locked | Trouble, gateway: Gateway
    ) -> None:
        match poll:
            case Running(progress, at_least, unknown, shape, cost):
                if unknown:
                    await self.context.remark(job, about(WORD, unknown), unknown)
                elif shape:
                    await self.context.remark(job, about(SHAPE, shape), shape)
                wait = max(at_least or 0.0, await self.context.next_poll(job))
                further = replace(
                    job,
                    progress=risen(job.progress, progress),
                    attempts=0,
                    told_cost=cost or job.told_cost,
                )
                await self.context.put_off(further, wait, was=job)
            case Missing():
                await self._missing(job)
            case Locked():
                await self.context.pause(job, poll)
                await self.context.put_off(job, PAUSE)
            case Trouble(detail, retry_after):
                log.warning("look.failed", job=job.id, what=kind_of(detail))
                pace = await self.context.next_poll(job, least=min(60.0, 4 * gateway.poll_step))
                wait = max(pace, retry_after or 0.0)
                self.context.learned.missed(job.gateway, until=self.context.clock.now() + wait)
                await self.context.put_off(job, wait)

    async def _missing(self, job: Job) -> None:
        misses = job.attempts + 1
        if self.context.elapsed(job) >= LOST_AFTER and misses >= LOST_TRIES:
            log.error("job.lost", job=job.id, gateway=job.gateway)
            await self.context.save(job, moves.failed(job, Reason.LOST, charged=True))
            return
        # A new job may be unknown for seconds. Later, a redeployed gateway may not know it for
        # minutes.
        pace = LOST_AFTER / (LOST_TRIES - 1) if misses > 1 else 0.0
        wait = max(await self.context.next_poll(job), pace)
        await self.context.put_off(replace(job, attempts=misses), wait, was=job)


def risen(before: int, reported: int | None) -> int:
    """Return the progress to show: it never falls, and stays below 100 until the video is made.

    Gateways report progress that falls, jumps, or reaches 100 early.
    """
    return max(before, min(reported or 0, 99))
