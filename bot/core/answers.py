"""Answers: the outcome of a command or a press, for a platform to draw and send."""

from dataclasses import dataclass

from bot.core.jobs import Job
from bot.core.replies import Action, Reply, Text


@dataclass(frozen=True, slots=True)
class Taken:
    """A new job: its card is the answer, for everybody to see."""

    job: Job


@dataclass(frozen=True, slots=True)
class Changed:
    """A job whose card was pressed: the card shows what became of it."""

    job: Job


@dataclass(frozen=True, slots=True)
class Told:
    """Words for this person alone; `is_done`: they confirm an act, and are worth a second try."""

    reply: Reply
    is_done: bool = False


@dataclass(frozen=True, slots=True)
class Turned:
    """The list or menu that was pressed becomes this one."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Asked:
    """Words are needed first: the same press, with words, makes the job."""

    job: Job
    action: Action
    question: Text
    words: str = ""
    """Words to begin with."""


@dataclass(frozen=True, slots=True)
class Sure:
    """The question whether a video shall really go, with the button that means it."""

    job: Job
    reply: Reply


@dataclass(frozen=True, slots=True)
class Removed:
    """A video is gone; so is the message that was pressed, if it showed it."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Shown:
    """A finished video once more, where it was asked for."""

    job: Job
    as_original: bool = False
    """The very file that its gateway made."""
    alone: bool = True
    """For this person alone."""


Answer = Taken | Changed | Told | Turned | Asked | Sure | Removed | Shown
