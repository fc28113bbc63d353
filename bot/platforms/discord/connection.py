"""The WebSocket to Discord's gateway: open it, listen until it is lost, resume the session.

discord.py's own loop ends on unexpected errors and, after an outage, may stay disconnected for as
long as twice the outage. So its socket is driven from here. The supervisor decides when to retry.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import discord
from discord.gateway import DiscordWebSocket, ReconnectWebSocket
from yarl import URL

from bot.core.ports import Clock
from bot.log import get_logger

OPEN_TIME = 20.0
"""Timeout in seconds until the gateway's Hello."""
ENTER_TIME = 60.0
"""Timeout in seconds from Hello until READY or RESUMED."""
CLOSE_TIME = 2.0
"""Timeout in seconds for closing the socket: a lost peer doesn't answer."""
MOST_SESSIONS = 40
"""Most new sessions within an hour. Beyond 1,000 a day Discord resets the token."""
HOUR = 3600.0
MOST_RESUMES = 2
"""Most attempts to resume a session while the gateway doesn't answer."""

ENTERED = ("READY", "RESUMED")
SILENT, RETURNED = 4000, 1000
"""Close codes: after `SILENT` the session can be resumed, after `RETURNED` it is over."""

log = get_logger()


class Client(discord.Client):
    """A client without discord.py's wait before a new session: `Connection` decides when."""

    begins: Callable[[], None] | None = None
    """A function that is called when a new session is requested."""

    async def before_identify_hook(
        self,
        shard_id: int | None,  # noqa: ARG002 - discord.py's signature
        *,
        initial: bool = False,  # noqa: ARG002
    ) -> None:
        """Call `begins` instead of waiting."""
        if self.begins:
            self.begins()


class Socket(DiscordWebSocket):
    """discord.py's socket, with two changes: an event that discord.py can't parse is dropped, and
    the socket is closed after any error."""

    has_entered = False
    """True after READY or RESUMED."""
    _frame: str | None = None

    def log_receive(self, frame: Any, /) -> None:
        """Keep a WebSocket frame's text. discord.py calls this before it parses the frame."""
        self._frame = frame

    async def received_message(self, frame: Any, /) -> None:
        """Handle one WebSocket frame. An event that fails is dropped. For READY, RESUMED and frames
        of the protocol itself, the error is raised."""
        self._frame = None
        try:
            await super().received_message(frame)
        except Exception as error:
            kind = _kind(self._frame)
            if self._keep_alive is None or kind is None or kind in ENTERED:
                raise
            log.warning("discord.event_dropped", kind=kind, error=type(error).__name__)
        else:
            self.has_entered = self.has_entered or _kind(self._frame) in ENTERED
        finally:
            self._frame = None

    async def poll_event(self) -> None:
        """Receive and handle one WebSocket frame."""
        async with self._left_when_lost():
            await super().poll_event()

    async def identify(self) -> None:
        """Request a new session."""
        async with self._left_when_lost():
            await super().identify()

    async def resume(self) -> None:
        """Request to resume the former session."""
        async with self._left_when_lost():
            await super().resume()

    @asynccontextmanager
    async def _left_when_lost(self) -> AsyncIterator[None]:
        try:
            yield
        except BaseException as error:
            code = RETURNED if isinstance(error, asyncio.CancelledError) else SILENT
            with suppress(Exception):
                async with asyncio.timeout(CLOSE_TIME):
                    await self.close(code)
            raise


@dataclass(frozen=True, slots=True)
class _Session:
    """The data needed to resume a session without missing the events of the meantime."""

    id: str
    sequence: int
    gateway: URL | None
    """The URL to resume at; None for the gateway's general URL."""
    refusals: int = 0


class Connection:
    """The connections of one client, one after another. `entered` is called after each READY or
    RESUMED."""

    def __init__(self, client: Client, *, clock: Clock, entered: Callable[[], None]):
        self._client = client
        client.begins = self._begins
        self._clock = clock
        self._entered = entered
        self._session: _Session | None = None
        self._begun: deque[float] = deque(maxlen=MOST_SESSIONS)

    async def listen(self) -> None:
        """Connect and listen. Raises the reason why the connection was lost."""
        socket = await self._opened()
        self._client.ws = socket
        try:
            await self._hear(socket)
        except ReconnectWebSocket as lost:
            self._session = self._left(socket) if lost.resume else None
            raise
        except discord.ConnectionClosed:
            self._session = None  # these close codes end the session
            raise
        except Exception:
            self._session = self._left(socket)
            raise

    async def _opened(self) -> Socket:
        session = self._session
        if session is None:
            await self._may_begin()
        try:
            async with asyncio.timeout(OPEN_TIME):
                return await Socket.from_client(
                    self._client,
                    initial=True,
                    resume=session is not None,
                    session=session.id if session else None,
                    sequence=session.sequence if session else None,
                    gateway=session.gateway if session else None,
                )
        except Exception:
            if session is not None:
                self._session = replace(session, gateway=None)
            raise

    async def _hear(self, socket: Socket) -> None:
        async with asyncio.timeout(ENTER_TIME) as limit:
            while True:
                await socket.poll_event()
                if socket.has_entered and limit.when() is not None:
                    limit.reschedule(None)
                    self._entered()

    async def _may_begin(self) -> None:
        """Wait until a new session is allowed: at most `MOST_SESSIONS` in an hour."""
        if len(self._begun) == MOST_SESSIONS:
            wait = self._begun[0] + HOUR - self._clock.steady()
            if 0 < wait <= HOUR:
                log.warning("discord.session_held", seconds=round(wait))
                await self._clock.sleep(wait)

    def _begins(self) -> None:
        """Count a new session. Discord counts only sessions that were requested, not failed
        connections."""
        self._begun.append(self._clock.steady())

    def _left(self, socket: Socket) -> _Session | None:
        if socket.session_id is None or socket.sequence is None:
            return None
        before = self._session
        refusals = before.refusals + 1 if before and not socket.has_entered else 0
        if refusals >= MOST_RESUMES:
            return None
        return _Session(socket.session_id, socket.sequence, socket.gateway, refusals)


def _kind(frame: str | None) -> str | None:
    """Return the event's name in a WebSocket frame; None for other frames, and for no frame."""
    if frame is None:
        return None
    try:
        read = json.loads(frame)
    except ValueError:
        return "unreadable"
    match read:
        case {"op": DiscordWebSocket.DISPATCH, "t": str(kind)}:
            return kind[:40]
        case {"op": int()} if read["op"] != DiscordWebSocket.DISPATCH:
            return None
        case _:
            return "unreadable"


def new_client(*, message_content: bool) -> Client:
    """Return a client that caches no members, messages or presences: we address all by id."""
    intents = discord.Intents(guilds=True, guild_messages=True, dm_messages=True)
    intents.message_content = message_content
    # We don't use voice, so suppress the warnings about its missing libraries.
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
    return Client(
        intents=intents,
        allowed_mentions=discord.AllowedMentions.none(),
        chunk_guilds_at_startup=False,
        guild_ready_timeout=0,
        max_messages=None,
        max_ratelimit_timeout=60.0,
        member_cache_flags=discord.MemberCacheFlags.none(),
    )
