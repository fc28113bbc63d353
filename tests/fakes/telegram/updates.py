"""The updates that the bot has not confirmed, and the poll that waits for them.

An update is confirmed only by a later getUpdates with a higher offset. Rules and error texts are
those of `telegram-bot-api/Client.cpp` and tdlib's `TQueue`. This module knows nothing of an
update's content.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fakes.streams import Stream

from .calls import Call, Method, Refused, method
from .model import Json

DAY = 24 * 3600
LONGEST_POLL = 50
MOST = 100
FUTURE = 10
"""An offset this far past the newest update is taken for a mistake and ignored."""

UNASKED = ("chat_member", "message_reaction", "message_reaction_count")
"""Kinds of updates that come only if `allowed_updates` names them."""

OTHER_POLLER = (
    "terminated by other getUpdates request; make sure that only one bot instance is running"
)

FIRST_ID = 728_114_001


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """One update. `subject` is the message or query that it is about, as the test knows it."""

    id: int
    kind: str
    body: Json
    at: float
    subject: object = None

    @property
    def json(self) -> Json:
        """The update as it is sent."""
        return {"update_id": self.id, self.kind: self.body}


@dataclass(slots=True, kw_only=True)
class Poll:
    """One getUpdates, with the ids of the updates that it got; None while it waits."""

    offset: int
    limit: int
    timeout: int
    at: float
    given: list[int] | None = None
    conflict: str = ""
    _over: asyncio.Event = field(default_factory=asyncio.Event, repr=False)


class Updates:
    """The queue of updates.

    `polls` is the log of getUpdates calls, `all` every update there ever was.
    """

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self.all: list[Update] = []
        self.polls: list[Poll] = []
        self.allowed: list[str] = []
        self.webhook_url = ""
        self.added: Stream[Update] = Stream("update")
        self._clock = clock
        self._pending: list[Update] = []
        self._again: list[Update] = []
        self._next_id = FIRST_ID
        self._waiting: Poll | None = None
        self._polled: Stream[Poll] = Stream("poll")
        self.on_new: Callable[[], None] = lambda: None
        """Called for every new update; used by the webhook."""

    def methods(self) -> list[Method]:
        """Return the table of methods."""
        return [method("getUpdates", "offset limit timeout allowed_updates", self.get_updates)]

    # ---- for the test

    @property
    def pending(self) -> list[Update]:
        """The unconfirmed updates, the oldest first."""
        self._forget_old()
        return list(self._pending)

    @property
    def offsets(self) -> list[int]:
        """The offsets of all polls, in order."""
        return [poll.offset for poll in self.polls]

    def of(self, subject: object) -> Update:
        """Return the newest update about a message or a query."""
        for update in reversed(self.all):
            if update.subject is subject:
                return update
        raise LookupError(f"the bot was not told of {subject}")

    def add(self, kind: str, body: Json, subject: object = None) -> Update | None:
        """Queue an update, or return None if its kind is not wanted."""
        wanted = kind in self.allowed if self.allowed else kind not in UNASKED
        return self._put(kind, body, subject) if wanted else None

    def add_unknown(self) -> Update:
        """Queue an update of an unknown kind."""
        return self._put("telepathic_message", {"thought": "a cat"}, None)

    def add_malformed(self) -> Update:
        """Queue an update whose message fits no model."""
        return self._put("message", {"message_id": "many", "date": None, "chat": "here"}, None)

    def repeat(self, subject: object) -> Update:
        """Queue the same message once more, under a new update id."""
        before = self.of(subject)
        return self._put(before.kind, before.body, subject)

    def redeliver(self, update: Update) -> None:
        """Deliver an update once more, under its own id, whether confirmed or not."""
        if self.webhook_url:
            self._pending.insert(0, update)
            self.on_new()
            return
        self._again.append(update)
        self._wake()

    def end_poll(self) -> None:
        """Answer the waiting poll with nothing, as after its timeout."""
        self._wake()

    async def polled(self, where: Callable[[Poll], bool], timeout: float) -> Poll:
        """Return the oldest poll that was not taken yet; wait until there is one."""
        return await self._polled.take(where, timeout)

    # ---- for the bot

    async def get_updates(self, call: Call) -> list[Json]:
        """Confirm the updates below the offset, and return the rest, or wait for one."""
        if self.webhook_url:
            words = "can't use getUpdates method while webhook is active"
            raise _conflict(f"{words}; use deleteWebhook to delete the webhook first")
        self.allow(call)
        poll = Poll(
            offset=call.integer("offset"),
            limit=min(max(call.integer("limit", MOST), 1), MOST),
            timeout=min(max(call.integer("timeout"), 0), LONGEST_POLL),
            at=self._clock(),
        )
        self.polls.append(poll)
        self._polled.add(poll)
        self._confirm(poll.offset)
        found = self._take(poll)
        if not found and poll.timeout:
            await self._wait(poll)
            found = self._take(poll)
        poll.given = [update.id for update in found]
        return [update.json for update in found]

    def allow(self, call: Call) -> None:
        """Remember the kinds asked for; without the field the earlier kinds stay."""
        kinds = call.parsed("allowed_updates", "Can't parse allowed updates")
        if kinds is not None:
            self.allowed = [str(kind).lower() for kind in kinds]

    def confirm(self, update: Update) -> None:
        """Mark an update as received by the webhook."""
        self._pending = [each for each in self._pending if each.id != update.id]

    def drop_pending(self) -> None:
        """Forget all unconfirmed updates."""
        self._pending.clear()

    def interrupt(self, words: str) -> None:
        """End the waiting poll with a conflict."""
        if self._waiting is not None:
            self._waiting.conflict = words
            self._wake()

    def _put(self, kind: str, body: Json, subject: object) -> Update:
        update = Update(id=self._next_id, kind=kind, body=body, at=self._clock(), subject=subject)
        self._next_id += 1
        self.all.append(update)
        self._pending.append(update)
        self.added.add(update)
        self._wake()
        self.on_new()
        return update

    def _confirm(self, offset: int) -> None:
        self._forget_old()
        if offset < 0:
            self._pending = self._pending[offset:]
        elif offset <= self._next_id + FUTURE:
            self._pending = [update for update in self._pending if update.id >= offset]

    def _take(self, poll: Poll) -> list[Update]:
        self._forget_old()
        again, self._again = self._again, []
        return [*again, *self._pending][: poll.limit]

    async def _wait(self, poll: Poll) -> None:
        self.interrupt(OTHER_POLLER)
        self._waiting = poll
        try:
            async with asyncio.timeout(poll.timeout):
                await poll._over.wait()
        except TimeoutError:
            pass
        finally:
            if self._waiting is poll:
                self._waiting = None
        if poll.conflict:
            raise _conflict(poll.conflict)

    def _wake(self) -> None:
        if self._waiting is not None:
            self._waiting._over.set()

    def _forget_old(self) -> None:
        oldest = self._clock() - DAY
        self._pending = [update for update in self._pending if update.at > oldest]


def _conflict(words: str) -> Refused:
    return Refused(409, f"Conflict: {words}")
