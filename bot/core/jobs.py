"""A job: its states, which of them may follow which, the reasons for them, and its video."""

from dataclasses import dataclass
from enum import StrEnum

from bot.core.orders import Kind, Order, VideoRequest

SOFT_DEADLINE = 30 * 60.0
"""Seconds after which a job is "taking long" and no longer counts as one of "at once"."""
HARD_DEADLINE = 24 * 3600.0
LAST_DEADLINE = 48 * 3600.0
"""A success is still delivered until then; afterwards the job has timed out."""

THUMBNAIL_SIDE = 1280
"""Pixels of a thumbnail's long side at most: what link previews show large."""

UNNAMED = "-"
"""In place of a gateway's id where a video came without one: it is never asked about."""

HELD = 600.0
"""Seconds after which an order that an operator holds looks again; the end of a hold calls it."""

MOST_CRASHES = 3
"""Deaths of the process in a row, each during the same step of a job, that make it suspect."""

CLAIM = 45.0
"""Seconds that a claim on a row lasts: a living process renews it, so a dead one is noticed soon.

A POST may take far longer; a `submitting` row whose claim ran out has lost its process.
"""


class Status(StrEnum):
    """The only states; four of them are the Videos API's own words."""

    QUEUED = "queued"
    SUBMITTING = "submitting"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CONVERTING = "converting"
    """Ours, but not playing everywhere: in line for its conversion, after which it is completed."""
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNCONFIRMED = "unconfirmed"


class Reason(StrEnum):
    """Why a job ended the way it did; one sentence per language each."""

    REFUSED = "refused"
    REFUSED_ALONE = "refused_alone"
    """As if the key or the balance were bad, while others passed."""
    MODERATED = "moderated"
    TOO_LONG = "too_long"
    BAD_SIZE = "bad_size"
    NO_BALANCE = "no_balance"
    BAD_KEY = "bad_key"
    UNKNOWN_MODEL = "unknown_model"
    WRONG_ADDRESS = "wrong_address"
    """The gateway's address leads elsewhere."""
    BLOCKED = "blocked"
    """A proxy or a bot wall stands before the gateway."""
    BUSY = "busy"
    AT_ONCE = "at_once"
    """Not an end: its model has no place free at its gateway."""
    PAUSED = "paused"
    """Not an end: an operator lets nothing leave to its gateway, or to any."""
    PICTURE_GONE = "picture_gone"
    PICTURE_BAD = "picture_bad"
    """Damaged, or worse: its decoder dies of it."""
    PICTURE_UNKNOWN = "picture_unknown"
    """None that we read."""
    PICTURE_HEAVY = "picture_heavy"
    """It has more bytes than we take."""
    PICTURE_VAST = "picture_vast"
    """It has more pixels than we take."""
    PICTURE_DEMANDING = "picture_demanding"
    """It takes more time or memory than we have."""
    PICTURE_TOO_LARGE = "picture_too_large"
    """Or whatever else made the request larger than its gateway takes."""
    SOUND_GONE = "sound_gone"
    SOUND_BAD = "sound_bad"
    SOUND_UNKNOWN = "sound_unknown"
    SOUND_HEAVY = "sound_heavy"
    SOUND_SHORT = "sound_short"
    SOUND_DEMANDING = "sound_demanding"
    TIMED_OUT = "timed_out"
    LOST = "lost"
    WITHHELD = "withheld"
    """Made and charged; the content rules of its maker keep it back."""
    CONTENT_GONE = "content_gone"
    CONTENT_TOO_LARGE = "content_too_large"
    CONTENT_BAD = "content_bad"
    NO_ROOM = "no_room"
    """It came as the answer to its order, which it does only once, while our disk was full."""
    EXPIRED = "expired"
    UNDELIVERABLE = "undeliverable"
    """Not an end: its video is kept."""
    GATEWAY_ERROR = "gateway_error"
    """Not an end: the order was answered with an error that leaves open whether it was taken."""
    RESTORED = "restored"
    """Not an end: it came out of a backup, and may have been ordered after that was made."""
    NOT_TAKEN = "not_taken"
    TRIED_AGAIN = "tried_again"
    BY_PERSON = "by_person"
    BY_ADMIN = "by_admin"
    UNANSWERED = "unanswered"
    """Nobody could be told that it was taken, so it was withdrawn."""
    SENT_AWAY = "sent_away"
    """The bot may no longer speak where it was asked, so it was withdrawn."""


WITHDRAWN = frozenset({Reason.UNANSWERED, Reason.SENT_AWAY})
"""Why a job is cancelled that nobody asked to cancel."""

LOCKS = frozenset({Reason.BAD_KEY, Reason.NO_BALANCE})
"""The account is locked: only an operator can mend that. The gateway is paused."""

IN_BETWEEN = frozenset({Reason.WRONG_ADDRESS, Reason.BLOCKED})
"""Something stands between us and the gateway; its operator is told, and nothing is paused: a
prompt may be all that a wall turned away."""

IN_FLIGHT = frozenset({Status.SUBMITTING, Status.IN_PROGRESS})
"""The states in which a gateway has, or may have, something to make."""

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
"""The states in which there is a video."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A video as its gateway made it, byte for byte, in our storage."""

    key: str
    """Ends like the name of such a file: it need not be an MP4."""
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Video:
    """A finished video in our storage: what is posted."""

    key: str
    size: int
    """Bytes."""
    width: int
    height: int
    seconds: float
    thumbnail: str | None = None
    """Key of a JPEG still."""
    converted: Original | None = None
    """The file that it was converted from; None where it is as its gateway made it."""
    reencoded: bool = False
    """Whether something in it was made anew; else a conversion is the same in another file."""
    original_gone: bool = False
    """Whether the file that it was converted from was kept for a while, and is gone."""
    plays: bool = True
    """Whether it plays everywhere. Else it is converted; if that fails, it is posted as a file."""

    @property
    def original(self) -> Original:
        """The file that *As file* and a download give."""
        return self.converted or Original(key=self.key, size=self.size)

    @property
    def keys(self) -> tuple[str, ...]:
        """All that is stored of it."""
        source = self.converted.key if self.converted else None
        return tuple(filter(None, (self.key, self.thumbnail, source)))


def thumbnail_size(width: int, height: int) -> tuple[int, int]:
    """The size of a still of a video of that size: the same shape, never enlarged."""
    scale = min(1.0, THUMBNAIL_SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One row of the `jobs` table. Times are seconds since the epoch, UTC."""

    id: str
    order: Order
    request: VideoRequest
    gateway: str
    base_url: str
    created_at: float
    quota_cost: int
    """Videos this job counts for its person and community."""
    spend_cost: int
    """Micro-units of the currency; 1 where the model has no price."""
    status: Status = Status.QUEUED
    version: int = 1
    turn: int = 0
    due_at: float | None = None
    claimed_until: float | None = None
    attempts: int = 0
    """Tries of the present step that failed in a way we understood."""
    crashes: int = 0
    """Claims of the present step that ran out without a word: the process died in it."""
    reason: Reason | None = None
    detail: str | None = None
    """The gateway's own words, for the operator only."""
    gateway_id: str | None = None
    """The id from *create*; an id from a later reply is never adopted."""
    progress: int = 0
    sources: tuple[str, ...] = ()
    """Fallback URLs the gateway named for the content; for us, never for people."""
    silent: bool = False
    """The person chose *Don't post*."""
    private: bool = False
    """Its result, or its failure, goes to its person alone."""
    unconverted: Video | None = None
    """The video as it came, while it is in line for its conversion."""
    video: Video | None = None
    submitted_at: float | None = None
    completed_at: float | None = None
    delivered_at: float | None = None
    ended_at: float | None = None
    """Since when nothing more happens to it by itself; None while something does."""
    video_gone_at: float | None = None
    """When its video had been kept long enough; one that its person deleted has no such time."""
    inputs_gone_at: float | None = None
    """When our copies of its pictures and its sound had been kept long enough."""
    words_gone_at: float | None = None
    """When all that somebody wrote in it had been kept long enough."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens to it by itself: also where its video can't be posted."""
        is_kept = self.status is Status.COMPLETED and self.reason is Reason.UNDELIVERABLE
        return self.is_final or is_kept

    @property
    def is_closed_as_not_taken(self) -> bool:
        """Whether an operator said that its gateway never took it; its video may still turn up."""
        return self.status is Status.FAILED and self.reason is Reason.NOT_TAKEN

    @property
    def days_kept(self) -> int | None:
        """Whole days for which its video was kept; None while it is, and if there was none."""
        if self.video_gone_at is None or self.ended_at is None:
            return None
        return int((self.video_gone_at - self.ended_at) // 86_400)

    @property
    def has_result(self) -> bool:
        """Whether there was a video that its person did not take away: it may stand in the chat."""
        return self.video is not None or self.video_gone_at is not None

    @property
    def pictures_missing(self) -> bool:
        """Whether some picture that is to be sent is not in our storage yet."""
        wanted = () if self.request.kind is Kind.REMIX else self.order.pictures
        return any(picture.key is None for picture in wanted)

    @property
    def sound_missing(self) -> bool:
        """Whether a sound is to be sent of which there is no copy yet that its model takes."""
        wanted = None if self.request.kind is Kind.REMIX else self.order.sound
        fit = self.request.sound_fit
        return wanted is not None and not (wanted.key and (fit is None or fit.takes(wanted)))

    @property
    def is_final(self) -> bool:
        """Whether nothing will happen to this job by itself any more."""
        return not MOVES[self.status] or self.status is Status.UNCONFIRMED
