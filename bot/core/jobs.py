"""A job: its states, the moves allowed between them, the reasons for a state, and its video.

This module holds values and rules only. The moves themselves are in `core.moves`.
"""

from dataclasses import dataclass
from enum import StrEnum

from bot.core.orders import Order, VideoRequest
from bot.core.prices import Cost

SOFT_DEADLINE = 30 * 60.0
"""Seconds after the POST from which a job is "taking long".

The job then no longer counts for the limit on a person's videos at once.
"""
HARD_DEADLINE = 24 * 3600.0
LAST_DEADLINE = 48 * 3600.0
"""Seconds after the POST until which a finished video is still delivered. Then it times out."""

THUMBNAIL_SIDE = 1280
"""The most pixels of a thumbnail's long side. Link previews show this size large."""

UNNAMED = "-"
"""The value of `Job.gateway_id` if the gateway sent the video without an id.

Such a job is never polled.
"""

HELD = 600.0
"""Seconds until a job under a hold is due by itself. The end of the hold makes it due earlier."""

MOST_CRASHES = 3
"""Process crashes in a row, all during the same step of a job, after which the job is suspect."""

CLAIM = 45.0
"""Seconds that a claim on a row lasts.

A living process renews its claims, even during a POST that takes far longer. So if the claim of a
`submitting` row has run out, the process that sent the POST is dead.
"""


class Status(StrEnum):
    """The states of a job. `queued`, `in_progress`, `completed` and `failed` are the Videos API's.

    A job counts as one of its person's videos by `Job.quota_cost`, and for the purse by
    `Job.spend_cost`. Only `core.moves` changes these costs.
    """

    QUEUED = "queued"
    """The store sets this when it admits the job, and a worker when a POST was certainly not taken.

    It ends when the POST is about to leave, or when the job fails or is cancelled. The job counts
    as a video and as money, which reserves its share of the limits.
    """
    SUBMITTING = "submitting"
    """A worker sets this just before the first byte of the POST leaves.

    It ends with the outcome of the POST, or as unconfirmed if the outcome is lost. The job counts
    as a video and as money.
    """
    IN_PROGRESS = "in_progress"
    """A worker sets this when the gateway has accepted the job, an operator when its id turned up.

    It ends when a poll finds the video made or failed, or when the job is lost or too late. The
    job counts as money, and as a video unless it was unconfirmed before.
    """
    COMPLETED = "completed"
    """A worker sets this when the gateway has made the video, and again after a conversion.

    It ends when the video is converted, delivered or can't be had. The job counts as `IN_PROGRESS`
    does. With `Reason.UNDELIVERABLE` the state is an end.
    """
    CONVERTING = "converting"
    """A worker sets this when it has fetched a video that does not play everywhere.

    The conversion ends it, and the job is completed again. The job counts as `IN_PROGRESS` does.
    """
    DELIVERED = "delivered"
    """A worker sets this when the video is posted, or is kept for a person who chose *Don't post*.

    It ends the job. The job counts as `IN_PROGRESS` does, even if the video is deleted.
    """
    FAILED = "failed"
    """A worker or an operator sets this when the job will not become a video.

    It ends the job. The job no longer counts as a video; it counts as money if it was charged.
    """
    CANCELLED = "cancelled"
    """A person, an operator or the bot sets this on a queued job.

    It ends the job. The job counts neither as a video nor as money.
    """
    UNCONFIRMED = "unconfirmed"
    """A worker or a restore sets this on a job that the gateway may or may not have accepted.

    The job is never sent again; an operator may resolve it. It counts as money, not as a video.
    """


class Reason(StrEnum):
    """Why a job ended as it did, or why it waits. Each has one sentence per language.

    A failed or cancelled job never counts as one of its person's videos, whatever it costs. A job
    that "counts for all limits" counts as a video and as money.
    """

    REFUSED = "refused"
    """The gateway refused the POST or reported a failure, with no better reason. The job ends.

    A refused POST is free unless the response leaves the bill in doubt. A later failure costs
    money unless the gateway refunds failures.
    """
    REFUSED_ALONE = "refused_alone"
    """The gateway refused key or balance for this job alone. The job ends and costs nothing."""
    MODERATED = "moderated"
    """The gateway's content rules stopped the job. It ends and costs as `REFUSED` does."""
    TOO_LONG = "too_long"
    """The gateway found the prompt too long. The job ends and costs as `REFUSED` does."""
    BAD_SIZE = "bad_size"
    """The gateway does not make this size. The job ends and costs as `REFUSED` does."""
    NO_BALANCE = "no_balance"
    """The gateway's account is empty. The job waits for the pause's end; all limits count it."""
    BAD_KEY = "bad_key"
    """The gateway refuses our key. The job waits for the pause's end; all limits count it."""
    UNKNOWN_MODEL = "unknown_model"
    """The gateway does not offer the model. The job ends and costs as `REFUSED` does."""
    WRONG_ADDRESS = "wrong_address"
    """The gateway's address leads elsewhere. The job ends and costs as `REFUSED` does."""
    BLOCKED = "blocked"
    """A proxy or a bot wall rejected the POST. The job ends and costs as `REFUSED` does."""
    BUSY = "busy"
    """The gateway can't be reached, answers "later" (429), or is no longer configured.

    The job waits for a retry; all limits count it. After the last retry it fails at no cost.
    """
    AT_ONCE = "at_once"
    """The model has no free slot at its gateway. The job waits for one; all limits count it."""
    PAUSED = "paused"
    """An operator holds the gateway, or all. The job waits for the end; all limits count it."""
    PICTURE_GONE = "picture_gone"
    """A picture could not be fetched, or our copy is gone. The job ends and costs nothing."""
    PICTURE_BAD = "picture_bad"
    """A picture is damaged, or decoding it crashes the process. The job ends and costs nothing."""
    PICTURE_UNKNOWN = "picture_unknown"
    """A file is no picture in a format that we read. The job ends and costs nothing."""
    PICTURE_HEAVY = "picture_heavy"
    """A picture has more bytes than we accept. The job ends and costs nothing."""
    PICTURE_VAST = "picture_vast"
    """A picture has more pixels than we accept. The job ends and costs nothing."""
    PICTURE_DEMANDING = "picture_demanding"
    """A picture needs more time or memory than we allow. The job ends and costs nothing."""
    PICTURE_TOO_LARGE = "picture_too_large"
    """The request is too large for its gateway, because of a picture, a sound or anything else.

    A queued job waits while its files are made smaller; a failed job has ended and costs nothing.
    """
    SOUND_GONE = "sound_gone"
    """The sound could not be fetched, or our copy is gone. The job ends and costs nothing."""
    SOUND_BAD = "sound_bad"
    """The sound is damaged, or decoding it crashes the process. The job ends and costs nothing."""
    SOUND_UNKNOWN = "sound_unknown"
    """The file is no sound in a format that we read. The job ends and costs nothing."""
    SOUND_HEAVY = "sound_heavy"
    """The sound has more bytes than we accept. The job ends and costs nothing."""
    SOUND_SHORT = "sound_short"
    """The sound is too short. The job ends and costs nothing."""
    SOUND_DEMANDING = "sound_demanding"
    """The sound needs more time or memory than we allow. The job ends and costs nothing."""
    GIVEN_GONE = "given_gone"
    """The order's video could not be fetched, or is gone. The job ends and costs nothing."""
    GIVEN_BAD = "given_bad"
    """The order's video is damaged, or crashes the process. The job ends and costs nothing."""
    GIVEN_UNKNOWN = "given_unknown"
    """The file is no video in a format that we read. The job ends and costs nothing."""
    GIVEN_HEAVY = "given_heavy"
    """The order's video has more bytes than we accept. The job ends and costs nothing."""
    GIVEN_SHORT = "given_short"
    """The order's video is too short for the model. The job ends and costs nothing."""
    GIVEN_LONG = "given_long"
    """The order's video is too long for the model. The job ends and costs nothing."""
    GIVEN_DEMANDING = "given_demanding"
    """The order's video needs more time or memory than we allow. The job costs nothing."""
    TIMED_OUT = "timed_out"
    """The gateway made no video before `LAST_DEADLINE`. The job ends and costs money."""
    LOST = "lost"
    """The gateway no longer knows the job's id. The job ends and costs money."""
    WITHHELD = "withheld"
    """The gateway made and charged the video, but its content rules keep the video back.

    On a completed job this is a suspicion that fetching tests. On a failed job it is the end, and
    the job costs money.
    """
    CONTENT_GONE = "content_gone"
    """The gateway never gave us the video that it made. The job ends and costs money."""
    CONTENT_TOO_LARGE = "content_too_large"
    """The video is larger than we accept. The job ends and costs money."""
    CONTENT_BAD = "content_bad"
    """The video that the gateway gave us is damaged. The job ends and costs money."""
    NO_ROOM = "no_room"
    """The POST's response was the video, but our disk was full. The job ends and costs money."""
    EXPIRED = "expired"
    """The gateway says that the video expired. The job ends and costs as `REFUSED` does."""
    UNDELIVERABLE = "undeliverable"
    """The video can't be posted anywhere, and is kept. The job stays completed and counts."""
    GATEWAY_ERROR = "gateway_error"
    """The response to the POST, an error, leaves open whether the gateway took the job.

    The job is unconfirmed and counts as that state does.
    """
    RESTORED = "restored"
    """The job came out of a backup, and may have been sent after the backup was made.

    The job is unconfirmed and counts as that state does.
    """
    NOT_TAKEN = "not_taken"
    """An operator found that the gateway never took the job. The job ends and costs nothing."""
    TRIED_AGAIN = "tried_again"
    """An operator sent the order again as another job. This job ends and costs money."""
    BY_PERSON = "by_person"
    """The person cancelled the job. The job ends and costs nothing."""
    BY_ADMIN = "by_admin"
    """A moderator or an operator cancelled the job or blocked its person. The job costs nothing."""
    UNANSWERED = "unanswered"
    """The bot could not tell the person that it took the job. The job ends and costs nothing."""
    SENT_AWAY = "sent_away"
    """The bot may no longer write in the order's place. The job ends and costs nothing."""


WITHDRAWN = frozenset({Reason.UNANSWERED, Reason.SENT_AWAY})
"""Reasons for which the bot itself cancels a job."""

LOCKS = frozenset({Reason.BAD_KEY, Reason.NO_BALANCE})
"""Reasons that mean a locked account. The gateway is paused until an operator mends the account."""

IN_BETWEEN = frozenset({Reason.WRONG_ADDRESS, Reason.BLOCKED})
"""Reasons that mean that something between us and the gateway rejected the request.

The operator is told. The gateway is not paused, as the wall may have rejected this prompt alone.
"""

IN_FLIGHT = frozenset({Status.SUBMITTING, Status.IN_PROGRESS})
"""The states in which a gateway is, or may be, making a video."""

MOVES: dict[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.SUBMITTING, Status.FAILED, Status.CANCELLED}),
    Status.SUBMITTING: frozenset(
        {Status.IN_PROGRESS, Status.FAILED, Status.UNCONFIRMED, Status.QUEUED}
    ),
    Status.IN_PROGRESS: frozenset({Status.COMPLETED, Status.FAILED}),
    Status.COMPLETED: frozenset({Status.CONVERTING, Status.DELIVERED, Status.FAILED}),
    Status.CONVERTING: frozenset({Status.COMPLETED}),
    Status.UNCONFIRMED: frozenset({Status.IN_PROGRESS, Status.FAILED}),
    Status.DELIVERED: frozenset(),
    Status.FAILED: frozenset(),
    Status.CANCELLED: frozenset(),
}

ACTIVE = frozenset({Status.QUEUED, Status.SUBMITTING, Status.IN_PROGRESS})
"""The states in which a person is still waiting for the gateway."""

MADE = frozenset({Status.COMPLETED, Status.CONVERTING, Status.DELIVERED})
"""The states in which the gateway has made the video."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A video as its gateway made it, byte for byte, in our storage."""

    key: str
    """The storage key. Its ending is that of the file's container, which need not be MP4."""
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Video:
    """A finished video in our storage, as it is posted."""

    key: str
    size: int
    """Bytes."""
    width: int
    height: int
    seconds: float
    thumbnail: str | None = None
    """The storage key of the thumbnail: one picture of the video, as JPEG."""
    converted: Original | None = None
    """The file before its conversion; None if the video was not converted."""
    reencoded: bool = False
    """Whether the conversion encoded a stream again, and did not only change the container."""
    original_gone: bool = False
    """Whether the original was kept for a while and has been removed."""
    plays: bool = True
    """Whether the video plays everywhere. If not, it is converted, or at worst posted as a file."""

    @property
    def original(self) -> Original:
        """Return the file that *Original file* and a download give."""
        return self.converted or Original(key=self.key, size=self.size)

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the storage keys of all files of this video."""
        source = self.converted.key if self.converted else None
        return tuple(filter(None, (self.key, self.thumbnail, source)))


def thumbnail_size(width: int, height: int) -> tuple[int, int]:
    """Return the thumbnail's size for a video of this size: the same aspect, never enlarged."""
    scale = min(1.0, THUMBNAIL_SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """An accepted order: one row of the `jobs` table. Times are seconds since the epoch, UTC."""

    id: str
    order: Order
    request: VideoRequest
    gateway: str
    base_url: str
    created_at: float
    quota_cost: int
    """The number of videos for which the job counts for its person and community."""
    spend_cost: int
    """Our estimate in micro-units of the currency; 1 where the model has no price."""
    told_cost: Cost | None = None
    """The cost that the gateway told last; None if it told none."""
    status: Status = Status.QUEUED
    version: int = 1
    turn: int = 0
    due_at: float | None = None
    claimed_until: float | None = None
    attempts: int = 0
    """Failed tries of the present step that ended with a known error."""
    crashes: int = 0
    """Claims of the present step that ran out, because the process died during the step."""
    reason: Reason | None = None
    detail: str | None = None
    """The gateway's own message, for the operator only."""
    gateway_id: str | None = None
    """The id in the response to the POST. An id in a later response is ignored."""
    progress: int = 0
    sources: tuple[str, ...] = ()
    """URLs of the content that the gateway named, as a fallback. People never see them."""
    silent: bool = False
    """Whether the person chose *Don't post*."""
    private: bool = False
    """Whether the result or the failure goes to the job's person alone."""
    unconverted: Video | None = None
    """The video as the gateway made it, while it waits for its conversion."""
    video: Video | None = None
    submitted_at: float | None = None
    completed_at: float | None = None
    made_after: float | None = None
    """Seconds after the POST at which the video was surely not made yet; None if unknown."""
    delivered_at: float | None = None
    ended_at: float | None = None
    """When the job ended by itself (`is_over`); None while a step is still to come."""
    video_gone_at: float | None = None
    """When a sweep removed the video; None if its person deleted it."""
    inputs_gone_at: float | None = None
    """When a sweep removed our copies of the job's files."""
    words_gone_at: float | None = None
    """When a sweep blanked all texts that people and gateways wrote in this row."""
    copy_tries: int | None = None
    """Tries to delete the video's copy on the operator's own server; None: none is to delete."""

    @property
    def is_over(self) -> bool:
        """Whether no step is still to come. Also true for a video that can't be posted anywhere."""
        is_kept = self.status is Status.COMPLETED and self.reason is Reason.UNDELIVERABLE
        return self.is_final or is_kept

    @property
    def is_closed_as_not_taken(self) -> bool:
        """Whether an operator said that the gateway never took the job. Its video may turn up."""
        return self.status is Status.FAILED and self.reason is Reason.NOT_TAKEN

    @property
    def days_kept(self) -> int | None:
        """Return the whole days for which the video was kept; None if no sweep has removed it."""
        if self.video_gone_at is None or self.ended_at is None:
            return None
        return int((self.video_gone_at - self.ended_at) // 86_400)

    @property
    def has_result(self) -> bool:
        """Whether there is or was a video that its person has not deleted. Chat may show it."""
        return self.video is not None or self.video_gone_at is not None

    @property
    def is_final(self) -> bool:
        """Whether the job's state is an end, or is unconfirmed and waits for an operator."""
        return not MOVES[self.status] or self.status is Status.UNCONFIRMED
