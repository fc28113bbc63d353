"""A thin client of one /v1/videos server: building and reading bodies are pure functions elsewhere.

The client never retries. The worker decides when to retry, and a POST that may have been sent is
never retried.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import blake2b
from pathlib import Path
from urllib.parse import quote

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from bot.core.orders import VideoRequest
from bot.core.outcomes import (
    Accepted,
    Creation,
    Fetch,
    Listed,
    Listing,
    NoList,
    NotSent,
    Polled,
    Probe,
    Running,
    Trouble,
    Unread,
    VideoList,
)
from bot.gateways.costs import may_tell_cost, with_cost
from bot.gateways.creations import read_creation
from bot.gateways.dialects import DEFAULT, DIALECTS
from bot.gateways.envelopes import STATUSES, TABLES, own_ids
from bot.gateways.glances import read_glance
from bot.gateways.meanings import Row
from bot.gateways.polls import read_content, read_poll
from bot.gateways.requests import build
from bot.gateways.survey import bearer, probe
from bot.gateways.table import PACKAGED
from bot.net.answers import NET, Answer, open_session, read
from bot.net.bounds import Bounds
from bot.net.deadlines import Deadline
from bot.net.downloads import Downloads
from bot.net.guard import guarded_connector
from bot.net.sending import PostConnection, connected
from bot.net.tables import Spot, Table

BOUNDS = Bounds()
PAGE, MOST_PAGES = 100, 10
_LONGEST, _MILLIS = 4000, 1e11
"""Characters of a text in a list that are kept; times above this are in milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayOptions:
    """One gateway as configured."""

    name: str
    base_url: str
    """The gateway's address, with or without /v1."""
    api_key: str = field(repr=False)
    """The API key; "" for a server without one."""
    dialect: str = DEFAULT
    """The name of one of `DIALECTS`."""
    poll_step: float = 10.0
    media_origins: frozenset[str] = frozenset()
    """Origins that videos may come from although they are not public https addresses."""
    trust_json_5xx: bool = True
    own: bool = False
    """Whether the server is the operator's."""
    refunds_failed: bool = True
    answers: tuple[Row, ...] = ()
    """This gateway's own rows of the table of answers, which go before the packaged ones."""
    cost_currency: str = ""
    """The currency of the costs in its answers; "" if the dialect says it."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A POST that is ready to send: its body is built and its connection open."""

    line: PostConnection
    read: Callable[[Answer], Creation]

    async def send(self) -> Creation:
        """Send the POST and read the response. Call this only once."""
        answer = await self.line.send()
        return self.read(answer) if isinstance(answer, Answer) else answer


class VideosApi:
    """Implements the `Gateway` port for any server that speaks /v1/videos."""

    def __init__(
        self,
        settings: GatewayOptions,
        *,
        polling: aiohttp.ClientSession,
        guarded: aiohttp.ClientSession,
        bounds: Bounds = BOUNDS,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self.name, self.dialect = settings.name, settings.dialect
        self.spoken = DIALECTS[settings.dialect]
        self.own = settings.own and self.spoken.deletes
        self.base_url = settings.base_url.rstrip("/").removesuffix("/v1")
        named = f"{self.base_url} {settings.api_key}".encode()
        # Long enough to tell keys apart, too short to recover a key from.
        self.account = blake2b(named, digest_size=4).hexdigest()
        self.poll_step, self.refunds_failed = settings.poll_step, settings.refunds_failed
        self._currency = settings.cost_currency or self.spoken.currency
        self._settings, self._bounds, self._polling = settings, bounds, polling
        # One deadline for a whole GET: the session's own timers watch each of its parts.
        self._deadline = Deadline(bounds.poll)
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=bounds.connect)
        self._key = bearer(settings.api_key)
        self._connected = partial(connected, headers=self._key, bounds=bounds, resolver=resolver)
        self._meanings = PACKAGED.under(settings.answers)
        trust = settings.trust_json_5xx
        self._read = partial(read_creation, trust_json_5xx=trust, meanings=self._meanings)
        known = (self.base_url, *settings.media_origins)
        origins = frozenset(str(URL(url).origin()) for url in known)
        self._downloads = Downloads(polling, guarded, origins=origins, bounds=bounds)

    @asynccontextmanager
    async def ready(
        self,
        request: VideoRequest,
        files: Sequence[Path],
        *,
        links: Sequence[str] = (),
        into: Path | None = None,
    ) -> AsyncIterator["Ready | NotSent"]:
        """Build the body and connect. `Ready.send` then sends the POST, once."""
        async with AsyncExitStack() as stack:
            try:
                make = partial(build, request, files, links)
                body = await asyncio.to_thread(make) if files else make()
                url = self._url(request.remix_of, "/remix") if request.remix_of else self._url()
                line = await stack.enter_async_context(self._connected(url, body, into=into))
            except NET as error:
                ready: Ready | NotSent = NotSent(type(error).__name__)
            else:
                ready = Ready(line, partial(self._read_creation, prompt=request.written))
            yield ready

    def _read_creation(self, answer: Answer, *, prompt: str) -> Creation:
        read = self._read(answer, prompt=prompt)
        gateway_id = read.gateway_id if isinstance(read, Accepted) else ""
        return with_cost(read, answer, gateway_id, currency=self._currency)

    async def probe(self) -> Probe:
        """Check the key and the balance free of charge."""
        return await probe(self.base_url, self._settings.api_key, meanings=self._meanings)

    async def retrieve(self, gateway_id: str, *, prompt: str = "") -> Polled:
        """Poll the job once. Quotes of `prompt` in the response don't count."""
        seen = await self.glance(gateway_id)
        return seen if isinstance(seen, Running) else seen.read(prompt)

    async def glance(self, gateway_id: str) -> Running | Unread:
        """Poll the job once, without its prompt: a response other than "not yet" stays `Unread`."""
        answer = await self._get(self._url(gateway_id), most=self._bounds.answer)
        if isinstance(answer, Trouble):
            trouble = answer
            return Unread(lambda _prompt: trouble)
        running = read_glance(answer, gateway_id, meanings=self._meanings)
        if running and not may_tell_cost(answer, currency=self._currency):
            return running

        def read(prompt: str) -> Polled:
            read = read_poll(answer, gateway_id=gateway_id, prompt=prompt, meanings=self._meanings)
            return with_cost(read, answer, gateway_id, currency=self._currency)

        return Unread(read)

    async def listing(self, *, since: float) -> Listing:
        """List the videos ordered since `since`, page by page, as far as the gateway lists them."""
        found: dict[str, Listed] = {}
        after: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            url = self._url().update_query({"limit": str(PAGE), "order": "desc", **after})
            answer = await self._get(url, most=self._bounds.listing)
            page = read_page(answer) if isinstance(answer, Answer) else answer
            if not isinstance(page, VideoList):
                return VideoList(tuple(found.values()), whole=False) if found else page
            fresh = {video.id: video for video in page.videos if video.id not in found}
            found |= fresh
            dated = [video.created_at for video in page.videos if video.created_at is not None]
            if page.whole or not fresh or (dated and min(dated) < since):
                return VideoList(tuple(found.values()), whole=page.whole or bool(fresh))
            after = {"after": page.videos[-1].id}
        return VideoList(tuple(found.values()), whole=False)

    async def content(
        self, gateway_id: str, source: str | None, into: Path, *, prompt: str = ""
    ) -> Fetch:
        """Download the video into `into`: from `source`, or by the job's id, with our key."""
        url = self._url(gateway_id, "/content") if source is None else source
        key = self._key if source is None else {}
        judge = partial(read_content, prompt=prompt, meanings=self._meanings)
        try:
            async with asyncio.timeout(self._bounds.content):
                return await self._downloads.fetch(url, into, key=key, judge=judge)
        except TimeoutError as error:
            return Trouble(type(error).__name__)

    async def delete(self, gateway_id: str) -> Trouble | None:
        """Delete the video. A video that the server does not know is gone."""
        if not self.own:
            return Trouble("not the operator's server")
        answer = await self._ask("DELETE", self._url(gateway_id), most=self._bounds.answer)
        if isinstance(answer, Trouble) or 200 <= answer.status < 300:
            return answer if isinstance(answer, Trouble) else None
        return None if answer.status in (404, 410) else Trouble(f"HTTP {answer.status}")

    async def _get(self, url: URL, *, most: int) -> Answer | Trouble:
        return await self._ask("GET", url, most=most)

    async def _ask(self, method: str, url: URL, *, most: int) -> Answer | Trouble:
        try:
            with self._deadline:
                async with self._polling.request(
                    method, url, headers=self._key, timeout=self._timeout, allow_redirects=False
                ) as response:
                    return await read(response, most=most)
        except NET as error:
            return Trouble(type(error).__name__)

    def _url(self, gateway_id: str | None = None, tail: str = "") -> URL:
        name = "" if gateway_id is None else f"/{quote(gateway_id, safe='')}"
        return URL(f"{self.base_url}/v1/videos{name}{tail}", encoded=True)


@asynccontextmanager
async def open_gateways(
    settings: Sequence[GatewayOptions],
    *,
    bounds: Bounds = BOUNDS,
    resolver: AbstractResolver | None = None,
) -> AsyncIterator[dict[str, VideosApi]]:
    """Open clients of all gateways, by name. They share connections for GETs."""
    # 8 to 16 connections are best for throughput and lag alike; polls are sparse.
    polls = aiohttp.TCPConnector(limit=16, keepalive_timeout=75.0, resolver=resolver)
    async with (
        open_session(bounds, polls, most=bounds.poll) as polling,
        open_session(bounds, guarded_connector(resolver)) as guarded,
    ):
        client = partial(VideosApi, polling=polling, guarded=guarded, bounds=bounds)
        yield {one.name: client(one, resolver=resolver) for one in settings}


# --- lists of videos in OpenAI's format ----------------------------------------------------------


def read_page(answer: Answer) -> VideoList | NoList | Trouble:
    """Read a page of videos. It is `whole` unless the gateway says that more pages follow."""
    if answer.status not in (200, *STATUSES["no_lists"]):
        return Trouble(f"HTTP {answer.status}")
    match TABLES.parsed(answer.body):
        case {"data": [*rows], **rest} if answer.status == 200:
            videos = (_listed(row) for row in rows[:PAGE] if isinstance(row, dict))
            return VideoList(tuple(filter(None, videos)), whole=rest.get("hasmore") is not True)
    return NoList()


def _listed(row: Table) -> Listed | None:
    ids = own_ids(Spot(row))
    if not ids:
        return None
    texts = {name: text[:_LONGEST] for name, text in row.items() if isinstance(text, str)}
    given = {name: texts[name] for name in ("model", "status", "prompt") if name in texts}
    at = _time(row.get("createdat", row.get("created")))
    return Listed(id=ids[0], created_at=at, **given)


def _time(given: object) -> float | None:
    with suppress(ValueError, OverflowError, OSError):
        if isinstance(given, str) and not given.isdecimal():
            return datetime.fromisoformat(given).timestamp()
        if isinstance(given, int | float | str):
            at = float(given)
            return at / 1000 if at > _MILLIS else at
    return None
