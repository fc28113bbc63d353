"""Finds in a gateway's answer what it tells of a job: errors, status words, ids, links.

It knows the places of many envelopes and the meaning of none of them.
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

LONGEST = 4096
"""Characters of an id, an address or a message that are read."""
MOST = 200
"""Values of one answer that are read."""
DEEPEST = 6

FAILURES = (
    *("fail_reason", "failure_reason", "failreason", "failurereason", "failed_reason", "failure"),
    *("error_message", "errormessage", "error_msg", "errormsg", "err_msg", "errmsg"),
    *("task_status_msg", "status_msg", "error_description", "error_detail"),
)
"""Where a job says why it failed, besides `error`."""


def parsed(body: bytes) -> object:
    """The parsed body, or None. Hostile bodies raise more than JSONDecodeError (fact F10)."""
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value


# --- what is wrong, for the operator -------------------------------------------------------------

_NO_ERROR = frozenset(
    {
        *("", "0", "00", "000", "0000", "00000", "000000", "200", "201", "202", "20000"),
        *("ok", "okay", "success", "succeed", "succeeded", "successful", "none", "null", "true"),
        *("accepted", "created", "queued", "submitted", "pending", "processing", "completed"),
    }
)


def problem_in(data: object) -> str | None:
    """Code and message of the error in `data`, in whichever envelope; None if there is none."""
    if not isinstance(data, dict):
        return None
    code = _words(data.get("code"))
    if words := _error(data):
        return words
    if words := _words(data.get("detail")):
        return words
    told = next((_words(data[name]) for name in ("message", "msg", "errmsg") if name in data), None)
    is_bad = code.casefold() not in _NO_ERROR and (told or "x").casefold() not in _NO_ERROR
    if (is_bad or data.get("success") is False) and told is not None:
        return f"{code} {told}".strip() or None
    base = data.get("base_resp")
    if isinstance(base, dict) and _words(base.get("status_code")) not in _NO_ERROR:
        return f"{_words(base.get('status_code'))} {_words(base.get('status_msg'))}"
    return _failure(data)


def says_no(data: dict[str, Any]) -> bool:
    """Whether it names an error: a code or a message alone may be those of a success."""
    faults = data.get("detail")
    is_faulty = isinstance(faults, list) and bool(_words(faults))  # FastAPI's
    refuses = data.get("success") is False or is_faulty or _is_task_error(data)
    return refuses or _error(data) is not None or _named_failure(data) is not None


def _is_task_error(data: dict[str, Any]) -> bool:
    """new-api's own: a code with a name, a message, and no data."""
    code = data.get("code")
    is_named = isinstance(code, str) and any(map(str.isalpha, code))
    nothing = "data" in data and data["data"] is None and "message" in data
    return is_named and nothing and str(code).casefold() not in _NO_ERROR


def _error(data: dict[str, Any]) -> str | None:
    words = _words(data["error"]) if isinstance(data.get("error"), dict | str) else ""
    return words if any(word not in _NO_ERROR for word in words.casefold().split()) else None


def _failure(data: dict[str, Any]) -> str | None:
    """Why a job failed."""
    if words := _named_failure(data):
        return words
    output = data.get("output")
    if isinstance(output, dict) and output.get("code") and "message" in output:
        return _words(output)
    return None


def _named_failure(data: dict[str, Any]) -> str | None:
    """Why a job failed, by the names that only failures have."""
    inner = [data.get(name) for name in ("data", "output", "task", "result", "task_info")]
    for place in (data, *(each for each in inner if isinstance(each, dict))):
        for name, value in place.items():
            is_error = name == "error" and isinstance(value, dict | str)
            known = is_error or str(name).casefold() in FAILURES
            if known and (words := _words(value)) and words.casefold() not in _NO_ERROR:
                return words
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


# --- states --------------------------------------------------------------------------------------

_WRAPS = ("data", "output", "task", "result", "response", "task_info")
_STATUS = ("task_status", "taskstatus", "status", "state")


def status_words(data: dict[str, Any]) -> list[str]:
    """Every status word in `data`: of what is in the envelope first, then of the envelope."""
    inner = [data.get(name) for name in _WRAPS]
    inner = [it[0] if isinstance(it, list) and len(it) == 1 else it for it in inner]
    places = [*(each for each in inner if isinstance(each, dict)), data]
    low = [{str(name).casefold(): value for name, value in place.items()} for place in places]
    found = (place.get(name) for place in low for name in _STATUS)
    return [word.strip() for word in found if isinstance(word, str) and word.strip()]


# --- ids -----------------------------------------------------------------------------------------

_IDS = ("taskid", "videoid", "jobid", "generationid", "predictionid", "id")
_ID_HOLDERS = ("data", "output", "result", "task", "response", "resp", "job", "video", "generation")


def ids_in(data: dict[str, Any]) -> list[str]:
    """Every usable id where the format and new-api have them, the likeliest first."""
    inner = data.get("data")
    places = [data.get("id"), data.get("task_id")]
    if isinstance(inner, dict):
        # In the older shape data.id is the number of a row.
        places += [inner.get("task_id"), inner.get("id")]
    return [name for place in places if (name := _id(place))]


def far_ids_in(data: dict[str, Any]) -> list[str]:
    """Every usable id where anybody has them: none of a request, a user or a file."""
    found: list[str] = []
    level = [data]
    for _ in range(3):
        deeper: list[dict[str, Any]] = []
        for place in level:
            low = {str(name).casefold().replace("_", ""): it for name, it in place.items()}
            found += [name for key in _IDS if (name := _id(low.get(key)))]
            inner = (low.get(name) for name in _ID_HOLDERS)
            first = (it[0] if isinstance(it, list) and it else it for it in inner)
            deeper += [it for it in first if isinstance(it, dict)]
        level = deeper
    return found


def _id(value: object) -> str:
    if isinstance(value, int) and value > 0 and value is not True:
        value = str(value)
    return value.strip() if isinstance(value, str) and is_usable(value) else ""


# --- links ---------------------------------------------------------------------------------------

_LINKS = (
    *("url", "video_url", "videourl", "result_url", "resulturl", "download_url", "downloadurl"),
    *("output_url", "outputurl", "file_url", "fileurl", "play_url", "uri", "video_uri", "href"),
    *(
        "video_urls",
        "videourls",
        "urls",
        "unsigned_urls",
        "result_urls",
        "resulturls",
        "signed_url",
    ),
    *("output_urls", "media_url", "videouri", "origin_url", "fullresulturls", "watermark_free_url"),
)
_HOLDERS = (
    *("metadata", "video", "videos", "output", "outputs", "result", "results", "data", "content"),
    *("contents", "task_result", "creations", "generations", "generation", "response", "task"),
    *("generated_videos", "generatedvideos", "generatedsamples", "generated_samples", "assets"),
    *("generatevideoresponse", "generate_video_response", "artifacts", "artifact", "media", "file"),
    *("files", "works", "resource", "resultjson", "video_result", "task_info", "body", "resp"),
    *("delivery", "download", "downloads", "medias", "resp_data", "info"),
)
_MOST_LINKS = 8
_NO_VIDEO = (
    *(".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".svg", ".json", ".html", ".txt", ".srt"),
    *(".mp3", ".wav", ".m4a", ".ogg", ".flac"),
)


def links_in(data: dict[str, Any]) -> tuple[str, ...]:
    """Addresses where the video may be, the nearest to the surface first.

    Only keys that may hold a result are followed: never those of pictures, inputs or callbacks.
    """
    found: dict[str, None] = {}
    level: list[object] = [data]
    left = MOST
    for _ in range(DEEPEST):
        deeper: list[object] = []
        for place in level[:MOST]:
            items = _entries(place)
            left -= len(items)
            if left < 0:
                return tuple(found)[:_MOST_LINKS]
            for name, value in items:
                if name in _LINKS or (name in _HOLDERS and not isinstance(value, dict)):
                    found.update(dict.fromkeys(_addresses(value)))
                if name in _LINKS or name in _HOLDERS:
                    deeper.append(value)
        level = deeper
    return tuple(found)[:_MOST_LINKS]


def _entries(place: object) -> list[tuple[str, object]]:
    """Names and values; of a list, those of the tables in it."""
    if isinstance(place, list):
        return [entry for each in place[:20] if isinstance(each, dict) for entry in _entries(each)]
    if isinstance(place, str) and place.lstrip()[:1] == "{":
        place = parsed(place[: 16 * LONGEST].encode("utf-8", "replace"))
    if not isinstance(place, dict):
        return []
    named = [(str(name).casefold(), value) for name, value in list(place.items())[:MOST]]
    ranks = {name: rank for rank, name in enumerate((*_LINKS, *_HOLDERS))}
    return sorted((it for it in named if it[0] in ranks), key=lambda it: ranks[it[0]])


def _addresses(value: object) -> Iterator[str]:
    for each in value[:20] if isinstance(value, list) else [value]:
        if isinstance(each, str) and is_usable(each) and _may_be_video(each.strip()):
            yield each.strip()


def _may_be_video(url: str) -> bool:
    if not url.startswith(("https://", "http://")):
        return False
    try:
        path = urlsplit(url).path.casefold()
    except ValueError:
        return False
    return not path.endswith(_NO_VIDEO)


def is_usable(text: str) -> bool:
    """Whether `text` can be part of an address and of a row: no control, no half surrogates."""
    return 0 < len(text.strip()) <= LONGEST and text.strip().isprintable()
