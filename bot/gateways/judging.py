"""What follows from a meaning, for whichever answer it was found in."""

from typing import Any

from bot.core.jobs import Reason
from bot.gateways.details import Answer
from bot.gateways.envelopes import LONGEST, parsed
from bot.gateways.meanings import ABOUT_ONE_ORDER, LOCKS, REASONS, Found, Meaning, Meanings, Step
from bot.gateways.places import ENVELOPES, status_words


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


def lock_of(status: int, found: Found | None) -> Reason | None:
    """Whether this is key or balance trouble, which pauses the gateway and harms no job."""
    meaning = meaning_of(found)
    if meaning in LOCKS:
        return Reason.NO_BALANCE if status == 402 else REASONS[meaning]
    # These two are about the account by themselves: a part of a message outweighs neither.
    by_status = {401: Reason.BAD_KEY, 402: Reason.NO_BALANCE}.get(status)
    if found and found.step is Step.PHRASE:
        return by_status
    return None if meaning in ABOUT_ONE_ORDER or meaning is Meaning.BUSY else by_status


def meaning_of(found: Found | None) -> Meaning | None:
    return found.meaning if found else None


def reason_of(meaning: Meaning | None) -> Reason:
    """Why one order ends: not with words about an account, for nothing was paused."""
    return Reason.REFUSED if meaning is None or meaning in LOCKS else REASONS.get(
        meaning, Reason.REFUSED
    )  # fmt: skip
