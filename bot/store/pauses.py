"""The `gateways` table: a gateway that is paused each, from the first refusal to the first success.

Its operators are told at both ends, in the transactions that begin and end it; what they were
told, and when, outlasts the episode in `told`.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core.jobs import LOCKS, Job, Reason, Status
from bot.core.notices import Pause, Paused, is_news, last_of, may_be_said_at
from bot.store import holds
from bot.store.database import Database, Part
from bot.store.notices import owe
from bot.store.refusals import is_alone, note_pass, of_either
from bot.store.statements import count, execute, insert, once, put
from bot.store.tables import gateways, jobs, told

_CREATING = (Status.QUEUED.value, Status.SUBMITTING.value)
_LOOKING = (Status.IN_PROGRESS.value, Status.COMPLETED.value)
_LOCKS = [reason.value for reason in LOCKS]
_WORKS = "works"
_ABOUT = "about "
"""Among the words of `told`, those that are no reason: the end of a pause, and other subjects."""


class Pauses(Part):
    """Implements the core's `ports.Pauses`: which are paused, until when and why.

    Most successes end nothing, and are known to without a transaction: one process has these rows.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._open: dict[str, bool] | None = None
        """Gateways that may be paused, and whether a look may end that; None: not read yet."""
        self._begun = 0
        """How often a pause began or ended to begin."""

    def may_end_by_poll(self, gateway: str) -> bool:
        return self._open is None or self._open.get(gateway, False)

    async def pause(
        self, gateway: str, pause: Pause, *, detail: str, rooms: Iterable[str], now: float
    ) -> None:
        """Leave it alone for a while; its operators are told, unless it is too soon for that."""
        with self._beginning(gateway, looking=pause.looking):
            await self._database.run(
                lambda it: _pause(it, gateway, pause, detail=detail, rooms=rooms, now=now)
            )

    async def lock(
        self, job: Job, account: str, pause: Pause, *, detail: str, rooms: Iterable[str], now: float
    ) -> bool:
        """The POST of an order met a lock: whether the gateway is paused for it.

        It is not where the lock is about this order alone: `refusals.py` has the rule.
        """

        def work(connection: Connection) -> bool:
            if is_alone(connection, job, pause.reason, account=account, now=now):
                return False
            _pause(connection, job.gateway, pause, detail=detail, rooms=rooms, now=now)
            return True

        with self._beginning(job.gateway, looking=pause.looking):
            return await self._database.run(work)

    async def passed(self, job: Job, account: str, *, balance: bool) -> None:
        # Mostly there are none. One that is noted from now on is of after this POST.
        if await self._database.exists(of_either(job.id, account)):
            await self._database.run(
                lambda it: note_pass(it, job, account=account, balance=balance)
            )

    async def remark(
        self, gateway: str, subject: str, *, detail: str, rooms: Iterable[str], now: float
    ) -> None:
        """Tell its operators of something that pauses nothing, unless they were told of it."""

        def work(connection: Connection) -> None:
            if not is_news(subject, _remarked(connection, gateway), now=now):
                return
            if owe(connection, gateway, subject=subject, detail=detail, rooms=rooms, now=now):
                _remember(connection, gateway, f"{_ABOUT}{subject}", now=now)

        await self._database.run(work)

    async def held(self, gateway: str, *, now: float) -> Pause | None:
        def known(connection: Connection) -> tuple[bool, sa.Row[Any] | None]:
            if holds.is_held(connection, gateway):
                return True, None
            return False, execute(connection, _named(gateway)).first()

        is_held, row = await self._database.read(known)
        if is_held:
            return Pause(Reason.PAUSED, now)
        is_untried = row is not None and row.tried_at is None
        if row is None or (is_untried and await self._database.write(_try(gateway, now)) == 1):
            return None
        return Pause(Reason(row.reason), row.paused_until, row.looking)

    async def claim(self, *, now: float, until: float, most: int) -> list[Paused]:
        # What is due later than anybody puts it was put there by a clock that was wrong.
        due = sa.or_(gateways.c.paused_until <= now, gateways.c.paused_until > until)
        chosen = sa.select(gateways.c.name).where(due).limit(most).with_for_update(skip_locked=True)
        claimed = (
            sa.update(gateways)
            .where(gateways.c.name.in_(sa.select(chosen.cte())))
            .values(paused_until=until)
            .returning(*gateways.c)
        )
        return await self._database.rows(claimed, holds.paused_of)

    async def is_paused(self, gateway: str) -> bool:
        """Whether it is left alone for now, or nobody knows yet that this is over."""
        query = sa.select(gateways.c.name).where(gateways.c.name == gateway)
        return await self._database.exists(query)

    async def next_due(self) -> float | None:
        return await self._database.value(sa.select(sa.func.min(gateways.c.paused_until)))

    async def refused(self, gateway: str, reason: Reason, *, now: float) -> None:
        same = sa.and_(gateways.c.name == gateway, gateways.c.reason == reason.value)
        await self._database.write(sa.update(gateways).where(same).values(refused_at=now))

    async def let_one_try(self, gateway: str, *, now: float) -> None:
        """One order may go, to see whether the lock is over."""
        named = gateways.c.name == gateway

        def work(connection: Connection) -> None:
            connection.execute(sa.update(gateways).where(named).values(tried_at=None))
            _call_one(connection, gateway, now=now)

        await self._database.run(work)

    async def catch_up(self, gateway: str, *, now: float) -> bool:
        """Somebody was just put back: whether the way was opened meanwhile, for one or for all."""
        query = sa.select(gateways.c.tried_at).where(gateways.c.name == gateway)

        def work(connection: Connection) -> bool:
            if holds.is_held(connection, gateway):
                return False
            holds.let_go(connection, gateway, now=now)
            row = connection.execute(query).first()
            if row is None:
                _let_go(connection, gateway, looks=False, now=now)
            elif row.tried_at is None:
                _call_one(connection, gateway, now=now)
            else:
                return False
            return True

        return await self._database.run(work)

    async def works(
        self, gateway: str, *, polled: bool, asked_at: float, rooms: Iterable[str], now: float
    ) -> bool:
        """A success: whether it ended an episode. Jobs waiting for its end are due now.

        A question from before the pause proves nothing.
        """
        known, begun = self._open, self._begun
        if known is not None and (gateway not in known or (polled and not known[gateway])):
            return False
        # A pause of the future began by a clock that was wrong.
        before = sa.or_(gateways.c.since < asked_at, gateways.c.since > now)
        over = sa.and_(gateways.c.name == gateway, before)
        if polled:
            over = sa.and_(over, gateways.c.looking)
        ends = sa.delete(gateways).where(over).returning(gateways.c.reason, gateways.c.looking)

        def work(connection: Connection) -> tuple[bool, dict[str, bool]]:
            ended = connection.execute(ends).first()
            if ended is not None:
                looks = ended.looking or ended.reason == Reason.BAD_KEY.value
                _let_go(connection, gateway, looks=looks, now=now)
                if last_of(_told(connection, gateway)) is not None:
                    _remember(connection, gateway, _WORKS, now=now)
                    owe(connection, gateway, rooms=rooms, now=now)
            left = connection.execute(sa.select(gateways.c.name, gateways.c.looking))
            return ended is not None, {row.name: row.looking for row in left}

        has_ended, left = await self._database.run(work)
        if begun == self._begun:
            self._open = left
        return has_ended

    @contextmanager
    def _beginning(self, gateway: str, *, looking: bool) -> Iterator[None]:
        """A pause may begin meanwhile: whoever read the rows before that does not know of it."""
        self._note(gateway, looking)
        try:
            yield
        finally:
            self._note(gateway, looking)

    def _note(self, gateway: str, looking: bool) -> None:
        self._begun += 1
        if self._open is not None:
            self._open[gateway] = looking or self._open.get(gateway, False)


def _remarked(connection: Connection, gateway: str) -> dict[str, float]:
    """When which subjects besides pauses were told."""
    begins = told.c.word.startswith(_ABOUT, autoescape=True)
    query = sa.select(told).where(told.c.gateway == gateway, begins)
    rows = connection.execute(query)
    return {row.word.removeprefix(_ABOUT): row.at for row in rows}


def _pause(
    connection: Connection,
    gateway: str,
    pause: Pause,
    *,
    detail: str,
    rooms: Iterable[str],
    now: float,
) -> None:
    _write(connection, gateway, pause, now=now)
    if may_be_said_at(pause.reason, _told(connection, gateway)) > now:
        return
    _remember(connection, gateway, pause.reason.value, now=now)
    owe(
        connection,
        gateway,
        reason=pause.reason,
        detail=detail,
        waiting=_waiting(connection, gateway, pause),
        rooms=rooms,
        now=now,
    )


def _write(connection: Connection, gateway: str, pause: Pause, *, now: float) -> None:
    """Begins the episode, or goes on with it. Any other pause waits for ours."""
    row = insert(connection, gateways).values(
        name=gateway,
        since=now,
        reason=pause.reason.value,
        looking=pause.looking,
        paused_until=pause.until,
        tried_at=now,
    )
    # A free question that was refused for another reason tells nothing of this one.
    same = gateways.c.reason == row.excluded.reason
    # Looks that go on being refused don't put off the question whether they would be now.
    changed = {
        "reason": row.excluded.reason,
        "looking": sa.and_(gateways.c.looking, row.excluded.looking),
        "refused_at": sa.case((same, gateways.c.refused_at), else_=None),
    }
    connection.execute(row.on_conflict_do_update(index_elements=["name"], set_=changed))


def _told(connection: Connection, gateway: str) -> dict[Reason | None, float]:
    known = [*_LOCKS, _WORKS]
    query = sa.select(told).where(told.c.gateway == gateway, told.c.word.in_(known))
    rows = connection.execute(query)
    return {None if row.word == _WORKS else Reason(row.word): row.at for row in rows}


def _remember(connection: Connection, gateway: str, word: str, *, now: float) -> None:
    put(connection, told, {"gateway": gateway, "word": word}, {"at": now})


def _waiting(connection: Connection, gateway: str, pause: Pause) -> int:
    """Jobs that this pause holds up; without a balance, what is being made goes on."""
    held = [jobs.c.gateway == gateway, jobs.c.due_at.is_not(None)]
    if pause.reason is Reason.NO_BALANCE and not pause.looking:
        held.append(jobs.c.status.in_(_CREATING))
    return count(connection, jobs, *held) or 1


def _call_one(connection: Connection, gateway: str, *, now: float) -> None:
    """Of those that wait, the one that was refused least is due now: no order stands for all."""
    first = (
        sa.select(jobs.c.id)
        .where(_waits(gateway))
        .order_by(jobs.c.attempts, jobs.c.due_at, jobs.c.turn, jobs.c.created_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .cte()
    )
    connection.execute(sa.update(jobs).where(jobs.c.id.in_(sa.select(first))).values(due_at=now))


def _let_go(connection: Connection, gateway: str, *, looks: bool, now: float) -> None:
    """Orders that waited for this gateway are due at once; so are `looks`, if they were refused."""
    waiting = _waits(gateway)
    if looks:
        waiting = sa.or_(waiting, sa.and_(_free(gateway), jobs.c.status.in_(_LOOKING)))
    connection.execute(sa.update(jobs).where(waiting, jobs.c.due_at > now).values(due_at=now))


def _waits(gateway: str) -> sa.ColumnElement[bool]:
    """An order that a pause keeps back."""
    queued = jobs.c.status == Status.QUEUED.value
    return sa.and_(_free(gateway), queued, jobs.c.reason.in_(_LOCKS))


def _free(gateway: str) -> sa.ColumnElement[bool]:
    """A job of this gateway that goes on by itself, and that nobody has in hand."""
    return sa.and_(
        jobs.c.gateway == gateway, jobs.c.due_at.is_not(None), jobs.c.claimed_until.is_(None)
    )


@once
def _named(gateway: str) -> sa.Select[Any]:
    return sa.select(gateways).where(gateways.c.name == gateway)


@once
def _try(gateway: str, now: float) -> sa.Update:
    untried = (gateways.c.name == gateway, gateways.c.tried_at.is_(None))
    return sa.update(gateways).where(*untried).values(tried_at=now)
