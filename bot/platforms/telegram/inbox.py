"""The inbox: updates from Telegram are stored, then confirmed, then handled from their rows.

Telegram drops an update once a later one is requested. So the offset of the next request comes from
the updates that were committed. After a crash an update may be received twice, which is harmless.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from aiogram import Bot
from aiohttp import ClientTimeout

from bot.core import schedule
from bot.core.errors import BotError, Broken, Temporary, Unwritten
from bot.core.ports import Clock
from bot.core.updates import Update
from bot.core.wake import Wake
from bot.core.worker import Worker
from bot.log import get_logger
from bot.platforms.telegram import albums
from bot.platforms.telegram.errors import Busy, WebhookSet
from bot.platforms.telegram.membership import joined

KINDS = ("message", "edited_message", "callback_query", "my_chat_member")
"""The kinds of updates that the bot receives. Telegram remembers the list."""
LONGEST = 50
"""Timeout of long polling: seconds that Telegram holds a request until there is an update."""
SETTLED = 1.5
"""Seconds to wait before a new group is greeted. If it is a known group with a new id, Telegram
reports the new id within that time."""
VIDEO_BUTTONS = ("v1:show:", "v1:original:", "v1:file:")
"""Prefixes of the data of buttons that send a video."""
GRACE = 5.0
"""Seconds that running handlers may take after a stop. Then they are cancelled; their rows stay."""
SLOTS = 32
"""Most updates handled at the same time, each of another lane."""
MOST_TRIES = 6
"""Most attempts to handle an update that fails. Then it is dropped, so that its lane goes on. Ten
times as many for `Temporary` errors."""
MOST_SILENT = 3
"""Most attempts after an unexpected error; at the last one the sender is told."""
EXCUSE_TIME = 5.0
"""Timeout in seconds for telling a person that their message waits."""

log = get_logger()


def may_heal(problem: Exception, update: Update) -> bool:
    """Whether an update should be retried before its sender is told of the problem. For example, a
    locked database is soon free again."""
    if isinstance(problem, BotError):
        return isinstance(problem, Temporary)
    return update.attempts + 1 < MOST_SILENT


class Updates(Protocol):
    """The stored inbox. Each method is one transaction."""

    async def put(self, arrived: Sequence[Update]) -> None: ...

    async def latest(self) -> int | None: ...

    async def due(self, *, now: float, most: int) -> list[Update]: ...

    async def behind(self, update: Update) -> list[Update]: ...

    async def of_lane(self, lane: str, *, since: float) -> list[Update]: ...

    async def next_due(self, *, now: float) -> float | None: ...

    async def done(self, *handled: Update) -> None: ...

    async def put_off(self, update: Update, *, due_at: float, tried: bool = True) -> None: ...


Handle = Callable[[Update], Awaitable[None]]


class Inbox:
    """Receives updates, stores them, and passes them to their handler."""

    def __init__(
        self,
        bot: Bot,
        updates: Updates,
        handle: Handle,
        *,
        clock: Clock,
        hears: Callable[[bool], None],
        move: Callable[[int, int], Awaitable[None]],
        excuse: Handle,
    ) -> None:
        """Connect the inbox with its callbacks.

        `hears` is told whether updates reach us. `move` is called with the old and new id of a
        group that moved. `excuse` tells an update's sender that the update waits, since the
        database can't be written.
        """
        self._bot, self._updates, self._handle = bot, updates, handle
        self._hears, self._move, self._excuse = hears, move, excuse
        self._clock = clock
        self._wake = Wake()
        self._newest: int | None = None
        self._since: float | None = clock.now()
        """When updates began to come in; None until the first answer to a long poll."""
        self._excused: set[int] = set()

    async def take(self, delivered: Sequence[Any]) -> None:
        """Store updates, from long polling or the webhook.

        New ids of groups are stored first: messages under the new id are handled in parallel, and
        have to count for the same community. Raises `Unwritten` if the database can't be written.
        """
        for old, new in filter(None, map(_moved, delivered)):
            await self._move(old, new)
        now = self._clock.now()
        arrived = [each for raw in delivered if (each := _row(raw, now))]
        try:
            await self._updates.put(arrived)
        except Unwritten:
            await self._excuse_all(arrived)
            raise
        self._wake.ring(self._clock.now())

    # --- long polling --------------------------------------------------------------------------

    async def ask(self) -> None:
        """Request updates until an error is raised. Telegram repeats the updates not stored."""
        if self._newest is None:
            self._newest, self._since = await self._updates.latest(), None
        hold = 0  # the first answer comes at once, and shows that the connection works
        while True:
            delivered = await self._asked(hold)
            await self.take(delivered)
            self._since = self._since or self._clock.now()
            hold = LONGEST
            self._hears(True)
            # From this batch alone: after a week without updates, ids restart at a random number.
            numbers = [each["update_id"] for each in delivered if _is_numbered(each)]
            if numbers and max(numbers) == self._newest:
                await self._clock.sleep(1.0)  # the same updates again: avoid a busy loop
            self._newest = max(numbers, default=self._newest)

    async def _asked(self, hold: int) -> list[Any]:
        wanted = {"timeout": hold, "allowed_updates": KINDS}
        if self._newest is not None:
            wanted["offset"] = self._newest + 1
        session = await self._bot.session.create_session()  # type: ignore[attr-defined]  # aiohttp's
        url = self._bot.session.api.api_url(self._bot.token, "getUpdates")
        timeout = ClientTimeout(total=hold + 15, sock_connect=10)
        async with session.post(url, json=wanted, timeout=timeout) as response:
            try:
                answer = await response.json(content_type=None)
            except ValueError:
                raise Temporary("telegram_unreadable") from None
        match answer:
            case {"ok": True, "result": list(delivered)} if not delivered or any(
                map(_is_numbered, delivered)
            ):
                return delivered
            case {"ok": False}:
                raise _refusal(answer)
            case _:
                raise Temporary("telegram_unreadable")

    # --- handling ------------------------------------------------------------------------------

    async def work(self) -> None:
        """Handle stored updates until cancelled. Unfinished updates stay in their rows."""
        worker = Worker(
            name="telegram",
            rows=Lanes(self._updates, self._clock),
            step=self._handled,
            clock=self._clock,
            wake=self._wake,
            slots=SLOTS,
            grace=GRACE,
        )
        await worker.run()

    async def _handled(self, update: Update) -> None:
        try:
            if not await self._is_settled(update):
                return
            await self._handle(update)
            await self._updates.done(update)
        except Exception as error:  # noqa: BLE001 - the row stays and is retried
            await self._stumbled(update, error)

    async def _is_settled(self, update: Update) -> bool:
        """Whether no more messages of this album are expected; if some are, put the album off."""
        if not albums.id_of(update.data):
            return True
        now = self._clock.now()
        album = [update, *await self._updates.behind(update)]
        at = albums.settles_at(album, since=now if self._since is None else self._since)
        if at > now:
            await self._updates.put_off(update, due_at=at, tried=False)
        return at <= now

    async def _excuse_all(self, updates: Sequence[Update]) -> None:
        """Tell the senders, once for each update, that their updates wait to be handled."""
        fresh = [update for update in updates if update.id not in self._excused]
        self._excused |= {update.id for update in fresh}
        for update in fresh:
            try:
                async with asyncio.timeout(EXCUSE_TIME):
                    await self._excuse(update)
            except Exception as error:  # noqa: BLE001 - optional: the update waits anyway
                log.info("telegram.not_excused", update=update.id, error=type(error).__name__)

    async def _stumbled(self, update: Update, error: Exception) -> None:
        if isinstance(error, Unwritten):
            await self._excuse_all([update])
        patient = isinstance(error, Temporary)
        if update.attempts + 1 >= MOST_TRIES * (10 if patient else 1):
            log.error("telegram.update_given_up", update=update.id, error=type(error).__name__)
            await self._updates.done(update)
            return
        log.warning("telegram.update_delayed", update=update.id, error=type(error).__name__)
        now = self._clock.now()
        if isinstance(error, Temporary) and error.unsent and error.retry_after is not None:
            # The chat's rate limit, with a time for the retry: not a failed attempt.
            await self._updates.put_off(update, due_at=now + error.retry_after, tried=False)
            return
        wait = schedule.back_off(update.attempts + 1, base=1.0, most=300.0)
        asked = error.retry_after if isinstance(error, Temporary) else None
        await self._updates.put_off(update, due_at=now + max(wait, asked or 0.0))


class Lanes:
    """The due updates, one of each lane at a time.

    A lane's state is in memory only: each account has a single process.
    """

    def __init__(self, updates: Updates, clock: Clock) -> None:
        self._updates = updates
        self._clock = clock
        self._busy: set[str] = set()
        self._claimed_at = clock.now()

    async def claim(self, most: int) -> list[Update]:
        """Claim the first due update of each free lane."""
        busy = set(self._busy)  # a lane freed during the query may come with its old row
        self._claimed_at = self._clock.now()
        due = await self._updates.due(now=self._claimed_at, most=most + len(busy))
        free = [update for update in due if update.lane not in busy | self._busy][:most]
        self._busy |= {update.lane for update in free}
        return free

    async def next_due(self) -> float | None:
        """Return when the next update is due. Updates due at the last claim don't count: they wait
        for their lanes."""
        return await self._updates.next_due(now=self._claimed_at)

    async def renew(self, held: Sequence[Update]) -> None:
        """Do nothing: a claim on a lane is in memory and doesn't expire."""

    async def release(self, row: Update) -> None:
        """Do nothing: the row is still due."""

    def hold(self, row: Update) -> None:
        """Do nothing: updates are never handed on."""

    def let_go(self, row: Update) -> float:
        """Free the update's lane. Return the current time, as the lane's next update may be due."""
        self._busy.discard(row.lane)
        return self._clock.now()


def _refusal(answer: dict[str, Any]) -> BotError:
    match answer:
        case {"error_code": 401 | 404}:
            return Broken("telegram_token_bad")
        case {"error_code": 409, "description": str(why)} if "webhook" in why:
            return WebhookSet()
        case {"error_code": 409}:
            return Temporary("telegram_another_listens")
        case {"error_code": 429, "parameters": {"retry_after": int(seconds)}}:
            return Busy(retry_after=float(seconds))
        case {"error_code": 429}:
            return Busy()
        case {"error_code": int()}:
            return Temporary("telegram_unreachable")
        case _:
            return Temporary("telegram_unreadable")


def _moved(raw: Any) -> tuple[int, int] | None:
    """Return a group's old and new id if the update reports that the group moved, else None."""
    match raw:
        case {"message": {"chat": {"id": int(old)}, "migrate_to_chat_id": int(new)}}:
            return old, new
    return None


def _is_numbered(raw: Any) -> bool:
    return isinstance(raw, dict) and type(raw.get("update_id")) is int


def _row(raw: Any, now: float) -> Update | None:
    """Return an update as a row, or None if it is unreadable or has no id.

    Such an update is dropped, so that it doesn't block those after it.
    """
    if not _is_numbered(raw):
        log.error("telegram.update_without_number")
        return None
    try:
        return _update(raw["update_id"], raw, now)
    except Exception as error:  # noqa: BLE001 - an update may have any shape
        log.error("telegram.update_unreadable", update=raw["update_id"], error=type(error).__name__)
        return None


def _update(number: int, raw: dict[str, Any], now: float) -> Update:
    if "callback_query" in raw:
        # One lane for each person: many presses of one person don't delay others. Presses that
        # upload a video have a lane of their own: *Cancel* must not wait for an upload.
        pressed = raw["callback_query"] or {}
        person = (pressed.get("from") or {}).get("id", number)
        kind = "video" if str(pressed.get("data")).startswith(VIDEO_BUTTONS) else "press"
        lane, wait, urgent = f"{kind}:{person}", 0.0, True
    else:
        said = next((each for key, each in raw.items() if isinstance(each, dict)), {})
        lane, wait, urgent = albums.lane_of(raw, said), 0.0, False
        if albums.id_of(raw):
            wait = albums.SETTLED
        elif joined(raw):
            wait = SETTLED
    return Update(id=number, lane=lane, data=raw, received_at=now, urgent=urgent, wait=wait)
