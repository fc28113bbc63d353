"""The meta tags that let chats embed the video of a player page: Open Graph and Twitter.

Pure functions from a video to names and values. Discord and Telegram fetch the page themselves and
run no scripts, so they need absolute URLs. Without a public address these tags are left out: a
preview without a video is better than a broken one.
"""

from collections.abc import Iterator

from bot.core.jobs import Video, thumbnail_size

Tag = tuple[str, str]
SITE = "Zoetrope"
COLOUR = "#c8553d"
"""The colour of the embed's edge in Discord, and of the bar of a phone's browser."""


def tags(video: Video, *, title: str, description: str, address: str | None) -> list[Tag]:
    """Return the tags of the page at `address`. File and still have that URL plus an ending."""
    words = [
        ("theme-color", COLOUR),
        ("og:site_name", SITE),
        ("og:type", "video.other"),
        ("og:title", title),
        ("og:description", description),
    ]
    if address is None:
        return words
    still = _still(video, f"{address}.jpg") if video.thumbnail else ()
    clip = _clip(video, f"{address}.mp4") if video.plays else ()
    return [*words, *still, *clip]


def _still(video: Video, address: str) -> Iterator[Tag]:
    width, height = thumbnail_size(video.width, video.height)
    yield "og:image", address
    yield "og:image:type", "image/jpeg"
    yield "og:image:width", str(width)
    yield "og:image:height", str(height)
    yield "twitter:image", address


def _clip(video: Video, address: str) -> Iterator[Tag]:
    yield "og:video", address
    if address.startswith("https:"):
        yield "og:video:secure_url", address
    yield "og:video:type", "video/mp4"
    yield "og:video:width", str(video.width)
    yield "og:video:height", str(video.height)
    yield "twitter:card", "player"
    yield "twitter:player", address
    yield "twitter:player:width", str(video.width)
    yield "twitter:player:height", str(video.height)
    # Some readers use `twitter:player` for an iframe and `twitter:player:stream` for the file.
    yield "twitter:player:stream", address
    yield "twitter:player:stream:content_type", "video/mp4"
