"""How long videos take, learned from those that were made: for looks, and for what people read.

Kept in memory. Read from the rows once for each model; after that, every video that is made adds
its own.
"""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from bot.core import schedule
from bot.core.jobs import UNNAMED, Job
from bot.core.pending import Pending
from bot.core.plans import Plan, Took, learned, unlearned

SAMPLES = 50
"""Videos of a kind that are remembered: the latest."""
MOST_MODELS = 100
MOST_KINDS = 200
"""Kinds of a model."""
LATE = 30.0
"""Seconds by which a look may be late for its video to count, or a tenth of that video's age."""
_RENEWED = 10
"""A plan is made anew once this part of its videos is new."""
_AT_ONCE = 0.95
_UNLEARNED = unlearned()


class Key(NamedTuple):
    """A kind of video. Each beginning of it is a wider kind."""

    model: str
    seconds: int
    gateway: str
    quality: str | None

    @classmethod
    def of(cls, job: Job | Pending) -> "Key":
        """The kind of this job's video."""
        made = job if isinstance(job, Pending) else job.request
        return cls(made.model, made.seconds, job.gateway, made.quality)


class MadeVideo(NamedTuple):
    """A video that was made, in the rows."""

    key: Key
    took: Took


class Rows(Protocol):
    """The rows of videos that were made."""

    async def durations(self, model: str) -> Sequence[MadeVideo]:
        """The latest of this model, the newest first."""


class Pace:
    """One kind of video: how long the latest ones took, and the looks planned by that."""

    def __init__(self) -> None:
        self.took: deque[Took] = deque(maxlen=SAMPLES)
        self._plans: dict[float, Plan] = {}
        self._density = _UNLEARNED
        self._new = 0

    def add(self, took: Took) -> None:
        """One more was made."""
        until = max(took.until, 0.01)
        self.took.append(Took(max(0.0, min(took.after, 0.99 * until)), until))
        self._new += 1

    def next_poll(self, age: float, *, step: float, by: str) -> float:
        """Seconds until the next look at a job of this age, `step` at least.

        `by`: the job's id; jobs of one age do not keep step.
        """
        return self._plan(step).next_poll(age, by=by)

    def poll_before(self, age: float, *, step: float, by: str) -> float:
        """The job's age at the look before the one that is due at `age`."""
        return self._plan(step).poll_before(age, by=by)

    def expected(self, *, typical: float) -> float:
        """Seconds until such a video is found: the median, else the catalog's figure."""
        return schedule.expected([took.until for took in self.took], typical=typical)

    @property
    def longest(self) -> float:
        """Seconds of the slowest one; 0.0 where none is known."""
        return max((took.until for took in self.took), default=0.0)

    def _plan(self, step: float) -> Plan:
        if self._new * _RENEWED >= len(self.took) >= schedule.LEAST_SAMPLES:
            self._density, self._new = learned(self.took), 0
            self._plans.clear()
        if step not in self._plans:
            self._plans[step] = Plan.of(self._density, step)
        return self._plans[step]


class Learned:
    """One per process."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._models: dict[str, dict[tuple[object, ...], Pace]] = {}
        self._unlearned = Pace()
        self._missed: dict[str, float] = {}

    async def pace(self, key: Key) -> Pace:
        """Of this kind; else of this model and length anywhere, of this model, of any video."""
        kinds = self._models.get(key.model)
        if kinds is None:
            kinds = await self._read(key.model)
        for wide in (key, key[:2], key[:1]):
            pace = kinds.get(wide)
            if pace is not None and len(pace.took) >= schedule.LEAST_SAMPLES:
                return pace
        return self._unlearned

    def learn(self, job: Job) -> None:
        """A video was made, and that is written down."""
        kinds = self._models.get(job.request.model)
        took = took_by(job)
        if kinds is not None and took is not None:
            _add(kinds, MadeVideo(Key.of(job), took))

    def missed(self, gateway: str, *, until: float) -> None:
        """A look was answered with an error and comes again then; its video may be there before."""
        self._missed[gateway] = max(until, self._missed.get(gateway, until))

    async def made_after(self, job: Job, *, step: float, now: float) -> float | None:
        """The age at which a job that is found made was not yet; None where nobody looked.

        While we were down, or the gateway was, a video may have been made at any time.
        """
        if job.submitted_at is None or job.due_at is None:
            return None
        age, late = now - job.submitted_at, now - job.due_at
        if job.gateway_id == UNNAMED:
            return _AT_ONCE * age
        patience = max(LATE, age / 10)
        if late > patience or now - self._missed.get(job.gateway, 0.0) < patience:
            return None
        pace = await self.pace(Key.of(job))
        return pace.poll_before(max(age - late, 0.0), step=step, by=job.id)

    async def _read(self, model: str) -> dict[tuple[object, ...], Pace]:
        kinds: dict[tuple[object, ...], Pace] = {}
        for made in reversed(await self._rows.durations(model)):
            _add(kinds, made)
        while len(self._models) >= MOST_MODELS:
            del self._models[next(iter(self._models))]
        self._models[model] = kinds
        return kinds


def took_by(job: Job) -> Took | None:
    """How long its making took; None where that is not known."""
    if job.made_after is None or job.completed_at is None or job.submitted_at is None:
        return None
    return Took(job.made_after, job.completed_at - job.submitted_at)


def _add(kinds: dict[tuple[object, ...], Pace], made: MadeVideo) -> None:
    for wide in (made.key[:1], made.key[:2], made.key):
        if wide not in kinds:
            if len(kinds) >= MOST_KINDS:
                del kinds[next(narrow for narrow in kinds if len(narrow) > 1)]
            kinds[wide] = Pace()
        kinds[wide].add(made.took)
