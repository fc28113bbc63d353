"""The moves of a job from state to state, and what each does to its costs.

Every move is a pure function from a job to the next one; the store commits it behind the version
fence. Costs change here and nowhere else, so nothing can be released twice.
"""

from dataclasses import replace

from bot.core.errors import Broken
from bot.core.jobs import CLAIM, IN_FLIGHT, MOVES, Job, Reason, Status, Video
from bot.core.orders import Sound, VideoRequest
from bot.core.posts import ANSWER_END
from bot.core.wishes import WORDS


def has_place(job: Job) -> bool:
    """Whether it has one of its model's places at its gateway, or waits for one."""
    waits = job.status is Status.QUEUED and job.reason is Reason.AT_ONCE
    return waits or job.status in IN_FLIGHT


def awaits_answer(job: Job) -> bool:
    """Whether it is kept back until its person has seen that it was taken."""
    held = job.status is Status.QUEUED and job.due_at == job.created_at + ANSWER_END
    return held and job.claimed_until is None


def measured(job: Job, sound: Sound) -> Job:
    """The sound is ours: the video is as long as it really is, and costs what that costs, no more.

    A wish for seconds has been met by then; tried again, it must not stand in the way.
    """
    if sound.seconds is None:
        raise Broken("not_measured", job=job.id)
    request = job.request.lasting(sound.seconds)
    return replace(
        job,
        order=replace(job.order, sound=sound, wish=replace(job.order.wish, seconds=None)),
        request=request,
        # Costs are by the second, or 1 where there is no price.
        spend_cost=max(1, job.spend_cost * request.seconds // job.request.seconds),
    )


def submitting(job: Job, *, now: float) -> Job:
    """The POST is about to leave: written before its first byte, and claimed while it lasts."""
    until = now + CLAIM
    return _move(job, Status.SUBMITTING, submitted_at=now, due_at=job.due_at, claimed_until=until)


def requeued(job: Job, *, due_at: float, attempts: int, reason: Reason | None = None) -> Job:
    """The POST provably did not count: the job waits for another try."""
    back = job if job.status is Status.QUEUED else _move(job, Status.QUEUED, submitted_at=None)
    return replace(back, due_at=due_at, claimed_until=None, attempts=attempts, reason=reason)


def refitted(job: Job, request: VideoRequest, *, due_at: float) -> Job:
    """Its files are too large for where they go: made again, of all there was of them."""
    pictures = tuple(p if p.fit == request.fit else p.anew() for p in job.order.pictures)
    back = requeued(job, due_at=due_at, attempts=0, reason=Reason.PICTURE_TOO_LARGE)
    return replace(back, order=replace(job.order, pictures=pictures), request=request)


def put_off(job: Job, *, due_at: float) -> Job:
    """The same step again then. A job put off waits for no place, so it keeps none back."""
    reason = None if job.reason is Reason.AT_ONCE else job.reason
    return replace(job, due_at=due_at, claimed_until=None, crashes=0, reason=reason)


def accepted(
    job: Job, gateway_id: str, *, sources: tuple[str, ...] = (), now: float, due_at: float
) -> Job:
    """The gateway has it and named it. From `unconfirmed` the released quota stays released.

    `sources`: where the video is, if it was made at once; the next look is due at once, too.
    """
    return _move(
        job,
        Status.IN_PROGRESS,
        gateway_id=gateway_id,
        sources=sources,
        submitted_at=job.submitted_at or now,
        due_at=now if sources else due_at,
        attempts=0,
        reason=None,
        detail=None,
    )


def unconfirmed(job: Job, *, detail: str | None, reason: Reason | None = None) -> Job:
    """The POST may have been accepted: never sent again; quota released, spend kept."""
    return _move(job, Status.UNCONFIRMED, quota_cost=0, reason=reason, detail=detail)


def reopened(job: Job, *, spend_cost: int) -> Job:
    """It was closed as never taken, and may have been taken all the same: its cost counts again."""
    if not job.is_closed_as_not_taken:
        raise Broken("impossible_move", job=job.id, before=job.status, after=Status.UNCONFIRMED)
    return replace(job, status=Status.UNCONFIRMED, spend_cost=spend_cost)


def completed(
    job: Job,
    *,
    now: float,
    sources: tuple[str, ...],
    withheld: bool = False,
    made_after: float | None = None,
) -> Job:
    """The gateway is done; the content is still to be fetched, at once."""
    return _move(
        job,
        Status.COMPLETED,
        completed_at=now,
        made_after=made_after,
        progress=100,
        sources=sources,
        due_at=now,
        attempts=0,
        reason=Reason.WITHHELD if withheld else None,
    )


def converting(job: Job, unconverted: Video, *, now: float) -> Job:
    """The video is ours, and has to be converted first; where it came from is kept till then."""
    return _move(
        job,
        Status.CONVERTING,
        unconverted=unconverted,
        due_at=now,
        attempts=0,
        reason=None,
        detail=None,
    )


def unfetched(job: Job, *, now: float) -> Job:
    """Our copy is gone before it was converted: it is fetched again."""
    return _move(job, Status.COMPLETED, unconverted=None, due_at=now, attempts=0)


def stored(job: Job, video: Video) -> Job:
    """The video is ours, as it is posted; from here on only posts are due."""
    fetched = _move(job, Status.COMPLETED) if job.status is Status.CONVERTING else job
    return replace(
        fetched,
        unconverted=None,
        video=video,
        sources=(),
        due_at=None,
        claimed_until=None,
        attempts=0,
        reason=None,
        detail=None,
    )


def deleted(job: Job) -> Job:
    """Its person took the video away, and all that anybody wrote; it was made: it still counts."""
    order, sound = job.order, job.order.sound
    return replace(
        job,
        video=None,
        video_gone_at=None,
        detail=None,  # a gateway's words may quote the prompt
        order=replace(
            order,
            wish=order.wish.without(WORDS),
            pictures=tuple(replace(each, filename="") for each in order.pictures),
            sound=replace(sound, filename="") if sound else None,
        ),
        request=replace(job.request, prompt="", parameters=()),
    )


def timed(before: Job, after: Job, *, now: float) -> Job:
    """`after` with the time of its end, if it has come to one just now."""
    is_same = (before.status, before.is_over) == (after.status, after.is_over)
    ended_at = before.ended_at if is_same else now if after.is_over else None
    return after if after.ended_at == ended_at else replace(after, ended_at=ended_at)


def delivered(job: Job, *, now: float) -> Job:
    """The person can see it: in the channel, or in the history if they chose *Don't post*."""
    return _move(job, Status.DELIVERED, delivered_at=now, reason=None)


def failed(job: Job, reason: Reason, *, charged: bool, detail: str | None = None) -> Job:
    """It will not become a video. Never counts for the person; the spend stays if `charged`."""
    return _move(
        job,
        Status.FAILED,
        reason=reason,
        detail=detail,
        quota_cost=0,
        spend_cost=job.spend_cost if charged else 0,
    )


def cancelled(job: Job, reason: Reason) -> Job:
    """Withdrawn before the gateway had it: nothing counts."""
    return _move(job, Status.CANCELLED, reason=reason, quota_cost=0, spend_cost=0)


def _move(job: Job, status: Status, **changes: object) -> Job:
    """In its new state it is unclaimed, and due only where the move says when."""
    if status not in MOVES[job.status]:
        raise Broken("impossible_move", job=job.id, before=job.status, after=status)
    fresh = {"due_at": None, "claimed_until": None, "crashes": 0, **changes}
    return replace(job, status=status, **fresh)  # type: ignore[arg-type]
