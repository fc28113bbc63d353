"""Finds in a gateway's answer where the video is: addresses, by the names that they stand under.

Only names that may hold a result are followed: never those of pictures, inputs or callbacks.
"""

import html
import re
import unicodedata
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from bot.gateways.envelopes import LONGEST
from bot.gateways.places import is_id, is_usable, named, opened

_MOST = 200
"""Values of one answer that are read."""
_DEEPEST = 6
_VAGUE = ("url", "urls", "uri", "href", "link", "links", "src")
"""Names that any address may have, that of the job itself as well."""
_LINKS = (
    *("url", "videourl", "resulturl", "downloadurl", "outputurl", "fileurl", "playurl", "uri"),
    *("videouri", "href", "link", "videolink", "downloadlink", "resultlink", "filelink", "src"),
    *("videosrc", "videourls", "urls", "unsignedurls", "resulturls", "signedurl", "outputurls"),
    *("mediaurl", "originurl", "fullresulturls", "watermarkfreeurl", "links"),
)
_HOLDERS = (
    *("metadata", "video", "videos", "output", "outputs", "result", "results", "data", "content"),
    *("contents", "taskresult", "creations", "generations", "generation", "response", "task"),
    *("generatedvideos", "generatedsamples", "assets", "generatevideoresponse", "artifacts"),
    *("artifact", "media", "file", "files", "works", "resource", "resultjson", "videoresult"),
    *("taskinfo", "body", "resp", "delivery", "download", "downloads", "medias", "respdata"),
    *("info", "items"),
)
_RANKS = {name: rank for rank, name in enumerate((*_LINKS, *_HOLDERS))}
_MOST_LINKS = 8
_VIDEO = (".mp4", ".webm", ".mov", ".m4v", ".mkv", ".avi", ".flv", ".ogv", ".mpeg", ".mpg")
_JOB = re.compile(r"/(?:video|task|job|generation|prediction|operation)s?/[^/]+(?:/status)?/?$")
"""The path of a job's own address at many."""
_OWN_JOB = re.compile(r"/v1/videos/([^/]+)(?:/content)?/?$")
_NO_VIDEO = (
    *(".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".svg", ".json", ".html", ".txt", ".srt"),
    *(".mp3", ".wav", ".m4a", ".ogg", ".flac"),
)


def links_in(data: dict[str, Any]) -> tuple[str, ...]:
    """Addresses where the video may be, the nearest to the surface first."""
    return tuple(dict.fromkeys(url for url, _ in _links(data)))[:_MOST_LINKS]


def video_links_in(data: dict[str, Any], gateway_id: str = "") -> tuple[str, ...]:
    """Those that surely lead to a video, by their name or their end, and not to the job."""
    sure = (url for url, is_named in _links(data) if is_named or _ends_like_video(url))
    job = f"/{gateway_id.casefold()}" if gateway_id else "\0"
    others = (url for url in sure if not (_path(url) or "").endswith(job))
    return tuple(dict.fromkeys(others))[:_MOST_LINKS]


def result_links_in(data: dict[str, Any]) -> tuple[str, ...]:
    """`links_in` without those that look like the address of the job and not of its video."""
    sure = video_links_in(data)
    return tuple(url for url in links_in(data) if url in sure or not _JOB.search(_path(url) or ""))


def job_ids_in(data: dict[str, Any]) -> list[str]:
    """Ids in links to a job of the format itself, unless they are named as a video's."""
    named = video_links_in(data)
    own = (url for url in links_in(data) if url not in named or url.endswith("/content"))
    found = (_OWN_JOB.search(urlsplit(url).path) for url in own)
    ids = (unquote(match[1]) for match in found if match)
    return [name for name in ids if is_id(name)]


def _links(data: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """Addresses, and whether their names say that it is a video."""
    level: list[tuple[object, bool]] = [(data, False)]
    left = _MOST
    for _ in range(_DEEPEST):
        deeper: list[tuple[object, bool]] = []
        for place, is_video in level[:_MOST]:
            items = _entries(place)
            left -= len(items)
            if left < 0:
                return
            for name, value in items:
                is_named = is_video or "video" in name or (name in _LINKS and name not in _VAGUE)
                if name in _LINKS or not isinstance(value, dict):
                    yield from ((url, is_named) for url in _addresses(value))
                deeper.append((value, is_video or "video" in name))
        level = deeper


def _entries(place: object) -> list[tuple[str, object]]:
    """Names and values; of a list, those of the tables in it."""
    place = opened(place)
    if isinstance(place, list):
        return [entry for each in place[:20] if isinstance(each, dict) for entry in _entries(each)]
    if not isinstance(place, dict):
        return []
    ranked = (it for it in named(place).items() if it[0] in _RANKS)
    return sorted(ranked, key=lambda it: _RANKS[it[0]])


def _addresses(value: object) -> Iterator[str]:
    for each in value[:20] if isinstance(value, list) else [value]:
        if isinstance(each, str) and _is_address(each.strip()):
            yield each.strip()


def _is_address(text: str) -> bool:
    """Whether it is an address where a video may be."""
    if not text.startswith(("https://", "http://")) or not is_usable(text):
        return False
    path = _path(text)
    return path is not None and not path.endswith(_NO_VIDEO)


def _ends_like_video(url: str) -> bool:
    return (_path(url) or "").endswith(_VIDEO)


def _path(url: str) -> str | None:
    try:
        return urlsplit(url).path.casefold()
    except ValueError:
        return None


# --- links in what a chat model says -------------------------------------------------------------

_URL = re.compile(r"https?://[^\s\"'<>()\[\]{}\\^`|*]+")


def is_said(data: dict[str, Any]) -> bool:
    """Whether it is the answer of a chat model: its id is that of the answer, and no job's."""
    kind = str(data.get("object", ""))
    return isinstance(data.get("choices"), list) or kind.startswith("chat.completion")


def said_links_in(data: dict[str, Any], prompt: str) -> tuple[str, ...]:
    """Addresses of a video in the words of a chat model: those that end like one, or are named so.

    It may speak of any other page, and repeat what a person wrote: hosts of the prompt are never
    followed.
    """
    urls = [
        url
        for text in _sayings(data)
        for each in _URL.findall(html.unescape(text))
        if _is_address(url := each.rstrip(".,;:!?")) and _ends_like_video(url)
    ]
    sure = (url for url in (*urls, *_named(data)) if not _is_written(url, prompt))
    return tuple(dict.fromkeys(sure))[:_MOST_LINKS]


def _sayings(data: dict[str, Any]) -> Iterator[str]:
    for content in _contents(data):
        if isinstance(content, str):
            yield content[: 16 * LONGEST]
        for part in content[:20] if isinstance(content, list) else []:
            if isinstance(part, dict) and isinstance(part.get("text"), str):
                yield part["text"][: 16 * LONGEST]


def _named(data: dict[str, Any]) -> Iterator[str]:
    """Links beside the words: `{"type": "video_url", "video_url": …}`."""
    for message in _messages(data):
        yield from video_links_in(message)
    for content in _contents(data):
        for part in content[:20] if isinstance(content, list) else []:
            if isinstance(part, dict):
                yield from video_links_in(part)


def _contents(data: dict[str, Any]) -> Iterator[object]:
    """Texts, or lists of their parts."""
    choices, output = data.get("choices"), data.get("output")
    for choice in choices[:4] if isinstance(choices, list) else []:
        if isinstance(choice, dict):
            yield choice.get("text")
    yield from (message.get("content") for message in _messages(data))
    yield data.get("content")
    if isinstance(output, str):
        yield output
    for item in output[:4] if isinstance(output, list) else []:
        if isinstance(item, dict):
            yield item.get("content")


def _messages(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    choices = data.get("choices")
    tables = [it for it in choices[:4] if isinstance(it, dict)] if isinstance(choices, list) else []
    for said in (*(it.get("message") or it.get("delta") for it in tables), data.get("message")):
        if isinstance(said, dict):
            yield said


# --- hosts that a person wrote -------------------------------------------------------------------

_DOT = re.compile(
    r"\s*[\[({<]\s*(?:dot|\.)\s*[\])}>]\s*|\s+\.\s*|[\s_-]+dot[\s_-]+|。", re.IGNORECASE
)
"""Ways to write a dot so that it makes no link."""
_PUNYCODE = re.compile(r"xn--([a-z0-9-]+)")


def _is_written(url: str, prompt: str) -> bool:
    """Whether a person may have written its host, in any of the ways that stand for it."""
    try:
        host = _folded(urlsplit(url).hostname or "").rstrip(".").removeprefix("www.")
    except ValueError:
        return True
    # Letters of other scripts are no border: they stand beside a host without a gap.
    written = re.search(rf"(?<![a-z0-9]){re.escape(host)}(?![a-z0-9])", _folded(prompt))
    return not host or written is not None


def _folded(text: str) -> str:
    """Its hosts in one spelling: gateways escape, and people disguise."""
    text = unicodedata.normalize("NFKC", unquote(html.unescape(text)))
    seen = "".join(it for it in text if unicodedata.category(it) != "Cf").replace("\\", "")
    return _PUNYCODE.sub(_decoded, _DOT.sub(".", seen).casefold())


def _decoded(match: re.Match[str]) -> str:
    try:
        return match[1].encode("ascii").decode("punycode").casefold()
    except ValueError:
        return match[0]
