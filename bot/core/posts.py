"""Things to say in chat: one row each, written in the transaction of the change they tell of.

A card is edited for as long as its job lives; results and failures are said once, and once one of
them stands, the card is taken away.
"""

from dataclasses import dataclass
from enum import StrEnum

from bot.core.jobs import Job, Status

NONCE_WINDOW = 120.0
"""Seconds in which a platform surely recognises a repeated nonce (Discord: "a few minutes")."""
CARD_GRACE = 8.0
"""Seconds a command's own answer has to become the card, where chats have such answers."""
ANSWER_END = 15.0
"""Seconds that an order is kept back where its command is answered: longer than an answer may take.

An answer of which nothing was heard by then has an unknown end, and its card is posted by its row.
"""

EDIT_PACE = 2.0
"""Seconds between a step of progress and the edit that shows it: several steps, one edit."""
EDITS_END = 15 * 60.0
"""Age of a job, in seconds, after which mere progress no longer edits its card."""


class PostKind(StrEnum):
    """A post's subject."""

    CARD = "card"
    RESULT = "result"
    FAILURE = "failure"


ALL_KINDS = tuple(PostKind)


class Form(StrEnum):
    """The rungs of the ladder, in falling order; each has a nonce of its own."""

    FILE = "file"
    LINK = "link"
    TEXT = "text"
    """Words only: the plain sentence, or a failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One row of the `posts` table. Times are seconds since the epoch, UTC."""

    id: int
    job_id: str
    kind: PostKind
    due_at: float | None
    claimed_until: float | None = None
    version: int = 0
    """How often it was claimed: the fence of whoever holds it."""
    attempts: int = 0
    form: Form | None = None
    """The last form tried; it only ever falls: file, link, words."""
    direct: bool = False
    """It goes to the person's own messages: the channel refused it, or was not meant to see it."""
    sending_at: float | None = None
    """When a send with an unknown end was begun."""
    message_id: str | None = None
    channel_id: str | None = None
    """Where the message stands, if not in the order's channel."""

    def nonce(self, form: Form) -> str:
        """The same words for the same message, at most 25 characters (Discord's limit)."""
        mark = {Form.FILE: "f", Form.LINK: "l", Form.TEXT: "t"}[form]
        return f"{self.job_id}-{self.kind[0]}{mark}{'d' if self.direct else ''}"


def due_after(before: Job, after: Job, *, now: float) -> dict[PostKind, float]:
    """The posts due because a job went from `before` to `after`, and when.

    Mere progress waits for `EDIT_PACE` and stops with `EDITS_END`: chats ration edits. So does what
    most jobs leave within that time.
    """
    due: dict[PostKind, float] = {}
    if appearance(before) != appearance(after):
        due[PostKind.CARD] = now + EDIT_PACE if _passes(before, after) else now
    elif is_shown(before.progress, after.progress, age=now - after.created_at):
        due[PostKind.CARD] = now + EDIT_PACE
    if after.video and not before.video and not after.silent:
        due[PostKind.RESULT] = now
    if before.has_result and not after.has_result:
        # Deleted by its person: what stands in the chat has to go as well.
        due[PostKind.RESULT] = now
    if after.status is not before.status and after.status in (Status.FAILED, Status.UNCONFIRMED):
        due[PostKind.FAILURE] = now
    return due


def told_by(job: Job) -> PostKind | None:
    """The kind of message that tells of the job's end; None before that, or where its card does."""
    if job.status is Status.DELIVERED:
        return PostKind.RESULT
    return PostKind.FAILURE if job.status in (Status.FAILED, Status.UNCONFIRMED) else None


def is_void(post: Post, job: Job, *, is_answer: bool) -> bool:
    """Whether there is nothing left to say, or nobody to say it to.

    `is_answer`: the card is the answer to a command, which is owed whatever became of it.
    """
    match post.kind:
        case PostKind.CARD if post.message_id is None:
            # Withdrawn because its command could not be answered; or over before its card was
            # begun, and what is said of that is enough, if it is said in the same place.
            over = job.status in (Status.FAILED, Status.UNCONFIRMED) and post.sending_at is None
            said = over and not job.private
            return job.status is Status.CANCELLED or (said and not is_answer)
        case PostKind.CARD:
            return False
        case PostKind.FAILURE:
            # Its id turned up after all.
            return job.status not in (Status.FAILED, Status.UNCONFIRMED)
        case PostKind.RESULT:
            return job.has_result and (post.message_id is not None or job.video is None)


def appearance(job: Job) -> tuple[object, ...]:
    """The facts of a job on its card, beside progress: if they change, an edit is due at once."""
    return (
        job.status,
        job.silent,
        job.reason,
        job.pictures_missing,
        job.sound_missing,
        job.has_result,
    )


def is_shown(before: int, after: int, *, age: float) -> bool:
    """Whether the card of a job of that age, in seconds, shows this step of its progress."""
    return before // 10 != after // 10 and age < EDITS_END


def _passes(before: Job, after: Job) -> bool:
    """Whether the next thing may be about to happen: its POST is answered, its video fetched, said.

    A video that was just taken may be there by then. An end that is said in a message of its own
    takes the card away.
    """
    taken = after.status is Status.IN_PROGRESS and before.status is Status.SUBMITTING
    passing = taken or after.status in (Status.SUBMITTING, Status.COMPLETED)
    return passing and after.reason is None
