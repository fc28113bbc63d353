"""A gateway's answers as values: workers decide by these values, never by the gateway's words."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.core.jobs import Reason
from bot.core.prices import Cost


@dataclass(frozen=True, slots=True)
class Accepted:
    """The outcome of a POST that the gateway accepted, with the job's id there.

    The id is `UNNAMED` for a video that came without an id.
    """

    gateway_id: str
    sources: tuple[str, ...] = ()
    """URLs of the video, if it was made at once."""
    cost: Cost | None = None
    """The cost that the answer tells; the same in the outcomes of polls."""


@dataclass(frozen=True, slots=True)
class Made:
    """The outcome of a POST whose response was the video itself, now saved in the file `into`.

    `size` is in bytes.
    """

    size: int


@dataclass(frozen=True, slots=True)
class NotSent:
    """The outcome of a POST that failed before any byte was sent."""

    detail: str


@dataclass(frozen=True, slots=True)
class Busy:
    """The outcome of a POST that the gateway answered with "later" (429): it accepted nothing."""

    retry_after: float | None


@dataclass(frozen=True, slots=True)
class Locked:
    """The outcome of any request that the gateway refused for our key or our balance.

    The gateway is then paused; no job fails.
    """

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The outcome of a POST that the gateway definitely refused.

    `charged`: the response leaves open whether the order is charged.
    """

    reason: Reason
    detail: str
    charged: bool = False


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The outcome of a POST that the gateway may have accepted. The bot never repeats the POST."""

    detail: str
    answered: bool = False
    """True if a response came that does not say the outcome; False if the connection was lost."""


@dataclass(frozen=True, slots=True)
class Running:
    """The outcome of a poll: the job is not finished, or its status is unknown.

    `progress` is 0..100, or None if the gateway did not give it.
    """

    progress: int | None = None
    at_least: float | None = None
    """Seconds that the gateway asked us to wait before the next poll."""
    unknown: str = ""
    """The status word, if we don't know it. The operator gets a notice."""
    shape: str = ""
    """The field names of a response without any status word. The operator gets a notice."""
    cost: Cost | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The outcome of a poll: the status says success. `sources` are URLs of the video in it."""

    sources: tuple[str, ...] = ()
    withheld: bool = False
    """Whether the response named an error beside its success: probably there is no video."""
    cost: Cost | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The outcome of a poll: the status says that the job failed for good."""

    reason: Reason
    detail: str
    charged: bool = False
    """Whether this failure is surely charged, even if the gateway refunds other failures."""
    cost: Cost | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """The outcome of a poll: the gateway does not know this id (yet)."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """The outcome of a poll or a download without a usable response. Retry it later."""

    detail: str
    retry_after: float | None = None
    definite: bool = False
    """Whether the gateway did answer, but without the content: then this is no outage."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """The outcome of a download whose file can't be used. After a few tries that is final."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """The outcome of a download: the whole file is on disk. `size` is in bytes."""

    size: int


@dataclass(frozen=True, slots=True)
class Open:
    """The outcome of a free request that was answered as for a good key with a balance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One video in a gateway's own list. A field that the gateway omits keeps its default."""

    id: str
    model: str = ""
    status: str = ""
    created_at: float | None = None
    """When the video was ordered: seconds since the epoch, by the gateway's clock."""
    prompt: str | None = None


@dataclass(frozen=True, slots=True)
class VideoList:
    """A gateway's list of videos, the newest first.

    `whole`: the list reaches back as far as was asked.
    """

    videos: tuple[Listed, ...]
    whole: bool = True


@dataclass(frozen=True, slots=True)
class NoList:
    """The outcome of a request for a list at a gateway that offers no list of videos."""


@dataclass(frozen=True, slots=True)
class Unread:
    """The response to a poll that may say more than that the video is being made."""

    read: "Callable[[str], Polled]"
    """A function that parses the response. Its argument is the prompt: quotes of it are ignored."""


Creation = Accepted | Made | NotSent | Busy | Locked | Rejected | Uncertain
Polled = Running | Done | Failed | Missing | Locked | Trouble
Fetch = Fetched | Locked | Trouble | Unusable
Probe = Open | Locked | Trouble
Listing = VideoList | NoList | Trouble


def kind_of(detail: str) -> str:
    """Return the part of `detail` before its first colon, which is safe to log.

    The rest is the gateway's own text and may quote the prompt.
    """
    return detail.partition(":")[0]
