"""The simulated gateway: a real HTTP server for `/v1/videos`, with a journal and faults.

The server answers as its profile says, renders real MP4s, and never fetches anything.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from functools import partial
from pathlib import Path

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from bot.simulator import answers, bodies, journal, lists, pages, presets, videos
from bot.simulator.faults import Fault, Faults, Operation
from bot.simulator.journal import Contents, Entry, Journal
from bot.simulator.library import Library, owner
from bot.simulator.profiles import DOCUMENTED, Profile
from bot.simulator.refusals import Refused
from bot.simulator.render import Renderer
from bot.simulator.scenes import Scene
from bot.simulator.videos import State, Video

LARGEST_BODY = 128 * 1024 * 1024


@dataclass(slots=True)
class Exchange:
    """A request to the API that is being handled: its contents and the result so far."""

    operation: Operation
    request: web.Request
    fault: Fault
    fates: list[Fault]
    key: str = ""
    body: bodies.Body = field(default_factory=bodies.Body)
    contents: Contents = field(default_factory=Contents)
    model: str | None = None
    video: Video | None = None
    file: Path | None = None  # the file being sent
    built: Mapping[str, object] | None = None  # the body sent to the vendor
    repeated: Mapping[str, object] = field(default_factory=dict)
    charged: bool = False
    refunded: bool = False


Act = Callable[[Exchange], Awaitable[web.StreamResponse]]


class Simulator:
    """A gateway to develop, test and demonstrate against.

    `render_time` is the least time a video takes, in seconds of the clock `now`. Several
    simulators may share one `renderer`; its creator closes it. With a `folder` the simulator
    still has its videos after a restart. With an empty `key`, which is the default of some
    profiles, requests need no key. `other_keys` are the API keys of other customers;
    `at_once` is the most unfinished videos of a key. `tick` is the seconds between two polls of the
    vendor: 0 for no delay; the default is the profile's.
    """

    def __init__(
        self,
        *,
        key: str | None = None,
        other_keys: Collection[str] = (),
        render_time: float = 8.0,
        profile: Profile = DOCUMENTED,
        tick: float | None = None,
        at_once: int | None = None,
        now: Callable[[], float] = time.time,
        renderer: Renderer | None = None,
        folder: Path | None = None,
    ) -> None:
        self.faults = Faults()
        self.key = profile.key if key is None else key
        self._keys = {self.key, *other_keys}
        self._profile = profile
        self._at_once = at_once
        self._now = now
        self._library = Library(
            profile=profile,
            render_time=render_time,
            tick=profile.tick if tick is None else tick,
            now=now,
            renderer=renderer,
            folder=folder,
        )
        self._journal = Journal()
        self._gates: dict[str, asyncio.Event] = {}

    # ------------------------------------------------------------------------ for tests

    @property
    def journal(self) -> list[Entry]:
        """Every fully received request of the API, in order."""
        return [self._up_to_date(entry) for entry in self._journal.entries]

    @property
    def latest(self) -> Entry:
        """The last entry of the journal."""
        return self._up_to_date(self._journal.entries[-1])

    @property
    def charges(self) -> int:
        """The number of charged requests, including refunded ones."""
        return sum(entry.charged for entry in self._journal.entries)

    async def next(self, operation: Operation) -> Entry:
        """Wait for the earliest request of this operation that `next` has not returned yet.

        The request has been received and carried out; it may not be answered yet.
        """
        return await self._journal.next(operation)

    @contextlib.asynccontextmanager
    async def holding(self, operation: Operation) -> AsyncIterator[None]:
        """Delay the responses of an operation until the block ends; requests are carried out."""
        released = self._gates[operation] = asyncio.Event()
        try:
            yield
        finally:
            del self._gates[operation]
            released.set()

    async def rendered(self) -> None:
        """Wait until every file is rendered, so that a video's state depends only on the clock."""
        await self._library.rendered()

    def _up_to_date(self, entry: Entry) -> Entry:
        video = self._library.get(entry.video or "")
        failed = video is not None and video.state(self._now()) == "failed"
        return replace(entry, refunded=entry.refunded or (entry.charged and failed))

    # -------------------------------------------------------------------------- serving

    @contextlib.asynccontextmanager
    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
        """Serve until the block ends; yield the base URL. Port 0 takes any free port."""
        runner = web.AppRunner(self.build(), access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            yield f"http://{f'[{host}]' if ':' in host else host}:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    def build(self) -> web.Application:
        """Return the application. Its start-up opens files and workers, its clean-up ends them."""
        envelopes = answers.envelopes(self._profile)
        app = web.Application(client_max_size=LARGEST_BODY, middlewares=[envelopes])
        app.cleanup_ctx.append(self._live)
        app.on_response_prepare.append(self._head)
        app.add_routes(self._routes())
        app.add_routes(pages.routes(self._profile, self.faults, lambda: self.journal))
        return app

    def _routes(self) -> list[web.RouteDef]:
        routes = [web.get("/files/{id}.mp4", self._operation("file", self._file))]
        # `/videos/models` must come before `/videos/{id}`.
        routes += lists.routes(self._profile, self._check_key)
        for base in self._profile.bases:
            routes += self._videos(f"{base}/videos")
        return routes

    def _videos(self, every: str) -> list[web.RouteDef]:
        heads = self._profile.heads
        one = f"{every}/{{id}}"
        routes = [
            web.post(every, self._operation("create", self._create)),
            web.get(one, self._operation("retrieve", self._retrieve), allow_head=heads),
            web.get(f"{one}/content", self._operation("content", self._content), allow_head=heads),
        ]
        if self._profile.remixes:
            routes.append(web.post(f"{one}/remix", self._operation("create", self._remix)))
        if self._profile.lists:
            routes.append(web.get(every, self._operation("list", self._list)))
            routes.append(web.delete(one, self._operation("delete", self._delete)))
        return routes

    async def _head(self, _: web.Request, response: web.StreamResponse) -> None:
        response.headers[hdrs.DATE] = formatdate(self._now(), usegmt=True)
        response.headers.update(self._profile.headers())

    async def _live(self, _: web.Application) -> AsyncIterator[None]:
        async with self._library.open():
            yield

    # ------------------------------------------------------------------- the operations

    def _operation(self, name: Operation, act: Act) -> Handler:
        """Return the handler of an operation: check the key, apply a fault, act and record."""

        profile = self._profile

        async def handle(request: web.Request) -> web.StreamResponse:
            fault = self._trouble(name, request)
            if fault.kind == "cut":
                return answers.cut(request)
            exchange = Exchange(name, request, fault, [fault])
            try:
                if name != "file":
                    exchange.key = self._check_key(request)
                if name == "create":
                    await self._receive(exchange)
                if exchange.fault.kind in answers.INSTEAD:
                    answer: web.StreamResponse = self._instead(exchange)
                else:
                    answer = await act(exchange)
            except Refused as refusal:
                answer = answers.refused(refusal, profile)
                exchange.charged = exchange.refunded = refusal.upstream and profile.prepays
            self._record(exchange, answer.status)
            if gate := self._gates.get(name):
                await gate.wait()
            link = self._link(request, exchange.video)
            return await answers.sent(request, exchange.fault, answer, exchange.file, link)

        return handle

    def _instead(self, exchange: Exchange) -> web.Response:
        video = self._library.get(exchange.request.match_info.get("id", ""))
        link = self._link(exchange.request, video)
        return answers.instead(exchange.request, exchange.fault, self._profile, link)

    def _trouble(self, name: Operation, request: web.Request) -> Fault:
        video = self._library.get(request.match_info.get("id", ""))
        state = video.state(self._now()) if video else ""
        fault = self.faults.take(name, state)
        if fault is None and video:
            fault = video.faults.take(name, state)
        return fault or Fault(name)

    def _check_key(self, request: web.Request) -> str:
        if not self.key:
            return ""
        scheme, _, key = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme != "Bearer" or key not in self._keys:
            raise self._profile.bad_key()
        return key

    def _record(self, exchange: Exchange, status: int) -> None:
        self._journal.record(
            Entry(
                at=self._now(),
                operation=exchange.operation,
                method=exchange.request.method,
                path=exchange.request.path,
                video=exchange.video.id if exchange.video else None,
                model=exchange.model,
                fields=exchange.contents.fields,
                files=exchange.contents.files,
                metadata=exchange.contents.metadata,
                status=None if exchange.fault.kind in ("drop", "cut") else status,
                charged=exchange.charged,
                refunded=exchange.refunded,
                built=exchange.built,
                authorized=hdrs.AUTHORIZATION in exchange.request.headers,
            )
        )

    async def _create(self, exchange: Exchange) -> web.StreamResponse:
        find = partial(self._found, exchange)
        scene, made = await asyncio.to_thread(self._profile.order, exchange.body, find)
        if made is not None:
            exchange.built = await asyncio.to_thread(journal.vendors, made, scene.pictures)
            reached, names = made.built.body, self._profile.repeats
            exchange.repeated = {name: reached[name] for name in names if name in reached}
        return await self._begin(exchange, scene)

    async def _remix(self, exchange: Exchange) -> web.StreamResponse:
        source = self._known(exchange)
        scene = self._profile.remix(exchange.body, source)
        return await self._begin(exchange, scene, remixed_from=source.id)

    async def _receive(self, exchange: Exchange) -> None:
        """Read the request's body, and the faults that its prompt asks for."""
        try:
            body = exchange.body = await bodies.read(exchange.request)
        except Refused as refusal:
            raise self._profile.unreadable(refusal) from refusal
        exchange.contents = await asyncio.to_thread(journal.describe, body)
        exchange.model = body.fields.get("model")
        wishes = [each for each, _ in presets.asked(body.fields.get("prompt", ""))]
        mine = [each for each in wishes if each.operation == "create"]
        exchange.fates += mine
        if exchange.fault == Fault("create"):
            exchange.fault = next(iter(mine), exchange.fault)

    async def _begin(
        self, exchange: Exchange, scene: Scene, remixed_from: str | None = None
    ) -> web.StreamResponse:
        exchange.model = scene.model
        if videos.REFUSE in scene.prompt:
            raise Refused("the prompt asks to be refused")
        if self._at_once is not None and self._library.under_way(exchange.key) >= self._at_once:
            raise self._profile.busy()
        video = self._library.begin(scene, key=exchange.key, remixed_from=remixed_from)
        exchange.video, exchange.charged = video, True
        video.repeated = exchange.repeated
        for fault in exchange.fates:
            videos.bend(video, fault)
        await self._library.keep(video)
        if exchange.fault.kind == "begun":
            return self._instead(exchange)
        shown = self._profile.accepted(video)
        if exchange.fault.kind in answers.AT_ONCE:
            await self._library.rendered()
            url = self._link(exchange.request, video)
            answer = await answers.made(exchange.fault, shown, url, video.path)
        else:
            answer = answers.patched(shown, exchange.fault)
        answer.set_status(self._profile.created)
        answer.headers.update(self._profile.receipt(scene))
        return answer

    async def _retrieve(self, exchange: Exchange) -> web.StreamResponse:
        video = self._about(exchange, self._known(exchange))
        url = self._link(exchange.request, video)
        shown = self._profile.shown(video, self._now(), url)
        if video.withheld and video.state(self._now()) == "succeeded":
            shown = answers.withheld(shown, video.withheld, self._profile)
        status = self._profile.status(video, self._now())
        if exchange.fault.kind == "status":
            status = exchange.fault.status
        return answers.patched(shown, exchange.fault, status=status)

    def _known(self, exchange: Exchange) -> Video:
        video = self._mine(exchange, exchange.request.match_info["id"])
        if video is None:
            raise self._profile.unknown()
        return video

    def _mine(self, exchange: Exchange, name: str) -> Video | None:
        video = self._library.get(name)
        return video if video and video.is_of(owner(exchange.key)) else None

    def _found(self, exchange: Exchange, name: str) -> tuple[Video, State] | None:
        video = self._mine(exchange, name)
        return (video, video.state(self._now())) if video else None

    def _about(self, exchange: Exchange, video: Video) -> Video:
        exchange.video, exchange.model = video, video.scene.model
        videos.bend(video, exchange.fault)
        return video

    async def _content(self, exchange: Exchange) -> web.StreamResponse:
        video = self._library.get(exchange.request.match_info["id"])
        mine = self._profile.for_all or (video and video.is_of(owner(exchange.key)))
        if video is None or not mine:
            raise self._profile.no_content()
        self._about(exchange, video)
        if video.state(self._now()) != "succeeded":
            raise self._profile.not_ready(video, self._now())
        if video.withheld:
            raise self._profile.no_artifact()
        link = self._link(exchange.request, video)
        if refusal := self._profile.withholds(video, exchange.request.query, link):
            raise refusal
        variant = exchange.request.query.get("variant", "video")
        if self._profile.variants and variant != "video":
            return await answers.still(video.scene, variant)
        if exchange.fault.kind == "webm":
            return await answers.webm(video.scene)
        exchange.file = video.path
        headers = self._profile.file_headers(video)
        return await answers.file(video.path, self._profile, headers)

    async def _file(self, exchange: Exchange) -> web.StreamResponse:
        video = self._library.get(exchange.request.match_info["id"])
        if video is None or video.withheld or video.state(self._now()) != "succeeded":
            raise Refused("there is no such file", 404)
        if not self._profile.opens(video, exchange.request.query, self._now()):
            raise Refused("the link is not signed or has expired", 403)
        exchange.video, exchange.file = video, video.path
        return web.FileResponse(video.path)

    async def _list(self, exchange: Exchange) -> web.StreamResponse:
        known = self._library.of(exchange.key)
        request, now = exchange.request, self._now()
        shown = [self._profile.shown(it, now, self._link(request, it)) for it in known]
        return web.json_response(self._profile.page(shown, exchange.request.query))

    async def _delete(self, exchange: Exchange) -> web.StreamResponse:
        video = self._about(exchange, self._known(exchange))
        body = self._profile.deleted(video, self._now())
        self._library.drop(video)
        return answers.patched(body, exchange.fault)

    def _link(self, request: web.Request, video: Video | None) -> str:
        """Return the address of a video's file; "" if there is no such video."""
        if video is None:
            return ""
        query = self._profile.signature(video.id, video.created_at)
        path = f"/files/{video.id}.mp4" + (f"?{query}" if query else "")
        return f"{request.scheme}://{request.host}{path}"
