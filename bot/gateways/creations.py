"""Reads the response to the POST of an order: whether a job began, and whether it is charged.

The table of answers says what a code or a sentence means; this module decides what follows. A
response that leaves the charge in doubt never counts as a refusal.
"""

from dataclasses import replace

from bot.core.jobs import UNNAMED, Reason
from bot.core.outcomes import Accepted, Busy, Creation, Locked, Rejected, Uncertain
from bot.gateways.envelopes import NAMES, STATUSES, is_said, job_ids, result_links, video_links
from bot.gateways.meanings import LOCKS, UNDER_WAY, VAGUE, Meaning, Stage, reason_of
from bot.gateways.reading import Reading, problems_in, said_in
from bot.gateways.spelling import word_of
from bot.gateways.table import PACKAGED, Found, Meanings, Said, Step, lock_of
from bot.net.answers import Answer
from bot.net.tables import Spot, Table

_CODED = (Step.BOTH, Step.CODE, Step.HEAD)


def read_creation(
    answer: Answer, *, trust_json_5xx: bool, prompt: str = "", meanings: Meanings = PACKAGED
) -> Creation:
    """Return what the response to a POST means for job and bill. Quotes of `prompt` don't count."""
    reading = Reading(answer, prompt, meanings)
    if 200 <= reading.status < 300:
        return _read_success(reading)
    if not 300 <= reading.status < 600 or reading.status in STATUSES["ended_early"]:
        return Uncertain(reading.detail, answered=True)
    return _read_refusal(reading, trust_json_5xx=trust_json_5xx)


def _read_success(reading: Reading) -> Creation:
    if reading.body is None:
        return Uncertain(reading.detail, answered=True)
    # Some gateways answer 200 to everything and put the real status into the body.
    code = reading.table.get("code")
    status = code if isinstance(code, int) and code in (401, 402, 403, 429) else reading.status
    found = _found(reading, status)
    meaning = found and found.row.meaning
    lock, ids = lock_of(status, found), _ids(reading)
    sources = _made_at_once(reading, ids)
    if ids and (meaning is Meaning.BEGUN or not _is_no_job(reading, lock)):
        return Accepted(ids[0], sources)
    is_failed = reading.state in (Meaning.FAILED, Meaning.MODERATED)
    is_no = is_failed or reading.says_no or _is_error(reading)
    has_words = status != reading.status or (found is not None and found.step is not Step.PHRASE)
    # The envelope's own "success" counts for less than a known refusal inside it.
    is_done = reading.state is Meaning.DONE and not _job_words(reading) <= set(NAMES["answered"])
    if sources and not is_no and (is_done or not has_words):
        return Accepted(UNNAMED, sources)
    is_begun = meaning is Meaning.BEGUN or reading.state in UNDER_WAY
    # An unknown code or message may belong to a success; an id beside an error may be a job's.
    if is_begun or not (has_words or (is_no and not ids)):
        return Uncertain(reading.detail, answered=True)
    if lock:
        return Locked(lock, reading.detail)
    if status == 429 or meaning is Meaning.BUSY:
        return Busy(reading.answer.wait())
    if is_done:  # the vendor made the video and withheld it
        return Rejected(Reason.WITHHELD, reading.detail, charged=True)
    is_moderated = reading.state is Meaning.MODERATED
    return Rejected(reason_of(Meaning.MODERATED if is_moderated else meaning), reading.detail)


def _read_refusal(reading: Reading, *, trust_json_5xx: bool) -> Creation:
    status, detail = reading.status, reading.detail
    found = _found(reading, status)
    meaning = found and found.row.meaning
    unasked = _unasked(reading) if reading.problem else None
    # Status 401, 402 or 429 alone says that no job began: a message does not outweigh it.
    is_queued = reading.state in UNDER_WAY and bool(_ids(reading))
    is_coded = is_queued or (found is not None and found.step in _CODED)
    is_begun = is_queued or (meaning is Meaning.BEGUN and unasked is None)
    lock = None if is_begun and is_coded else lock_of(status, found)
    # After a lock the order is sent again, so a vendor's message is too weak if a job may exist.
    if lock and (status < 500 or (not _ids(reading) and (lock := _own_lock(reading)))):
        return Locked(lock, detail)
    if is_begun and (is_coded or status != 429):
        # A 409 that mentions no duplicate may name another job, which blocks this order.
        ids = _ids(reading) if status == 409 and meaning is Meaning.BEGUN else []
        return Accepted(ids[0]) if ids else Uncertain(detail, answered=True)
    if status == 413:
        return Rejected(Reason.PICTURE_TOO_LARGE, detail)
    if status < 400:
        return Rejected(Reason.WRONG_ADDRESS, reading.answer.elsewhere())
    is_later = status == 429 and meaning is not Meaning.MODERATED
    if is_later or (status < 500 and meaning is Meaning.BUSY):
        return Busy(reading.answer.wait())
    if status < 500:
        if meaning is None and reading.answer.is_page:
            meaning = _page_means(reading.answer)
        return Rejected(reason_of(meaning), detail)
    if unasked:
        return Rejected(reason_of(meaning if unasked is Meaning.REFUSED else unasked), detail)
    if reading.problem and trust_json_5xx and status not in STATUSES["timeouts"]:
        return Rejected(reason_of(meaning), detail, charged=True)
    return Uncertain(detail, answered=True)


def _page_means(page: Answer) -> Meaning:
    is_lost = page.wants_tls or page.status in STATUSES["nowhere"]
    return Meaning.NO_ROUTE if is_lost and not page.is_wall else Meaning.BLOCKED


def _own_table(reading: Reading) -> Table:
    """Return the gateway's own error. A vendor's error may stand only in its message."""
    error = reading.table.get("error")
    return error if isinstance(error, dict) else reading.table


def _own_lock(reading: Reading) -> Reason | None:
    """Return a key or balance problem that the gateway itself reports before it asks a vendor."""
    table = {name: value for name, value in _own_table(reading).items() if name in NAMES["own"]}
    own = replace(said_in([Spot(table)], reading.prompt), heads=())
    found = reading.find(Stage.POLL, said=own)
    is_own = found is not None and (found.step in _CODED or found.row.unasked)
    return lock_of(reading.status, found) if is_own else None


def _unasked(reading: Reading) -> Meaning | None:
    """Return the meaning of the gateway's own error code; its message may quote a vendor's."""
    code = _own_table(reading).get("code")
    if isinstance(code, str) and (meaning := reading.meanings.unasked(code)) not in (None, *LOCKS):
        return meaning
    # Older versions have no code for a model that none of their vendors offers.
    own = reading.find(Stage.POLL, said=Said((), reading.said.texts, reading.prompt))
    is_unknown = own is not None and own.row.meaning is Meaning.UNKNOWN_MODEL
    return Meaning.UNKNOWN_MODEL if is_unknown and reading.status == 503 and not code else None


def _found(reading: Reading, status: int) -> Found | None:
    """Return the row of the table that says what the response means, or None."""
    found = reading.find(Stage.CREATE, status=status)
    # A vendor reports a timeout as a failure, but the job may go on. Only codes and status words
    # count here, because a person may have written the same word in the prompt.
    codes = Said((*map(word_of, reading.words), *reading.said.codes))
    begun = reading.find(Stage.CREATE, status=status, said=codes)
    is_open = found is None or found.step is Step.PHRASE or found.row.meaning in VAGUE
    return begun if begun and begun.row.meaning is Meaning.BEGUN and is_open else found


def _ids(reading: Reading) -> list[str]:
    """Return the ids that may be the job's, the likeliest first."""
    return [] if is_said(reading.table) else reading.ids or job_ids(reading.links)


def _is_no_job(reading: Reading, lock: Reason | None) -> bool:
    """Whether the id is only that of a refused request: no status word speaks of a job."""
    words = _job_words(reading)
    return words <= set(NAMES["unanswered"]) if lock else not words and _is_error(reading)


def _is_error(reading: Reading) -> bool:
    """Whether the whole response is an error, by fields that only errors have."""
    is_one = reading.table.get("object") == "error" or reading.table.get("success") is False
    return is_one or any(problems_in({"error": reading.table.get("error")}))


def _job_words(reading: Reading) -> set[str]:
    return {word.casefold() for word in reading.words if not word.isdecimal()}


def _made_at_once(reading: Reading, ids: list[str]) -> tuple[str, ...]:
    """Return links to a video made within the POST, unless a status word says it is not done."""
    is_done = reading.state is Meaning.DONE
    if _job_words(reading) and not is_done:
        return ()
    gateway_id = ids[0] if ids else ""
    links = result_links(reading.links) if is_done else video_links(reading.links, gateway_id)
    return links or reading.said_links
