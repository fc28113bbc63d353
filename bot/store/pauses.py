"""The `gateways` table: a row for each paused gateway, from the first refusal to a success.

The transactions that begin and end a pause also owe notices to operators. The table `last_notices`
keeps which notices were written and when, also after the pause.
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
from bot.store.tables import gateways, jobs, last_notices

_CREATING = (Status.QUEUED.value, Status.SUBMITTING.value)
_POLLED = (Status.IN_PROGRESS.value, Status.COMPLETED.value)
_LOCKS = [reason.value for reason in LOCKS]
_WORKS = "works"
_ABOUT = "about "
"""Values of `last_notices.word` besides reasons: the end of a pause, and the prefix of other
subjects."""


class Pauses(Part):
    """Implements the core's `ports.Pauses`: which gateways are paused, until when and why.

    Most successes end no pause, and memory is enough to know this without a transaction, since only
    one process writes these rows.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._open: dict[str, bool] | None = None
        """Gateways that may be paused, and whether a poll may end the pause; None: not read yet."""
        self._begun = 0
        """A counter, raised before and after each write of a pause to detect concurrent writes."""

    def may_end_by_poll(self, gateway: str) -> bool:
        return self._open is None or self._open.get(gateway, False)

    async def pause(
        self, gateway: str, pause: Pause, *, detail: str, rooms: Iterable[str], now: float
    ) -> None:
        """Pause a gateway, and write a notice to operators unless the last one is too recent."""
        with self._beginning(gateway, polls_only=pause.polls_only):
            await self._database.run(
                lambda it: _pause(it, gateway, pause, detail=detail, rooms=rooms, now=now)
            )

    async def lock(
        self, job: Job, account: str, pause: Pause, *, detail: str, rooms: Iterable[str], now: float
    ) -> bool:
        """Pause the gateway because a POST was refused for the key or balance. True if paused.

        The gateway is not paused if the refusal is about this order alone: see `refusals.py`.
        """

        def work(connection: Connection) -> bool:
            if is_alone(connection, job, pause.reason, account=account, now=now):
                return False
            _pause(connection, job.gateway, pause, detail=detail, rooms=rooms, now=now)
            return True

        with self._beginning(job.gateway, polls_only=pause.polls_only):
            return await self._database.run(work)

    async def passed(self, job: Job, account: str, *, balance: bool) -> None:
        # Mostly there are no refusals. A refusal written from now on is later than this POST.
        if await self._database.exists(of_either(job.id, account)):
            await self._database.run(
                lambda it: note_pass(it, job, account=account, balance=balance)
            )

    async def remark(
        self, gateway: str, subject: str, *, detail: str, rooms: Iterable[str], now: float
    ) -> None:
        """Write operators a notice that is not about a pause, unless they had it recently."""

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
        return Pause(Reason(row.reason), row.paused_until, row.polls_only)

    async def claim(self, *, now: float, until: float, most: int) -> list[Paused]:
        # A due time after `until` was written while the clock was wrong.
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
        """Whether the gateway is paused: its pause is not known to have ended."""
        query = sa.select(gateways.c.name).where(gateways.c.name == gateway)
        return await self._database.exists(query)

    async def next_due(self) -> float | None:
        return await self._database.value(sa.select(sa.func.min(gateways.c.paused_until)))

    async def refused(self, gateway: str, reason: Reason, *, now: float) -> None:
        same = sa.and_(gateways.c.name == gateway, gateways.c.reason == reason.value)
        await self._database.write(sa.update(gateways).where(same).values(refused_at=now))

    async def let_one_try(self, gateway: str, *, now: float) -> None:
        """Let one order be sent as a probe of whether the gateway takes orders again."""
        named = gateways.c.name == gateway

        def work(connection: Connection) -> None:
            connection.execute(sa.update(gateways).where(named).values(tried_at=None))
            _call_one(connection, gateway, now=now)

        await self._database.run(work)

    async def catch_up(self, gateway: str, *, now: float) -> bool:
        """Make waiting jobs due after a job was requeued, if the pause or hold has ended meanwhile.

        If the next order may be the probe, only one job becomes due. True if any may be sent.
        """
        query = sa.select(gateways.c.tried_at).where(gateways.c.name == gateway)

        def work(connection: Connection) -> bool:
            if holds.is_held(connection, gateway):
                return False
            holds.let_go(connection, gateway, now=now)
            row = connection.execute(query).first()
            if row is None:
                _let_go(connection, gateway, also_polled=False, now=now)
            elif row.tried_at is None:
                _call_one(connection, gateway, now=now)
            else:
                return False
            return True

        return await self._database.run(work)

    async def works(
        self, gateway: str, *, polled: bool, asked_at: float, rooms: Iterable[str], now: float
    ) -> bool:
        """Record a success of a gateway. True if the success ended a pause.

        Jobs that waited for the end of the pause become due now. A request that was sent before
        the pause began doesn't end it. `polled`: the request was a poll.
        """
        known, begun = self._open, self._begun
        if known is not None and (gateway not in known or (polled and not known[gateway])):
            return False
        # A pause that began in the future was written while the clock was wrong.
        before = sa.or_(gateways.c.since < asked_at, gateways.c.since > now)
        over = sa.and_(gateways.c.name == gateway, before)
        if polled:
            over = sa.and_(over, gateways.c.polls_only)
        ends = sa.delete(gateways).where(over).returning(gateways.c.reason, gateways.c.polls_only)

        def work(connection: Connection) -> tuple[bool, dict[str, bool]]:
            ended = connection.execute(ends).first()
            if ended is not None:
                also_polled = ended.polls_only or ended.reason == Reason.BAD_KEY.value
                _let_go(connection, gateway, also_polled=also_polled, now=now)
                if last_of(_last_notices(connection, gateway)) is not None:
                    _remember(connection, gateway, _WORKS, now=now)
                    owe(connection, gateway, rooms=rooms, now=now)
            left = connection.execute(sa.select(gateways.c.name, gateways.c.polls_only))
            return ended is not None, {row.name: row.polls_only for row in left}

        has_ended, left = await self._database.run(work)
        if begun == self._begun:
            self._open = left
        return has_ended

    @contextmanager
    def _beginning(self, gateway: str, *, polls_only: bool) -> Iterator[None]:
        """Note the pause in memory before and after its transaction.

        A concurrent `works` may have read the rows before: it must not overwrite the memory.
        """
        self._note(gateway, polls_only)
        try:
            yield
        finally:
            self._note(gateway, polls_only)

    def _note(self, gateway: str, polls_only: bool) -> None:
        self._begun += 1
        if self._open is not None:
            self._open[gateway] = polls_only or self._open.get(gateway, False)


def _remarked(connection: Connection, gateway: str) -> dict[str, float]:
    """Return when operators were last told of each subject other than pauses."""
    begins = last_notices.c.word.startswith(_ABOUT, autoescape=True)
    query = sa.select(last_notices).where(last_notices.c.gateway == gateway, begins)
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
    if may_be_said_at(pause.reason, _last_notices(connection, gateway)) > now:
        return
    _remember(connection, gateway, pause.reason.value, now=now)
    owe(
        connection,
        gateway,
        reason=pause.reason,
        detail=detail,
        waiting=_waiting(connection, gateway),
        rooms=rooms,
        now=now,
    )


def _write(connection: Connection, gateway: str, pause: Pause, *, now: float) -> None:
    """Insert or continue the pause of a gateway. A concurrent pause waits for this row's lock."""
    row = insert(connection, gateways).values(
        name=gateway,
        since=now,
        reason=pause.reason.value,
        polls_only=pause.polls_only,
        paused_until=pause.until,
        tried_at=now,
    )
    # The refusal of a free request for another reason says nothing about this reason.
    same = gateways.c.reason == row.excluded.reason
    # `paused_until` stays: polls that are still refused must not delay the next probe.
    changed = {
        "reason": row.excluded.reason,
        "polls_only": sa.and_(gateways.c.polls_only, row.excluded.polls_only),
        "refused_at": sa.case((same, gateways.c.refused_at), else_=None),
    }
    connection.execute(row.on_conflict_do_update(index_elements=["name"], set_=changed))


def _last_notices(connection: Connection, gateway: str) -> dict[Reason | None, float]:
    known = [*_LOCKS, _WORKS]
    query = sa.select(last_notices).where(
        last_notices.c.gateway == gateway, last_notices.c.word.in_(known)
    )
    rows = connection.execute(query)
    return {None if row.word == _WORKS else Reason(row.word): row.at for row in rows}


def _remember(connection: Connection, gateway: str, word: str, *, now: float) -> None:
    put(connection, last_notices, {"gateway": gateway, "word": word}, {"at": now})


def _waiting(connection: Connection, gateway: str) -> int:
    """Count the orders that wait for the end of a pause. Videos that are being made are none."""
    goes_on = jobs.c.due_at.is_not(None)
    return count(connection, jobs, jobs.c.gateway == gateway, goes_on, jobs.c.status.in_(_CREATING))


def _call_one(connection: Connection, gateway: str, *, now: float) -> None:
    """Make the waiting job with the fewest attempts due: the probe is not always the same job."""
    first = (
        sa.select(jobs.c.id)
        .where(_waits(gateway))
        .order_by(jobs.c.attempts, jobs.c.due_at, jobs.c.turn, jobs.c.created_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .cte()
    )
    connection.execute(sa.update(jobs).where(jobs.c.id.in_(sa.select(first))).values(due_at=now))


def _let_go(connection: Connection, gateway: str, *, also_polled: bool, now: float) -> None:
    """Make jobs due that waited for this gateway; if `also_polled`, also those to be polled."""
    waiting = _waits(gateway)
    if also_polled:
        waiting = sa.or_(waiting, sa.and_(_free(gateway), jobs.c.status.in_(_POLLED)))
    connection.execute(sa.update(jobs).where(waiting, jobs.c.due_at > now).values(due_at=now))


def _waits(gateway: str) -> sa.ColumnElement[bool]:
    """Build the condition for jobs that wait for the end of a pause."""
    queued = jobs.c.status == Status.QUEUED.value
    return sa.and_(_free(gateway), queued, jobs.c.reason.in_(_LOCKS))


def _free(gateway: str) -> sa.ColumnElement[bool]:
    """Build the condition for unclaimed jobs of this gateway that go on by themselves."""
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
