"""Reads the response to a poll, and a response that came instead of a video.

Only a success or failure of the job itself ends it; a response about one order pauses no gateway.
"""

import re
from functools import lru_cache

from bot.core.jobs import Reason
from bot.core.outcomes import Done, Failed, Locked, Missing, Polled, Running, Trouble, Unusable
from bot.gateways import envelopes
from bot.gateways.envelopes import NAMES, STATUSES, urls_of, video_links
from bot.gateways.meanings import ABOUT_ONE_ORDER, LOCKS, OVER, UNDER_WAY, Meaning, Stage, reason_of
from bot.gateways.reading import Reading
from bot.gateways.spelling import phrase, plain, word_of
from bot.gateways.table import PACKAGED, Meanings, Said, Step
from bot.log import get_logger
from bot.net.answers import Answer
from bot.net.tables import Table

_JOB = r"(?:(?:video|media)_)?(?:task|job|video|generation|prediction|render)"
_ENDED = re.compile(rf"{_JOB}_(?:failed|failure|cancell?ed|aborted|rejected|expired)")
"""A code, or a whole sentence, that says that the job itself is over."""
_PASSES = LOCKS | {Meaning.BUSY}
_PASSING, _ASKING, _HANDING_OVER = (
    [phrase(spelt) for spelt in NAMES[kind]] for kind in ("passing", "asking", "handing_over")
)

log = get_logger()


def read_poll(
    answer: Answer, *, gateway_id: str, prompt: str = "", meanings: Meanings = PACKAGED
) -> Polled:
    reading = Reading(answer, prompt, meanings)
    if 200 <= answer.status < 300 and reading.value is not None and reading.body is not None:
        return _read_rows(reading, gateway_id)
    job = _Job(reading, gateway_id)
    if reading.value is not None and 400 <= answer.status < 600 and job.is_failed_with_status():
        return job.read()
    if ended := job.ended():
        return ended
    found = reading.find(Stage.POLL)
    meaning = found and found.row.meaning
    is_gone = answer.status == 404 and meaning not in LOCKS | {Meaning.NO_ROUTE}
    if reading.problem and (is_gone or (answer.status == 400 and meaning is Meaning.UNKNOWN_ID)):
        return Missing()
    return reading.trouble(found)


def read_refusal(
    answer: Answer, *, prompt: str = "", meanings: Meanings = PACKAGED
) -> Locked | Trouble | Unusable:
    """Return the meaning of a response that is neither a state nor a file."""
    reading = Reading(answer, prompt, meanings)
    found = reading.find(Stage.CONTENT)
    if found and found.row.meaning is Meaning.WITHHELD:
        return Unusable(Reason.WITHHELD, reading.detail)
    return reading.trouble(found)


def read_content(
    answer: Answer, *, prompt: str = "", meanings: Meanings = PACKAGED
) -> tuple[str, ...] | Locked | Trouble | Unusable:
    """Return the meaning of a text that came instead of a video: links, "not yet", or "gone"."""
    if answer.status not in (200, 206):
        return read_refusal(answer, prompt=prompt, meanings=meanings)
    reading = Reading(answer, prompt, meanings)
    if sources := urls_of(reading.links) or reading.said_links:
        return sources
    if reading.state in UNDER_WAY:
        return Trouble(answer.detail(reading.known_word))
    return Unusable(Reason.CONTENT_GONE, reading.detail)


def _read_rows(reading: Reading, gateway_id: str) -> Polled:
    whole: Table = {"data": reading.value} if isinstance(reading.value, list) else reading.table
    part = envelopes.part_about(gateway_id, whole)
    job = _Job(reading if part is whole or part is None else reading.about(part), gateway_id)
    # Rows of other jobs, or a bare word of failure, say nothing about our job.
    is_bare = not isinstance(reading.value, dict) and reading.table.keys() == {"status"}
    if part is None or (is_bare and reading.state in OVER):
        return job.unread()
    return job.read()


class _Job:
    """A response to a poll, read for one job."""

    def __init__(self, reading: Reading, gateway_id: str) -> None:
        self.reading, self.gateway_id = reading, gateway_id
        self.is_ours = gateway_id in reading.ids
        # An id has the form of our gateway's job ids, but is not ours.
        is_like = any(envelopes.is_like(name, gateway_id) for name in reading.ids)
        self.is_another = is_like and not self.is_ours
        if reading.ids and not self.is_ours:
            log.warning("id.differed", gateway_id=gateway_id)
        self.is_on = reading.progress is not None and reading.progress < 100
        # A response with another id (litellm) may link to videos of other jobs.
        self.has_links = self.is_ours or not (self.is_another or envelopes.is_named(reading.spots))
        self.is_of_call = word_of(reading.known_word) in NAMES["failures_of_calls"]
        """Whether the word of failure may be about this one request and not about the job."""
        said = reading.said
        self.texts = [plain(text) for text in said.texts if text.strip(" .!") not in said.prompt]
        """The response's messages, except those that may quote the prompt."""
        self.wait = reading.answer.wait("openai-poll-after-ms", per_second=1000)
        self.found = reading.find(Stage.FAILURE)
        self.meaning = self.found and self.found.row.meaning

    def read(self) -> Polled:
        reading = self.reading
        if reading.state is Meaning.DONE:
            return self.unread() if self._is_envelopes() else self._done()
        if reading.state in OVER and reading.has_failed:
            if not self._is_believed():
                return self.unread(is_odd=True)
            word_says = {Meaning.EXPIRED: Reason.EXPIRED, Meaning.MODERATED: Reason.MODERATED}
            return Failed(word_says.get(reading.state) or reason_of(self.meaning), reading.detail)
        if reading.state is not None:
            return Running(reading.progress, self.wait)
        if over := self.ended() or self._made():
            return over
        unknown = (word for word in reading.words if reading.meanings.word(word) is None)
        if word := next(unknown, "")[:40].casefold():
            _warn_once("status.unknown", word=word)
            return Running(reading.progress, self.wait, word if word.isprintable() else "")
        return self.unread()

    def unread(self, *, is_odd: bool = False) -> Running:
        """Return `Running` with the body's shape for the operator, unless progress is as usual."""
        shape = "" if self.is_on and not is_odd else self.reading.shape
        if shape:
            _warn_once("status.unreadable", shape=shape)
        return Running(self.reading.progress, self.wait, shape=shape)

    def _done(self) -> Done | Failed:
        reading = self.reading
        if links := urls_of(reading.links) if self.has_links else ():
            return Done(links)
        # Some gateways report a video that its vendor withheld as "completed", and charge for it.
        codes = Said((*reading.said.codes, *reading.said.heads), (), reading.prompt)
        why = reading.find(Stage.POLL, status=200, said=codes)
        if why and why.row.meaning is Meaning.MODERATED and not self.is_another:
            return Failed(Reason.WITHHELD, reading.detail, charged=True)
        return Done(withheld=reading.says_no)

    def _made(self) -> Done | None:
        """Return `Done` if there is a video but no status word; None if the job may go on."""
        reading = self.reading
        has_words = not envelopes.is_wordless(reading.spots) or envelopes.is_list_of_jobs(
            reading.spots
        )
        if reading.problem or self.is_on or has_words or not self.has_links:
            return None
        links = video_links(reading.links, self.gateway_id) or reading.said_links
        return Done(links) if links else None

    # --- which words are our job's ---------------------------------------------------------------

    def is_failed_with_status(self) -> bool:
        """Whether an HTTP error has our failed job as its body, as with vLLM-Omni.

        At a status that is about the request itself, the body must be a whole job.
        """
        reading = self.reading
        if not self.is_ours or not reading.has_failed:
            return False
        if reading.status not in STATUSES["of_calls"] and reading.status < 500:
            return self._is_believed()
        is_whole = self._has_job_names() or self.meaning is Meaning.MODERATED
        is_at_top = self.gateway_id in envelopes.own_ids(reading.spots[0])
        return is_whole and is_at_top and not self.is_of_call

    def _is_believed(self) -> bool:
        """Whether a word of failure ends our job, and is not about another job or this poll."""
        reading = self.reading
        if self.is_another or self.meaning is Meaning.MODERATED:
            return not self.is_another
        may_pass = self._may_pass()
        if not self.is_ours and (may_pass or self._speaks_of(_ASKING)):
            return False
        is_job = self.is_ours or self._has_job_names() or bool(envelopes.inner_words(reading.spots))
        is_silent = reading.problem is None and not reading.said.texts
        return not self.is_of_call or (not may_pass and (is_job or is_silent))

    def _may_pass(self) -> bool:
        """Whether the error may be about this request only, so that the next poll may succeed."""
        if self.meaning in ABOUT_ONE_ORDER - {Meaning.UNKNOWN_MODEL}:
            return False
        is_coded = not set(NAMES["passing_codes"]).isdisjoint(self.reading.said.codes)
        return self.meaning in _PASSES or is_coded or self._speaks_of(_PASSING)

    def _has_job_names(self) -> bool:
        """Whether the body is a job, by its field names."""
        table = self.reading.table
        kind = table.get("object")
        is_kind = isinstance(kind, str) and kind.strip().casefold() not in ("", "error")
        return is_kind or any(table.get(name) not in (None, "") for name in NAMES["of_jobs"])

    def _is_envelopes(self) -> bool:
        """Whether "success" is about the request alone, and the job inside has no status word."""
        spots = self.reading.spots
        top = envelopes.own_ids(spots[0])
        is_job = self.gateway_id in top or (top and len(envelopes.ids_in(spots)) == len(top))
        if is_job or not envelopes.is_only_answered(spots):
            return False
        is_linked = any(not link.is_of_job(self.gateway_id) for link in self.reading.links)
        return not is_linked or self.is_on

    def ended(self) -> Failed | None:
        """Return a failure of the job itself that comes without a status word, or None.

        An error alone may be about this poll (new-api answers 200 with its vendor's answer to a
        poll that failed). So a job ends only by an error that can't be about a poll: a code that
        says that the job is over, or a known moderation answer.
        """
        reading = self.reading
        is_silent = all(word.isdecimal() for word in reading.words)
        is_about = (self.is_ours or not reading.ids) and reading.status in STATUSES["of_jobs"]
        if not (reading.problem and is_silent and is_about) or self.meaning in _PASSES:
            return None
        ends = (*reading.said.codes, *reading.said.heads) or self.texts
        is_over = any(_ENDED.fullmatch(word_of(each)) for each in ends)
        if is_over and (self.is_ours or not self._speaks_of(_ASKING + _HANDING_OVER)):
            return Failed(reason_of(self.meaning), reading.detail)
        is_sure = self.found is not None and self.found.step is not Step.PHRASE
        is_stopped = self.meaning is Meaning.MODERATED and is_sure and reading.status == 200
        return Failed(Reason.MODERATED, reading.detail) if is_stopped else None

    def _speaks_of(self, phrases: list[re.Pattern[str]]) -> bool:
        return any(each.search(text) for text in self.texts for each in phrases)


@lru_cache(maxsize=256)
def _warn_once(event: str, **said: str) -> None:
    """Log a warning once: a job in an unknown state is polled for hours."""
    log.warning(event, **said)
