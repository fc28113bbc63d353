"""The gateway's socket: opened, listened to until it is lost, and then taken up where it was.

discord.py's own loop ends by what it did not foresee and, after an outage, stays deaf for up to
twice as long. So its socket is driven from here; how the next try is timed is the supervisor's.
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
"""Seconds until the gateway has said hello."""
ENTER_TIME = 60.0
"""Seconds from then until it has let us in."""
CLOSE_TIME = 2.0
"""Seconds for a goodbye: who is gone does not answer it."""
MOST_SESSIONS = 40
"""New sessions within an hour: beyond 1,000 a day Discord takes the token away."""
HOUR = 3600.0
MOST_RESUMES = 2
"""Times that a session is offered to a gateway that answers nothing."""

ENTERED = ("READY", "RESUMED")
SILENT, RETURNED = 4000, 1000
"""Close codes: after the first the session can be taken up, after the second it is over."""

log = get_logger()


class Client(discord.Client):
    """Waits for nothing before a new session: when to try is decided elsewhere."""

    begins: Callable[[], None] | None = None
    """Called as a new session is asked for."""

    async def before_identify_hook(
        self,
        shard_id: int | None,  # noqa: ARG002 - discord.py's signature
        *,
        initial: bool = False,  # noqa: ARG002
    ) -> None:
        """See above."""
        if self.begins:
            self.begins()


class Socket(DiscordWebSocket):
    """discord.py's, but an event that it stumbles over is dropped, and no end leaves it open."""

    has_entered = False
    """The gateway has let us in."""
    _frame: str | None = None

    def log_receive(self, frame: Any, /) -> None:
        """discord.py hands us each frame as text before it reads it."""
        self._frame = frame

    async def received_message(self, frame: Any, /) -> None:
        """One frame. The protocol's own must be understood."""
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
        """Hear one frame."""
        async with self._left_when_lost():
            await super().poll_event()

    async def identify(self) -> None:
        """Ask for a new session."""
        async with self._left_when_lost():
            await super().identify()

    async def resume(self) -> None:
        """Ask for the former session."""
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
    """The facts by which a session is taken up, so that nothing said meanwhile is missed."""

    id: str
    sequence: int
    gateway: URL | None
    """None: where everybody knocks."""
    refusals: int = 0


class Connection:
    """One client's, again and again. `entered` is called when the gateway has let us in."""

    def __init__(self, client: Client, *, clock: Clock, entered: Callable[[], None]):
        self._client = client
        client.begins = self._begins
        self._clock = clock
        self._entered = entered
        self._session: _Session | None = None
        self._begun: deque[float] = deque(maxlen=MOST_SESSIONS)

    async def listen(self) -> None:
        """Until it is lost; raises why."""
        socket = await self._opened()
        self._client.ws = socket
        try:
            await self._hear(socket)
        except ReconnectWebSocket as lost:
            self._session = self._left(socket) if lost.resume else None
            raise
        except discord.ConnectionClosed:
            self._session = None  # one of the codes after which there is none
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
        """A new session, but not more of them than Discord bears."""
        if len(self._begun) == MOST_SESSIONS:
            wait = self._begun[0] + HOUR - self._clock.steady()
            if 0 < wait <= HOUR:
                log.warning("discord.session_held", seconds=round(wait))
                await self._clock.sleep(wait)

    def _begins(self) -> None:
        """Only what was asked for counts at Discord, not a gateway that nobody reached."""
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
    """The event that a frame tells of; None for the protocol's own, and before there was one."""
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
    """A client that keeps no members, messages or presences: everything goes by id."""
    intents = discord.Intents(guilds=True, guild_messages=True, dm_messages=True)
    intents.message_content = message_content
    # We never speak: discord.py need not say at every start what that would take.
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
