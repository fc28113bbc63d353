"""How long videos take, learned from finished videos. Polls and the times on cards depend on it.

The times are kept in memory. They are read from the rows once for each model; after that, every
finished video adds its own time.
"""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from bot.core import schedule
from bot.core.jobs import UNNAMED, Job
from bot.core.pending import Pending
from bot.core.plans import Plan, Took, learned, unlearned

SAMPLES = 50
"""The latest videos of each kind that are remembered."""
MOST_MODELS = 100
MOST_KINDS = 200
"""The most kinds of one model that are remembered."""
LATE = 30.0
"""The most seconds that a poll may be late for its video's time to be learned.

A tenth of the video's age is allowed if that is more.
"""
_RENEWED = 10
"""A plan is remade once one in this number of its videos is new."""
_AT_ONCE = 0.95
_UNLEARNED = unlearned()


class Key(NamedTuple):
    """A kind of video. Each prefix of this tuple is a wider kind."""

    model: str
    seconds: int
    gateway: str
    quality: str | None

    @classmethod
    def of(cls, job: Job | Pending) -> "Key":
        """Return the kind of the job's video."""
        made = job if isinstance(job, Pending) else job.request
        return cls(made.model, made.seconds, job.gateway, made.quality)


class MadeVideo(NamedTuple):
    """A finished video in the rows, with the time that it took."""

    key: Key
    took: Took


class Rows(Protocol):
    """The rows of finished videos."""

    async def durations(self, model: str) -> Sequence[MadeVideo]:
        """Return the latest videos of this model, the newest first."""


class Pace:
    """The times of the latest videos of one kind, and the polls planned by them."""

    def __init__(self) -> None:
        self.took: deque[Took] = deque(maxlen=SAMPLES)
        self._plans: dict[float, Plan] = {}
        self._density = _UNLEARNED
        self._new = 0

    def add(self, took: Took) -> None:
        """Add the time in which one more video was made."""
        until = max(took.until, 0.01)
        self.took.append(Took(max(0.0, min(took.after, 0.99 * until)), until))
        self._new += 1

    def next_poll(self, age: float, *, step: float, by: str) -> float:
        """Return the seconds until the next poll of a job of this age, at least `step`.

        `by`: the job's id, which spreads the polls of jobs of the same age.
        """
        return self._plan(step).next_poll(age, by=by)

    def poll_before(self, age: float, *, step: float, by: str) -> float:
        """Return the job's age at the poll before the one that is due at `age`."""
        return self._plan(step).poll_before(age, by=by)

    def expected(self, *, typical: float) -> float:
        """Return the median seconds until a video is found made; `typical` if too few are known."""
        return schedule.expected([took.until for took in self.took], typical=typical)

    @property
    def longest(self) -> float:
        """Return the seconds of the slowest video; 0.0 if none is known."""
        return max((took.until for took in self.took), default=0.0)

    def _plan(self, step: float) -> Plan:
        if self._new * _RENEWED >= len(self.took) >= schedule.LEAST_SAMPLES:
            self._density, self._new = learned(self.took), 0
            self._plans.clear()
        if step not in self._plans:
            self._plans[step] = Plan.of(self._density, step)
        return self._plans[step]


class Learned:
    """All learned times. There is one instance per process."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._models: dict[str, dict[tuple[object, ...], Pace]] = {}
        self._unlearned = Pace()
        self._missed: dict[str, float] = {}

    async def pace(self, key: Key) -> Pace:
        """Return the pace of this kind; if too few are known, of a wider kind or of any video."""
        kinds = self._models.get(key.model)
        if kinds is None:
            kinds = await self._read(key.model)
        for wide in (key, key[:2], key[:1]):
            pace = kinds.get(wide)
            if pace is not None and len(pace.took) >= schedule.LEAST_SAMPLES:
                return pace
        return self._unlearned

    def learn(self, job: Job) -> None:
        """Learn how long the video of a finished job took to make. Call after the job is saved."""
        kinds = self._models.get(job.request.model)
        took = took_by(job)
        if kinds is not None and took is not None:
            _add(kinds, MadeVideo(Key.of(job), took))

    def missed(self, gateway: str, *, until: float) -> None:
        """Note that a poll of this gateway failed and is repeated at `until`.

        A video may be made before that, so its time would be learned wrong.
        """
        self._missed[gateway] = max(until, self._missed.get(gateway, until))

    async def made_after(self, job: Job, *, step: float, now: float) -> float | None:
        """Return the age at which a job that is found made was surely not made; None if unknown.

        It is unknown if polls were late or failed, as the video may have been made at any time.
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
    """Return the least and the most seconds that the video can have taken; None if unknown."""
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
