"""A gateway's answers as values: the worker decides by them, never by wire words."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.core.jobs import Reason


@dataclass(frozen=True, slots=True)
class Accepted:
    """Create: it has the job, under this id; `UNNAMED` where it gave the video and no id."""

    gateway_id: str
    sources: tuple[str, ...] = ()
    """URLs of the video, where it was made at once."""


@dataclass(frozen=True, slots=True)
class Made:
    """Create: the answer is the video itself; it is in the file that was named for it."""

    size: int


@dataclass(frozen=True, slots=True)
class NotSent:
    """Create: provably not one byte of the request left."""

    detail: str


@dataclass(frozen=True, slots=True)
class Busy:
    """Create: the gateway itself said "later" (429), so it took nothing."""

    retry_after: float | None


@dataclass(frozen=True, slots=True)
class Locked:
    """Any call: the key or the balance is refused; this gateway pauses, no job is harmed."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """Create: a definite no. `charged` where the answer leaves the bill in doubt."""

    reason: Reason
    detail: str
    charged: bool = False


@dataclass(frozen=True, slots=True)
class Uncertain:
    """Create: it may have been accepted. Never sent again by itself."""

    detail: str
    answered: bool = False
    """It said something, only not whether it was taken; else the line was lost."""


@dataclass(frozen=True, slots=True)
class Running:
    """Retrieve: not finished, or a word we don't know. `progress` 0..100, None if not told."""

    progress: int | None = None
    at_least: float | None = None
    """Seconds the gateway asked us to wait before the next look."""
    unknown: str = ""
    """A status word that nobody knows: its operator is told of it."""
    shape: str = ""
    """The names in an answer that has no such word at all: its operator is told of it, too."""


@dataclass(frozen=True, slots=True)
class Done:
    """Retrieve: a success word; `sources` are URLs the answer named for the content."""

    sources: tuple[str, ...] = ()
    withheld: bool = False
    """It named an error beside its success: most likely there will be no content."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Retrieve: a terminal word of failure."""

    reason: Reason
    detail: str
    charged: bool = False
    """It surely counts at the gateway, whatever that does for others that fail."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Retrieve: the gateway does not know this id (yet)."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Retrieve or content: no usable answer; look again later."""

    detail: str
    retry_after: float | None = None
    definite: bool = False
    """The gateway itself has no content for us, or something else in its place: no outage."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """Content: the file that was handed over can't be taken. A few tries, then it is believed."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """Content: the whole file is on disk."""

    size: int


@dataclass(frozen=True, slots=True)
class Open:
    """Probe: what was asked free of charge was answered as for a good key with a balance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One video in a gateway's own list. Whatever it does not tell is missing."""

    id: str
    model: str = ""
    status: str = ""
    created_at: float | None = None
    """Seconds since the epoch, by the gateway's clock."""
    prompt: str | None = None


@dataclass(frozen=True, slots=True)
class VideoList:
    """List: the newest first; `whole` if it reaches back as far as was asked."""

    videos: tuple[Listed, ...]
    whole: bool = True


@dataclass(frozen=True, slots=True)
class NoList:
    """List: this gateway has none."""


@dataclass(frozen=True, slots=True)
class Unread:
    """Glance: an answer that may say more than that the job is being made."""

    read: "Callable[[str], Polled]"
    """Reads it; what it quotes of this prompt decides nothing."""


Creation = Accepted | Made | NotSent | Busy | Locked | Rejected | Uncertain
Polled = Running | Done | Failed | Missing | Locked | Trouble
Fetch = Fetched | Locked | Trouble | Unusable
Probe = Open | Locked | Trouble
Listing = VideoList | NoList | Trouble


def kind_of(detail: str) -> str:
    """The kind of a gateway's words, for the log: the words may quote the prompt."""
    return detail.partition(":")[0]
