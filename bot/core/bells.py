"""The bells that wake the loops of a service before their rows are due."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from bot.core.jobs import Status
from bot.core.posts import PostKind
from bot.core.wake import Wake

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
        )

    @property
    def both(self) -> Wake:
        """For presses: a cancelled job owes its card, a deleted one its message's removal."""
        return Wake(self.jobs, self.posts, self.watch)
