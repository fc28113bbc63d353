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
from bot.gateways.links import (
    is_said,
    job_ids_in,
    result_links_in,
    said_links_in,
    video_links_in,
)
from bot.gateways.meanings import LOCKS, PACKAGED, Found, Meaning, Meanings, Place, Said, Step
from bot.gateways.pages import is_page, page_means
from bot.gateways.places import ENVELOPES, enveloped, far_ids_in, ids_in, status_words
from bot.gateways.said import own_in, said_in
from bot.gateways.spelling import word_of

_TIMEOUTS = (504, 524, 598, 599)
"""Statuses of who waited in vain: the order may have arrived."""
_VAGUE = frozenset({Meaning.REFUSED, Meaning.BUSY})
_NO_ENVELOPES = ("error", "fail")
"""Words by which an envelope says that it could not be answered."""


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
    detail = detail_of(answer, problem_in(data))
    if not isinstance(data, dict):
        return Uncertain(detail, answered=True)
    # Some answer 200 to everything and put the status into the body.
    code = data.get("code")
    status = code if isinstance(code, int) and code in (401, 402, 403, 429) else answer.status
    found = _found(data, status, prompt, meanings)
    lock = lock_of(status, found)
    ids = _ids(data)
    sources = _made_at_once(data, prompt, meanings, ids)
    if ids and not (_is_no_job(data, lock) and meaning_of(found) is not Meaning.BEGUN):
        return Accepted(ids[0], sources)
    state = state_of(data, meanings)
    is_no = state in (Meaning.FAILED, Meaning.MODERATED) or says_no(data) or _is_error(data)
    is_told = status != answer.status or (found is not None and found.step is not Step.PHRASE)
    # An envelope's own "success" is less than a known refusal in it.
    is_done = state is Meaning.DONE and any(it not in ENVELOPES for it in _job_words(data))
    if sources and not is_no and (is_done or not is_told):
        return Accepted(UNNAMED, sources)
    is_begun = meaning_of(found) is Meaning.BEGUN or state in (Meaning.WAITING, Meaning.RUNNING)
    # A code or a message that nobody knows may be those of a success, and so may an error's id.
    if is_begun or not (is_told or (is_no and not ids)):
        return Uncertain(detail, answered=True)
    if lock:
        return Locked(lock, detail)
    if status == 429 or meaning_of(found) is Meaning.BUSY:
        return Busy(retry_after(answer))
    return Rejected(reason_of(state if state is Meaning.MODERATED else meaning_of(found)), detail)


def _read_refusal(
    answer: Answer, data: object, prompt: str, meanings: Meanings, *, trust_json_5xx: bool
) -> Creation:
    """The meaning of 3xx, 4xx and 5xx."""
    status, problem = answer.status, problem_in(data)
    detail = detail_of(answer, problem)
    said = said_in(data, prompt, body=answer.body)
    found = _found(data, status, prompt, meanings, body=answer.body)
    meaning = meaning_of(found)
    unasked = _unasked(status, data, said, meanings) if problem else None
    # By itself, 401, 402 or 429 says that nothing was taken: a message is too little against it.
    is_coded = found is not None and found.step in (Step.CODE, Step.HEAD)
    is_begun = meaning is Meaning.BEGUN and unasked is None
    lock = None if is_begun and is_coded else lock_of(status, found)
    # What may have been made is ordered again after a lock: a vendor's words are too little.
    if lock and (status < 500 or (lock := _own_lock(status, data, prompt, meanings))):
        return Locked(lock, detail)
    if is_begun and (is_coded or status != 429):
        ids = _ids(data) if status == 409 and isinstance(data, dict) else []
        return Accepted(ids[0]) if ids else Uncertain(detail, answered=True)
    if status == 429 and meaning is not Meaning.MODERATED:
        return Busy(retry_after(answer))
    if status == 413:
        return Rejected(Reason.PICTURE_TOO_LARGE, detail)
    if status < 400:
        return Rejected(Reason.WRONG_ADDRESS, elsewhere(answer))
    if status < 500:
        return _read_no(answer, meaning, detail)
    if unasked:
        return Rejected(reason_of(meaning if unasked is Meaning.REFUSED else unasked), detail)
    if problem and trust_json_5xx and status not in _TIMEOUTS:
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
    """The meaning of the gateway's own no: by its code, for a message may quote its vendor's."""
    error = data.get("error") if isinstance(data, dict) else None
    source = error if isinstance(error, dict) else data
    code = source.get("code") if isinstance(source, dict) else None
    if isinstance(code, str) and (meaning := meanings.unasked(code)) and meaning not in LOCKS:
        return meaning
    # Older versions have no code for a model that no vendor of theirs makes.
    own = meanings.of(Said((), said.texts, said.prompt), status=status, at=Place.LOOK)
    unknown = status == 503 and not code and own is Meaning.UNKNOWN_MODEL
    return Meaning.UNKNOWN_MODEL if unknown else None


def _found(
    data: object, status: int, prompt: str, meanings: Meanings, *, body: bytes = b""
) -> Found | None:
    """The row that tells what it means."""
    said = said_in(data, prompt, body=body)
    found = meanings.find(said, status=status, at=Place.CREATE)
    # A timeout is a failure to its vendor; what it was waiting for may go on. A person who wrote
    # the same word makes no order free.
    words = status_words(data) if isinstance(data, dict) else []
    codes = Said((*map(word_of, words), *said.codes))
    begun = meanings.find(codes, status=status, at=Place.CREATE)
    is_open = found is None or found.step is Step.PHRASE or found.meaning in _VAGUE
    return begun if is_open and meaning_of(begun) is Meaning.BEGUN else found


def _ids(data: dict[str, Any]) -> list[str]:
    """The ids that may be the job's, the likeliest first."""
    return [] if is_said(data) else ids_in(data) or far_ids_in(data) or job_ids_in(data)


def _is_no_job(data: dict[str, Any], lock: Reason | None) -> bool:
    """Whether its id is only that of a request that was refused: no word says where a job is."""
    words = _job_words(data)
    if lock:
        return all(word in _NO_ENVELOPES for word in words)
    return not words and _is_error(data)


def _is_error(data: dict[str, Any]) -> bool:
    """Whether the whole of it is an error, by the names that nothing else has."""
    is_one = data.get("object") == "error" or data.get("success") is False
    return is_one or says_no({"error": data.get("error")})


def _job_words(data: dict[str, Any]) -> list[str]:
    return [word.casefold() for word in status_words(data) if not word.isdecimal()]


def _made_at_once(
    data: dict[str, Any], prompt: str, meanings: Meanings, ids: list[str]
) -> tuple[str, ...]:
    """Links to a video that was made within the POST: where no word says that it is not yet."""
    words = _job_words(data)
    is_done = state_of(data, meanings) is Meaning.DONE
    if words and not is_done:
        return ()
    links = result_links_in(data) if is_done else video_links_in(data, ids[0] if ids else "")
    return links or said_links_in(data, prompt)
