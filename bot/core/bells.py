"""The bells that wake the loops of a service before their rows are due."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from bot.core import moves
from bot.core.handed_on import HandedOn
from bot.core.jobs import Job, Status
from bot.core.posts import Post, PostKind, due_after
from bot.core.wake import UNKNOWN, Wake

STATES = (
    (Status.QUEUED,),
    (Status.SUBMITTING,),
    (Status.IN_PROGRESS,),
    (Status.COMPLETED,),
    (Status.CONVERTING,),
)
"""One worker each: slow POSTs hold up neither looks nor downloads, conversions hold up nobody."""
KINDS = ((PostKind.CARD, PostKind.FAILURE), (PostKind.RESULT,))
"""One worker each: words never wait for videos that are being uploaded."""


@dataclass(frozen=True, slots=True)
class Bells:
    """The bells that wake the workers before their rows are due."""

    each_job: Mapping[tuple[Status, ...], Wake]
    each_post: Mapping[tuple[PostKind, ...], Wake]
    notices: Wake
    reports: Wake
    watch: Wake
    """An owner may have to know of something."""
    jobs: Wake
    """Rings all of `each_job`."""
    posts: Wake
    """Rings all of `each_post`, and the notices."""
    jobs_on: Mapping[tuple[Status, ...], HandedOn[Job]]
    """On their way to the loops of `each_job`."""
    posts_on: Mapping[tuple[PostKind, ...], HandedOn[Post]]
    """The same for `each_post`."""
    in_hand: dict[str, Job | None] = field(default_factory=dict)
    """Jobs with a step under way, as they were written during it."""

    @classmethod
    def new(cls) -> Self:
        """One for each loop."""
        jobs: dict[tuple[Status, ...], Wake] = {statuses: Wake() for statuses in STATES}
        posts: dict[tuple[PostKind, ...], Wake] = {kinds: Wake() for kinds in KINDS}
        notices = Wake()
        return cls(
            each_job=jobs,
            each_post=posts,
            notices=notices,
            reports=Wake(),
            watch=Wake(),
            jobs=Wake(*jobs.values()),
            posts=Wake(*posts.values(), notices),
            jobs_on={statuses: HandedOn(bell) for statuses, bell in jobs.items()},
            posts_on={kinds: HandedOn(bell) for kinds, bell in posts.items()},
        )

    @property
    def both(self) -> Wake:
        """For presses: a cancelled job owes its card, a deleted one its message's removal."""
        return Wake(self.jobs, self.posts, self.watch)

    @property
    def cards(self) -> Wake:
        """The one of the loop that draws cards."""
        return self.each_post[KINDS[0]]

    @property
    def cards_on(self) -> HandedOn[Post]:
        """Cards on their way to that loop."""
        return self.posts_on[KINDS[0]]

    @property
    def results_on(self) -> HandedOn[Post]:
        """Results on their way to theirs."""
        return self.posts_on[KINDS[1]]

    def ordered(self, job: Job, *, card_at: float) -> None:
        """A new order was written; its card is due then."""
        self._due(job)
        self.owed({PostKind.CARD: card_at})

    def way_on(self, job: Job) -> HandedOn[Job] | None:
        """The way to the loop of the job's next step, if it can be begun there at once."""
        on = self.jobs_on.get((job.status,))
        return on if on and on.has_room and job.id not in self.in_hand else None

    def hand_on(self, job: Job, on: HandedOn[Job]) -> None:
        """Its next step begins this way, before any row tells of that; nobody can claim it."""
        self.in_hand[job.id] = None
        on.put(job)

    def changed(
        self,
        before: Job,
        after: Job,
        *,
        now: float,
        on: HandedOn[Job] | None = None,
        result: Post | None = None,
    ) -> None:
        """A change was written: ring where its next step is due, and what it owes.

        `on`: it is claimed for that step, whose loop gets it this way. `result`: owed and claimed.
        """
        if on is not None:
            on.put(after)
        elif after.id in self.in_hand:
            self.in_hand[after.id] = after
        else:
            self._due(after)
        if moves.has_place(before) and not moves.has_place(after):
            self.each_job[Status.QUEUED,].ring(now)  # the next one was called
        due = due_after(before, after, now=now)
        if result is not None:
            due.pop(PostKind.RESULT, None)
            self.results_on.put(result)
        self.owed(due)

    def owed(self, due: Mapping[PostKind, float]) -> None:
        """Posts of these kinds are due at these times."""
        for kinds, bell in self.each_post.items():
            if times := [due[kind] for kind in kinds if kind in due]:
                bell.ring(min(times))

    def take(self, job: Job) -> None:
        """A step of it is under way: until its end nobody can claim it."""
        self.in_hand[job.id] = None

    def let_go(self, job: Job) -> float:
        """Its step is over, so what was written meanwhile rings now: when it is due again.

        `UNKNOWN` if nothing was written of it here.
        """
        after = self.in_hand.pop(job.id, None)
        if after is None:
            if job.status is Status.IN_PROGRESS:
                self._due(job)  # its loop is not the one that gave it back
            return UNKNOWN
        self._due(after)
        return math.inf

    def _due(self, job: Job) -> None:
        bell = self.each_job.get((job.status,))
        if bell is not None and job.due_at is not None:
            bell.ring(max(job.due_at, job.claimed_until or 0.0))
