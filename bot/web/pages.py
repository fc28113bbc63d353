"""`/v/…`: a player page, its video file and its still, for holders of a signed link.

`/i/…`: our copy of a file of an order, for gateways whose models fetch their inputs by link.

Files are found by the job's row, never by a path in the request. The same page answers every link
that leads to no video, so a stranger can't learn whether it was forged, expired or deleted.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import hdrs, web

from bot.core.jobs import HARD_DEADLINE, Job, Video
from bot.core.links import Signer
from bot.core.orders import Clip, Given, Picture, Sound
from bot.core.ports import Clock, Media
from bot.core.posting import Link
from bot.web import appearance
from bot.web.open_files import OpenFiles
from bot.web.sent import Sent

PURPOSE = "v"
GIVEN = "i"
"""The purpose of links to inputs. A link signed for a video does not open them, or vice versa."""
GIVEN_LIFETIME = HARD_DEADLINE
"""Seconds that a link to a person's file works. A gateway may fetch the file only when the job
leaves its queue, so the link lives as long as we wait for a video. Each POST gets new links."""
_TYPES = {"jpg": "image/jpeg", "mp3": "audio/mpeg", "mp4": "video/mp4"}
"""Media types of our copies, by the ending of their keys."""
_ENDINGS: dict[type[Given], str] = {Picture: ".jpg", Sound: ".mp3", Clip: ".mp4"}
_VIDEOS = {
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".mov": "video/quicktime",
    ".ogv": "video/ogg",
}
"""Media types that at least some browsers play, by file name extension."""
KEPT = 3600
"""The most seconds that a browser may cache a file; never longer than its link works."""
REMEMBERED = 3.0
"""Seconds for which a job's row is cached: a deleted video may stay visible for that long."""
MOST_KNOWN = 1000
"""The most links for which the job's row is cached. A full cache is emptied."""
_ALONE = (
    "default-src 'none'; media-src 'self'; img-src 'self'; style-src 'unsafe-inline'; "
    "sandbox allow-same-origin"
)
"""The policy of a file opened directly: the browser wraps it in a page that must load it."""
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}


_Link = tuple[str, str, str, str]
"""Purpose, job, expiry and signature."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """The target of a valid link."""

    job: Job
    video: Video
    expires_at: float
    seen_at: float
    """The time at which the row was read, by the monotonic clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """Serves the videos of `get_job`'s jobs to holders of links that `signer` signed."""

    get_job: Callable[[str], Awaitable[Job | None]]
    media: Media
    signer: Signer
    clock: Clock
    public_url: str | None
    """Our address on the internet; None if we are not reachable from there."""
    lifetime: float
    """Seconds that a link works, unless its video is removed earlier."""
    kept: float | None = None
    """Seconds that a video is kept after it was posted; None means forever."""
    _files: OpenFiles = field(init=False)
    _known: dict[_Link, _Opened] = field(init=False, default_factory=dict)
    """The targets of valid links that were requested lately."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_files", OpenFiles(self.media))

    @property
    def routes(self) -> list[web.AbstractRouteDef]:
        """The routes for the server; each GET also allows HEAD."""
        link = f"/{PURPOSE}/{{job}}/{{expiry}}/{{signature:[0-9a-zA-Z]+}}"
        return [
            web.get(link, self._player),
            web.get(f"{link}.mp4", self._video),
            web.get(f"{link}.jpg", self._still),
            web.get(f"{link}.{appearance.ORIGINAL}", self._original),
            # Copied links may lose their end or gain a full stop.
            web.get(f"/{PURPOSE}/{{anything:.*}}", self._astray),
            # No error page here: only programs request these.
            web.get(
                f"/{GIVEN}/{{name}}/{{expiry}}/{{signature}}.{{ending:jpg|mp3|mp4}}", self._given
            ),
        ]

    def link(self, job: Job) -> Link | None:
        """Return a new link to the video of `job`; None without a public address."""
        if self.public_url is None:
            return None
        now = self.clock.now()
        kept_until = (job.ended_at or now) + (self.kept or float("inf"))
        expires_at = max(now, min(now + self.lifetime, kept_until))
        path = self.signer.path(PURPOSE, job.id, expires_at=expires_at)
        return Link(f"{self.public_url}{path}", expires_at)

    def file_links(self, job: Job) -> tuple[str, ...]:
        """Return new links to our copies of the job's files, in order; none without an address."""
        if self.public_url is None:
            return ()
        expires_at = self.clock.now() + GIVEN_LIFETIME
        paths = (
            self.signer.path(GIVEN, f"{job.id}-{number}", expires_at=expires_at)
            + _ENDINGS[type(given)]
            for number, given in enumerate(job.order.files)
        )
        return tuple(f"{self.public_url}{path}" for path in paths)

    async def aclose(self) -> None:
        """Close the files. No reader may be left."""
        await self._files.aclose()

    async def _player(self, request: web.Request) -> web.StreamResponse:
        opened = await self._read(request)
        page = appearance.player(
            opened.job,
            opened.video,
            name=request.path.rpartition("/")[2],
            expires_at=opened.expires_at,
            address=self.public_url and f"{self.public_url}{request.path}",
        )
        # The browser must revalidate the page: the video may have been deleted since.
        return web.Response(
            text=page.text,
            content_type="text/html",
            headers=_page_headers(page) | {"Cache-Control": "private, no-cache"},
        )

    async def _video(self, request: web.Request) -> web.StreamResponse:
        opened = await self._opened(request)
        key = opened.video.key
        suffix = Path(key).suffix
        kind = _VIDEOS.get(suffix, "application/octet-stream")
        return self._file(key, kind, f"{opened.job.id}{suffix}", opened.expires_at)

    async def _original(self, request: web.Request) -> web.StreamResponse:
        """Send the original as a download: browsers may not be able to show it."""
        opened = await self._opened(request)
        key = opened.video.original.key
        name = f"{opened.job.id}{Path(key).suffix}"
        kind = "application/octet-stream"
        return self._file(key, kind, name, opened.expires_at, shown="attachment")

    async def _still(self, request: web.Request) -> web.StreamResponse:
        opened = await self._opened(request)
        if opened.video.thumbnail is None:
            raise _gone(request)
        still = opened.video.thumbnail
        return self._file(still, "image/jpeg", f"{opened.job.id}.jpg", opened.expires_at)

    async def _given(self, request: web.Request) -> web.StreamResponse:
        given, now = request.match_info, self.clock.now()
        name, signed = given["name"], (given["expiry"], given["signature"])
        if not self.signer.verify(GIVEN, name, *signed, now=now):
            raise web.HTTPNotFound
        job_id, _, number = name.rpartition("-")
        job = await self.get_job(job_id)
        key = job.order.files[int(number)].key if job else None
        if key is None:
            raise web.HTTPNotFound
        _, _, ending = key.rpartition(".")
        return self._file(key, _TYPES[ending], f"{name}.{ending}", float(given["expiry"]))

    async def _astray(self, request: web.Request) -> web.StreamResponse:
        raise _gone(request)

    def _file(
        self, key: str, kind: str, name: str, expires_at: float, *, shown: str = "inline"
    ) -> web.StreamResponse:
        left = int(expires_at - self.clock.now())
        headers = {
            **_HEADERS,
            "Content-Type": kind,
            "Content-Disposition": f'{shown}; filename="zoetrope-{name}"',
            "Cache-Control": f"private, max-age={min(KEPT, left)}",
            "Content-Security-Policy": _ALONE,
        }
        return Sent(self._files.file(key), headers=headers)

    async def _opened(self, request: web.Request) -> _Opened:
        """Return the target of the request's link, cached: a player sends many range requests."""
        now, known = self.clock.steady(), self._known.get(_link(request))
        if known and now - known.seen_at < REMEMBERED and self.clock.now() < known.expires_at:
            return known
        return await self._read(request)

    async def _read(self, request: web.Request) -> _Opened:
        """Return the target of the request's link by the current row. Raises `HTTPNotFound`."""
        link, seen_at = _link(request), self.clock.steady()
        _, job_id, expiry, _ = link
        job = await self.get_job(job_id) if self.signer.has_signed(*link) else None
        works = self.signer.verify(*link, now=self.clock.now())
        if job is None or job.video is None or not works:
            raise _gone(request, job)
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        opened = self._known[link] = _Opened(job, job.video, float(expiry), seen_at)
        return opened


def _link(request: web.Request) -> _Link:
    given = request.match_info
    return PURPOSE, given["job"], given["expiry"], given["signature"]


def _page_headers(page: appearance.Page) -> dict[str, str]:
    return {**_HEADERS, "Content-Security-Policy": page.policy}


def _gone(request: web.Request, job: Job | None = None) -> web.HTTPNotFound:
    """Return the page for a link that leads to no video, in the browser's preferred language.

    For the `job` of a link that we signed, the page says how long its video was kept, if known.
    """
    liked, _, _ = request.headers.get(hdrs.ACCEPT_LANGUAGE, "").partition(",")
    page = appearance.gone(liked.partition(";")[0].strip(), job.days_kept if job else None)
    return web.HTTPNotFound(
        text=page.text,
        content_type="text/html",
        headers=_page_headers(page) | {"Cache-Control": "no-store"},
    )
