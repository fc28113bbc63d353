"""The doctor's findings: one line each, with a remedy if one is needed."""

from dataclasses import dataclass
from enum import StrEnum

from bot.cli.words import explain, tell
from bot.core.errors import BotError


class Mark(StrEnum):
    """The kind of a finding."""

    OK = "ok"
    NOTE = "note"
    """A fact worth knowing; nothing is broken."""
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding: one line of the doctor's output."""

    mark: Mark
    sentence: str

    @classmethod
    def ok(cls, id_: str, *, count: int | None = None, **values: object) -> "Finding":
        """Return a finding that a check passed."""
        return cls(Mark.OK, tell(id_, count=count, **values))

    @classmethod
    def note(cls, id_: str, *, count: int | None = None, **values: object) -> "Finding":
        """Return a finding worth knowing."""
        return cls(Mark.NOTE, tell(id_, count=count, **values))

    @classmethod
    def problem(cls, id_: str, *, count: int | None = None, **values: object) -> "Finding":
        """Return a finding of a problem; its sentence names the remedy."""
        return cls(Mark.PROBLEM, tell(id_, count=count, **values))

    @classmethod
    def of(cls, error: BotError) -> "Finding":
        """Return a finding for the error that stopped a check."""
        return cls(Mark.PROBLEM, explain(error))
