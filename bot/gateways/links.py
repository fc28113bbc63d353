"""Finds in a body where the video is: addresses, by the names that they stand under.

Only names that may hold a result are followed: never those of pictures, inputs or callbacks.
"""

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from bot.gateways.envelopes import NAMES, TABLES, is_id, is_usable
from bot.net.hosts import names_host
from bot.net.tables import LONGEST, Spot, Table, leaves

_RANKS = {name: rank for rank, name in enumerate(NAMES["links"] + NAMES["link_holders"])}
_SURE = frozenset(NAMES["links"]) - frozenset(NAMES["vague_links"])
_MOST = 8
_JOB = re.compile(r"/(?:video|task|job|generation|prediction|operation)s?/[^/]+(?:/status)?/?$")
"""The path of a job's own address at many."""
_OWN_JOB = re.compile(r"/v1/videos/([^/]+)(?:/content)?/?$")


@dataclass(frozen=True, slots=True)
class Link:
    """An address where a video may be."""

    url: str
    is_named: bool
    """Its name says that it is a video's."""

    @property
    def is_sure(self) -> bool:
        """Its name or its end says so."""
        return self.is_named or (_path(self.url) or "").endswith(NAMES["video_ends"])

    def is_of_job(self, gateway_id: str) -> bool:
        """Whether it leads to the job itself."""
        return bool(gateway_id) and (_path(self.url) or "").endswith(f"/{gateway_id.casefold()}")


def links_in(spots: Sequence[Spot]) -> list[Link]:
    """The addresses under names for them, the nearest to the surface first."""
    found: list[tuple[list[int], Link]] = []
    for spot in spots:
        if spot.is_under(_RANKS):
            for name in _RANKS.keys() & spot.table.keys():
                is_named = name in _SURE or any("video" in each for each in (*spot.path, name))
                links = [Link(url, is_named) for url in _addresses(spot.table[name])]
                rank = [len(spot.path), *map(_RANKS.__getitem__, (*spot.path, name))]
                found += [(rank, link) for link in links]
    return [link for _, link in sorted(found, key=lambda it: it[0])]


def urls_of(links: Sequence[Link]) -> tuple[str, ...]:
    """Each address once, of the first ones."""
    return tuple(dict.fromkeys(link.url for link in links))[:_MOST]


def video_links(links: Sequence[Link], gateway_id: str = "") -> tuple[str, ...]:
    """Those that surely lead to a video, and not to the job."""
    return urls_of([it for it in links if it.is_sure and not it.is_of_job(gateway_id)])


def result_links(links: Sequence[Link]) -> tuple[str, ...]:
    """All without those that look like the address of the job and not of its video."""
    return urls_of([it for it in links if it.is_sure or not _JOB.search(_path(it.url) or "")])


def job_ids(links: Sequence[Link]) -> list[str]:
    """Ids in links to a job of the format itself, unless they are named as a video's."""
    own = (it.url for it in links if not it.is_sure or it.url.endswith("/content"))
    found = (_OWN_JOB.search(urlsplit(url).path) for url in own)
    ids = (unquote(match[1]) for match in found if match)
    return [name for name in ids if is_id(name)]


def _addresses(value: object) -> Iterator[str]:
    for each in leaves(value):
        if isinstance(each, str) and _is_address(each.strip()):
            yield each.strip()


def _is_address(text: str) -> bool:
    if not text.startswith(("https://", "http://")) or not is_usable(text):
        return False
    path = _path(text)
    return path is not None and not path.endswith(NAMES["other_ends"])


def _path(url: str) -> str | None:
    try:
        return urlsplit(url).path.casefold()
    except ValueError:
        return None


# --- links in what a chat model says -------------------------------------------------------------

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
    links: list[Link] = []
    for said in _sayings(body):
        if isinstance(said, dict):
            links += [link for link in links_in(TABLES.spots_in(said)) if link.is_sure]
        elif isinstance(said, str):
            urls = (it.rstrip(".,;:!?") for it in _URL.findall(html.unescape(said[: 16 * LONGEST])))
            links += [it for url in urls if _is_address(url) and (it := Link(url, False)).is_sure]
    return urls_of([link for link in links if not names_host(prompt, link.url)])


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
