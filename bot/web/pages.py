"""`/v/…`: a player page and the MP4 behind it, for whoever holds a signed link.

Files are found by the job's row, never by a path of the request; every error is the same 404.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter

from bot.core.errors import BotError
from bot.core.jobs import Job, Video
from bot.core.links import Signer
from bot.core.ports import Clock, Media
from bot.core.prompts import shortened
from bot.core.replies import Text, label
from bot.i18n import say
from bot.log import get_logger

PURPOSE = "v"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}
_POLICY = (
    "default-src 'none'; media-src 'self'; img-src 'self'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'"
)

log = get_logger()


class Pages:
    """Serves the videos of `get_job`'s jobs to holders of links that `signer` signed."""

    def __init__(
        self,
        *,
        get_job: Callable[[str], Awaitable[Job | None]],
        media: Media,
        signer: Signer,
        clock: Clock,
        public_url: str | None,
    ) -> None:
        self._get_job = get_job
        self._media = media
        self._signer = signer
        self._clock = clock
        self._public_url = public_url or ""
        page = files("bot.web").joinpath("player.html").read_text("utf-8")
        self._page = Template(page)

    @property
    def routes(self) -> list[web.AbstractRouteDef]:
        """What the server mounts; HEAD comes with GET."""
        link = "/v/{job}/{expiry}/{signature:[0-9a-zA-Z]+}"
        return [web.get(link + ".mp4", self._file), web.get(link, self._player)]

    async def _player(self, request: web.Request) -> web.StreamResponse:
        job, video = await self._opened(request)
        film = f"{self._public_url}{request.path}.mp4"
        text = self._page.substitute(
            title=escape(shortened(job.request.prompt, 90)),
            prompt=escape(job.request.prompt),
            label=escape(say(label(job), job.order.locale)),
            download=escape(say(Text(id="page.download"), job.order.locale)),
            film=escape(film),
            # Relative, so that it holds behind a proxy that serves us under a path of its own.
            source=escape(f"{request.path.rpartition('/')[2]}.mp4"),
            width=video.width,
            height=video.height,
        )
        return web.Response(
            text=text,
            content_type="text/html",
            headers={**_HEADERS, "Content-Security-Policy": _POLICY},
        )

    async def _file(self, request: web.Request) -> web.StreamResponse:
        job, video = await self._opened(request)
        headers = {
            **_HEADERS,
            "Content-Type": "video/mp4",
            "Content-Disposition": f'inline; filename="zoetrope-{job.id}.mp4"',
            "Cache-Control": "private, max-age=3600",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        return _Sent(self._media.file(video.key), headers=headers)

    async def _opened(self, request: web.Request) -> tuple[Job, Video]:
        given = request.match_info
        valid = self._signer.verify(
            PURPOSE, given["job"], given["expiry"], given["signature"], now=self._clock.now()
        )
        job = await self._get_job(given["job"]) if valid else None
        if job is None or job.video is None:
            raise web.HTTPNotFound(text=say(Text(id="page.not_found"), "en") + "\n")
        return job, job.video


class _Sent(web.FileResponse):
    """A stored file, kept at hand while it is sent: one fetched from afar is gone afterwards.

    aiohttp prepares what a handler returns, so the sending can't happen in the handler.
    """

    def __init__(
        self, file: AbstractAsyncContextManager[Path], *, headers: Mapping[str, str]
    ) -> None:
        super().__init__("", headers=headers)
        self._file = file

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send it, wholly or in the range that was asked for."""
        try:
            async with self._file as self._path:
                return await super().prepare(request)
        except BotError as error:
            if self.prepared:
                raise
            log.warning("page.file_unavailable", code=error.code)
            return await self._nothing(request)

    async def _nothing(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        for name in (hdrs.CONTENT_TYPE, hdrs.CONTENT_DISPOSITION, hdrs.CACHE_CONTROL):
            del self.headers[name]
        self.set_status(web.HTTPNotFound.status_code)
        self.content_length = 0
        return await web.StreamResponse.prepare(self, request)
