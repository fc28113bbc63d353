"""The doctor's findings: one line each, with a remedy where one is needed."""

from dataclasses import dataclass
from enum import StrEnum

from bot.cli.words import explain, tell
from bot.core.errors import BotError


class Mark(StrEnum):
    """How it stands."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing; nothing is broken."""
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line."""

    mark: Mark
    sentence: str

    @classmethod
    def ok(cls, id_: str, *, count: int | None = None, **values: object) -> "Finding":
        """All is well there."""
        return cls(Mark.OK, tell(id_, count=count, **values))

    @classmethod
    def note(cls, id_: str, *, count: int | None = None, **values: object) -> "Finding":
        """Something to know."""
        return cls(Mark.NOTE, tell(id_, count=count, **values))

    @classmethod
    def problem(cls, id_: str, *, count: int | None = None, **values: object) -> "Finding":
        """Something to mend; the sentence says how."""
        return cls(Mark.PROBLEM, tell(id_, count=count, **values))

    @classmethod
    def of(cls, error: BotError) -> "Finding":
        """The error that stopped the look."""
        return cls(Mark.PROBLEM, explain(error))
