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
"""The states of each worker. Separate workers keep slow POSTs from delaying polls and downloads."""
KINDS = ((PostKind.CARD, PostKind.FAILURE), (PostKind.RESULT,))
"""The kinds of posts of each worker. So texts never wait for uploads of videos."""


@dataclass(frozen=True, slots=True)
class Bells:
    """The bells that wake the workers before their rows are due."""

    each_job: Mapping[tuple[Status, ...], Wake]
    each_post: Mapping[tuple[PostKind, ...], Wake]
    notices: Wake
    reports: Wake
    watch: Wake
    """Rings if a cause may have begun that owners have to know."""
    jobs: Wake
    """Rings all bells of `each_job`."""
    posts: Wake
    """Rings all bells of `each_post`, and `notices`."""
    jobs_on: Mapping[tuple[Status, ...], HandedOn[Job]]
    """Claimed jobs on their way to the loops of `each_job`."""
    posts_on: Mapping[tuple[PostKind, ...], HandedOn[Post]]
    """Claimed posts on their way to the loops of `each_post`."""
    in_hand: dict[str, Job | None] = field(default_factory=dict)
    """The jobs with a running step, each as last written during the step."""

    @classmethod
    def new(cls) -> Self:
        """Return new bells, one for each loop."""
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
        """Return a bell for pressed buttons, which may make jobs, posts and causes due."""
        return Wake(self.jobs, self.posts, self.watch)

    @property
    def cards(self) -> Wake:
        """Return the bell of the loop that draws cards."""
        return self.each_post[KINDS[0]]

    @property
    def cards_on(self) -> HandedOn[Post]:
        """Return the claimed cards on their way to the loop that draws cards."""
        return self.posts_on[KINDS[0]]

    @property
    def results_on(self) -> HandedOn[Post]:
        """Return the claimed results on their way to the loop that posts results."""
        return self.posts_on[KINDS[1]]

    def ordered(self, job: Job, *, card_at: float) -> None:
        """Ring for a new job whose card is due at `card_at`."""
        self._due(job)
        self.owed({PostKind.CARD: card_at})

    def way_on(self, job: Job) -> HandedOn[Job] | None:
        """Return the queue to the loop of the job's next step; None if it can't begin at once."""
        on = self.jobs_on.get((job.status,))
        return on if on and on.has_room and job.id not in self.in_hand else None

    def hand_on(self, job: Job, on: HandedOn[Job]) -> None:
        """Hand a claimed job to the loop of its next step, before its row shows the new state."""
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
        """Ring for a written change: for the job's next step and for the posts that are due.

        `on`: the queue to the next step's loop, if the row is claimed for it. `result`: a claimed
        post of the video.
        """
        if on is not None:
            on.put(after)
        elif after.id in self.in_hand:
            self.in_hand[after.id] = after
        else:
            self._due(after)
        if moves.has_slot(before) and not moves.has_slot(after):
            self.each_job[Status.QUEUED,].ring(now)  # the next job may get the slot
        due = due_after(before, after, now=now)
        if result is not None:
            due.pop(PostKind.RESULT, None)
            self.results_on.put(result)
        self.owed(due)

    def owed(self, due: Mapping[PostKind, float]) -> None:
        """Ring for posts of these kinds, due at these times."""
        for kinds, bell in self.each_post.items():
            if times := [due[kind] for kind in kinds if kind in due]:
                bell.ring(min(times))

    def take(self, job: Job) -> None:
        """Note that a step of the job runs. Until its end the job can't be claimed."""
        self.in_hand[job.id] = None

    def let_go(self, job: Job) -> float:
        """Note that the job's step has ended, and ring for what was written meanwhile.

        Return infinity, or `UNKNOWN` if this process wrote nothing of the job.
        """
        after = self.in_hand.pop(job.id, None)
        if after is None:
            if job.status is Status.IN_PROGRESS:
                self._due(job)  # another loop takes its next step
            return UNKNOWN
        self._due(after)
        return math.inf

    def _due(self, job: Job) -> None:
        bell = self.each_job.get((job.status,))
        if bell is not None and job.due_at is not None:
            bell.ring(max(job.due_at, job.claimed_until or 0.0))
