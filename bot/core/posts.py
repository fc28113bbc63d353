"""Posts: the messages about a job that the bot has to send to chat, one row each.

A post is written in the same transaction as the change of the job that makes it due. A card is
edited until its job ends. Results and failures are sent once; then the card is removed.
"""

from dataclasses import dataclass
from enum import StrEnum

from bot.core.jobs import Job, Status
from bot.core.missing import pictures_missing, sound_missing, video_missing

NONCE_WINDOW = 120.0
"""Seconds in which a network surely recognizes a repeated nonce (Discord: "a few minutes")."""
CARD_GRACE = 8.0
"""Seconds in which a command's own answer may become the card, on networks with such answers."""
ANSWER_END = 15.0
"""Seconds that an order waits for the answer to its command, on networks with such answers.

No answer takes that long. If its outcome is still unknown then, the card is posted from its row.
"""

EDIT_PACE = 2.0
"""Seconds from a step of progress to the edit that shows it. One edit may show several steps."""
EDITS_END = 15 * 60.0
"""Age of a job in seconds after which progress alone no longer edits its card."""


class PostKind(StrEnum):
    """The matter of a post: a job's state (card), its video (result) or its failure."""

    CARD = "card"
    RESULT = "result"
    FAILURE = "failure"


ALL_KINDS = tuple(PostKind)


class Form(StrEnum):
    """The forms of a message, the preferred form first. Each form has its own nonce."""

    FILE = "file"
    LINK = "link"
    TEXT = "text"
    """Text only: a card, a failure, or the sentence that says where a video is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A message about a job: one row of the `posts` table. Times are seconds since the epoch."""

    id: int
    job_id: str
    kind: PostKind
    due_at: float | None
    claimed_until: float | None = None
    version: int = 0
    """Number of claims so far: a write from an earlier claim has another version and fails."""
    attempts: int = 0
    form: Form | None = None
    """The last form that was tried. It only changes downward: file, link, text."""
    direct: bool = False
    """Whether the message goes to the person directly: the channel refused it, or it is private."""
    sending_at: float | None = None
    """When a send with an unknown outcome began."""
    message_id: str | None = None
    channel_id: str | None = None
    """The channel of the message, if it is not in the order's channel."""

    def nonce(self, form: Form) -> str:
        """Return a nonce that is always the same for this post and form.

        It has at most 25 characters (Discord's limit).
        """
        mark = {Form.FILE: "f", Form.LINK: "l", Form.TEXT: "t"}[form]
        return f"{self.job_id}-{self.kind[0]}{mark}{'d' if self.direct else ''}"


def due_after(before: Job, after: Job, *, now: float) -> dict[PostKind, float]:
    """Return the posts that are due because a job changed from `before` to `after`, and when.

    Progress alone waits for `EDIT_PACE` and edits nothing after `EDITS_END`, because networks limit
    the rate of edits. A state that most jobs leave within `EDIT_PACE` waits as long.
    """
    due: dict[PostKind, float] = {}
    if appearance(before) != appearance(after):
        due[PostKind.CARD] = now + EDIT_PACE if _passes(before, after) else now
    elif is_shown(before.progress, after.progress, age=now - after.created_at):
        due[PostKind.CARD] = now + EDIT_PACE
    if after.video and not before.video and not after.silent:
        due[PostKind.RESULT] = now
    if before.has_result and not after.has_result:
        # The person deleted the video, so its message has to be removed as well.
        due[PostKind.RESULT] = now
    if after.status is not before.status and after.status in (Status.FAILED, Status.UNCONFIRMED):
        due[PostKind.FAILURE] = now
    return due


def end_kind(job: Job) -> PostKind | None:
    """Return the kind of post that tells the job's end.

    None if the job has not ended, or if its card tells the end.
    """
    if job.status is Status.DELIVERED:
        return PostKind.RESULT
    return PostKind.FAILURE if job.status in (Status.FAILED, Status.UNCONFIRMED) else None


def is_void(post: Post, job: Job, *, is_answer: bool) -> bool:
    """Whether `post` needs no message any more.

    `is_answer`: the card answers a command, so it is due even if the job has ended.
    """
    match post.kind:
        case PostKind.CARD if post.message_id is None:
            # The job is cancelled, or it ended before the first send of its card began. The
            # message about the end is then enough, if it goes to the same channel.
            over = job.status in (Status.FAILED, Status.UNCONFIRMED) and post.sending_at is None
            said = over and not job.private
            return job.status is Status.CANCELLED or (said and not is_answer)
        case PostKind.CARD:
            return False
        case PostKind.FAILURE:
            # The job's id at its gateway was found, so the job goes on.
            return job.status not in (Status.FAILED, Status.UNCONFIRMED)
        case PostKind.RESULT:
            return job.has_result and (post.message_id is not None or job.video is None)


def appearance(job: Job) -> tuple[object, ...]:
    """Return the facts on a job's card other than progress: if they change, an edit is due."""
    return (
        job.status,
        job.silent,
        job.reason,
        pictures_missing(job),
        video_missing(job),
        sound_missing(job),
        job.has_result,
    )


def is_shown(before: int, after: int, *, age: float) -> bool:
    """Whether a job's card is edited for this change of progress (percent); `age` in seconds."""
    return before // 10 != after // 10 and age < EDITS_END


def _passes(before: Job, after: Job) -> bool:
    """Whether the job is likely to leave the state `after` within `EDIT_PACE`.

    The POST is being answered, the video is being downloaded, or the video was just accepted and
    may already be made. The message that tells the end then removes the card.
    """
    taken = after.status is Status.IN_PROGRESS and before.status is Status.SUBMITTING
    passing = taken or after.status in (Status.SUBMITTING, Status.COMPLETED)
    return passing and after.reason is None
