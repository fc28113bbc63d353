"""One message of ours stays of a job: once its end is told, what was said of it before goes.

Where a message can't be taken away, it shrinks to one line that points to the other.
"""

from contextlib import suppress
from dataclasses import replace

from bot.core.errors import Refused
from bot.core.jobs import Job, Status
from bot.core.platforms import Edits, Platform, Points, ReadsHistory, Removes, place, standing
from bot.core.ports import Posts
from bot.core.posts import Post, PostKind, told_by
from bot.core.replies import Reply, Text, Tone
from bot.log import get_logger

MOST_REMOVALS = 20
"""Tries of taking a message away, and then of shrinking it: about a quarter of an hour each."""

log = get_logger()


async def told(posts: Posts, post: Post, job: Job) -> Post | None:
    """The message that tells of the job's end in the place of `post`, once it stands there.

    What was said in private leaves the card in the channel to say so.
    """
    kind = told_by(job)
    end = await posts.get(job.id, kind) if kind and kind is not post.kind else None
    if end is None or end.message_id is None:
        return None
    channel = post.channel_id or job.order.call.address.channel
    return None if end.direct and end.channel_id != channel else end


async def clear(post: Post, end: Post, job: Job, platform: Platform) -> None:
    """Take `post` away, whose job's `end` is told. Raises `Temporary` if that is not done yet.

    Every step may be done again: a message that is gone already is as good.
    """
    said = await _said(post, job, platform)
    if said is None or said.message_id == end.message_id:  # it became that one
        return
    if post.attempts <= MOST_REMOVALS and isinstance(platform, Removes):
        try:
            await platform.remove(standing(said, job))
        except Refused as refused:
            log.info("card.not_removed", job=job.id, kind=post.kind, code=refused.code)
        else:
            log.info("card.removed", job=job.id, kind=post.kind)
            return
    if post.attempts <= 2 * MOST_REMOVALS and isinstance(platform, Edits):
        at = None
        if isinstance(platform, Points):
            at = platform.link_to(place(end, job))
        with suppress(Refused):
            await platform.edit(said, job, _told_at(job, at))


async def _said(post: Post, job: Job, platform: Platform) -> Post | None:
    """`post`, and where it stands; of a command's own answer maybe no row tells."""
    if post.message_id is not None:
        return post
    is_card = post.kind is PostKind.CARD
    if not isinstance(platform, ReadsHistory) or not (is_card or post.sending_at is not None):
        return None
    try:
        found = await platform.find(post, job)
    except Refused:  # nobody can tell
        return None
    return (
        replace(post, message_id=found.message_id, channel_id=found.channel_id) if found else None
    )


def told_in_private(job: Job) -> Reply:
    """The card in the channel of a job whose end its person alone was told: one line, no more."""
    made = Text(id="card.delivered_private" if job.private else "card.delivered_direct")
    return _line(job, made if job.status is Status.DELIVERED else Text(id=f"card.{job.status}"))


def _told_at(job: Job, address: str | None) -> Reply:
    """In the place of a message that can't be taken away."""
    at = Text(id="card.elsewhere_at", values={"to": address})
    return _line(job, at if address else Text(id="card.elsewhere"))


def _line(job: Job, text: Text) -> Reply:
    """One line. Of a video that its person deleted there is nothing to be found elsewhere."""
    is_made = job.status is Status.DELIVERED
    said = Text(id="card.deleted") if is_made and not job.has_result else text
    return Reply(text=said, tone=Tone.DONE if is_made else Tone.FAILED)
