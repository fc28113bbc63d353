"""Answers: the result of a command or a pressed button. A platform draws and sends an answer."""

from dataclasses import dataclass

from bot.core.jobs import Job
from bot.core.replies import Action, Reply, Text


@dataclass(frozen=True, slots=True)
class Taken:
    """A new job. The answer is the job's card, which everybody sees."""

    job: Job


@dataclass(frozen=True, slots=True)
class Changed:
    """A job that a button on its card has changed. The platform redraws the card."""

    job: Job


@dataclass(frozen=True, slots=True)
class TextAnswer:
    """A text that only the person who typed or pressed sees.

    `is_done`: the text confirms an action, so a platform retries sending it.
    """

    reply: Reply
    is_done: bool = False


@dataclass(frozen=True, slots=True)
class Turned:
    """A list or menu that replaces the one whose button was pressed."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Asked:
    """A question for a text. The same button, with that text, makes the job."""

    job: Job
    action: Action
    question: Text
    words: str = ""
    """The initial text of the input."""


@dataclass(frozen=True, slots=True)
class Sure:
    """The question whether to delete a video, with the button that confirms it."""

    job: Job
    reply: Reply


@dataclass(frozen=True, slots=True)
class Removed:
    """A video was deleted. The message with the button is deleted too, if it showed the video."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Shown:
    """A finished video to send again, in the place where a person asked for it."""

    job: Job
    as_original: bool = False
    """Whether to send the original file."""
    alone: bool = True
    """Whether only this person sees the video."""


Answer = Taken | Changed | TextAnswer | Turned | Asked | Sure | Removed | Shown
