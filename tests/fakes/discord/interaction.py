"""One use of a command, button, menu or modal, from the click to the bot's answer: the handle that
a test holds. It knows nothing about HTTP.
"""

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from enum import IntEnum

from tests.fakes.streams import within

from .model import Channel, ChannelType, Json, Message, User


class Kind(IntEnum):
    """The kinds of interactions."""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL = 5


class Context(IntEnum):
    """The kinds of places in which an interaction happens."""

    GUILD = 0
    BOT_DM = 1
    PRIVATE_CHANNEL = 2


class Answer(IntEnum):
    """The kinds of answers that a bot may give."""

    MESSAGE = 4
    THINKING = 5
    DEFERRED_UPDATE = 6
    UPDATE = 7
    CHOICES = 8
    MODAL = 9


def context_of(channel: Channel) -> Context:
    """Return the kind of place that a channel is."""
    if channel.guild is not None:
        return Context.GUILD
    return Context.BOT_DM if channel.type is ChannelType.DM else Context.PRIVATE_CHANNEL


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """The bot's first answer. `message` is what it showed at that moment, or None."""

    type: Answer
    data: Json
    message: Message | None = None

    @property
    def ephemeral(self) -> bool:
        """Whether only the person who asked sees the answer."""
        return self.message is not None and self.message.ephemeral


@dataclass(eq=False, kw_only=True)
class Interaction:
    """The handle of a person's act, for the test. `delivered` is False if no bot was connected."""

    id: int
    kind: Kind
    user: User
    channel: Channel
    data: Json
    upload_limit: int
    owners: Json
    sent_at: float
    message: Message | None = None
    token: str = field(default_factory=lambda: secrets.token_urlsafe(120), repr=False)
    delivered: bool = False
    response: Response | None = None
    acknowledged_after: float | None = None
    """Seconds of real time from the dispatch to the answer."""
    original_id: int | None = None
    followup_ids: list[int] = field(default_factory=list)
    _dispatched: float = field(default_factory=time.perf_counter)
    _answered: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    @property
    def context(self) -> Context:
        """The kind of place in which the interaction happened."""
        return context_of(self.channel)

    @property
    def original(self) -> Message | None:
        """The first answer as it is now; None if there is none or it was deleted."""
        return self.channel.messages.get(self.original_id or 0)

    @property
    def followups(self) -> list[Message]:
        """The messages after the first answer that still exist, as they are now."""
        standing = (self.channel.messages.get(number) for number in self.followup_ids)
        return [message for message in standing if message is not None]

    async def answered(self, timeout: float = 10) -> Response:
        """Wait for the bot's first answer, and return it."""
        lost = "" if self.delivered else " (no bot was connected)"
        await within(timeout, self._answered, f"the bot did not answer {self.name!r}{lost}")
        assert self.response is not None
        return self.response

    @property
    def name(self) -> str:
        """The command's name or the custom id."""
        return str(self.data.get("name") or self.data.get("custom_id"))

    def answer(self, response: Response) -> None:
        """Record the bot's first answer."""
        self.response = response
        self.acknowledged_after = time.perf_counter() - self._dispatched
        self._answered.set()
