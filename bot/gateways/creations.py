"""Reads the answer to an order: what it says of the job, and what of the bill.

The table of `meanings` says what a code or a sentence means; here it is decided what follows. An
answer that leaves the bill in doubt is never taken for a no.
"""

from typing import Any

from bot.core.jobs import UNNAMED, Reason
from bot.core.outcomes import Accepted, Busy, Creation, Locked, Rejected, Uncertain
from bot.gateways.details import Answer, detail_of, elsewhere, retry_after
from bot.gateways.envelopes import parsed, problem_in, says_no
from bot.gateways.judging import content_of, lock_of, meaning_of, reason_of, state_of
from bot.gateways.links import is_said, links_in, said_links_in
from bot.gateways.meanings import LOCKS, PACKAGED, Meaning, Meanings, Place, Said, Step
from bot.gateways.pages import is_page, page_means
from bot.gateways.places import enveloped, far_ids_in, ids_in, status_words
from bot.gateways.said import own_in, said_in


def read_creation(
    answer: Answer, *, trust_json_5xx: bool, prompt: str = "", meanings: Meanings = PACKAGED
) -> Creation:
    """The meaning of the answer to a POST for the job and the bill; `prompt` decides nothing."""
    data = parsed(answer.body)
    if 200 <= answer.status < 300:
        return _read_success(answer, enveloped(content_of(answer)), prompt, meanings)
    if not 300 <= answer.status < 600 or answer.status == 408:
        return Uncertain(detail_of(answer, problem_in(data)), answered=True)
    return _read_refusal(answer, data, prompt, meanings, trust_json_5xx=trust_json_5xx)


def _read_success(answer: Answer, data: object, prompt: str, meanings: Meanings) -> Creation:
    problem = problem_in(data)
    detail = detail_of(answer, problem)
    if not isinstance(data, dict):
        return Uncertain(detail, answered=True)
    sources = _made_at_once(data, prompt, meanings)
    ids = [] if is_said(data) else ids_in(data) or far_ids_in(data)
    if ids:
        return Accepted(ids[0], sources)
    state = state_of(data, meanings)
    is_no = state in (Meaning.FAILED, Meaning.MODERATED) or says_no(data)
    if not is_no and sources:
        return Accepted(UNNAMED, sources)
    if not is_no and not problem:
        return Uncertain(detail, answered=True)
    # Some answer 200 to everything and put the status into the body.
    code = data.get("code")
    status = code if isinstance(code, int) and code in (401, 402, 403, 429) else answer.status
    found = meanings.find(said_in(data, prompt), status=status, at=Place.CREATE)
    if lock := lock_of(status, found):
        return Locked(lock, detail)
    if status == 429 or (found and found.meaning is Meaning.BUSY):
        return Busy(retry_after(answer))
    # A code or a message that nobody knows may be those of a success.
    if not is_no and (found is None or found.step is Step.PHRASE) and status == answer.status:
        return Uncertain(detail, answered=True)
    return Rejected(reason_of(state if state is Meaning.MODERATED else meaning_of(found)), detail)


def _read_refusal(
    answer: Answer, data: object, prompt: str, meanings: Meanings, *, trust_json_5xx: bool
) -> Creation:
    """The meaning of 3xx, 4xx and 5xx."""
    status, problem = answer.status, problem_in(data)
    detail = detail_of(answer, problem)
    said = said_in(data, prompt, body=answer.body)
    found = meanings.find(said, status=status, at=Place.CREATE)
    meaning = meaning_of(found)
    lock = lock_of(status, found)
    # What may have been made is ordered again after a lock: a vendor's words are too little.
    if lock and (status < 500 or (lock := _own_lock(status, data, prompt, meanings))):
        return Locked(lock, detail)
    if meaning is Meaning.BEGUN:
        return Uncertain(detail, answered=True)
    if status == 429 and meaning is not Meaning.MODERATED:
        return Busy(retry_after(answer))
    if status == 413:
        return Rejected(Reason.PICTURE_TOO_LARGE, detail)
    if status < 400:
        return Rejected(Reason.WRONG_ADDRESS, elsewhere(answer))
    if status < 500:
        return _read_no(answer, meaning, detail)
    if problem and (unasked := _unasked(status, data, said, meanings)):
        return Rejected(reason_of(meaning if unasked is Meaning.REFUSED else unasked), detail)
    if problem and trust_json_5xx:
        return Rejected(reason_of(meaning), detail, charged=True)
    return Uncertain(detail, answered=True)


def _read_no(answer: Answer, meaning: Meaning | None, detail: str) -> Creation:
    """A 4xx that is about this order, or about now."""
    if meaning is Meaning.BUSY:
        return Busy(retry_after(answer))
    if meaning is None and is_page(answer.headers, answer.body):
        meaning = page_means(answer.status, answer.headers, answer.body)
    return Rejected(reason_of(meaning), detail)


def _own_lock(status: int, data: object, prompt: str, meanings: Meanings) -> Reason | None:
    """Key or balance trouble that the gateway tells of itself, before any vendor was asked."""
    found = meanings.find(own_in(data, prompt), status=status, at=Place.LOOK)
    is_own = found is not None and (found.step in (Step.CODE, Step.BOTH) or found.row.unasked)
    return lock_of(status, found) if is_own else None


def _unasked(status: int, data: object, said: Said, meanings: Meanings) -> Meaning | None:
    """What the gateway itself says no to: by its own code, for a message may quote its vendor's."""
    error = data.get("error") if isinstance(data, dict) else None
    source = error if isinstance(error, dict) else data
    code = source.get("code") if isinstance(source, dict) else None
    if isinstance(code, str) and (meaning := meanings.unasked(code)) and meaning not in LOCKS:
        return meaning
    # Older versions have no code for a model that no vendor of theirs makes.
    own = meanings.of(Said((), said.texts, said.prompt), status=status, at=Place.LOOK)
    unknown = status == 503 and not code and own is Meaning.UNKNOWN_MODEL
    return Meaning.UNKNOWN_MODEL if unknown else None


def _made_at_once(data: dict[str, Any], prompt: str, meanings: Meanings) -> tuple[str, ...]:
    """Links to a video that was made within the POST: where no word says that it is not yet."""
    words = [word for word in status_words(data) if not word.isdecimal()]
    is_made = state_of(data, meanings) is Meaning.DONE or not words
    return links_in(data) or said_links_in(data, prompt) if is_made else ()
