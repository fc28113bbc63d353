"""A gateway's answers as values: workers decide by these values, never by the gateway's words."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.core.jobs import Reason


@dataclass(frozen=True, slots=True)
class Accepted:
    """Create: the gateway accepted the job under this id; `UNNAMED` for a video without an id."""

    gateway_id: str
    sources: tuple[str, ...] = ()
    """URLs of the video, if it was made at once."""


@dataclass(frozen=True, slots=True)
class Made:
    """Create: the response is the video itself, now in the file that `into` named.

    `size` is in bytes.
    """

    size: int


@dataclass(frozen=True, slots=True)
class NotSent:
    """Create: provably not one byte of the request left."""

    detail: str


@dataclass(frozen=True, slots=True)
class Busy:
    """Create: the gateway answered "later" (429), so it accepted nothing."""

    retry_after: float | None


@dataclass(frozen=True, slots=True)
class Locked:
    """Any call: the key or the balance is refused. The gateway is paused; no job fails."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """Create: a definite no. `charged` if the answer leaves open whether the order is charged."""

    reason: Reason
    detail: str
    charged: bool = False


@dataclass(frozen=True, slots=True)
class Uncertain:
    """Create: the order may have been accepted. It is never sent again automatically."""

    detail: str
    answered: bool = False
    """True if a response came that does not say the outcome; False if the connection was lost."""


@dataclass(frozen=True, slots=True)
class Running:
    """Retrieve: not finished, or an unknown status. `progress` is 0..100, or None if not given."""

    progress: int | None = None
    at_least: float | None = None
    """Seconds that the gateway asked us to wait before the next poll."""
    unknown: str = ""
    """The status word, if we don't know it. The operator gets a notice."""
    shape: str = ""
    """The field names of a response without any status word. The operator gets a notice."""


@dataclass(frozen=True, slots=True)
class Done:
    """Retrieve: the status says success. `sources` are the video's URLs in the response."""

    sources: tuple[str, ...] = ()
    withheld: bool = False
    """Whether the response named an error beside its success: probably there is no video."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Retrieve: the status says that the job failed for good."""

    reason: Reason
    detail: str
    charged: bool = False
    """Whether this failure is surely charged, even if the gateway refunds other failures."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Retrieve: the gateway does not know this id (yet)."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Retrieve or content: no usable answer. Try again later."""

    detail: str
    retry_after: float | None = None
    definite: bool = False
    """Whether the gateway answered without the content, or with something else. No outage."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """Content: the downloaded file can't be used. After a few tries that is final."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """Content: the whole file is on disk. `size` is in bytes."""

    size: int


@dataclass(frozen=True, slots=True)
class Open:
    """Probe: a free request was answered as for a good key with a balance."""


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
    """List: videos, the newest first. `whole` if the list reaches back as far as was asked."""

    videos: tuple[Listed, ...]
    whole: bool = True


@dataclass(frozen=True, slots=True)
class NoList:
    """List: this gateway offers no list."""


@dataclass(frozen=True, slots=True)
class Unread:
    """Glance: a response that may say more than that the video is being made."""

    read: "Callable[[str], Polled]"
    """Parses the response. The argument is the prompt: text quoted from it is ignored."""


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
