"""Finds in a gateway's answer where the job stands: its state, its id, its progress.

It knows the places of many envelopes and the meaning of no word in them.
"""

import math
import re
from collections.abc import Iterable, Iterator
from typing import Any

from bot.gateways.envelopes import LONGEST, parsed

_ADDRESS = re.compile(r"https?://\S+")
_MOST = 200
"""Values of one answer that are read."""


def enveloped(data: object) -> dict[str, Any] | None:
    """A list, a word or an address as the table that it stands for; None if it says nothing."""
    match data:
        case dict():
            return data
        case [dict() as alone]:
            return alone
        case [str() as word]:
            return enveloped(word)
        case [_, *_]:
            return {"data": data}
        case str() if _ADDRESS.fullmatch(data.strip()):
            return {"url": data.strip()}
        case str() if data.strip():
            key = "message" if data.strip().casefold() in ENVELOPES else "status"
            return {key: data}
    return None


def name_of(key: object) -> str:
    """A key without its case and its separators: `videoUrl` is `video_url`."""
    return str(key).casefold().replace("_", "").replace("-", "")


def named(place: dict[str, Any]) -> dict[str, object]:
    return {name_of(key): value for key, value in list(place.items())[:_MOST]}


# --- states --------------------------------------------------------------------------------------

ENVELOPES = ("ok", "success")
"""Words by which an envelope says that it could be answered."""
_ANSWERED = (*ENVELOPES, "successful", "succeed", "succeeded")
"""The same, and those that are a job's unless they stand around one."""
_WRAPS = ("data", "output", "task", "result", "response", "taskinfo")
_FAR_WRAPS = (
    "job",
    "video",
    "generation",
    "prediction",
    "body",
    "resp",
    "info",
    "results",
    "items",
)
"""Where a state is looked for if there is none anywhere else: a video may have one of its own."""
_STATUS = (
    *("taskstatus", "jobstatus", "videostatus", "generationstatus", "status"),
    *("taskstate", "jobstate", "state"),
)
_PARTS = ("state", "status", "name", "value")
"""Names of the word where a status is a table."""
_REMARKS = ("taskstatusmsg", "statusmsg", "statusmessage")
"""Sentences about a state, which some write the word itself into."""
_HTTP = ("200", "201", "202")
_WORD = re.compile(r"[A-Za-z][\w.-]{1,39}")


def status_words(data: dict[str, Any]) -> list[str]:
    """Every status word in `data`: of what is in the envelope first, then of the envelope.

    A number is one, too, for operators know those of their gateway.
    """
    inner = _within([data], _WRAPS)
    own, is_there = _innermost(inner, _WRAPS)
    outer = [
        word for word in _words([data]) if word not in _HTTP and not (inner and word.isdecimal())
    ]
    if not own and all(word.casefold() in ENVELOPES for word in outer):
        far, is_far = _innermost(_within([data], _FAR_WRAPS), (*_WRAPS, *_FAR_WRAPS))
        own, is_there = far, is_there or is_far
    if is_there and not own:
        # A state is there, and no word: the envelope's is not about it.
        outer = [word for word in outer if word.casefold() not in ENVELOPES]
    return [*own, *outer] or _remarks([data, *inner])


def is_wordless(data: dict[str, Any]) -> bool:
    """Whether nothing at all stands where a state may stand, however deep."""
    return not status_words(data) and not any(_signs(data))


def _signs(value: object, depth: int = 6) -> Iterator[bool]:
    """For each place of a state, whether something is there."""
    inner: Iterable[object] = ()
    if isinstance(value, dict):
        table = named(value)
        yield from (bool(it) or it is False for it in _values(value))
        yield table.get("done") is False
        inner = table.values()
    elif isinstance(value, list):
        inner = value[:_MOST]
    if depth:
        for each in inner:
            yield from _signs(opened(each), depth - 1)


def is_word_wrapped(data: dict[str, Any]) -> bool:
    """Whether the word stands in the envelope's wrap, and not in `data` itself."""
    return bool(_inner_words(data))


def is_only_answered(data: dict[str, Any]) -> bool:
    """Whether the one word is an envelope's "success", around something without a word."""
    words = [word.casefold() for word in _words([data])]
    is_wrap = any(name in (*_WRAPS, *_FAR_WRAPS) for name in named(data))
    return is_wrap and any(word in _ANSWERED for word in words) and not _inner_words(data)


def _inner_words(data: dict[str, Any]) -> list[str]:
    wraps = (*_WRAPS, *_FAR_WRAPS)
    return _innermost(_within([data], _WRAPS), wraps)[0] or _innermost(
        _within([data], _FAR_WRAPS), wraps
    )[0]  # fmt: skip


def outer_words(data: dict[str, Any]) -> list[str]:
    """The status words of `data` itself, whatever is in it."""
    return _words([data])


def progress_in(data: dict[str, Any]) -> int | None:
    """Percent, as it stands nearest to the surface."""
    places = [named(place) for place in (data, *_within([data], _WRAPS))]
    return _percent(next((it["progress"] for it in places if "progress" in it), None))


def _innermost(level: list[dict[str, Any]], wraps: Iterable[str]) -> tuple[list[str], bool]:
    """The words of the first level that has any; and whether there is a place for them."""
    is_there = False
    for _ in range(3):
        if words := _words(level):
            return words, True
        is_there = is_there or any(True for place in level for _ in _values(place))
        level = _within(level, wraps)
    return [], is_there


def _within(places: list[dict[str, Any]], wraps: Iterable[str]) -> list[dict[str, Any]]:
    """The tables in those of `wraps`; of a list, the only one."""
    held = (opened(named(place).get(name)) for place in places[:_MOST] for name in wraps)
    alone = (it[0] if isinstance(it, list) and len(it) == 1 else it for it in held)
    return [it for it in alone if isinstance(it, dict)]


def opened(value: object) -> object:
    """A table that is written as text inside of another."""
    if isinstance(value, str) and value.lstrip()[:1] == "{":
        return parsed(value[: 16 * LONGEST].encode("utf-8", "replace"))
    return value


def _values(place: dict[str, Any]) -> Iterator[object]:
    table = named(place)
    return (table[name] for name in _STATUS if name in table)


def _words(places: list[dict[str, Any]]) -> list[str]:
    """Those of letters first: a number beside one is the same, or about something else."""
    words = (_word(value) for place in places for value in _values(place))
    return sorted(filter(None, words), key=str.isdecimal)


def _word(value: object, *, depth: int = 2) -> str:
    match value:
        case str():
            return value.strip()[:LONGEST]
        case bool():
            return ""
        case int() if abs(value) < 1_000_000:
            return str(value)
        case [alone] if depth:
            return _word(alone, depth=depth - 1)
        case dict() if depth:
            parts = named(value)
            found = (_word(parts.get(name), depth=depth - 1) for name in _PARTS)
            return next(filter(None, found), "")
    return ""


def _percent(value: object) -> int | None:
    if isinstance(value, str):
        value = value.strip().removesuffix("%")
    if not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return None if math.isnan(number) else int(max(0.0, min(100.0, number)))


def _remarks(places: list[dict[str, Any]]) -> list[str]:
    """A sentence about a state that is a single word."""
    said = (named(place).get(name) for place in places for name in _REMARKS)
    words = [it.strip() for it in said if isinstance(it, str) and _WORD.fullmatch(it.strip())]
    return [word for word in words if word.casefold() not in ENVELOPES]


# --- ids -----------------------------------------------------------------------------------------

_IDS = ("taskid", "videoid", "jobid", "generationid", "predictionid", "id")
_NO_ID = re.compile(
    r"null|none|nil|nan|n/a|undefined|unknown|error|false|-?[0\W_]*|-1", re.IGNORECASE
)
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
            found += own_ids_in(place)
            low = named(place)
            inner = (opened(low.get(name)) for name in _ID_HOLDERS)
            first = (it[0] if isinstance(it, list) and it else it for it in inner)
            deeper += [it for it in first if isinstance(it, dict)]
        level = deeper
    return found


def own_ids_in(place: dict[str, Any]) -> list[str]:
    """Every usable id in `place` itself."""
    low = named(place)
    return [name for key in _IDS if (name := _id(low.get(key)))]


_FORM = re.compile(r"(?P<prefix>[A-Za-z]*[_-])?(?P<rest>.*)", re.DOTALL)


def is_like(one: str, other: str) -> bool:
    """Whether two ids are of the same form, as those of two jobs of one gateway are.

    The other id under which litellm tells of a job is of another form.
    """
    first, second = _FORM.fullmatch(one), _FORM.fullmatch(other)
    if not first or not second or first["prefix"] != second["prefix"]:
        return False
    rests = (first["rest"], second["rest"])
    return all(map(str.isdecimal, rests)) or len(rests[0]) == len(rests[1])


def part_about(gateway_id: str, data: dict[str, Any]) -> dict[str, Any] | None:
    """`data`, or our row in a list of several jobs; None: its rows are other jobs'."""
    rows = list(_rows(data, gateway_id, 3))
    if not any(_is_another(row, gateway_id) for row in rows):
        return data
    return next((row for row in rows if gateway_id in far_ids_in(row)), None)


def _rows(place: dict[str, Any], gateway_id: str, depth: int) -> Iterator[dict[str, Any]]:
    """The tables in lists: under our own id they are parts of our job."""
    if gateway_id in own_ids_in(place):
        return
    for value in map(opened, named(place).values()):
        if isinstance(value, list):
            yield from (it for it in value[:_MOST] if isinstance(it, dict))
        elif isinstance(value, dict) and depth:
            yield from _rows(value, gateway_id, depth - 1)


def _is_another(row: dict[str, Any], gateway_id: str) -> bool:
    """Whether it is another job: an id of another form without a state may be a file's."""
    names = far_ids_in(row)
    is_job = any(is_like(name, gateway_id) for name in names) or any(_values(row))
    return bool(names) and gateway_id not in names and is_job


def is_list_of_jobs(data: dict[str, Any]) -> bool:
    """Whether it tells of several, each with an id of its own."""
    table = named(data)
    held = (value for name in _WRAPS if isinstance(value := table.get(name), list))
    return any(sum(bool(isinstance(it, dict) and ids_in(it)) for it in each) > 1 for each in held)


def _id(value: object) -> str:
    if isinstance(value, int) and value > 0 and value is not True:
        value = str(value)
    return value.strip() if isinstance(value, str) and is_id(value) else ""


def is_id(text: str) -> bool:
    """Whether `text` can be an id: it is usable, and not what stands where there is none."""
    return is_usable(text) and not _NO_ID.fullmatch(text.strip())


def is_usable(text: str) -> bool:
    """Whether `text` can be part of an address and of a row: no control, no half surrogates."""
    return 0 < len(text.strip()) <= LONGEST and text.strip().isprintable()


# --- what nobody can read ------------------------------------------------------------------------

_SHOWN = ("code", "type", "object", "status", "errorcode")
"""Names of codes, whose values may be shown."""
_CODE = re.compile(r"[\w.-]{1,40}")
_MOST_SHAPE = 200


def shape_of(data: object) -> str:
    """Its names and what kind of value each has: no sentence, no address, nothing of a prompt."""
    shape = _shape(data, "", 3)
    return shape if len(shape) <= _MOST_SHAPE else shape[: _MOST_SHAPE - 1] + "…"


def _shape(value: object, name: str, depth: int) -> str:
    match value:
        case None | bool():
            return {None: "null", True: "true", False: "false"}[value]
        case int() | float():
            return "number"
        case str():
            is_code = name_of(name) in _SHOWN and _CODE.fullmatch(value)
            return f"“{value}”" if is_code else "text"
        case list():
            return f"[{_shape(value[0], '', depth - 1)}]" if value and depth else "[]"
        case dict() if depth:
            keys = (str(key) for key in list(value)[:12])
            names = [key for key in keys if _CODE.fullmatch(key)]
            inner = (f"{key}: {_shape(value[key], key, depth - 1)}" for key in names)
            return "{" + ", ".join(inner) + "}"
    return "{…}"
