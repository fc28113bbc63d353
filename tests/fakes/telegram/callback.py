"""A pressed button and the bot's answers to it."""

import asyncio
from dataclasses import dataclass, field

from tests.fakes.streams import within

from .model import Message, User


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackAnswer:
    """The bot's answer to a pressed button."""

    text: str = ""
    show_alert: bool = False


@dataclass(eq=False, slots=True, kw_only=True)
class Callback:
    """A pressed button, which shows a spinner until it has an answer.

    `message` is the message as it was at the press.
    """

    id: str
    person: User
    message: Message
    data: str
    at: float
    answers: list[CallbackAnswer] = field(default_factory=list)
    _answered: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    async def answered(self, timeout: float = 10) -> CallbackAnswer:
        """Wait for the bot's first answer, and return it."""
        await within(timeout, self._answered, f"{self.data!r} was not answered")
        return self.answers[0]

    def answer(self, answer: CallbackAnswer) -> None:
        """Record an answer of the bot."""
        self.answers.append(answer)
        self._answered.set()
