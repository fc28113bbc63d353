"""Reads what is said of a job, and what comes in place of its video.

Only a status word of success or failure ends a job, and no answer about one order pauses a gateway.
"""

import re
from functools import lru_cache
from typing import Any

from bot.core.jobs import Reason
from bot.core.outcomes import Done, Failed, Locked, Look, Missing, Running, Trouble, Unusable
from bot.gateways.details import Answer, detail_of, poll_after, retry_after
from bot.gateways.envelopes import parsed, problem_in, says_no
from bot.gateways.judging import content_of, lock_of, meaning_of, reason_of, state_of
from bot.gateways.links import links_in, said_links_in, video_links_in
from bot.gateways.meanings import LOCKS, PACKAGED, Found, Meaning, Meanings, Place, Said, Step
from bot.gateways.places import (
    enveloped,
    far_ids_in,
    ids_in,
    is_list_of_jobs,
    is_wordless,
    progress_in,
    shape_of,
    status_words,
)
from bot.gateways.said import filtered_in, said_in
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
    meaning = meaning_of(found)
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
    if meaning_of(found) is Meaning.WITHHELD:
        return Unusable(Reason.WITHHELD, detail_of(answer, problem_in(data)))
    return _read_trouble(answer, problem_in(data), found)


def read_content(
    answer: Answer, *, prompt: str = "", meanings: Meanings = PACKAGED
) -> tuple[str, ...] | Trouble | Unusable:
    """What words mean that came in place of a video: where it is, "not yet", or that it is not."""
    data = enveloped(content_of(answer))
    if data is not None:
        if sources := links_in(data) or said_links_in(data, prompt):
            return sources
        if state_of(data, meanings) in (Meaning.WAITING, Meaning.RUNNING):
            return Trouble(detail_of(answer, next(iter(status_words(data)))))
    return Unusable(Reason.CONTENT_GONE, detail_of(answer, problem_in(data)))


def _read_trouble(answer: Answer, problem: str | None, found: Found | None) -> Locked | Trouble:
    if answer.status >= 400 and (lock := lock_of(answer.status, found)):
        return Locked(lock, detail_of(answer, problem))
    return Trouble(detail_of(answer, problem), retry_after(answer))


def _read_state(
    data: dict[str, Any], answer: Answer, gateway_id: str, prompt: str, meanings: Meanings
) -> Look:
    problem = problem_in(data)
    detail = detail_of(answer, problem)
    state = state_of(data, meanings)
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
        return Failed(reason_of(meaning), detail)
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
    meaning = meaning_of(found)
    if meaning is Meaning.BUSY or meaning in LOCKS:
        return None
    detail = detail_of(answer, problem)
    if any(_ENDED.fullmatch(word_of(code)) for code in said.codes or _own_sentences(said)):
        return Failed(reason_of(meaning), detail)
    is_surely = found is not None and found.step is not Step.PHRASE and answer.status == 200
    return Failed(Reason.MODERATED, detail) if is_surely and meaning is Meaning.MODERATED else None


def _own_sentences(said: Said) -> list[str]:
    """Its messages, without those that may be a person's words."""
    return [text for text in said.texts if text.strip(" .!") not in said.prompt]


def _is_moderated(data: dict[str, Any], prompt: str, meanings: Meanings) -> bool:
    codes = (*said_in(data.get("error"), prompt).codes, *filtered_in(data))
    found = meanings.of(Said(codes, (), prompt), status=200, at=Place.LOOK)
    return found is Meaning.MODERATED


def _has_failed(data: dict[str, Any], meanings: Meanings) -> bool:
    return state_of(data, meanings) in (Meaning.FAILED, Meaning.MODERATED, Meaning.EXPIRED)


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
