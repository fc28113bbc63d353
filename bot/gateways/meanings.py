"""All that an answer of a gateway can mean, and the shape of a row that says so."""

from enum import StrEnum

from pydantic.dataclasses import dataclass as checked

from bot.core.jobs import Reason
from bot.gateways import spelling


class Meaning(StrEnum):
    """All that an answer can mean; the first that is found in this order counts."""

    MODERATED = "moderated"
    NO_BALANCE = "no_balance"
    BAD_KEY = "bad_key"
    UNKNOWN_MODEL = "unknown_model"
    BAD_SIZE = "bad_size"
    TOO_LONG = "too_long"
    BUSY = "busy"
    BLOCKED = "blocked"
    """A proxy or a bot wall answered in place of the gateway."""
    BEGUN = "begun"
    """No video is promised, and one may be under way and paid."""
    WITHHELD = "withheld"
    """Of a video that is done: there is none to be had."""
    REFUSED = "refused"
    NO_ROUTE = "no_route"
    """There is no such address: it says nothing about a job."""
    UNKNOWN_ID = "unknown_id"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"
    WAITING = "waiting"
    RUNNING = "running"


LOCKS = frozenset({Meaning.NO_BALANCE, Meaning.BAD_KEY})
"""About the account: the gateway pauses for everybody."""
ABOUT_ONE_ORDER = frozenset(
    {Meaning.MODERATED, Meaning.UNKNOWN_MODEL, Meaning.BAD_SIZE, Meaning.TOO_LONG}
)
"""About one order or one model: nobody else is touched, whatever the HTTP status."""
OVER = frozenset({Meaning.FAILED, Meaning.MODERATED, Meaning.EXPIRED})
"""States in which a job ended without a video."""
UNDER_WAY = frozenset({Meaning.WAITING, Meaning.RUNNING})
STATES = OVER | UNDER_WAY | {Meaning.DONE}
"""Meanings of status words."""
VAGUE = frozenset({Meaning.REFUSED, Meaning.BUSY})
"""These say "no" or "later" alone: something else may say it more exactly."""
REASONS = {meaning: Reason(meaning.value) for meaning in (*LOCKS, *ABOUT_ONE_ORDER)} | {
    Meaning.BLOCKED: Reason.BLOCKED,
    Meaning.NO_ROUTE: Reason.WRONG_ADDRESS,
}
"""Why a job ends; anything else is `Reason.REFUSED`."""


class Place(StrEnum):
    """Where an answer is read."""

    CREATE = "create"
    POLL = "look"
    CONTENT = "content"
    FAILURE = "failure"
    """The words of a job that failed about itself."""


@checked(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the table; `answers.toml` says what the columns are."""

    by: str
    meaning: Meaning
    source: str = ""
    codes: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    status: frozenset[int] = frozenset()
    at: frozenset[Place] = frozenset()
    together: bool = False
    one_order: bool = False
    unasked: bool = False


def reason_of(meaning: Meaning | None) -> Reason:
    """Why one order ends: not with words about an account, for nothing was paused."""
    if meaning is None or meaning in LOCKS:
        return Reason.REFUSED
    return REASONS.get(meaning, Reason.REFUSED)


def problem_with(row: Row) -> str | None:
    """Why a row can't be one, as a code; None if nothing is wrong with it."""
    told = (*row.codes, *row.sentences, *row.phrases)
    if not told and not row.words:
        return "answer_empty"
    if row.words and row.meaning not in STATES:
        return "answer_word"
    if row.phrases and row.meaning not in ABOUT_ONE_ORDER:
        return "answer_phrase"
    return "answer_short" if any(map(spelling.is_too_short, (*told, *row.words))) else None
