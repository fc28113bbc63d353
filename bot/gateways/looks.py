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
from bot.gateways.judging import (
    OVER,
    content_of,
    has_failed,
    has_job_names,
    is_asking,
    is_call_word,
    is_handing_over,
    lock_of,
    may_pass,
    meaning_of,
    own_texts,
    reason_of,
    state_of,
)
from bot.gateways.links import links_in, said_links_in, video_links_in
from bot.gateways.meanings import LOCKS, PACKAGED, Found, Meaning, Meanings, Place, Said, Step
from bot.gateways.places import (
    enveloped,
    far_ids_in,
    ids_in,
    is_like,
    is_list_of_jobs,
    is_only_answered,
    is_word_wrapped,
    is_wordless,
    own_ids_in,
    part_about,
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
_TOLD_OF_CALL = (401, 402, 403, 407, 408, 425, 429)
"""Statuses of an answer that is about a key or the pace of calls, like all from 500 on."""

log = get_logger()


def read_look(
    answer: Answer, *, gateway_id: str, prompt: str = "", meanings: Meanings = PACKAGED
) -> Look:
    """The answer to a GET, read for the job `gateway_id`."""
    body = parsed(answer.body)
    data = enveloped(body)
    problem = problem_in(data)
    if data is not None:
        if 200 <= answer.status < 300:
            whole = {"data": body} if isinstance(body, list) else data
            own = part_about(gateway_id, whole)
            # Rows of other jobs, or a mere word of failure, say nothing of ours.
            if own is None or (not isinstance(body, dict) and _is_bare(data, meanings)):
                return _unread(whole, answer)
            return _read_state(data if own is whole else own, answer, gateway_id, prompt, meanings)
        is_error = 400 <= answer.status < 600
        if is_error and _is_failed_job(data, answer, gateway_id, prompt, meanings):
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
    """The meaning of an answer that is neither a state nor a file: look again later."""
    data = parsed(answer.body)
    found = meanings.find(said_in(data, prompt), status=answer.status, at=Place.CONTENT)
    if meaning_of(found) is Meaning.WITHHELD:
        return Unusable(Reason.WITHHELD, detail_of(answer, problem_in(data)))
    return _read_trouble(answer, problem_in(data), found)


def read_content(
    answer: Answer, *, prompt: str = "", meanings: Meanings = PACKAGED
) -> tuple[str, ...] | Trouble | Unusable:
    """The meaning of words in place of a video: where it is, "not yet", or that it is not."""
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
    if doubted := _doubted(data, answer, gateway_id, prompt, meanings):
        return doubted
    detail = detail_of(answer, problem_in(data))
    state = state_of(data, meanings)
    if state is Meaning.DONE:
        links = links_in(data) if _speaks_of(gateway_id, data) else ()
        # A video that its vendor held back is "completed" at some, and charged.
        is_ours = not _is_of_another(data, gateway_id)
        if not links and is_ours and _is_moderated(data, prompt, meanings):
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
    if not word:
        return _unread(data, answer)
    _warn_of(word, "")
    return Running(progress, wait, word if word.isprintable() else "")


def _unread(data: dict[str, Any], answer: Answer, *, is_odd: bool = False) -> Running:
    """A job of which nothing is known: its operator is told, unless it goes on as it should."""
    progress = progress_in(data)
    is_told = progress is not None and progress < 100 and not is_odd
    shape = "" if is_told else shape_of(data)
    _warn_of("", shape)
    return Running(progress, poll_after(answer), shape=shape)


# --- which words are our job's -------------------------------------------------------------------


def _doubted(
    data: dict[str, Any], answer: Answer, gateway_id: str, prompt: str, meanings: Meanings
) -> Running | None:
    """A word that would end a job, and does not end ours."""
    state = state_of(data, meanings)
    if state is Meaning.DONE and _is_envelopes(data, gateway_id):
        return _unread(data, answer)
    if state in OVER and not has_failed(data, meanings):
        return Running(progress_in(data), poll_after(answer))
    if state in OVER and not _is_believed(data, answer, gateway_id, prompt, meanings):
        return _unread(data, answer, is_odd=True)
    return None


def _is_bare(data: dict[str, Any], meanings: Meanings) -> bool:
    return data.keys() == {"status"} and state_of(data, meanings) in OVER


def _is_failed_job(
    data: dict[str, Any], answer: Answer, gateway_id: str, prompt: str, meanings: Meanings
) -> bool:
    """Whether an error of HTTP has our failed job for its body, as vLLM-Omni's has.

    At a status that is about the call, only a whole job is one.
    """
    if gateway_id not in _names(data) or not has_failed(data, meanings):
        return False
    if answer.status not in _TOLD_OF_CALL and answer.status < 500:
        return _is_believed(data, answer, gateway_id, prompt, meanings)
    said = said_in(data, prompt)
    meaning = meanings.of(said, status=answer.status, at=Place.FAILURE)
    is_whole = has_job_names(data) or meaning is Meaning.MODERATED
    return is_whole and gateway_id in own_ids_in(data) and not is_call_word(data, meanings)


def _is_believed(
    data: dict[str, Any], answer: Answer, gateway_id: str, prompt: str, meanings: Meanings
) -> bool:
    """Whether a word of failure ends our job: it may be another's, or that of one look."""
    is_ours, is_call = gateway_id in _names(data), is_call_word(data, meanings)
    if _is_of_another(data, gateway_id):
        log.warning("id.differed", gateway_id=gateway_id)
        return False
    said = said_in(data, prompt)
    meaning = meanings.of(said, status=answer.status, at=Place.FAILURE)
    is_passing = may_pass(said, meaning)
    if (is_passing and is_call) or (not is_ours and (is_passing or is_asking(said))):
        return meaning is Meaning.MODERATED
    is_job = is_ours or has_job_names(data) or is_word_wrapped(data)
    is_silent = problem_in(data) is None and not said.texts
    return is_job or is_silent or not is_call or meaning is Meaning.MODERATED


def _is_of_another(data: dict[str, Any], gateway_id: str) -> bool:
    """Whether it names a job as our gateway names them, and not ours."""
    names = _names(data)
    return gateway_id not in names and any(is_like(name, gateway_id) for name in names)


def _is_envelopes(data: dict[str, Any], gateway_id: str) -> bool:
    """Whether "success" is said of the call alone, around a job without a word of its own."""
    top = own_ids_in(data)
    is_job = gateway_id in top or (top and len(far_ids_in(data)) == len(top))
    if is_job or not is_only_answered(data):
        return False
    progress = progress_in(data)
    own = f"/{gateway_id}"
    is_linked = any(not url.partition("?")[0].endswith(own) for url in links_in(data))
    return not is_linked or (progress is not None and progress < 100)


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
    ends = (*said.codes, *said.heads) or own_texts(said)
    is_over = any(_ENDED.fullmatch(word_of(each)) for each in ends)
    is_look = is_asking(said) or is_handing_over(said)
    if is_over and (gateway_id in names or not is_look):
        return Failed(reason_of(meaning), detail)
    is_surely = found is not None and found.step is not Step.PHRASE and answer.status == 200
    return Failed(Reason.MODERATED, detail) if is_surely and meaning is Meaning.MODERATED else None


def _is_moderated(data: dict[str, Any], prompt: str, meanings: Meanings) -> bool:
    said = said_in(data.get("error"), prompt)
    codes = (*said.codes, *said.heads, *filtered_in(data))
    found = meanings.of(Said(codes, (), prompt), status=200, at=Place.LOOK)
    return found is Meaning.MODERATED


@lru_cache(maxsize=256)
def _warn_of(word: str, shape: str) -> None:
    """Once: a job in an unknown state is looked at for hours."""
    if word:
        log.warning("status.unknown", word=word)
    elif shape:
        log.warning("status.unreadable", shape=shape)


def _speaks_of(gateway_id: str, data: dict[str, Any]) -> bool:
    """Whether the links are our job's: a reply under another id (litellm) may name others'."""
    is_named = bool(ids_in(data)) and gateway_id not in _names(data)
    if not is_named and not _is_of_another(data, gateway_id):
        return True
    log.warning("id.differed", gateway_id=gateway_id)
    return False


def _names(data: dict[str, Any]) -> list[str]:
    return [*ids_in(data), *far_ids_in(data)]
