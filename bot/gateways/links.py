"""Finds in a gateway's answer where the video is: addresses, by the names that they stand under.

Only names that may hold a result are followed: never those of pictures, inputs or callbacks.
"""

import html
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from bot.gateways.envelopes import LONGEST
from bot.gateways.places import is_usable, named, opened

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
_NO_VIDEO = (
    *(".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".svg", ".json", ".html", ".txt", ".srt"),
    *(".mp3", ".wav", ".m4a", ".ogg", ".flac"),
)


def links_in(data: dict[str, Any]) -> tuple[str, ...]:
    """Addresses where the video may be, the nearest to the surface first."""
    return tuple(dict.fromkeys(url for url, _ in _links(data)))[:_MOST_LINKS]


def video_links_in(data: dict[str, Any], gateway_id: str) -> tuple[str, ...]:
    """Those that surely lead to a video, by their name or their end, and not to the job."""
    sure = (url for url, is_named in _links(data) if is_named or _ends_like_video(url))
    job = f"/{gateway_id.casefold()}"
    others = (url for url in sure if not (_path(url) or "").endswith(job))
    return tuple(dict.fromkeys(others))[:_MOST_LINKS]


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
    """Addresses in the words of a chat model, those that end like a video alone if there are any.

    It may repeat what a person wrote, whose addresses are never followed: hosts of the prompt.
    """
    urls = [
        url
        for text in _sayings(data)
        for each in _URL.findall(html.unescape(text))
        if _is_address(url := each.rstrip(".,;:!?")) and not _is_written(url, prompt)
    ]
    sure = [url for url in urls if _ends_like_video(url)]
    return tuple(dict.fromkeys(sure or urls))[:_MOST_LINKS]


def _sayings(data: dict[str, Any]) -> Iterator[str]:
    choices = data.get("choices")
    for choice in choices[:4] if isinstance(choices, list) else []:
        if isinstance(choice, dict):
            said = choice.get("message") or choice.get("delta")
            yield from _message(said)
            yield from _texts(choice.get("text"))
    yield from _message(data.get("message"))
    yield from _texts(data.get("content"))
    output = data.get("output")
    if isinstance(output, str):
        yield from _texts(output)
    for item in output[:4] if isinstance(output, list) else []:
        if isinstance(item, dict):
            yield from _texts(item.get("content"))


def _message(said: object) -> Iterator[str]:
    if isinstance(said, dict):
        yield from _texts(said.get("content"))
        yield from links_in(said)


def _texts(content: object) -> Iterator[str]:
    """The text itself, or the parts of it: `{"type": "text", "text": …}` and `{"video_url": …}`."""
    if isinstance(content, str):
        yield content[: 16 * LONGEST]
    for part in content[:20] if isinstance(content, list) else []:
        if isinstance(part, dict):
            if isinstance(part.get("text"), str):
                yield part["text"][: 16 * LONGEST]
            yield from links_in(part)


def _is_written(url: str, prompt: str) -> bool:
    """Whether a person may have written it: letters alone are compared, for gateways escape."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return True
    return _letters(host) in _letters(prompt)


def _letters(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())
