"""Meanings decide: which lock, which reason and which state follow from one."""

import re
from typing import Any

from bot.core.jobs import Reason
from bot.gateways.details import Answer
from bot.gateways.envelopes import LONGEST, parsed
from bot.gateways.meanings import (
    ABOUT_ONE_ORDER,
    LOCKS,
    REASONS,
    Found,
    Meaning,
    Meanings,
    Said,
    Step,
)
from bot.gateways.places import ENVELOPES, named, outer_words, status_words
from bot.gateways.spelling import word_of

OVER = frozenset({Meaning.FAILED, Meaning.MODERATED, Meaning.EXPIRED})
"""States in which a job ended without a video."""
_OF_A_CALL = frozenset(
    {
        *("error", "errored", "exception", "system_error", "fail", "invalid", "blocked"),
        *("timeout", "timed_out", "time_out", "denied", "refused", "rejected"),
    }
)
"""Words of failure that an envelope says of a call as often as a job of itself."""
_PASSING_CODES = frozenset({"401", "402", "403", "407", "408", "429", "502", "503", "504"})
_PASSING = re.compile(
    r"too many requests|slow down|too frequent|rate.?limit"
    r"|(try|retry) (again )?(later|in|after|shortly|soon)"
    r"|still (running|processing|generating|in progress|queued|pending)|not (yet )?(ready|finished)"
    r"|unauthori[sz]ed|forbidden|token (has |is )?expired"
    r"|(invalid|expired|missing) (api.?)?(access.?)?(key|token)"
    r"|bad gateway|gateway time.?out|(temporarily|service) (is )?(temporarily )?unavailable"
    r"|connection (reset|refused|timed out|aborted|error)|server is (busy|overloaded)|upload retry"
    r"|稍后|频繁|繁忙|限流|无效的令牌"
)
_ASKING = re.compile(
    r"fetch|quer(y|ie)|poll|retriev|look.?up|\b(get|check|refresh|read|load) (the )?(task|job|video"
    r"|status|state|result)|time.?out|timed out|deadline exceeded|context cancell?ed|\bconnect"
    r"|查询|获取|超时"
)
_HANDING_OVER = re.compile(r"\blinks?\b|\burls?\b|download|signature|链接|下载")
_OF_JOBS = ("progress", "model")
"""Names that a job has, and no answer about a call."""


def content_of(answer: Answer) -> object:
    """The JSON, or the words: some answer with a bare address."""
    data = parsed(answer.body)
    if data is None:
        text = answer.body[:LONGEST].decode("utf-8", "replace").strip("\ufeff \t\r\n")
        return text if text.startswith("http") else None
    return data


def state_of(data: dict[str, Any], meanings: Meanings) -> Meaning | None:
    """The meaning of its innermost status word that is known."""
    words = status_words(data)
    known = next((word for word in words if meanings.word(word)), "")
    # An envelope's "success" says nothing of the job in it, even if nobody knows that one's word.
    if known != (words[0] if words else "") and known.casefold() in ENVELOPES:
        return None
    return meanings.word(known)


def has_failed(data: dict[str, Any], meanings: Meanings) -> bool:
    """Whether its job ended without a video: a part that failed ends no job that goes on."""
    outer = {meanings.word(word) for word in outer_words(data)}
    return state_of(data, meanings) in OVER and not outer & {Meaning.RUNNING, Meaning.WAITING}


def is_call_word(data: dict[str, Any], meanings: Meanings) -> bool:
    """Whether its word of failure may be about a call alone."""
    known = next((word for word in status_words(data) if meanings.word(word)), "")
    return word_of(known) in _OF_A_CALL


def may_pass(said: Said, meaning: Meaning | None) -> bool:
    """Whether an error is one of a call, and the next look may be answered."""
    if meaning in ABOUT_ONE_ORDER and meaning is not Meaning.UNKNOWN_MODEL:
        return False
    is_known = meaning is Meaning.BUSY or meaning in LOCKS
    is_coded = bool(_PASSING_CODES.intersection(said.codes))
    return is_known or is_coded or _speaks(_PASSING, said)


def is_asking(said: Said) -> bool:
    """Whether it speaks of asking for a job, and not of making its video."""
    return _speaks(_ASKING, said)


def is_handing_over(said: Said) -> bool:
    """Whether it speaks of the way to a video that may well be there."""
    return _speaks(_HANDING_OVER, said)


def _speaks(pattern: re.Pattern[str], said: Said) -> bool:
    return any(pattern.search(text) for text in own_texts(said))


def has_job_names(data: dict[str, Any]) -> bool:
    """Whether it is a job, by the names of its values."""
    table = named(data)
    kind = table.get("object")
    is_kind = isinstance(kind, str) and kind.strip().casefold() not in ("", "error")
    return is_kind or any(table.get(name) not in (None, "") for name in _OF_JOBS)


def own_texts(said: Said) -> list[str]:
    """Its messages in lower case, without those that may be a person's words."""
    return [text.casefold() for text in said.texts if text.strip(" .!") not in said.prompt]


def lock_of(status: int, found: Found | None) -> Reason | None:
    """Whether this is key or balance trouble, which pauses the gateway and harms no job."""
    meaning = meaning_of(found)
    if meaning in LOCKS:
        return Reason.NO_BALANCE if status == 402 else REASONS[meaning]
    # These two are about the account by themselves: a part of a message outweighs neither.
    by_status = {401: Reason.BAD_KEY, 402: Reason.NO_BALANCE}.get(status)
    if found and found.step is Step.PHRASE:
        return by_status
    if found and found.row.one_order:
        return None
    return None if meaning in ABOUT_ONE_ORDER or meaning is Meaning.BUSY else by_status


def meaning_of(found: Found | None) -> Meaning | None:
    return found.meaning if found else None


def reason_of(meaning: Meaning | None) -> Reason:
    """Why one order ends: not with words about an account, for nothing was paused."""
    return Reason.REFUSED if meaning is None or meaning in LOCKS else REASONS.get(
        meaning, Reason.REFUSED
    )  # fmt: skip
