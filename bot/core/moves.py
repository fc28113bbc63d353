"""The moves of a job from state to state, and how each move changes the job's costs.

Every move is a pure function that returns the changed job. The store saves it only if the row's
version is unchanged. Costs change only in this module, so no cost can be released twice.
"""

import math
from dataclasses import replace

from bot.core.errors import Broken
from bot.core.jobs import CLAIM, IN_FLIGHT, MOVES, Job, Reason, Status, Video
from bot.core.orders import Clip, Sound, VideoRequest
from bot.core.posts import ANSWER_END
from bot.core.prices import Cost
from bot.core.wishes import WORDS


def has_slot(job: Job) -> bool:
    """Whether the job has one of its model's slots at its gateway, or waits for one."""
    waits = job.status is Status.QUEUED and job.reason is Reason.AT_ONCE
    return waits or job.status in IN_FLIGHT


def awaits_answer(job: Job) -> bool:
    """Whether the job waits until its person has seen the answer to their command."""
    held = job.status is Status.QUEUED and job.due_at == job.created_at + ANSWER_END
    return held and job.claimed_until is None


def measured(job: Job, sound: Sound) -> Job:
    """Set the length and the cost of the video by the true length of its stored sound.

    Neither becomes larger. The wish for seconds is cleared, so that it can't conflict with the
    sound's length when the order is tried again.
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


def given(job: Job, video: Clip) -> Job:
    """Record our copy of the order's video. Its true length never costs more than was admitted."""
    if video.seconds is None:
        raise Broken("not_measured", job=job.id)
    before = job.request
    whole = before.added.whole(video.seconds) if before.added else before.seconds
    request = replace(
        before,
        seconds=min(before.seconds, whole),
        input_seconds=min(before.input_seconds, math.ceil(video.seconds)),
    )
    counted = before.seconds + before.input_seconds
    return replace(
        job,
        order=replace(job.order, video=video),
        request=request,
        spend_cost=max(1, job.spend_cost * (request.seconds + request.input_seconds) // counted),
    )


def submitting(job: Job, *, now: float) -> Job:
    """Mark the job as submitting and claim it for `CLAIM` seconds.

    This is saved before the first byte of the POST is sent.
    """
    until = now + CLAIM
    return _move(job, Status.SUBMITTING, submitted_at=now, due_at=job.due_at, claimed_until=until)


def requeued(job: Job, *, due_at: float, attempts: int, reason: Reason | None = None) -> Job:
    """Return the job to the queue for another try: the gateway surely took nothing."""
    back = job if job.status is Status.QUEUED else _move(job, Status.QUEUED, submitted_at=None)
    return replace(back, due_at=due_at, claimed_until=None, attempts=attempts, reason=reason)


def refitted(job: Job, request: VideoRequest, *, due_at: float) -> Job:
    """Return the job to the queue because its pictures are too large for the gateway.

    The pictures are fitted again, from the whole copies, to what `request` allows.
    """
    pictures = tuple(p if p.fit == request.fit else p.anew() for p in job.order.pictures)
    back = requeued(job, due_at=due_at, attempts=0, reason=Reason.PICTURE_TOO_LARGE)
    return replace(back, order=replace(job.order, pictures=pictures), request=request)


def put_off(job: Job, *, due_at: float) -> Job:
    """Postpone the same step to `due_at`, and end the claim and any wait for a slot."""
    reason = None if job.reason is Reason.AT_ONCE else job.reason
    return replace(job, due_at=due_at, claimed_until=None, crashes=0, reason=reason)


def accepted(
    job: Job,
    gateway_id: str,
    *,
    sources: tuple[str, ...] = (),
    cost: Cost | None = None,
    now: float,
    due_at: float,
) -> Job:
    """Mark the job as accepted under the gateway's id.

    A job that was `unconfirmed` still doesn't count as one of its person's videos.

    `sources`: URLs of the video if it was made at once; then the next poll is due at once, too.

    `cost`: the cost that the answer told, or None; the same in other moves.
    """
    return _move(
        job,
        Status.IN_PROGRESS,
        gateway_id=gateway_id,
        sources=sources,
        told_cost=cost or job.told_cost,
        submitted_at=job.submitted_at or now,
        due_at=now if sources else due_at,
        attempts=0,
        reason=None,
        detail=None,
    )


def unconfirmed(job: Job, *, detail: str | None, reason: Reason | None = None) -> Job:
    """Mark the job as maybe accepted. Its POST is never sent again.

    The person's quota is released; the spend is kept.
    """
    return _move(job, Status.UNCONFIRMED, quota_cost=0, reason=reason, detail=detail)


def reopened(job: Job, *, spend_cost: int) -> Job:
    """Return a job that was closed as not accepted to `unconfirmed`; its cost counts again.

    Raises `Broken` if the job was not closed so.
    """
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
    cost: Cost | None = None,
) -> Job:
    """Mark the job as done at the gateway. The download of its video is due at once."""
    return _move(
        job,
        Status.COMPLETED,
        completed_at=now,
        made_after=made_after,
        progress=100,
        sources=sources,
        told_cost=cost or job.told_cost,
        due_at=now,
        attempts=0,
        reason=Reason.WITHHELD if withheld else None,
    )


def converting(job: Job, unconverted: Video, *, now: float) -> Job:
    """Record the stored original, which must be converted first. The source URLs are kept."""
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
    """Let the video be downloaded again: our copy disappeared before its conversion."""
    return _move(job, Status.COMPLETED, unconverted=None, due_at=now, attempts=0)


def stored(job: Job, video: Video) -> Job:
    """Record the stored video that will be posted. From now on only posts are due."""
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
    """Remove the video and all texts of its order, as its person asked. The costs stay."""
    order, sound, given = job.order, job.order.sound, job.order.video
    return replace(
        job,
        video=None,
        video_gone_at=None,
        detail=None,  # a gateway's message may quote the prompt
        order=replace(
            order,
            wish=order.wish.without(WORDS),
            pictures=tuple(replace(each, filename="") for each in order.pictures),
            sound=replace(sound, filename="") if sound else None,
            video=replace(given, filename="") if given else None,
        ),
        request=replace(job.request, prompt="", parameters=()),
    )


def timed(before: Job, after: Job, *, now: float) -> Job:
    """Return `after` with the time of its end, which is `now` if the job ended with this change."""
    is_same = (before.status, before.is_over) == (after.status, after.is_over)
    ended_at = before.ended_at if is_same else now if after.is_over else None
    return after if after.ended_at == ended_at else replace(after, ended_at=ended_at)


def delivered(job: Job, *, now: float) -> Job:
    """Mark the job as delivered: its message is in chat, or its person chose *Don't post*."""
    return _move(job, Status.DELIVERED, delivered_at=now, reason=None)


def failed(
    job: Job,
    reason: Reason,
    *,
    charged: bool,
    detail: str | None = None,
    cost: Cost | None = None,
) -> Job:
    """Mark the job as failed. It never counts for the person; the spend stays if `charged`."""
    return _move(
        job,
        Status.FAILED,
        reason=reason,
        detail=detail,
        quota_cost=0,
        spend_cost=job.spend_cost if charged else 0,
        told_cost=cost or job.told_cost,
    )


def cancelled(job: Job, reason: Reason) -> Job:
    """Mark the job as cancelled before a gateway had it: nothing counts."""
    return _move(job, Status.CANCELLED, reason=reason, quota_cost=0, spend_cost=0)


def _move(job: Job, status: Status, **changes: object) -> Job:
    """Set the new state: unclaimed, and due only if `changes` say when.

    Raises `Broken` if the job's state does not allow this move.
    """
    if status not in MOVES[job.status]:
        raise Broken("impossible_move", job=job.id, before=job.status, after=status)
    fresh = {"due_at": None, "claimed_until": None, "crashes": 0, **changes}
    return replace(job, status=status, **fresh)  # type: ignore[arg-type]
