"""The inbox: what Telegram tells is stored first, confirmed then, and handled from the rows.

Telegram forgets an update as soon as a later one is asked for. So the number to ask for next comes
from what was committed; and a crash anywhere costs nothing but a repetition, which does no harm.
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
from bot.platforms.telegram.errors import Busy, WebhookSet
from bot.platforms.telegram.membership import joined

KINDS = ("message", "edited_message", "callback_query", "my_chat_member")
"""Updates that we want; Telegram remembers them."""
LONGEST = 50
"""Seconds that Telegram holds a question that it has no answer to yet."""
ALBUM = 1.5
"""Seconds for the pictures of an album to come in, one by one and without an end."""
SETTLED = 1.5
"""Seconds after which a group that is new to us is no former one under a new id: then the news of
that has come, too."""
SAMPLES = ("v1:show:", "v1:original:", "v1:file:")
"""How the buttons begin that send a video."""
GRACE = 5.0
"""Seconds that what is being handled may take after a stop; then it stays in its row."""
SLOTS = 32
"""Updates handled at the same time, each of another lane."""
MOST_TRIES = 6
"""Tries of an update that makes us stumble; then it is given up, so that its chat goes on."""
MOST_SILENT = 3
"""Tries of what nobody foresaw; at the last of them its person is told."""
EXCUSE_TIME = 5.0
"""Seconds for telling somebody that their message waits."""

log = get_logger()


def may_heal(problem: Exception, update: Update) -> bool:
    """Whether the row shall come again before anybody is told: a locked database is free soon."""
    if isinstance(problem, BotError):
        return isinstance(problem, Temporary)
    return update.attempts + 1 < MOST_SILENT


class Updates(Protocol):
    """The stored inbox. Each method is one whole transaction."""

    async def put(self, arrived: Sequence[Update]) -> None: ...

    async def latest(self) -> int | None: ...

    async def due(self, *, now: float, most: int) -> list[Update]: ...

    async def behind(self, update: Update) -> list[Update]: ...

    async def next_due(self, *, now: float) -> float | None: ...

    async def done(self, *handled: Update) -> None: ...

    async def put_off(self, update: Update, *, due_at: float, tried: bool = True) -> None: ...


Handle = Callable[[Update], Awaitable[None]]


class Inbox:
    """Asks, stores and hands on."""

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
        """`hears` is told whether we are told of anything; `move` that a group has another id.

        `excuse` tells whoever an update is from that it waits, because nothing can be written down.
        """
        self._bot, self._updates, self._handle = bot, updates, handle
        self._hears, self._move, self._excuse = hears, move, excuse
        self._clock = clock
        self._wake = Wake()
        self._newest: int | None = None
        self._excused: set[int] = set()

    async def take(self, told: Sequence[Any]) -> None:
        """Store what came in, from wherever it came.

        A group that has another id is known by it before anything is taken there: what was said in
        it is handled beside, and must not be on somebody else's account.
        """
        for old, new in filter(None, map(_moved, told)):
            await self._move(old, new)
        now = self._clock.now()
        arrived = [each for raw in told if (each := _row(raw, now))]
        try:
            await self._updates.put(arrived)
        except Unwritten:
            await self._excuse_all(arrived)
            raise
        self._wake.ring(self._clock.now())

    # --- asking --------------------------------------------------------------------------------

    async def ask(self) -> None:
        """Ask for what is new until that fails; raises why. Updates not stored are told again."""
        if self._newest is None:
            self._newest = await self._updates.latest()
        hold = 0  # the first answer comes at once, and shows that we are heard
        while True:
            told = await self._asked(hold)
            await self.take(told)
            hold = LONGEST
            self._hears(True)
            # Of this batch, not of all time: after a quiet week Telegram counts from anywhere.
            numbers = [each["update_id"] for each in told if _is_numbered(each)]
            if numbers and max(numbers) == self._newest:
                await self._clock.sleep(1.0)  # told the same again: never as fast as it can
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
            case {"ok": True, "result": list(told)} if not told or any(map(_is_numbered, told)):
                return told
            case {"ok": False}:
                raise _refusal(answer)
            case _:
                raise Temporary("telegram_unreadable")

    # --- handling ------------------------------------------------------------------------------

    async def work(self) -> None:
        """Handle what is stored until cancelled; what is not done by then stays in its row."""
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
            await self._handle(update)
            await self._updates.done(update)
        except Exception as error:  # noqa: BLE001 - the rim: its row stays, and is tried again
            await self._stumbled(update, error)

    async def _excuse_all(self, updates: Sequence[Update]) -> None:
        """Tell once that these wait: they come again, and then they are done."""
        fresh = [update for update in updates if update.id not in self._excused]
        self._excused |= {update.id for update in fresh}
        for update in fresh:
            try:
                async with asyncio.timeout(EXCUSE_TIME):
                    await self._excuse(update)
            except Exception as error:  # noqa: BLE001 - a courtesy: what waits does so all the same
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
            # Told when to come: the pace of a chat, no failed try.
            await self._updates.put_off(update, due_at=now + error.retry_after, tried=False)
            return
        wait = schedule.back_off(update.attempts + 1, base=1.0, most=300.0)
        asked = error.retry_after if isinstance(error, Temporary) else None
        await self._updates.put_off(update, due_at=now + max(wait, asked or 0.0))


class Lanes:
    """The first update of each lane that nobody is at: there is one process for one account."""

    def __init__(self, updates: Updates, clock: Clock) -> None:
        self._updates = updates
        self._clock = clock
        self._busy: set[str] = set()
        self._claimed_at = clock.now()

    async def claim(self, most: int) -> list[Update]:
        """Take due updates, one of a lane at a time."""
        busy = set(self._busy)  # a lane that ends while we ask may be told of with its old row
        self._claimed_at = self._clock.now()
        due = await self._updates.due(now=self._claimed_at, most=most + len(busy))
        free = [update for update in due if update.lane not in busy | self._busy][:most]
        self._busy |= {update.lane for update in free}
        return free

    async def next_due(self) -> float | None:
        """When the next update is due; one that was due at the last claim waits for its lane."""
        return await self._updates.next_due(now=self._claimed_at)

    async def renew(self, held: Sequence[Update]) -> None:
        """Nothing to do: a lane is held in memory."""

    async def release(self, row: Update) -> None:
        """Nothing to do: its row is due still."""

    def hold(self, row: Update) -> None:
        """Nothing to do: nobody hands an update on."""

    def let_go(self, row: Update) -> float:
        """The lane is free for its next update, which may be due."""
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
    """The id that a group had and the one that it has, if that is what was told."""
    match raw:
        case {"message": {"chat": {"id": int(old)}, "migrate_to_chat_id": int(new)}}:
            return old, new
    return None


def _is_numbered(raw: Any) -> bool:
    return isinstance(raw, dict) and type(raw.get("update_id")) is int


def _row(raw: Any, now: float) -> Update | None:
    """As a row; None for one that nobody can read, so that it does not stop those behind it.

    What has no number can't be kept, and nothing can be asked of it.
    """
    if not _is_numbered(raw):
        log.error("telegram.update_without_number")
        return None
    try:
        return _update(raw["update_id"], raw, now)
    except Exception as error:  # noqa: BLE001 - whatever shape it has
        log.error("telegram.update_unreadable", update=raw["update_id"], error=type(error).__name__)
        return None


def _update(number: int, raw: dict[str, Any], now: float) -> Update:
    if "callback_query" in raw:
        # One at a time for each person: who taps like mad waits for nobody but themselves. An
        # upload of a video goes beside: a press of *Cancel* must not wait for it.
        pressed = raw["callback_query"] or {}
        person = (pressed.get("from") or {}).get("id", number)
        kind = "video" if str(pressed.get("data")).startswith(SAMPLES) else "press"
        lane, wait, urgent = f"{kind}:{person}", 0.0, True
    else:
        said = next((each for key, each in raw.items() if isinstance(each, dict)), {})
        lane, wait, urgent = _lane(raw, said), 0.0, False
        if "message" in raw and (album := said.get("media_group_id")):
            lane, wait = f"{lane}:{album}", ALBUM
        elif joined(raw):
            wait = SETTLED
    return Update(id=number, lane=lane, data=raw, received_at=now, urgent=urgent, wait=wait)


def _lane(raw: dict[str, Any], said: dict[str, Any]) -> str:
    """The chat and who speaks in it: whoever says much waits for nobody but themselves.

    A private chat is one lane with what becomes of it, so that a block comes after what it ends.
    """
    chat = _id(said, "chat")
    if "message" not in raw:
        return chat
    speaker = _id(said, "sender_chat") or _id(said, "from")
    return chat if speaker in ("", chat) else f"{chat}:{speaker}"


def _id(said: dict[str, Any], whose: str) -> str:
    it = said.get(whose)
    return str(it.get("id", "")) if isinstance(it, dict) else ""
