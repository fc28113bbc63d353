"""Clean up the earlier posts of a job once its end is posted, so that one message remains.

A message that can't be deleted is edited to one line that points to the final message.
"""

from contextlib import suppress
from dataclasses import replace

from bot.core.errors import Refused
from bot.core.jobs import Job, Status
from bot.core.platforms import Edits, Platform, Points, ReadsHistory, Removes, place, standing
from bot.core.ports import Posts
from bot.core.posts import Post, PostKind, end_kind
from bot.core.replies import Reply, Text, Tone
from bot.log import get_logger

MOST_REMOVALS = 20
"""The most tries to delete a message; after them, the most tries to edit it.

Either series of tries takes about a quarter of an hour.
"""

log = get_logger()


async def end_of(posts: Posts, post: Post, job: Job) -> Post | None:
    """Return the sent post of the job's end that replaces `post`; None if there is none.

    A post in direct messages does not replace the card in a channel.
    """
    kind = end_kind(job)
    end = await posts.get(job.id, kind) if kind and kind is not post.kind else None
    if end is None or end.message_id is None:
        return None
    channel = post.channel_id or job.order.call.address.channel
    return None if end.direct and end.channel_id != channel else end


async def clear(post: Post, end: Post, job: Job, platform: Platform) -> None:
    """Delete `post`, or shorten it, after `end` was posted. Raises `Temporary` to retry later.

    This is idempotent: a message that is gone already counts as deleted.
    """
    said = await _said(post, job, platform)
    if said is None or said.message_id == end.message_id:  # the card was edited into the end
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
            await platform.edit(said, job, _sent_at(job, at))


async def _said(post: Post, job: Job, platform: Platform) -> Post | None:
    """Return `post` with its message id, searched in the chat if its row has none; or None."""
    if post.message_id is not None:
        return post
    is_card = post.kind is PostKind.CARD
    if not isinstance(platform, ReadsHistory) or not (is_card or post.sending_at is not None):
        return None
    try:
        found = await platform.find(post, job)
    except Refused:  # the chat can't be searched
        return None
    return (
        replace(post, message_id=found.message_id, channel_id=found.channel_id) if found else None
    )


def sent_in_private(job: Job) -> Reply:
    """Return the one-line card in the channel for a job whose end was posted in private."""
    made = Text(id="card.delivered_private" if job.private else "card.delivered_direct")
    return _line(job, made if job.status is Status.DELIVERED else Text(id=f"card.{job.status}"))


def _sent_at(job: Job, address: str | None) -> Reply:
    """Return the text for a message that can't be deleted."""
    at = Text(id="card.elsewhere_at", values={"to": address})
    return _line(job, at if address else Text(id="card.elsewhere"))


def _line(job: Job, text: Text) -> Reply:
    """Return one line, which for a deleted video points to no other message."""
    is_made = job.status is Status.DELIVERED
    said = Text(id="card.deleted") if is_made and not job.has_result else text
    return Reply(text=said, tone=Tone.DONE if is_made else Tone.FAILED)
