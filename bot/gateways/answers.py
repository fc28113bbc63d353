"""Reads what a gateway answers: pure functions from status, headers and body to outcomes.

What its words mean stands in the table of `meanings`; where its words are, in `envelopes`. Here is
what follows: only a status word of success or failure decides, an answer about one order pauses
nobody, and an answer that leaves the bill in doubt is never taken for a no.
"""

import re
from functools import lru_cache
from typing import Any

from bot.core.jobs import UNNAMED, Reason
from bot.core.outcomes import (
    Accepted,
    Busy,
    Creation,
    Done,
    Failed,
    Locked,
    Look,
    Missing,
    Rejected,
    Running,
    Trouble,
    Uncertain,
    Unusable,
)
from bot.gateways.details import Answer, detail_of, elsewhere, poll_after, retry_after
from bot.gateways.envelopes import (
    LONGEST,
    parsed,
    problem_in,
    says_no,
)
from bot.gateways.links import is_said, links_in, said_links_in, video_links_in
from bot.gateways.meanings import (
    ABOUT_ONE_ORDER,
    LOCKS,
    PACKAGED,
    REASONS,
    Found,
    Meaning,
    Meanings,
    Place,
    Said,
    Step,
)
from bot.gateways.pages import is_page, page_means
from bot.gateways.places import (
    ENVELOPES,
    enveloped,
    far_ids_in,
    ids_in,
    is_list_of_jobs,
    is_wordless,
    progress_in,
    shape_of,
    status_words,
)
from bot.gateways.said import filtered_in, own_in, said_in
from bot.gateways.spelling import word_of
from bot.log import get_logger

_ENDED = re.compile(
    r"(?:(?:video|media)_)?(?:task|job|video|generation|prediction|render)_"
    r"(?:failed|failure|cancell?ed|aborted|rejected|expired)"
)
"""A code, or a whole sentence, that says of the job itself that it is over."""
_TOLD_OF_JOB = (200, 400, 410, 422)
"""Statuses of an answer that may be about the job: beyond, the gateway itself is in trouble."""

log = get_logger()


# --- create --------------------------------------------------------------------------------------


def read_creation(
    answer: Answer, *, trust_json_5xx: bool, prompt: str = "", meanings: Meanings = PACKAGED
) -> Creation:
    """The meaning of the answer to a POST for the job and the bill; `prompt` decides nothing."""
    data = parsed(answer.body)
    if 200 <= answer.status < 300:
        return _read_success(answer, enveloped(_content(answer)), prompt, meanings)
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
    state = _state(data, meanings)
    is_no = state in (Meaning.FAILED, Meaning.MODERATED) or says_no(data)
    if not is_no and sources:
        return Accepted(UNNAMED, sources)
    if not is_no and not problem:
        return Uncertain(detail, answered=True)
    # Some answer 200 to everything and put the status into the body.
    code = data.get("code")
    status = code if isinstance(code, int) and code in (401, 402, 403, 429) else answer.status
    found = meanings.find(said_in(data, prompt), status=status, at=Place.CREATE)
    if lock := _lock(status, found):
        return Locked(lock, detail)
    if status == 429 or (found and found.meaning is Meaning.BUSY):
        return Busy(retry_after(answer))
    # A code or a message that nobody knows may be those of a success.
    if not is_no and (found is None or found.step is Step.PHRASE) and status == answer.status:
        return Uncertain(detail, answered=True)
    return Rejected(_reason(state if state is Meaning.MODERATED else _meaning(found)), detail)


def _read_refusal(
    answer: Answer, data: object, prompt: str, meanings: Meanings, *, trust_json_5xx: bool
) -> Creation:
    """The meaning of 3xx, 4xx and 5xx."""
    status, problem = answer.status, problem_in(data)
    detail = detail_of(answer, problem)
    said = said_in(data, prompt, body=answer.body)
    found = meanings.find(said, status=status, at=Place.CREATE)
    meaning = _meaning(found)
    lock = _lock(status, found)
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
        return Rejected(_reason(meaning if unasked is Meaning.REFUSED else unasked), detail)
    if problem and trust_json_5xx:
        return Rejected(_reason(meaning), detail, charged=True)
    return Uncertain(detail, answered=True)


def _read_no(answer: Answer, meaning: Meaning | None, detail: str) -> Creation:
    """A 4xx that is about this order, or about now."""
    if meaning is Meaning.BUSY:
        return Busy(retry_after(answer))
    if meaning is None and is_page(answer.headers, answer.body):
        meaning = page_means(answer.status, answer.headers, answer.body)
    return Rejected(_reason(meaning), detail)


def _own_lock(status: int, data: object, prompt: str, meanings: Meanings) -> Reason | None:
    """Key or balance trouble that the gateway tells of itself, before any vendor was asked."""
    found = meanings.find(own_in(data, prompt), status=status, at=Place.LOOK)
    is_own = found is not None and (found.step in (Step.CODE, Step.BOTH) or found.row.unasked)
    return _lock(status, found) if is_own else None


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
    is_made = _state(data, meanings) is Meaning.DONE or not words
    return links_in(data) or said_links_in(data, prompt) if is_made else ()


def _content(answer: Answer) -> object:
    """The JSON, or the words: some answer with a bare address."""
    data = parsed(answer.body)
    if data is None:
        text = answer.body[:LONGEST].decode("utf-8", "replace").strip("\ufeff \t\r\n")
        return text if text.startswith("http") else None
    return data


# --- look and content ----------------------------------------------------------------------------


def read_look(
    answer: Answer, *, gateway_id: str, prompt: str = "", meanings: Meanings = PACKAGED
) -> Look:
    """What the answer to a GET says about the job `gateway_id`."""
    data = enveloped(parsed(answer.body))
    problem = problem_in(data)
    if data is not None:
        if 200 <= answer.status < 300:
            return _read_state(data, answer, gateway_id, prompt, meanings)
        # A failed job of vLLM-Omni comes with the status of its failure.
        is_error = 400 <= answer.status < 600
        if is_error and gateway_id in _names(data) and _has_failed(data, meanings):
            return _read_state(data, answer, gateway_id, prompt, meanings)
        if ended := _ended(data, answer, gateway_id, prompt, meanings):
            return ended
    found = meanings.find(said_in(data, prompt), status=answer.status, at=Place.LOOK)
    meaning = _meaning(found)
    if problem and answer.status == 400 and meaning is Meaning.UNKNOWN_ID:
        return Missing()
    if problem and answer.status == 404 and meaning not in LOCKS | {Meaning.NO_ROUTE}:
        return Missing()
    return _read_trouble(answer, problem, found)


def read_refusal(
    answer: Answer, *, prompt: str = "", meanings: Meanings = PACKAGED
) -> Locked | Trouble | Unusable:
    """What an answer means that is neither a state nor a file: look again later."""
    data = parsed(answer.body)
    found = meanings.find(said_in(data, prompt), status=answer.status, at=Place.CONTENT)
    if _meaning(found) is Meaning.WITHHELD:
        return Unusable(Reason.WITHHELD, detail_of(answer, problem_in(data)))
    return _read_trouble(answer, problem_in(data), found)


def read_content(
    answer: Answer, *, prompt: str = "", meanings: Meanings = PACKAGED
) -> tuple[str, ...] | Trouble | Unusable:
    """What words mean that came in place of a video: where it is, "not yet", or that it is not."""
    data = enveloped(_content(answer))
    if data is not None:
        if sources := links_in(data) or said_links_in(data, prompt):
            return sources
        if _state(data, meanings) in (Meaning.WAITING, Meaning.RUNNING):
            return Trouble(detail_of(answer, next(iter(status_words(data)))))
    return Unusable(Reason.CONTENT_GONE, detail_of(answer, problem_in(data)))


def _read_trouble(answer: Answer, problem: str | None, found: Found | None) -> Locked | Trouble:
    if answer.status >= 400 and (lock := _lock(answer.status, found)):
        return Locked(lock, detail_of(answer, problem))
    return Trouble(detail_of(answer, problem), retry_after(answer))


def _read_state(
    data: dict[str, Any], answer: Answer, gateway_id: str, prompt: str, meanings: Meanings
) -> Look:
    problem = problem_in(data)
    detail = detail_of(answer, problem)
    state = _state(data, meanings)
    if state is Meaning.DONE:
        links = links_in(data) if _speaks_of(gateway_id, data) else ()
        # A video that its vendor held back is "completed" at some, and charged.
        if not links and _is_moderated(data, prompt, meanings):
            return Failed(Reason.WITHHELD, detail, charged=True)
        return Done(links, withheld=not links and says_no(data))
    if state is Meaning.EXPIRED:
        return Failed(Reason.EXPIRED, detail)
    if state is Meaning.MODERATED:
        return Failed(Reason.MODERATED, detail)
    if state is Meaning.FAILED:
        said = said_in(data, prompt)
        meaning = meanings.of(said, status=answer.status, at=Place.FAILURE)
        return Failed(_reason(meaning), detail)
    progress = progress_in(data)
    wait = poll_after(answer)
    if state is not None:
        return Running(progress, wait)
    if over := _over(data, answer, gateway_id, prompt, meanings, progress=progress):
        return over
    unknown = (word for word in status_words(data) if meanings.word(word) is None)
    word = next(unknown, "")[:40].casefold()
    is_told = bool(word) or (progress is not None and progress < 100)
    shape = "" if is_told else shape_of(data)
    _warn_of(word, shape)
    return Running(progress, wait, word if word.isprintable() else "", shape)


def _over(
    data: dict[str, Any],
    answer: Answer,
    gateway_id: str,
    prompt: str,
    meanings: Meanings,
    *,
    progress: int | None,
) -> Done | Failed | None:
    """How a job ended of whose state there is no word; None: it goes on, as far as we know."""
    if ended := _ended(data, answer, gateway_id, prompt, meanings):
        return ended
    is_alone = is_wordless(data) and problem_in(data) is None and not is_list_of_jobs(data)
    if not is_alone or (progress is not None and progress < 100):
        return None
    links = video_links_in(data, gateway_id) or said_links_in(data, prompt)
    return Done(links) if links and _speaks_of(gateway_id, data) else None


def _ended(
    data: dict[str, Any], answer: Answer, gateway_id: str, prompt: str, meanings: Meanings
) -> Failed | None:
    """A failure of the job itself that stands without a word of its state.

    An error alone may be that of one look (new-api answers 200 with what its vendor said to a poll
    that failed), so only what can't be about a look ends a job: a code that says so of the job, or
    a known answer of moderation.
    """
    is_silent = all(word.isdecimal() for word in status_words(data))
    problem, names = problem_in(data), _names(data)
    is_ours = not names or gateway_id in names
    if not (problem and is_silent and is_ours and answer.status in _TOLD_OF_JOB):
        return None
    said = said_in(data, prompt)
    found = meanings.find(said, status=answer.status, at=Place.FAILURE)
    meaning = _meaning(found)
    if meaning is Meaning.BUSY or meaning in LOCKS:
        return None
    detail = detail_of(answer, problem)
    if any(_ENDED.fullmatch(word_of(code)) for code in said.codes or _own_sentences(said)):
        return Failed(_reason(meaning), detail)
    is_surely = found is not None and found.step is not Step.PHRASE and answer.status == 200
    return Failed(Reason.MODERATED, detail) if is_surely and meaning is Meaning.MODERATED else None


def _own_sentences(said: Said) -> list[str]:
    """Its messages, without those that may be a person's words."""
    return [text for text in said.texts if text.strip(" .!") not in said.prompt]


def _is_moderated(data: dict[str, Any], prompt: str, meanings: Meanings) -> bool:
    codes = (*said_in(data.get("error"), prompt).codes, *filtered_in(data))
    found = meanings.of(Said(codes, (), prompt), status=200, at=Place.LOOK)
    return found is Meaning.MODERATED


def _state(data: dict[str, Any], meanings: Meanings) -> Meaning | None:
    """The meaning of its innermost status word that is known."""
    words = status_words(data)
    known = next((word for word in words if meanings.word(word)), "")
    # An envelope's "success" says nothing of the job in it, even if nobody knows that one's word.
    if known != (words[0] if words else "") and known.casefold() in ENVELOPES:
        return None
    return meanings.word(known)


def _has_failed(data: dict[str, Any], meanings: Meanings) -> bool:
    return _state(data, meanings) in (Meaning.FAILED, Meaning.MODERATED, Meaning.EXPIRED)


@lru_cache(maxsize=256)
def _warn_of(word: str, shape: str) -> None:
    """Once: a job in an unknown state is looked at for hours."""
    if word:
        log.warning("status.unknown", word=word)
    elif shape:
        log.warning("status.unreadable", shape=shape)


def _speaks_of(gateway_id: str, data: dict[str, Any]) -> bool:
    """Whether the links are our job's: a reply under another id (litellm) may name others'."""
    if not ids_in(data) or gateway_id in _names(data):
        return True
    log.warning("id.differed", gateway_id=gateway_id)
    return False


def _names(data: dict[str, Any]) -> list[str]:
    return [*ids_in(data), *far_ids_in(data)]


# --- what follows from a meaning -----------------------------------------------------------------


def _lock(status: int, found: Found | None) -> Reason | None:
    """Whether this is key or balance trouble, which pauses the gateway and harms no job."""
    meaning = _meaning(found)
    if meaning in LOCKS:
        return Reason.NO_BALANCE if status == 402 else REASONS[meaning]
    # These two are about the account by themselves: a part of a message outweighs neither.
    by_status = {401: Reason.BAD_KEY, 402: Reason.NO_BALANCE}.get(status)
    if found and found.step is Step.PHRASE:
        return by_status
    return None if meaning in ABOUT_ONE_ORDER or meaning is Meaning.BUSY else by_status


def _meaning(found: Found | None) -> Meaning | None:
    return found.meaning if found else None


def _reason(meaning: Meaning | None) -> Reason:
    """Why one order ends: not with words about an account, for nothing was paused."""
    return Reason.REFUSED if meaning is None or meaning in LOCKS else REASONS.get(
        meaning, Reason.REFUSED
    )  # fmt: skip
