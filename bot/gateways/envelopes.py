"""The envelope of an answer: where in it the job's state, its id, its progress and its video stand.

`envelopes.toml` has the names under which gateways put things; no word in them is known here.
"""

import html
import math
import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from urllib.parse import unquote, urlsplit

from bot.net.hosts import names_host
from bot.net.tables import LONGEST, Spot, Table, Tables, leaves

_TABLE = tomllib.loads(files("bot.gateways").joinpath("envelopes.toml").read_text("utf-8"))
NAMES: dict[str, tuple[str, ...]] = {kind: tuple(names) for kind, names in _TABLE["names"].items()}
STATUSES: dict[str, list[int]] = _TABLE["statuses"]
TEXTS = frozenset(NAMES["texts"] + NAMES["failures"])
TABLES = Tables(codes=frozenset(NAMES["codes"]), texts=TEXTS)
_WRAPS, _ALL_WRAPS = NAMES["wraps"], NAMES["wraps"] + NAMES["far_wraps"]
_ANSWERED = NAMES["answered"]
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
    outer = [word for word in outer_words(spots) if word not in NAMES["answered_by_number"]]
    outer = [word for word in outer if not (near and word.isdecimal())]
    is_answer = all(word.casefold() in _ANSWERED for word in outer)
    own = inner_words(spots) if is_answer else _nearest(near)
    within = _within(spots, _ALL_WRAPS) if is_answer else near
    if not own and any(True for spot in within for _ in _values(spot.table)):
        # A state is there, and no word: the envelope's is not about it.
        outer = [word for word in outer if word.casefold() not in _ANSWERED]
    return [*own, *outer] or _remarks([spots[0], *near])


def outer_words(spots: Sequence[Spot]) -> list[str]:
    return _words(spots[:1])


def inner_words(spots: Sequence[Spot]) -> list[str]:
    return _nearest(_within(spots, _WRAPS)) or _nearest(_within(spots, _ALL_WRAPS))


def is_wordless(spots: Sequence[Spot]) -> bool:
    """Whether nothing at all stands where a state may stand, however deep."""
    signs = (value or value is False for spot in spots for value in _values(spot.table))
    is_open = any(spot.table.get("done") is False for spot in spots)
    return not status_words(spots) and not is_open and not any(signs)


def is_only_answered(spots: Sequence[Spot]) -> bool:
    """Whether the one word is an envelope's "success", around something without a word."""
    is_success = any(it.casefold() in NAMES["answered_or_done"] for it in outer_words(spots))
    is_wrap = not spots[0].table.keys().isdisjoint(_ALL_WRAPS)
    return is_wrap and is_success and not inner_words(spots)


def progress_in(spots: Sequence[Spot]) -> int | None:
    """Percent, as it stands nearest to the surface."""
    tables = [it.table for it in (spots[0], *_within(spots, _WRAPS)) if "progress" in it.table]
    return percent(tables[0]["progress"]) if tables else None


def percent(value: object) -> int | None:
    """A progress as a number from 0 to 100; None: it tells none."""
    if type(value) is int and 0 <= value <= 100:
        return value
    if isinstance(value, str):
        value = value.strip().removesuffix("%")
    if not isinstance(value, str | int | float):
        return None
    with suppress(ValueError, OverflowError):
        if not math.isnan(number := float(value)):
            return int(max(0.0, min(100.0, number)))
    return None


def _within(spots: Iterable[Spot], wraps: Sequence[str]) -> list[Spot]:
    """The tables in these wraps; of a list, the only one."""
    return [
        spot
        for spot in spots
        if 1 <= len(spot.path) <= _NEAR and spot.is_under(wraps)
        if all(it.of <= 1 for it in (spot, *spot.around))
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
    words = (it.strip() for it in said if isinstance(it, str))
    return [it for it in words if _WORD.fullmatch(it) and it.casefold() not in _ANSWERED]


# --- ids -----------------------------------------------------------------------------------------

_NO_ID = re.compile(r"-?[0\W_]*")
_FORM = re.compile(r"([A-Za-z]*[_-])?(.*)", re.DOTALL)


def ids_in(spots: Sequence[Spot]) -> list[str]:
    """Every usable id where anybody has them, the likeliest first: of no request, user or file."""
    holders = (it for it in spots if len(it.path) < _NEAR and it.is_under(NAMES["id_holders"]))
    first = (it for it in holders if not any(above.row for above in (it, *it.around)))
    return list(dict.fromkeys(name for spot in first for name in own_ids(spot)))


def own_ids(spot: Spot) -> list[str]:
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
    (first, rest), (second, others) = (_FORM.findall(each)[0] for each in (one, other))
    is_number = rest.isdecimal() and others.isdecimal()
    return first == second and (is_number or len(rest) == len(others))


def part_about(gateway_id: str, body: Table) -> Table | None:
    """`body`, or our row in a list of several jobs; None: its rows are other jobs'."""
    # Tables in lists: under our own id they are parts of our job.
    rows = [
        TABLES.spots_in(spot.table)
        for spot in TABLES.spots_in(body)
        if spot.of and not any(it.of or gateway_id in own_ids(it) for it in spot.around)
    ]
    if not any(_is_another(row, gateway_id) for row in rows):
        return body
    return next((row[0].table for row in rows if gateway_id in ids_in(row)), None)


def is_list_of_jobs(spots: Sequence[Spot]) -> bool:
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


# --- the video -----------------------------------------------------------------------------------

_RANKS = {name: rank for rank, name in enumerate(NAMES["links"] + NAMES["link_holders"])}
_SURE = frozenset(NAMES["links"]) - frozenset(NAMES["vague_links"])
_MOST = 8
_JOB = re.compile(r"/(?:video|task|job|generation|prediction|operation)s?/[^/]+(?:/status)?/?$")
"""The path of a job's own address at many."""
_OWN_JOB = re.compile(r"/v1/videos/([^/]+)(?:/content)?/?$")


@dataclass(frozen=True, slots=True)
class Link:
    """An address where a video may be; its name may say that it is a video's."""

    url: str
    path: str
    is_named: bool

    @property
    def is_sure(self) -> bool:
        return self.is_named or self.path.endswith(NAMES["video_ends"])

    def is_of_job(self, gateway_id: str) -> bool:
        return bool(gateway_id) and self.path.endswith(f"/{gateway_id.casefold()}")


def links_in(spots: Sequence[Spot]) -> list[Link]:
    """The addresses under names for them, the nearest to the surface first."""
    found: list[tuple[list[int], Link]] = []
    for spot in spots:
        if spot.is_under(_RANKS):
            for name in _RANKS.keys() & spot.table.keys():
                is_named = name in _SURE or any("video" in each for each in (*spot.path, name))
                rank = [len(spot.path), *map(_RANKS.__getitem__, (*spot.path, name))]
                links = (_link(each, is_named) for each in leaves(spot.table[name]))
                found += [(rank, link) for link in links if link]
    return [link for _, link in sorted(found, key=lambda it: it[0])]


def urls_of(links: Sequence[Link]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(link.url for link in links))[:_MOST]


def video_links(links: Sequence[Link], gateway_id: str = "") -> tuple[str, ...]:
    """Those that surely lead to a video, and not to the job."""
    return urls_of([it for it in links if it.is_sure and not it.is_of_job(gateway_id)])


def result_links(links: Sequence[Link]) -> tuple[str, ...]:
    """All without those that look like the address of the job and not of its video."""
    return urls_of([it for it in links if it.is_sure or not _JOB.search(it.path)])


def job_ids(links: Sequence[Link]) -> list[str]:
    """Ids in links to a job of the format itself, unless they are named as a video's."""
    own = (it.url for it in links if not it.is_sure or it.url.endswith("/content"))
    found = filter(None, (_OWN_JOB.search(urlsplit(url).path) for url in own))
    return [name for match in found if is_id(name := unquote(match[1]))]


def _link(value: object, is_named: bool) -> Link | None:
    url = value.strip() if isinstance(value, str) else ""
    with suppress(ValueError):
        if url.startswith(("https://", "http://")) and is_usable(url):
            path = urlsplit(url).path.casefold()
            return None if path.endswith(NAMES["other_ends"]) else Link(url, path, is_named)
    return None


# --- a video in what a chat model says -----------------------------------------------------------

_URL = re.compile(r"https?://[^\s\"'<>()\[\]{}\\^`|*]+")


def is_said(body: Table) -> bool:
    """Whether it is the answer of a chat model: its id is that of the answer, and no job's."""
    kind = str(body.get("object", ""))
    return isinstance(body.get("choices"), list) or kind.startswith("chat.completion")


def said_links(body: Table, prompt: str) -> tuple[str, ...]:
    """Addresses of a video in the words of a chat model: those that end like one, or are named so.

    It may speak of any other page, and repeat what a person wrote: hosts of the prompt are never
    followed.
    """
    links: list[Link | None] = []
    for said in _sayings(body):
        if isinstance(said, dict):
            links += links_in(TABLES.spots_in(said))
        elif isinstance(said, str):
            urls = _URL.findall(html.unescape(said[: 16 * LONGEST]))
            links += [_link(url.rstrip(".,;:!?"), False) for url in urls]
    return urls_of([it for it in links if it and it.is_sure and not names_host(prompt, it.url)])


def _sayings(body: Table) -> Iterator[object]:
    """Texts, then tables that may have a link: `{"type": "video_url", "video_url": …}`."""
    choices = [it for it in leaves(body.get("choices"))[:4] if isinstance(it, dict)]
    spoken = [it.get("message") or it.get("delta") for it in choices]
    messages = [it for it in (*spoken, body.get("message")) if isinstance(it, dict)]
    outputs = leaves(body.get("output"))[:4]
    holders = [it for it in (*messages, body, *outputs) if isinstance(it, dict)]
    parts = [part for it in holders for part in leaves(it.get("content"))[:20]]
    yield from (it.get("text") for it in choices)
    yield from (it for it in (*parts, *outputs) if isinstance(it, str))
    yield from (it.get("text") for it in parts if isinstance(it, dict))
    yield from (it for it in (*messages, *parts) if isinstance(it, dict))
