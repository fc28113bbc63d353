"""The room's HTTP routes: the page, its WebSocket and its files, for this machine alone.

A request must come from this machine, without a proxy, and know the key in the URL. Its Host must
be a local name, so that no other domain can point here. POST requests and the WebSocket must also
have our own page as Origin.
"""

import asyncio
import hmac
import re
import secrets
from contextlib import suppress
from importlib.resources import files
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import WSMsgType, hdrs, web
from aiohttp.typedefs import Handler

from bot import i18n
from bot.core import replies
from bot.core.errors import BotError, GivenTooLarge, Refused
from bot.core.ports import Clock
from bot.core.prompts import clean
from bot.log import get_logger
from bot.platforms.playground import frames, messages
from bot.platforms.playground.client import PlaygroundPlatform
from bot.platforms.playground.commands import RoomCommands
from bot.platforms.playground.files import TYPES, UPLOADS
from bot.platforms.playground.messages import Json
from bot.platforms.playground.room import Event, as_json

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Robots-Tag": "noindex",
}
_PAGE = {
    "index.html": "text/html",
    "style.css": "text/css",
    "room.js": "text/javascript",
    "draw.js": "text/javascript",
    "composer.js": "text/javascript",
    "choices.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
KINDS = "|".join(UPLOADS)
"""The kinds of files that the page uploads, as the pattern of a path."""
NAMES = ("localhost", "127.0.0.1", "::1")
"""The host names of this machine."""
_PROXIES = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")
"""Headers of proxies, which forward requests from other machines."""
_LOCALE = re.compile("[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?")
MOST_SHOWN = 400
"""Most messages that a page receives when it opens."""
MOST_FRAME = 32 * 1024
AT_ONCE = 4
"""Most WebSocket frames of one page that are handled at once; later ones wait in the socket."""
GOODBYE = 1.0
"""Timeout in seconds for closing a page's socket."""

_UNSHOWN = ".heic"
"""The suffix of pictures that most browsers can't show."""

log = get_logger()


class RoomRoutes:
    """The room's HTTP routes. Sockets are accepted only while `run` is running."""

    def __init__(
        self, platform: PlaygroundPlatform, commands: RoomCommands, *, clock: Clock
    ) -> None:
        self._platform = platform
        self._commands = commands
        self._clock = clock
        self._key = _kept_key(platform.folder / "key")
        self._sockets: set[web.WebSocketResponse] = set()
        self._open = asyncio.Event()

    @property
    def path(self) -> str:
        """Return the room's path on our server, with the key."""
        return f"/room/{self._key}/"

    @property
    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the routes for the server."""
        room = "/room/{key}/"
        return [
            web.get(room, self._guarded(self._asset)),
            web.get(room + "page/{name}", self._guarded(self._asset)),
            web.get(room + "files/{name}", self._guarded(self._file)),
            web.get(room + "socket", self._guarded(self._socket, ours=True)),
            web.post(room + "quote", self._guarded(self._quote, ours=True)),
            web.post(f"{room}{{kind:{KINDS}}}", self._guarded(self._upload, ours=True)),
        ]

    async def run(self) -> None:
        """Accept sockets until cancelled; then tell all pages to reconnect later (code 1012)."""
        self._open.set()
        try:
            await asyncio.Event().wait()
        finally:
            self._open.clear()
            sockets = [socket.close(code=1012) for socket in self._sockets]
            await asyncio.gather(*sockets, return_exceptions=True)

    # --- access checks -------------------------------------------------------------------------

    def _guarded(self, handler: Handler, *, ours: bool = False) -> Handler:
        """Wrap a handler in the access checks. `ours`: only our own page may send the request, not
        other pages in the same browser."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            if not _is_at_home(request) or (ours and not _is_ours(request)):
                log.warning("playground.turned_away", route=handler.__name__)
                raise web.HTTPForbidden(text="Only the machine that runs this room can open it.\n")
            given = request.match_info["key"].encode("utf-8", "replace")
            if not hmac.compare_digest(given, self._key.encode()):
                raise web.HTTPNotFound
            return await handler(request)

        return guarded

    # --- the page and its files ----------------------------------------------------------------

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info.get("name", "index.html")
        if name not in _PAGE:
            raise web.HTTPNotFound
        text = files("bot.platforms.playground").joinpath("page", name).read_text("utf-8")
        headers = {**_HEADERS, "Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
        return web.Response(text=text, content_type=_PAGE[name], charset="utf-8", headers=headers)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        path = self._platform.files.path(request.match_info["name"])
        if path is None:
            raise web.HTTPNotFound
        headers = {
            **_HEADERS,
            "Content-Type": TYPES[path.suffix.removeprefix(".")],
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "private, max-age=31536000, immutable",
        }
        if path.suffix == _UNSHOWN:
            with suppress(BotError):
                async with self._platform.viewable(path) as shown:
                    body = await asyncio.to_thread(shown.read_bytes)
                return web.Response(body=body, headers=headers | {"Content-Type": "image/jpeg"})
        return web.FileResponse(path, headers=headers)

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        filename = clean(Path(request.query.get("name", "file")).name)[:100]
        try:
            chunks = request.content.iter_chunked(64 * 1024)
            kind = request.match_info["kind"]
            taken = await self._platform.files.take(kind, chunks, filename=filename)
        except Refused as refused:
            notice = messages.notice(replies.error(refused), _locale(request))
            too_large = isinstance(refused, GivenTooLarge)
            answer = web.json_response(notice, status=413 if too_large else 415, headers=_HEADERS)
            answer.force_close()  # the rest of the file is still on its way
            return answer
        return web.json_response({"name": taken.name}, headers=_HEADERS)

    async def _quote(self, request: web.Request) -> web.StreamResponse:
        try:
            proposal = frames.Proposal.model_validate_json(await request.read())
        except ValueError as error:
            raise web.HTTPBadRequest from error
        quoted = await self._commands.quote(proposal, _locale(request))
        return web.json_response({"text": quoted}, headers=_HEADERS)

    # --- the socket ----------------------------------------------------------------------------

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if not self._open.is_set():
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse(timeout=GOODBYE, heartbeat=30.0, max_msg_size=MOST_FRAME)
        await socket.prepare(request)
        self._sockets.add(socket)
        try:
            with self._platform.room.listening() as events:
                await socket.send_json(await self._welcome(_locale(request)))
                async with asyncio.TaskGroup() as group:
                    telling = group.create_task(_tell(socket, events))
                    await self._listen(socket, _locale(request), group)
                    telling.cancel()
        except* ConnectionError:
            log.info("playground.page_gone")
        finally:
            self._sockets.discard(socket)
        return socket

    async def _welcome(self, locale: str) -> Json:
        shown = self._platform.room.messages[-MOST_SHOWN:]
        return {
            "type": "welcome",
            "now": self._clock.now(),
            "locale": locale,
            **await self._commands.furniture(locale),
            "messages": [as_json(message) for message in shown],
        }

    async def _listen(
        self, socket: web.WebSocketResponse, locale: str, group: asyncio.TaskGroup
    ) -> None:
        free = asyncio.Semaphore(AT_ONCE)
        async for arrived in socket:
            if arrived.type is not WSMsgType.TEXT:
                continue
            try:
                frame = frames.read(arrived.data)
            except ValueError:
                # The nonce tells the page which frame not to send again.
                await socket.close(code=1008, message=frames.nonce_of(arrived.data).encode())
                return
            await free.acquire()
            group.create_task(self._answer(socket, frame, locale)).add_done_callback(
                lambda _done: free.release()
            )

    async def _answer(
        self, socket: web.WebSocketResponse, frame: frames.Frame, locale: str
    ) -> None:
        """Handle a WebSocket frame, then confirm it to the page together with the answer."""
        answer = await self._commands.hear(frame, locale)
        heard: Json = {"type": "heard", "nonce": frame.nonce, "person": frame.person, **answer}
        if not socket.closed:
            await socket.send_json(heard)


async def _tell(socket: web.WebSocketResponse, events: asyncio.Queue[Event]) -> None:
    while True:
        event = await events.get()
        await socket.send_json({"type": event.type, "message": as_json(event.message)})


def _is_at_home(request: web.Request) -> bool:
    """Whether a request comes from this machine, with a local host name and without a proxy."""
    try:
        near = ip_address(request.remote or "").is_loopback
        host = urlsplit(f"//{request.headers.get(hdrs.HOST, '')}").hostname
    except ValueError:
        return False
    return near and host in NAMES and not any(name in request.headers for name in _PROXIES)


def _is_ours(request: web.Request) -> bool:
    """Whether a request comes from a page of this server."""
    return request.headers.get(hdrs.ORIGIN) == f"http://{request.headers.get(hdrs.HOST)}"


def _locale(request: web.Request) -> str:
    """Return the locale that the page asks for if we have its language, else the nearest we have.

    The country is kept, because the page formats times by it.
    """
    wanted = request.query.get("locale", "")
    spoken = i18n.nearest(wanted).replace("_", "-")
    is_spoken = _LOCALE.fullmatch(wanted) and wanted.partition("-")[0] == spoken.partition("-")[0]
    return wanted if is_spoken else spoken


def _kept_key(file: Path) -> str:
    """Return the key in the URL. It is made once and stored, so that a URL stays valid."""
    file.touch(mode=0o600)
    if not file.read_text("utf-8"):
        file.write_text(secrets.token_urlsafe(16), "utf-8")
    return file.read_text("utf-8").strip()
