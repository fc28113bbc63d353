"""The envelope of an answer: where in it the job stands, with its state, its id and its progress.

`envelopes.toml` has the names under which gateways put things; no word in them is known here.
"""

import math
import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files

from bot.net.tables import LONGEST, Spot, Table, Tables

NAMES: dict[str, tuple[str, ...]] = {
    kind: tuple(names)
    for kind, names in tomllib.loads(
        files("bot.gateways").joinpath("envelopes.toml").read_text("utf-8")
    ).items()
}
TABLES = Tables(
    codes=frozenset(NAMES["codes"]), texts=frozenset(NAMES["texts"] + NAMES["failures"])
)
_WRAPS, _ALL_WRAPS = NAMES["wraps"], NAMES["wraps"] + NAMES["far_wraps"]
_ANSWERED = NAMES["answered"]
_HTTP = ("200", "201", "202")
_ADDRESS = re.compile(r"https?://\S+")
_WORD = re.compile(r"[A-Za-z][\w.-]{1,39}")
_NEAR = 3
"""Tables in one another in which a state or an id is looked for."""


def enveloped(value: object) -> Table | None:
    """A list, a word or an address as the table that it stands for; None if it says nothing."""
    match value:
        case dict():
            return value
        case [dict() as alone]:
            return alone
        case [str() as word]:
            return enveloped(word)
        case [_, *_]:
            return {"data": value}
        case str() if _ADDRESS.fullmatch(value.strip()):
            return {"url": value.strip()}
        case str() if value.strip():
            return {"message" if value.strip().casefold() in _ANSWERED else "status": value}
    return None


# --- states --------------------------------------------------------------------------------------


def status_words(spots: Sequence[Spot]) -> list[str]:
    """Every status word: of what is in the envelope first, then of the envelope.

    A number is one, too, for operators know those of their gateway.
    """
    near = _within(spots, _WRAPS)
    outer = [word for word in outer_words(spots) if word not in _HTTP]
    outer = [word for word in outer if not (near and word.isdecimal())]
    is_answer = all(word.casefold() in _ANSWERED for word in outer)
    own = inner_words(spots) if is_answer else _nearest(near)
    within = _within(spots, _ALL_WRAPS) if is_answer else near
    if not own and any(True for spot in within for _ in _values(spot.table)):
        # A state is there, and no word: the envelope's is not about it.
        outer = [word for word in outer if word.casefold() not in _ANSWERED]
    return [*own, *outer] or _remarks([spots[0], *near])


def outer_words(spots: Sequence[Spot]) -> list[str]:
    """Those of the envelope itself, whatever is in it."""
    return _words(spots[:1])


def inner_words(spots: Sequence[Spot]) -> list[str]:
    """Those of what is in the envelope."""
    return _nearest(_within(spots, _WRAPS)) or _nearest(_within(spots, _ALL_WRAPS))


def is_wordless(spots: Sequence[Spot]) -> bool:
    """Whether nothing at all stands where a state may stand, however deep."""
    signs = (value or value is False for spot in spots for value in _values(spot.table))
    is_open = any(spot.table.get("done") is False for spot in spots)
    return not status_words(spots) and not is_open and not any(signs)


def is_only_answered(spots: Sequence[Spot]) -> bool:
    """Whether the one word is an envelope's "success", around something without a word."""
    is_success = any(it.casefold() in NAMES["answered_or_done"] for it in outer_words(spots))
    is_wrap = any(name in _ALL_WRAPS for name in spots[0].table)
    return is_wrap and is_success and not inner_words(spots)


def progress_in(spots: Sequence[Spot]) -> int | None:
    """Percent, as it stands nearest to the surface."""
    tables = (it.table for it in (spots[0], *_within(spots, _WRAPS)))
    value = next((table["progress"] for table in tables if "progress" in table), None)
    if isinstance(value, str):
        value = value.strip().removesuffix("%")
    if not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return None if math.isnan(number) else int(max(0.0, min(100.0, number)))


def _within(spots: Iterable[Spot], wraps: Sequence[str]) -> list[Spot]:
    """The tables in these wraps; of a list, the only one."""
    return [
        spot
        for spot in spots
        if 1 <= len(spot.path) <= _NEAR and spot.is_under(wraps)
        if all(it.of <= 1 for it in spot.lineage)
    ]


def _nearest(spots: Sequence[Spot]) -> list[str]:
    levels = ([it for it in spots if len(it.path) == depth + 1] for depth in range(_NEAR))
    return next(filter(None, map(_words, levels)), [])


def _values(table: Table) -> Iterator[object]:
    return (table[name] for name in NAMES["states"] if name in table)


def _words(spots: Iterable[Spot]) -> list[str]:
    """Those of letters first: a number beside one is the same, or about something else."""
    words = (_word(value) for spot in spots for value in _values(spot.table))
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
            found = (_word(value.get(name), depth=depth - 1) for name in NAMES["state_parts"])
            return next(filter(None, found), "")
    return ""


def _remarks(spots: Iterable[Spot]) -> list[str]:
    """A sentence about a state that is a single word."""
    said = (spot.table.get(name) for spot in spots for name in NAMES["remarks"])
    words = [it.strip() for it in said if isinstance(it, str) and _WORD.fullmatch(it.strip())]
    return [word for word in words if word.casefold() not in _ANSWERED]


# --- ids -----------------------------------------------------------------------------------------

_NO_ID = re.compile(r"-?[0\W_]*")
_FORM = re.compile(r"(?P<prefix>[A-Za-z]*[_-])?(?P<rest>.*)", re.DOTALL)


def ids_in(spots: Sequence[Spot]) -> list[str]:
    """Every usable id where anybody has them, the likeliest first: of no request, user or file."""
    holders = (it for it in spots if len(it.path) < _NEAR and it.is_under(NAMES["id_holders"]))
    first = (it for it in holders if not any(above.row for above in it.lineage))
    return list(dict.fromkeys(name for spot in first for name in own_ids(spot)))


def own_ids(spot: Spot) -> list[str]:
    """Every usable id in one table itself."""
    # In the older shape of new-api, data.id is the number of a row.
    names = NAMES["ids"] if spot.path else ("id", *NAMES["ids"])
    return list(dict.fromkeys(name for key in names if (name := _id(spot.table.get(key)))))


def is_named(spots: Sequence[Spot]) -> bool:
    """Whether there is an id where the format and new-api have it."""
    return any(own_ids(it) for it in spots if it.path in ((), ("data",)) and not it.of)


def is_like(one: str, other: str) -> bool:
    """Whether two ids are of the same form, as those of two jobs of one gateway are.

    The other id under which litellm tells of a job is of another form.
    """
    first, second = _FORM.fullmatch(one), _FORM.fullmatch(other)
    if not first or not second or first["prefix"] != second["prefix"]:
        return False
    rests = (first["rest"], second["rest"])
    return all(map(str.isdecimal, rests)) or len(rests[0]) == len(rests[1])


def part_about(gateway_id: str, body: Table) -> Table | None:
    """`body`, or our row in a list of several jobs; None: its rows are other jobs'."""
    # Tables in lists: under our own id they are parts of our job.
    rows = [
        TABLES.spots_in(spot.table)
        for spot in TABLES.spots_in(body)
        if spot.of and not any(it.of or gateway_id in own_ids(it) for it in list(spot.lineage)[1:])
    ]
    if not any(_is_another(row, gateway_id) for row in rows):
        return body
    return next((row[0].table for row in rows if gateway_id in ids_in(row)), None)


def is_list_of_jobs(spots: Sequence[Spot]) -> bool:
    """Whether it tells of several, each with an id of its own."""
    rows = [it for it in spots if len(it.path) == 1 and it.is_under(_WRAPS) and it.of > 1]
    return sum(bool(own_ids(row)) for row in rows) > 1


def _is_another(row: Sequence[Spot], gateway_id: str) -> bool:
    """Whether it is another job: an id of another form without a state may be a file's."""
    names = ids_in(row)
    is_job = any(is_like(name, gateway_id) for name in names) or any(_values(row[0].table))
    return bool(names) and gateway_id not in names and is_job


def _id(value: object) -> str:
    if isinstance(value, int) and value > 0 and value is not True:
        value = str(value)
    return value.strip() if isinstance(value, str) and is_id(value) else ""


def is_id(text: str) -> bool:
    """Whether `text` can be an id: it is usable, and not what stands where there is none."""
    name = text.strip().casefold()
    return is_usable(text) and name not in NAMES["no_ids"] and not _NO_ID.fullmatch(name)


def is_usable(text: str) -> bool:
    """Whether `text` can be part of an address and of a row: no control, no half surrogates."""
    return 0 < len(text.strip()) <= LONGEST and text.strip().isprintable()
