"""The interfaces of a chat network: a small one that each has, and some that only some have.

A network that lacks an optional interface is not asked: `Can` and the interfaces that it has are
all that the core knows of it. Every method raises `Temporary` (outcome unknown, or later) or
`Refused` (a definite no).
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

from bot.core.jobs import Job
from bot.core.orders import Address, Picture, Sound
from bot.core.posts import Post
from bot.core.replies import Reply


class Standing(NamedTuple):
    """A message of ours that stands in a chat."""

    message_id: str
    channel_id: str


def standing(post: Post, job: Job) -> Standing:
    """The message of a post that was said."""
    return Standing(post.message_id or "", post.channel_id or job.order.call.address.channel)


def place(post: Post, job: Job) -> Address:
    """The same, with the community that it stands in: a person's own messages are in none."""
    stands = standing(post, job)
    address = job.order.call.address
    community = None if post.direct else address.community
    return replace(
        address, channel=stands.channel_id, community=community, message=stands.message_id
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectMessage:
    """A message to one person, about no job of theirs."""

    person_id: str
    reply: Reply
    nonce: str
    """The same for each try of it."""
    since: float | None = None
    """When an earlier try of it was begun, whose end is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Can:
    """The facts about a network that the core decides by."""

    upload_limit: int
    """Bytes of the largest file that may be attached; `LimitsUploads` may know better."""
    card_grace: float = 0.0
    """Seconds in which a command's own answer may become the card; 0 where there is none such."""
    private_answers: bool = False
    """The answer to a command is seen by its person alone, also where others are."""
    remembers_nonces: bool = False
    """A message that is sent again within `NONCE_WINDOW` stands once."""


class Platform(Protocol):
    """One chat network: the least that it has to offer."""

    name: str
    can: Can

    async def is_connected(self) -> bool:
        """Whether what people do there reaches us now. Asks nobody: it is known or not."""

    async def send(self, post: Post, job: Job, reply: Reply, *, video: Path | None) -> Standing:
        """Say it as a new message."""


@runtime_checkable
class SendsAgain(Protocol):
    """A network without nonces that can repeat a send all the same, so that it stands once."""

    async def send_again(
        self, post: Post, job: Job, reply: Reply, *, video: Path | None
    ) -> Standing:
        """Say it, although an earlier send of it has an unknown end."""


@runtime_checkable
class Edits(Protocol):
    """A network where our messages can be changed. Elsewhere a card stays as it was said."""

    async def edit(self, post: Post, job: Job, reply: Reply) -> None:
        """Bring a message up to date."""


@runtime_checkable
class Removes(Protocol):
    """A network where our messages can be taken away."""

    async def remove(self, message: Standing) -> None:
        """Take it away; one that is gone already is as good."""


@runtime_checkable
class Points(Protocol):
    """A network that can lead people to a message."""

    def link_to(self, message: Address) -> str | None:
        """The link to a message; None where it has none."""


@runtime_checkable
class ReadsHistory(Protocol):
    """A network that shows us what was said there."""

    async def find(self, post: Post, job: Job) -> Standing | None:
        """Our own earlier message for this post. `Refused("history_unreadable")`: can't be told."""


@runtime_checkable
class LimitsUploads(Protocol):
    """A network that takes more in one place than in another, or learns what it takes."""

    async def upload_limit(self, job: Job) -> int:
        """Bytes of the largest file that may be attached where this was asked for."""

    async def direct_limit(self, job: Job) -> int:
        """Bytes of the largest file in the own messages of the person who asked."""


@runtime_checkable
class Fetches(Protocol):
    """A network where people hand files in."""

    async def fetch(self, given: Picture | Sound, into: Path, *, most: int) -> None:
        """Stream what somebody gave to disk; more than `most` bytes or gone is `Refused`."""


@runtime_checkable
class Tells(Protocol):
    """A network where one person can be written to."""

    async def tell(self, message: DirectMessage) -> Standing:
        """Say it in this person's own messages; in a private place, to everybody there."""

    async def retell(self, message: Standing, reply: Reply) -> None:
        """Bring a message that was told up to date. `Refused` where it is gone."""


async def upload_limit(platform: Platform, post: Post, job: Job) -> int:
    """Bytes of the largest file that may be attached where this post goes."""
    if not isinstance(platform, LimitsUploads):
        return platform.can.upload_limit
    return await (platform.direct_limit if post.direct else platform.upload_limit)(job)
