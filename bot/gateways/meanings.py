"""The possible meanings of a gateway's response, and the form of a row in the table of answers."""

from enum import StrEnum

from pydantic.dataclasses import dataclass as checked

from bot.core.jobs import Reason
from bot.gateways import spelling


class Meaning(StrEnum):
    """The possible meanings of a response. If several fit equally well, the first one counts."""

    MODERATED = "moderated"
    NO_BALANCE = "no_balance"
    BAD_KEY = "bad_key"
    UNKNOWN_MODEL = "unknown_model"
    BAD_SIZE = "bad_size"
    TOO_LONG = "too_long"
    BUSY = "busy"
    BLOCKED = "blocked"
    """A proxy or a bot wall answered instead of the gateway."""
    BEGUN = "begun"
    """The gateway confirms no job, but a job may have begun and be charged."""
    WITHHELD = "withheld"
    """The video was made, but the vendor does not hand it out."""
    REFUSED = "refused"
    NO_ROUTE = "no_route"
    """The gateway has no such address. This says nothing about a job."""
    UNKNOWN_ID = "unknown_id"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"
    WAITING = "waiting"
    RUNNING = "running"


LOCKS = frozenset({Meaning.NO_BALANCE, Meaning.BAD_KEY})
"""Meanings about the account: the gateway pauses for everybody."""
ABOUT_ONE_ORDER = frozenset(
    {Meaning.MODERATED, Meaning.UNKNOWN_MODEL, Meaning.BAD_SIZE, Meaning.TOO_LONG}
)
"""Meanings about one order or one model: they never pause a gateway, whatever the HTTP status."""
OVER = frozenset({Meaning.FAILED, Meaning.MODERATED, Meaning.EXPIRED})
"""States of a job that ended without a video."""
UNDER_WAY = frozenset({Meaning.WAITING, Meaning.RUNNING})
STATES = OVER | UNDER_WAY | {Meaning.DONE}
"""Meanings of status words."""
VAGUE = frozenset({Meaning.REFUSED, Meaning.BUSY})
"""Meanings that only say "no" or "later": another row may be more exact."""
REASONS = {meaning: Reason(meaning.value) for meaning in (*LOCKS, *ABOUT_ONE_ORDER)} | {
    Meaning.BLOCKED: Reason.BLOCKED,
    Meaning.NO_ROUTE: Reason.WRONG_ADDRESS,
}
"""The reason why a job ends, by meaning; any other meaning is `Reason.REFUSED`."""


class Stage(StrEnum):
    """The request whose response is read, or the error of a failed job."""

    CREATE = "create"
    POLL = "look"
    CONTENT = "content"
    FAILURE = "failure"
    """The error that a failed job gives in the response to a poll."""


@checked(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the table of answers. `answers.toml` explains the columns."""

    by: str
    meaning: Meaning
    source: str = ""
    codes: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    status: frozenset[int] = frozenset()
    at: frozenset[Stage] = frozenset()
    together: bool = False
    one_order: bool = False
    unasked: bool = False


def reason_of(meaning: Meaning | None) -> Reason:
    """Return why one order ends. Key and balance are never the reason: they pause a gateway."""
    if meaning is None or meaning in LOCKS:
        return Reason.REFUSED
    return REASONS.get(meaning, Reason.REFUSED)


def problem_with(row: Row) -> str | None:
    """Return the code of what is wrong with a row, or None if it is valid."""
    given = (*row.codes, *row.sentences, *row.phrases)
    if not given and not row.words:
        return "answer_empty"
    if row.words and row.meaning not in STATES:
        return "answer_word"
    if row.phrases and row.meaning not in ABOUT_ONE_ORDER:
        return "answer_phrase"
    return "answer_short" if any(map(spelling.is_too_short, (*given, *row.words))) else None
