"""Finds a job's state, id, progress and video links in a response, however they are nested.

`envelopes.toml` has the field names that gateways use. This module knows no vendor's values.
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
"""Levels of nested tables in which a state or an id is searched."""


def enveloped(value: object) -> Table | None:
    """Return a JSON value as an object, such as `{"data": […]}` for a list; None if it is empty."""
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
    """Return every status word: words inside the envelope first, then those of the envelope.

    A number counts as a status word too: operators know the numbers of their gateway.
    """
    near = _within(spots, _WRAPS)
    outer = [word for word in outer_words(spots) if word not in NAMES["answered_by_number"]]
    outer = [word for word in outer if not (near and word.isdecimal())]
    is_answer = all(word.casefold() in _ANSWERED for word in outer)
    own = inner_words(spots) if is_answer else _nearest(near)
    within = _within(spots, _ALL_WRAPS) if is_answer else near
    if not own and any(True for spot in within for _ in _values(spot.table)):
        # A field for the state is there, but without a word: the envelope's word is not about it.
        outer = [word for word in outer if word.casefold() not in _ANSWERED]
    return [*own, *outer] or _remarks([spots[0], *near])


def outer_words(spots: Sequence[Spot]) -> list[str]:
    return _words(spots[:1])


def inner_words(spots: Sequence[Spot]) -> list[str]:
    return _nearest(_within(spots, _WRAPS)) or _nearest(_within(spots, _ALL_WRAPS))


def is_wordless(spots: Sequence[Spot]) -> bool:
    """Whether every field that may hold a state is empty, at any depth."""
    signs = (value or value is False for spot in spots for value in _values(spot.table))
    is_open = any(spot.table.get("done") is False for spot in spots)
    return not status_words(spots) and not is_open and not any(signs)


def is_only_answered(spots: Sequence[Spot]) -> bool:
    """Whether the only status word is the envelope's "success"; its contents have none."""
    is_success = any(it.casefold() in NAMES["answered_or_done"] for it in outer_words(spots))
    is_wrap = not spots[0].table.keys().isdisjoint(_ALL_WRAPS)
    return is_wrap and is_success and not inner_words(spots)


def progress_in(spots: Sequence[Spot]) -> int | None:
    """Return the progress in percent, from the outermost table that has it."""
    tables = [it.table for it in (spots[0], *_within(spots, _WRAPS)) if "progress" in it.table]
    return percent(tables[0]["progress"]) if tables else None


def percent(value: object) -> int | None:
    """Return a progress value as a number from 0 to 100, or None if it is not a number."""
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
    """Return the tables inside these wraps. Items of a list count only if the list has one item."""
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
    """Return the status words, numbers last: a number repeats a word, or is about another thing."""
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
    """Return remarks about the state that are a single word and so may be a status word."""
    said = (spot.table.get(name) for spot in spots for name in NAMES["remarks"])
    words = (it.strip() for it in said if isinstance(it, str))
    return [it for it in words if _WORD.fullmatch(it) and it.casefold() not in _ANSWERED]


# --- ids -----------------------------------------------------------------------------------------

_NO_ID = re.compile(r"-?[0\W_]*")
_FORM = re.compile(r"([A-Za-z]*[_-])?(.*)", re.DOTALL)


def ids_in(spots: Sequence[Spot]) -> list[str]:
    """Return every usable id, the likeliest first, except ids of requests, users and files."""
    holders = (it for it in spots if len(it.path) < _NEAR and it.is_under(NAMES["id_holders"]))
    first = (it for it in holders if not any(above.row for above in (it, *it.around)))
    return list(dict.fromkeys(name for spot in first for name in own_ids(spot)))


def own_ids(spot: Spot) -> list[str]:
    # In new-api's older format, data.id is the number of a database row.
    names = NAMES["ids"] if spot.path else ("id", *NAMES["ids"])
    return list(dict.fromkeys(name for key in names if (name := _id(spot.table.get(key)))))


def is_named(spots: Sequence[Spot]) -> bool:
    """Whether an id stands where the /v1/videos format or new-api puts it."""
    return any(own_ids(it) for it in spots if it.path in ((), ("data",)) and not it.of)


def is_like(one: str, other: str) -> bool:
    """Whether two ids have the same form, as two job ids of one gateway have.

    The second id that litellm gives a job has another form.
    """
    (first, rest), (second, others) = (_FORM.findall(each)[0] for each in (one, other))
    is_number = rest.isdecimal() and others.isdecimal()
    return first == second and (is_number or len(rest) == len(others))


def part_about(gateway_id: str, body: Table) -> Table | None:
    """Return `body`, or our row if `body` lists several jobs; None if no row is about our job."""
    # Rows of a list inside a table with our own id are parts of our job.
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
    """Whether a row is another job. An id of another form without a state may be a file's."""
    names = ids_in(row)
    is_job = any(is_like(name, gateway_id) for name in names) or any(_values(row[0].table))
    return bool(names) and gateway_id not in names and is_job


def _id(value: object) -> str:
    if isinstance(value, int) and value > 0 and value is not True:
        value = str(value)
    return value.strip() if isinstance(value, str) and is_id(value) else ""


def is_id(text: str) -> bool:
    """Whether `text` can be an id: it is usable and no placeholder such as 0 or "null"."""
    name = text.strip().casefold()
    return is_usable(text) and name not in NAMES["no_ids"] and not _NO_ID.fullmatch(name)


def is_usable(text: str) -> bool:
    """Whether `text` fits in a URL and a row: no control characters, no lone surrogates."""
    return 0 < len(text.strip()) <= LONGEST and text.strip().isprintable()


# --- the video -----------------------------------------------------------------------------------

_RANKS = {name: rank for rank, name in enumerate(NAMES["links"] + NAMES["link_holders"])}
_SURE = frozenset(NAMES["links"]) - frozenset(NAMES["vague_links"])
_MOST = 8
_JOB = re.compile(r"/(?:video|task|job|generation|prediction|operation)s?/[^/]+(?:/status)?/?$")
"""The path of a job's own address at many gateways."""
_OWN_JOB = re.compile(r"/v1/videos/([^/]+)(?:/content)?/?$")


@dataclass(frozen=True, slots=True)
class Link:
    """An address of a possible video. `is_named`: its field's name says that it is a video's."""

    url: str
    path: str
    is_named: bool

    @property
    def is_sure(self) -> bool:
        return self.is_named or self.path.endswith(NAMES["video_ends"])

    def is_of_job(self, gateway_id: str) -> bool:
        return bool(gateway_id) and self.path.endswith(f"/{gateway_id.casefold()}")


def links_in(spots: Sequence[Spot]) -> list[Link]:
    """Return the addresses in fields that hold links, the outermost first."""
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
    """Return the links that surely lead to a video and not to the job."""
    return urls_of([it for it in links if it.is_sure and not it.is_of_job(gateway_id)])


def result_links(links: Sequence[Link]) -> tuple[str, ...]:
    """Return all links except addresses of jobs; links that are surely to a video stay."""
    return urls_of([it for it in links if it.is_sure or not _JOB.search(it.path)])


def job_ids(links: Sequence[Link]) -> list[str]:
    """Return the ids in links to `/v1/videos/ID`, except links in fields named for a video."""
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


# --- a video in a chat model's answer ------------------------------------------------------------

_URL = re.compile(r"https?://[^\s\"'<>()\[\]{}\\^`|*]+")


def is_said(body: Table) -> bool:
    """Whether `body` is a chat completion: its id names the completion and no job."""
    kind = str(body.get("object", ""))
    return isinstance(body.get("choices"), list) or kind.startswith("chat.completion")


def said_links(body: Table, prompt: str) -> tuple[str, ...]:
    """Return the links in a chat model's answer that surely lead to a video.

    The ending of such a link, or the name of its field, is that of a video. Links to hosts that
    the prompt names are left out, because the model may repeat the prompt.
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
    """Yield texts, then tables that may hold a link: `{"type": "video_url", "video_url": …}`."""
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
