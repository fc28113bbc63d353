"""Reads what a gateway answers: pure functions from status, headers and body to outcomes.

Tolerant of every word and shape seen in the field, and strict in one thing: only a status word of
success or failure decides, and an answer that leaves the bill in doubt is never taken for a no.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
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
from bot.log import get_logger, redacted

DONE = frozenset({"completed", "succeeded", "succeed", "success", "done"})
FAILED = frozenset({"failed", "fail", "failure", "error", "canceled", "cancelled", "rejected"})
GONE = frozenset({"expired"})
WAITING = frozenset(
    {"queued", "queueing", "in_queue", "pending", "submitted", "created", "preparing", "not_start"}
)
RUNNING = frozenset({"in_progress", "processing", "running", "generating"})

_MODERATED = re.compile(
    r"moderat|policy|sensitive|inspection|safety|nsfw|infring|敏感|违规|审核", re.IGNORECASE
)
_BALANCE = re.compile(
    r"quota|balance|insufficient|arrear|credit|billing|余额|额度|欠费", re.IGNORECASE
)
_SPENT = re.compile(r"quota|balance|余额|额度|欠费", re.IGNORECASE)
_KEY = re.compile(
    r"api.?key|\btoken\b|unauthorized|banned|not allowed|令牌|封禁|无权", re.IGNORECASE
)
_ONE_DOOR = re.compile(r"model|\bgroup|模型|分组", re.IGNORECASE)
"""What a key may lack while it opens everything else."""
_NO_CHANNEL = re.compile(r"model_not_found|no (available )?channel|无可用渠道", re.IGNORECASE)
_MODEL = re.compile(
    _NO_CHANNEL.pattern
    + r"|model.{0,40}(not|unknown|exist)|(access|permission).{0,20}model|无权.{0,10}模型",
    re.IGNORECASE,
)
_UNASKED = frozenset(
    {
        *("missing_model", "invalid_request", "invalid_json", "invalid_multipart_form"),
        *("invalid_size", "invalid_api_platform", "not_implemented", "model_not_found"),
        *("read_request_body_failed", "build_request_failed", "convert_to_ali_request_failed"),
    }
)
"""Codes of new-api's own checks: no vendor was asked, so none was paid, whatever the status."""
_SIZE = re.compile(r"invalid.{0,3}size|resolution|\bsize\b", re.IGNORECASE)
_UNKNOWN_ID = re.compile(r"task_not_exist|not.?found|not.?exist|no such", re.IGNORECASE)
_WRONG_PATH = re.compile(r"invalid url", re.IGNORECASE)
_POLL_AFTER = "openai-poll-after-ms"
_NO_ERROR = frozenset({"", "0", "200", "ok", "success"})
_URL_PLACES = (
    ("url",),
    ("metadata", "url"),
    ("video_url",),
    ("result_url",),
    ("data", "url"),
    ("data", "result_url"),
    ("video", "url"),
    ("output", "video_url"),
)
_DETAIL = 400
"""Characters of a gateway's own words that are kept for the operator."""
_LONGEST = 4096
"""Characters of an id or an address; what is longer is neither."""
_MOST_WAIT = 60.0
"""Seconds: no gateway makes us wait longer by a header."""

log = get_logger()


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, fully read."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def read_creation(answer: Answer, *, trust_json_5xx: bool) -> Creation:
    """What the answer to a POST means for the job and the bill."""
    data = _json(answer.body)
    problem = _problem(data)
    detail = _detail(answer, problem)
    match answer.status:
        case status if 200 <= status < 300:
            return _read_success(data, problem, detail)
        case 401 | 402 | 403 if reason := _lock(answer.status, problem):
            return Locked(reason, detail)
        case 408:
            return Uncertain(detail)
        case 413:
            return Rejected(Reason.PICTURE_TOO_LARGE, detail)
        case 429 if isinstance(data, dict) or not answer.body.strip():
            return Busy(_retry_after(answer))
        case status if 300 <= status < 500:
            return Rejected(_reason(problem), detail)
        case status if 500 <= status < 600 and problem and _is_unasked(status, data, problem):
            return Rejected(_reason(problem), detail)
        case status if 500 <= status < 600 and problem and trust_json_5xx:
            return Rejected(_reason(problem), detail, charged=True)
        case _:
            return Uncertain(detail)


def read_look(answer: Answer, *, gateway_id: str) -> Look:
    """What the answer to a GET says about the job `gateway_id`."""
    data = _json(answer.body)
    problem = _problem(data)
    if 200 <= answer.status < 300 and isinstance(data, dict):
        return _read_state(data, problem, answer, gateway_id)
    if problem and answer.status == 400 and _UNKNOWN_ID.search(problem):
        return Missing()
    if problem and answer.status == 404 and not _WRONG_PATH.search(problem):
        return Missing()
    return read_refusal(answer)


def read_refusal(answer: Answer) -> Locked | Trouble:
    """What an answer means that is neither a state nor a file: look again later."""
    problem = _problem(_json(answer.body))
    if answer.status in (401, 402, 403) and (reason := _lock(answer.status, problem)):
        return Locked(reason, _detail(answer, problem))
    return Trouble(_detail(answer, problem), _retry_after(answer))


def read_content(answer: Answer) -> tuple[str, ...] | Trouble | Unusable:
    """What words mean that came in place of a video: where it is, "not yet", or that it is not."""
    data = _json(answer.body)
    if data is None:
        data = answer.body[:_LONGEST].decode("utf-8", "replace").strip()
    if isinstance(data, str):  # the bare address
        data = {"url": "" if any(map(str.isspace, data)) else data}
    if isinstance(data, list):
        data = {"data": data}
    if isinstance(data, dict):
        if sources := _sources(data):
            return sources
        if _word(data) in WAITING | RUNNING:
            return Trouble(_detail(answer, _word(data)))
    return Unusable(Reason.CONTENT_GONE, _detail(answer, _problem(data)))


def _is_unasked(status: int, data: object, problem: str) -> bool:
    """Whether the gateway itself says no: by its code, for a message may quote its vendor's."""
    error = data.get("error") if isinstance(data, dict) else None
    source = error if isinstance(error, dict) else data
    code = source.get("code") if isinstance(source, dict) else None
    if isinstance(code, str) and code.strip().casefold() in _UNASKED:
        return True
    # Older versions have no code for a model that no vendor of theirs makes.
    return status == 503 and not code and _NO_CHANNEL.search(problem) is not None


def _read_success(data: object, problem: str | None, detail: str) -> Creation:
    if not isinstance(data, dict):
        return Uncertain(detail)
    ids, sources = _ids(data), _made_at_once(data)
    if ids:
        return Accepted(ids[0], sources)
    if problem or _word(data) in FAILED:
        return Rejected(_reason(problem), detail)
    return Accepted(UNNAMED, sources) if sources else Uncertain(detail)


def _made_at_once(data: dict[str, Any]) -> tuple[str, ...]:
    """Links to a video that was made within the POST: where no word says that it is not yet."""
    is_made = _word(data) in DONE or not _word(data)
    return _sources(data) if is_made else ()


def _read_state(data: dict[str, Any], problem: str | None, answer: Answer, gateway_id: str) -> Look:
    word = _word(data)
    if word in DONE:
        return Done(_sources(data) if _speaks_of(gateway_id, data) else ())
    if word in FAILED:
        return Failed(_reason(problem), _detail(answer, problem))
    if word in GONE:
        return Failed(Reason.EXPIRED, _detail(answer, problem))
    if word not in WAITING and word not in RUNNING:
        _warn_of((word or "")[:40])
    return Running(_progress(data.get("progress")), _header_seconds(answer, _POLL_AFTER, 1000))


def _word(data: dict[str, Any]) -> str | None:
    inner = data.get("data")
    word = data.get("status")
    if not isinstance(word, str) and isinstance(inner, dict):
        word = inner.get("status")
    return word.strip().casefold() if isinstance(word, str) else None


@lru_cache(maxsize=256)
def _warn_of(word: str) -> None:
    """Once per word: a job in an unknown state is looked at for hours."""
    log.warning("status.unknown", word=word)


def _speaks_of(gateway_id: str, data: dict[str, Any]) -> bool:
    """Whether the links are our job's: a reply under another id (litellm) may name others'."""
    ids = _ids(data)
    if not ids or gateway_id in ids:
        return True
    log.warning("id.differed", gateway_id=gateway_id)
    return False


def _ids(data: dict[str, Any]) -> list[str]:
    """Every usable id in `data`, the likeliest first."""
    inner = data.get("data")
    places = [data.get("id"), data.get("task_id")]
    if isinstance(inner, dict):
        # In the older shape data.id is the number of a row.
        places += [inner.get("task_id"), inner.get("id")]
    numbered = (
        str(value) if isinstance(value, int) and value > 0 and value is not True else value
        for value in places
    )
    return [value.strip() for value in numbered if isinstance(value, str) and _is_usable(value)]


def _is_usable(text: str) -> bool:
    """Whether `text` can be part of an address and of a row: no control, no half surrogates."""
    return 0 < len(text.strip()) <= _LONGEST and text.strip().isprintable()


def _sources(data: dict[str, Any]) -> tuple[str, ...]:
    found = []
    for place in _URL_PLACES:
        value: Any = data
        for key in place:
            if isinstance(value, list):
                value = value[0] if value else None
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, str) and _is_usable(value):
            found.append(value.strip())
    return tuple(dict.fromkeys(url for url in found if url.startswith(("https://", "http://"))))


def _progress(value: object) -> int | None:
    if isinstance(value, str):
        value = value.strip().removesuffix("%")
    if not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return None if math.isnan(number) else int(max(0.0, min(100.0, number)))


def _problem(data: object) -> str | None:
    """Code and message of the error in `data`, in whichever envelope; None if there is none."""
    if not isinstance(data, dict):
        return None
    code = _words(data.get("code"))
    if isinstance(data.get("error"), dict | str) and (words := _words(data["error"])):
        return words
    if words := _words(data.get("detail")):
        return words
    if code.casefold() not in _NO_ERROR and "message" in data:
        return f"{code} {_words(data['message'])}"
    return None


def _words(value: object, *, depth: int = 3) -> str:
    """The text in an error: `{code, type, param, message}`, FastAPI's list, or a word."""
    match value:
        case str():
            return value
        case bool():
            return ""
        case int() | float():
            return str(value)
        case dict() if depth:
            inner = [value.get(key) for key in ("code", "type", "param", "message", "msg")]
        case list() if depth:
            inner = value[:5]
        case _:
            return ""
    return " ".join(filter(None, (_words(part, depth=depth - 1) for part in inner)))


def _lock(status: int, problem: str | None) -> Reason | None:
    """Whether this is key or balance trouble, which pauses the gateway and harms no job."""
    if status == 401:
        # new-api knows a key whose allowance is used up as one that is no longer valid.
        spent = problem is not None and _SPENT.search(problem)
        return Reason.NO_BALANCE if spent else Reason.BAD_KEY
    if status == 402:
        return Reason.NO_BALANCE
    # A message may quote the prompt: nobody pauses the gateway for everybody by what they type.
    if problem is None or _MODERATED.search(problem):
        return None
    if _BALANCE.search(problem):
        return Reason.NO_BALANCE
    # Neither does one model or group that is closed to this key: the others still open.
    if _ONE_DOOR.search(problem):
        return None
    return Reason.BAD_KEY if _KEY.search(problem) else None


def _reason(problem: str | None) -> Reason:
    if problem:
        if _MODERATED.search(problem):
            return Reason.MODERATED
        if _MODEL.search(problem):
            return Reason.UNKNOWN_MODEL
        if _SIZE.search(problem):
            return Reason.BAD_SIZE
    return Reason.REFUSED


def _detail(answer: Answer, problem: str | None) -> str:
    """The gateway's own words as one short line that can be stored, without secrets."""
    words = problem or answer.body[: 4 * _DETAIL].decode("utf-8", "replace")
    line = "".join(char if char.isprintable() else " " for char in words[: 4 * _DETAIL])
    return f"HTTP {answer.status}: {redacted(line)[:_DETAIL]}"


def _retry_after(answer: Answer) -> float | None:
    return _header_seconds(answer, "Retry-After", 1)


def _header_seconds(answer: Answer, name: str, unit: int) -> float | None:
    """Seconds from a header that counts units of 1/`unit` s; None for dates and nonsense."""
    value = answer.headers.get(name, "").strip()
    if not (value.isascii() and value.isdigit()):
        return None
    return min(float(value) / unit, _MOST_WAIT)


def _json(body: bytes) -> object:
    """The parsed body, or None. Hostile bodies raise more than JSONDecodeError (fact F10)."""
    try:
        parsed: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return parsed
