"""The simulated gateway: a real HTTP server for `/v1/videos`, with a journal and faults.

It answers as the API document says, renders real MP4s, and never fetches anything from anywhere.
Its own pages, `/simulator/…`, are for whoever runs it and need no key.
"""

import asyncio
import contextlib
import json
import logging
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from email.utils import formatdate
from pathlib import Path

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from bot.simulator import answers, faults, journal, requests, shelf, videos
from bot.simulator.faults import OPERATIONS, Fault, Faults, Operation
from bot.simulator.journal import Contents, Entry
from bot.simulator.profiles import DOCUMENTED, Profile
from bot.simulator.render import Renderer
from bot.simulator.requests import Refused
from bot.simulator.scenes import Film
from bot.simulator.videos import Failure, Video

log = logging.getLogger(__name__)

LARGEST_BODY = 128 * 1024 * 1024
WELCOME = """\
This is a simulated video gateway. It speaks the /v1/videos API of an OpenAI-style gateway and
renders real, if modest, MP4s. Nothing here costs anything.

  POST /v1/videos               make a video            (Bearer key)
  GET  /v1/videos/{id}          how far it is           (Bearer key)
  GET  /v1/videos/{id}/content  the MP4                 (Bearer key)
  GET  /v1/models               the models              (Bearer key)
  GET  /simulator/journal       what was received and charged
  POST /simulator/faults        make something go wrong; DELETE makes all well again

A prompt with [fail] ends failed, with [slow] takes five times as long, with [refuse] is refused.
"""


@dataclass(slots=True)
class Exchange:
    """One request of the API on its way: what arrived and what became of it so far."""

    operation: Operation
    request: web.Request
    fault: Fault
    contents: Contents
    model: str | None = None
    video: Video | None = None
    charged: bool = False


Act = Callable[[Exchange], Awaitable[web.StreamResponse]]


class Simulator:
    """A gateway to develop, test and demonstrate against.

    `render_time` is the least time a video takes, in seconds of the clock `now`. Several
    simulators may share one `renderer`, which then belongs to whoever made it. With a `folder` it
    knows its videos again after a restart.
    """

    def __init__(
        self,
        *,
        key: str = "sk-sim",
        render_time: float = 8.0,
        profile: Profile = DOCUMENTED,
        now: Callable[[], float] = time.time,
        renderer: Renderer | None = None,
        folder: Path | None = None,
    ) -> None:
        self.faults = Faults()
        self._key = key
        self._render_time = render_time
        self._profile = profile
        self._now = now
        self._renderer = renderer
        self._kept = folder
        self._folder = Path()
        self._videos: dict[str, Video] = {}
        self._entries: list[Entry] = []
        self._arrivals: dict[str, asyncio.Queue[Entry]] = {
            name: asyncio.Queue() for name in OPERATIONS
        }
        self._gates: dict[str, asyncio.Event] = {}

    # -------------------------------------------------------------------- to be asked

    @property
    def journal(self) -> list[Entry]:
        """Every fully received request of the API, in order."""
        return [replace(entry, refunded=self._refunded(entry)) for entry in self._entries]

    @property
    def charges(self) -> int:
        """How many requests were charged, refunded ones included."""
        return sum(entry.charged for entry in self._entries)

    async def next(self, operation: Operation) -> Entry:
        """Wait for the earliest request of this operation that next() has not yet returned.

        It is returned once it is received and acted on, before it is answered.
        """
        return await self._arrivals[operation].get()

    @contextlib.asynccontextmanager
    async def holding(self, operation: Operation) -> AsyncIterator[None]:
        """Within this block requests of the operation are acted on but not yet answered."""
        released = self._gates[operation] = asyncio.Event()
        try:
            yield
        finally:
            del self._gates[operation]
            released.set()

    async def rendered(self) -> None:
        """Wait until every file is rendered, so that time alone decides what is done."""
        tasks = [video.rendering for video in self._videos.values() if video.rendering]
        await asyncio.gather(*tasks)

    def _refunded(self, entry: Entry) -> bool:
        video = self._videos.get(entry.video or "")
        return entry.charged and video is not None and video.state(self._now()) == "failed"

    # -------------------------------------------------------------------------- serving

    @contextlib.asynccontextmanager
    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
        """Serve until the block ends; gives the base URL. Port 0 takes any free one."""
        runner = web.AppRunner(self.build(), access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            yield f"http://{f'[{host}]' if ':' in host else host}:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    def build(self) -> web.Application:
        """Return the application; its files and workers live from its start-up to its clean-up."""
        app = web.Application(client_max_size=LARGEST_BODY, middlewares=[answers.envelopes])
        app.cleanup_ctx.append(self._live)
        app.on_response_prepare.append(self._date)
        app.add_routes(
            [
                web.get("/", self._welcome),
                web.post("/v1/videos", self._operation("create", self._create)),
                web.get("/v1/videos/{id}", self._operation("retrieve", self._retrieve)),
                web.get("/v1/videos/{id}/content", self._operation("content", self._content)),
                web.get("/v1/models", self._models),
                web.get("/files/{id}.mp4", self._file),
                web.get("/simulator/journal", self._show_journal),
                web.post("/simulator/faults", self._add_fault),
                web.delete("/simulator/faults", self._clear_faults),
            ]
        )
        return app

    async def _date(self, _: web.Request, response: web.StreamResponse) -> None:
        response.headers[hdrs.DATE] = formatdate(self._now(), usegmt=True)

    async def _live(self, _: web.Application) -> AsyncIterator[None]:
        own = None if self._renderer else Renderer()
        self._renderer = self._renderer or own
        with self._opened() as folder:
            self._folder = folder
            for video in shelf.kept(folder):
                self._take(video)
            yield
            tasks = [video.rendering for video in self._videos.values() if video.rendering]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if own:
                await own.close()
                self._renderer = None

    @contextlib.contextmanager
    def _opened(self) -> Iterator[Path]:
        """The folder it was given, or one that goes with it."""
        if self._kept is not None:
            self._kept.mkdir(mode=0o700, parents=True, exist_ok=True)
            yield self._kept
            return
        with tempfile.TemporaryDirectory(
            prefix="zoetrope-simulator-",
            ignore_cleanup_errors=True,  # a shared renderer may still be writing
        ) as folder:
            yield Path(folder)

    # ------------------------------------------------------------------- the operations

    def _operation(self, name: Operation, act: Act) -> Handler:
        """Wrap what an operation does in what all of them have: key, fault, journal, gate."""

        async def handle(request: web.Request) -> web.StreamResponse:
            fault = self.faults.take(name)
            if fault.kind == "cut":
                return answers.cut(request)
            exchange = Exchange(name, request, fault, Contents())
            try:
                self._check_key(request)
                answer = await act(exchange)
            except Refused as refusal:
                answer = answers.error(refusal.status, refusal.message)
            self._record(exchange, None if fault.kind == "drop" else answer.status)
            if gate := self._gates.get(name):
                await gate.wait()
            await asyncio.sleep(fault.delay)
            if fault.kind == "drop":
                return answers.cut(request)
            if fault.kind == "truncate" and exchange.video and isinstance(answer, web.FileResponse):
                return await answers.truncated(request, exchange.video.path)
            return answer

        return handle

    def _check_key(self, request: web.Request) -> None:
        if request.headers.get(hdrs.AUTHORIZATION) != f"Bearer {self._key}":
            raise Refused("invalid or missing API key", 401)

    def _record(self, exchange: Exchange, status: int | None) -> None:
        entry = Entry(
            at=self._now(),
            operation=exchange.operation,
            method=exchange.request.method,
            path=exchange.request.path,
            video=exchange.video.id if exchange.video else None,
            model=exchange.model,
            fields=exchange.contents.fields,
            files=exchange.contents.files,
            metadata=exchange.contents.metadata,
            status=status,
            charged=exchange.charged,
        )
        self._entries.append(entry)
        self._arrivals[exchange.operation].put_nowait(entry)

    async def _create(self, exchange: Exchange) -> web.StreamResponse:
        body = await requests.read(exchange.request)
        exchange.contents = await asyncio.to_thread(journal.describe, body)
        exchange.model = body.fields.get("model")
        if exchange.fault.kind == "answer":
            return answers.faulty(exchange.fault)
        film = await asyncio.to_thread(requests.film, body, self._profile.models)
        exchange.model = film.model
        if videos.REFUSE in film.prompt:
            raise Refused("the prompt asks to be refused")
        video = exchange.video = self._begin(film)
        exchange.charged = True
        self._fate(video, exchange.fault)
        if self._kept is not None:
            await asyncio.to_thread(shelf.keep, video)
        return web.json_response(videos.created(video, self._profile), status=self._profile.created)

    def _begin(self, film: Film) -> Video:
        name = f"video_{secrets.token_hex(16)}"
        video = Video(
            id=name,
            film=film,
            path=self._folder / f"{name}.mp4",
            created_at=self._now(),
            takes=self._render_time * (videos.SLOWER if videos.SLOW in film.prompt else 1),
            failure=videos.MODERATED if videos.FAIL in film.prompt else None,
        )
        self._take(video)
        return video

    def _take(self, video: Video) -> None:
        self._videos[video.id] = video
        if not video.path.exists():
            video.rendering = asyncio.create_task(self._render(video))

    async def _render(self, video: Video) -> None:
        assert self._renderer is not None  # requests come only while the application lives
        try:
            await self._renderer.render(video.film, video.path)
        except ValueError:
            video.failure = videos.UNREADABLE
        except OSError as error:
            log.warning("simulator.render_failed video=%s", video.id, exc_info=error)
            video.failure = videos.BROKEN

    async def _retrieve(self, exchange: Exchange) -> web.StreamResponse:
        if exchange.fault.kind == "answer":
            return answers.faulty(exchange.fault)
        video = self._known(exchange)
        url = f"{exchange.request.scheme}://{exchange.request.host}/files/{video.id}.mp4"
        return web.json_response(videos.retrieved(video, self._profile, self._now(), url))

    async def _content(self, exchange: Exchange) -> web.StreamResponse:
        if exchange.fault.kind == "answer":
            return answers.faulty(exchange.fault)
        video = self._known(exchange)
        if video.state(self._now()) != "succeeded":
            raise Refused("the video is not ready")
        name = f'attachment; filename="{video.id}.mp4"'
        return web.FileResponse(video.path, headers={hdrs.CONTENT_DISPOSITION: name})

    def _known(self, exchange: Exchange) -> Video:
        video = self._videos.get(exchange.request.match_info["id"])
        if video is None:
            raise Refused("there is no video with this id", self._profile.unknown)
        exchange.video, exchange.model = video, video.film.model
        self._fate(video, exchange.fault)
        return video

    def _fate(self, video: Video, fault: Fault) -> None:
        match fault.kind:
            case "fail":
                failure = videos.MODERATED
                video.failure = Failure(fault.message or failure.message, fault.code)
            case "stuck":
                video.stuck = True

    # ------------------------------------------------------------------ the other pages

    async def _welcome(self, _: web.Request) -> web.Response:
        return web.Response(text=WELCOME)

    async def _models(self, request: web.Request) -> web.Response:
        self._check_key(request)
        models = [
            {"id": name, "object": "model", "created": 0, "owned_by": "simulator"}
            for name in self._profile.models
        ]
        return web.json_response({"object": "list", "data": models})

    async def _file(self, request: web.Request) -> web.StreamResponse:
        video = self._videos.get(request.match_info["id"])
        if video is None or video.state(self._now()) != "succeeded":
            raise Refused("there is no such file", 404)
        return web.FileResponse(video.path)

    async def _show_journal(self, _: web.Request) -> web.Response:
        return answers.as_json(journal.as_json(self.journal))

    async def _add_fault(self, request: web.Request) -> web.Response:
        try:
            fault, times = faults.parse(json.loads(await request.read()))
        except ValueError as error:
            raise Refused(str(error)) from error
        self.faults.add(fault, times)
        return web.json_response({"waiting": len(self.faults)}, status=201)

    async def _clear_faults(self, _: web.Request) -> web.Response:
        self.faults.clear()
        return web.json_response({"waiting": 0})
