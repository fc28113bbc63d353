"""The interfaces of a chat network: a small one that each network has, and optional ones.

The core knows a network only by its `Can` and the interfaces that it implements, and never calls
an interface that a network lacks. Methods raise `Temporary` (the outcome is unknown, or the
network asks to wait) or `Refused` (a final refusal).
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

from bot.core.jobs import Job
from bot.core.orders import Address, Given
from bot.core.posts import Post
from bot.core.replies import Reply


class Standing(NamedTuple):
    """The ids of a message of ours that is in a chat, and of its channel."""

    message_id: str
    channel_id: str


def standing(post: Post, job: Job) -> Standing:
    """Return the ids of the message of `post`, which was sent."""
    return Standing(post.message_id or "", post.channel_id or job.order.call.address.channel)


def place(post: Post, job: Job) -> Address:
    """Return the address of the post's message. A direct message has no community."""
    stands = standing(post, job)
    address = job.order.call.address
    community = None if post.direct else address.community
    return replace(
        address, channel=stands.channel_id, community=community, message=stands.message_id
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectMessage:
    """A message to one person that is not about one of the person's jobs."""

    person_id: str
    reply: Reply
    nonce: str
    """A text that is the same for each try of this message, so that the network sends it once."""
    since: float | None = None
    """When an earlier try with an unknown outcome began, in seconds since the epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Can:
    """The facts about a network on which the core's decisions depend."""

    upload_limit: int
    """Bytes of the largest file that may be attached, unless `LimitsUploads` says otherwise."""
    card_grace: float = 0.0
    """Seconds in which a command's own answer may become the card; 0 if that is impossible."""
    private_answers: bool = False
    """Whether only the person who gave a command sees its answer, even in a shared channel."""
    remembers_nonces: bool = False
    """Whether a message that is sent twice within `NONCE_WINDOW` appears once."""


class Platform(Protocol):
    """One chat network: the interface that every network implements."""

    name: str
    can: Can

    async def is_connected(self) -> bool:
        """Whether the network's events reach us now. Answers from known state: sends no request."""

    async def send(self, post: Post, job: Job, reply: Reply, *, video: Path | None) -> Standing:
        """Send `reply` for `post` as a new message, with `video` as a file if given."""


@runtime_checkable
class SendsAgain(Protocol):
    """A network without nonces that can still repeat a send so that the message appears once."""

    async def send_again(
        self, post: Post, job: Job, reply: Reply, *, video: Path | None
    ) -> Standing:
        """Send a message again after an earlier send whose outcome is unknown."""


@runtime_checkable
class Edits(Protocol):
    """A network where our messages can be edited. On other networks a card is never updated."""

    async def edit(self, post: Post, job: Job, reply: Reply) -> None:
        """Replace the content of the post's message with `reply`."""


@runtime_checkable
class Removes(Protocol):
    """A network where the bot can delete its messages."""

    async def remove(self, message: Standing) -> None:
        """Delete a message. A message that is already gone counts as deleted."""


@runtime_checkable
class Points(Protocol):
    """A network that has links to messages."""

    def link_to(self, message: Address) -> str | None:
        """Return the link to a message, or None if the message has no link."""


@runtime_checkable
class ReadsHistory(Protocol):
    """A network in whose chats the bot can search for a message that it sent earlier."""

    async def find(self, post: Post, job: Job) -> Standing | None:
        """Return our earlier message for this post, or None if there is none.

        Raises `Refused("history_unreadable")` if the history can't be read.
        """


@runtime_checkable
class LimitsUploads(Protocol):
    """A network whose limit for attached files depends on the place, or is learned from answers."""

    async def upload_limit(self, job: Job) -> int:
        """Return the bytes of the largest file that may be attached where `job` was ordered."""

    async def direct_limit(self, job: Job) -> int:
        """Return the bytes of the largest file in a direct message to the job's person."""


@runtime_checkable
class Fetches(Protocol):
    """A network where people can send files."""

    async def fetch(self, given: Given, into: Path, *, most: int) -> None:
        """Download a file that a person sent to `into`.

        Raises `Refused` if the file is gone or has more than `most` bytes.
        """


@runtime_checkable
class Tells(Protocol):
    """A network where we can send a direct message to one person."""

    async def tell(self, message: DirectMessage) -> Standing:
        """Send `message` to its person directly; in a private place, to everybody there."""

    async def retell(self, message: Standing, reply: Reply) -> None:
        """Replace a direct message with `reply`. Raises `Refused` if the message is gone."""


async def upload_limit(platform: Platform, post: Post, job: Job) -> int:
    """Return the bytes of the largest file that may be attached to this post's message."""
    if not isinstance(platform, LimitsUploads):
        return platform.can.upload_limit
    return await (platform.direct_limit if post.direct else platform.upload_limit)(job)
