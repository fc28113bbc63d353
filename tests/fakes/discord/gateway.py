"""The gateway: the websocket on which Discord tells the bot what happens.

It speaks HELLO, IDENTIFY, READY, heartbeats, RESUME with replay, INVALID_SESSION and the close
codes. It knows nothing of messages or guilds: `greeting` says what follows an IDENTIFY, `send`
takes any event. Frames are plain text although discord.py's address asks for zlib-stream;
discord.py accepts both.
"""

import asyncio
import json
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntFlag

from aiohttp import WSMsgType, web

from tests.fakes.streams import within

from .model import Json

Event = tuple[str, Json]
"""The name and the payload of an event."""

HEARTBEAT_SECONDS = 41.25

AUTHENTICATION_FAILED = 4004
DISALLOWED_INTENTS = 4014

DISPATCH, HEARTBEAT, IDENTIFY, PRESENCE, VOICE, RESUME = 0, 1, 2, 3, 4, 6
INVALID_SESSION, HELLO, HEARTBEAT_ACK = 9, 10, 11


class Intent(IntFlag):
    """The intents that decide which events a session gets."""

    GUILDS = 1 << 0
    GUILD_MEMBERS = 1 << 1
    GUILD_PRESENCES = 1 << 8
    GUILD_MESSAGES = 1 << 9
    DIRECT_MESSAGES = 1 << 12
    MESSAGE_CONTENT = 1 << 15


PRIVILEGED = Intent.GUILD_MEMBERS | Intent.GUILD_PRESENCES | Intent.MESSAGE_CONTENT


@dataclass(eq=False)
class Session:
    """One IDENTIFY and all events since.

    A session outlives its socket, so that RESUME can replay.
    """

    id: str
    intents: Intent
    identify: Json
    frames: list[str] = field(default_factory=list)
    socket: web.WebSocketResponse | None = None
    sent: int = 0
    more: asyncio.Event = field(default_factory=asyncio.Event)

    def push(self, event: str, payload: Json) -> None:
        """Number an event and queue it. Without a socket the event waits for a RESUME."""
        number = len(self.frames) + 1
        self.frames.append(json.dumps({"op": DISPATCH, "s": number, "t": event, "d": payload}))
        self.more.set()

    async def write(self, socket: web.WebSocketResponse) -> None:
        """Send queued events as long as this socket belongs to the session."""
        while self.socket is socket:
            if self.sent < len(self.frames):
                self.sent += 1
                await socket.send_str(self.frames[self.sent - 1])
            else:
                self.more.clear()
                await self.more.wait()


class Gateway:
    """All sessions of the one bot at `url`. `granted` are the privileged intents it may ask for."""

    def __init__(self, *, token: str, greeting: Callable[[Session], Iterable[Event]]) -> None:
        self.url = ""
        self.granted = Intent(0)
        self.sessions: list[Session] = []
        self.resumes = 0
        self.unknown_frames: list[Json] = []
        self.refused = 0
        """The number of sockets that were refused."""
        self.says_hello = True
        self.greets = True
        """Whether READY has its content; otherwise it is empty."""
        self.lets_in = True
        """Whether READY or RESUMED is sent at all; if not, a RESUME ends the socket."""
        self._refuses = False
        self._token = token
        self._greeting = greeting
        self._sockets: dict[web.WebSocketResponse, web.Request] = {}
        self._up = asyncio.Event()
        self._down = asyncio.Event()
        self._down.set()

    @property
    def live(self) -> list[Session]:
        """The sessions that have a socket now."""
        return [session for session in self.sessions if session.socket is not None]

    async def connected(self, timeout: float) -> None:
        """Return once the bot has a session with a socket."""
        await within(timeout, self._up, "the bot did not connect to the gateway")

    async def disconnected(self, timeout: float) -> None:
        """Return once the bot has no session with a socket."""
        await within(timeout, self._down, "the bot did not leave the gateway")

    def send(self, event: str, build: Callable[[Intent], Json | None]) -> bool:
        """Send an event to every session.

        `build` gets a session's intents and returns None if the session is not subscribed. Return
        False if no socket is open: the event then waits for a RESUME that may never come.
        """
        for session in self.sessions:
            payload = build(session.intents)
            if payload is not None:
                session.push(event, payload)
        return bool(self.live)

    def refuse(self, *, until: bool = False) -> None:
        """Refuse new sockets, like a proxy whose upstream is gone; `until` ends that."""
        self._refuses = not until

    def garble(self, frame: str) -> None:
        """Send every session this text, which need not be JSON, without a sequence number."""
        for session in self.sessions:
            session.frames.append(frame)
            session.more.set()

    async def drop(self, *, code: int | None = None) -> None:
        """Cut every connection: without a close frame, or with a close code."""
        for socket, request in list(self._sockets.items()):
            if code is not None:
                await socket.close(code=code)
            elif request.transport is not None:
                request.transport.abort()

    def forget(self) -> None:
        """Forget all sessions: the next RESUME is answered with INVALID_SESSION."""
        for session in self.sessions:
            self._detach(session)
        self.sessions.clear()

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection from HELLO to its end."""
        if self._refuses:
            self.refused += 1
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        self._sockets[socket] = request
        session: Session | None = None
        try:
            hello = {"op": HELLO, "d": {"heartbeat_interval": int(HEARTBEAT_SECONDS * 1000)}}
            if self.says_hello:
                await socket.send_json(hello)
            session = await self._enter(socket)
            if session is not None:
                await self._talk(socket, session)
        except ConnectionError:
            pass  # The bot was killed while something was being sent; its session stays resumable.
        finally:
            del self._sockets[socket]
            if session is not None and session.socket is socket:
                self._detach(session)
        return socket

    async def _talk(self, socket: web.WebSocketResponse, session: Session) -> None:
        writer = asyncio.create_task(session.write(socket))
        try:
            while (frame := await self._receive(socket)) is not None:
                if frame["op"] not in (PRESENCE, VOICE):
                    self.unknown_frames.append(frame)
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    async def _enter(self, socket: web.WebSocketResponse) -> Session | None:
        while (frame := await self._receive(socket)) is not None:
            if frame["op"] == IDENTIFY:
                return await self._identify(socket, frame["d"])
            if frame["op"] == RESUME:
                session = await self._resume(socket, frame["d"])
                if session is not None:
                    return session
        return None

    async def _receive(self, socket: web.WebSocketResponse) -> Json | None:
        """Return the next frame that is no heartbeat, or None at the end."""
        while True:
            frame = await socket.receive()
            if frame.type is not WSMsgType.TEXT:
                return None
            content: Json = json.loads(frame.data)
            if content["op"] != HEARTBEAT:
                return content
            await socket.send_json({"op": HEARTBEAT_ACK})

    async def _identify(self, socket: web.WebSocketResponse, asked: Json) -> Session | None:
        if asked["token"] != self._token:
            await socket.close(code=AUTHENTICATION_FAILED)
            return None
        intents = Intent(asked["intents"])
        if intents & PRIVILEGED & ~self.granted:
            await socket.close(code=DISALLOWED_INTENTS)
            return None
        session = Session(id=secrets.token_hex(16), intents=intents, identify=asked)
        self.sessions.append(session)
        for event, payload in self._greeting(session) if self.lets_in else ():
            session.push(event, payload if self.greets else {})
        self._attach(session, socket)
        return session

    async def _resume(self, socket: web.WebSocketResponse, asked: Json) -> Session | None:
        if not self.lets_in:
            await socket.close(code=4000)
            return None
        for session in self.sessions:
            if session.id == asked["session_id"] and asked["token"] == self._token:
                self.resumes += 1
                session.sent = asked["seq"]
                session.push("RESUMED", {})
                self._attach(session, socket)
                return session
        await socket.send_json({"op": INVALID_SESSION, "d": False})
        return None

    def _attach(self, session: Session, socket: web.WebSocketResponse) -> None:
        session.socket = socket
        self._up.set()
        self._down.clear()

    def _detach(self, session: Session) -> None:
        session.socket = None
        session.more.set()
        if not self.live:
            self._up.clear()
            self._down.set()
