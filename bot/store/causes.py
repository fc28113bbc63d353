"""The `causes` and `reports` tables: lasting problems, and the messages to owners about them.

One transaction writes the causes that were found and the reports they owe. So each message belongs
to a row, and a restart sends nothing twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields

import sqlalchemy as sa
from sqlalchemy import Connection, Row, RowMapping

from bot.core.causes import EVENTS, Cause, Kind, Known, Report, Say, say
from bot.store import claims
from bot.store.database import Part
from bot.store.notices import Person, everybody
from bot.store.tables import causes, reports

KEPT = 30 * 86_400.0
"""Seconds for which a cause is kept after its end, and a daily digest after it was sent."""


class Causes(Part):
    """Causes and their reports. Each method is one whole transaction, or a few in a row."""

    async def settle(
        self, found: Mapping[Kind, Sequence[Cause]], rooms: Iterable[str], now: float
    ) -> bool:
        """Write the causes that hold now, of the kinds in `found`. True if any report is due.

        A cause of these kinds that was not found has ended.
        """

        def work(connection: Connection) -> bool:
            people = everybody(connection, rooms)
            query = sa.select(causes).where(causes.c.kind.in_(list(found)))
            rows = {(row.kind, row.about): row for row in connection.execute(query)}
            due = False
            for kind, present in found.items():
                for cause in present:
                    row = rows.pop((kind.value, cause.about), None)
                    due |= _put(connection, row, cause, people, now=now)
            for (kind, about), row in rows.items():
                if row.ended_at is None:
                    due |= _end(connection, kind, about, now=now)
            _forget(connection, now=now)
            return due

        return await self._database.run(work)

    async def once(self, cause: Cause, *, rooms: Iterable[str], now: float) -> bool:
        def work(connection: Connection) -> bool:
            named = _named(causes, cause.kind, cause.about)
            if connection.scalar(sa.select(causes.c.since).where(named)) is not None:
                return False
            people = everybody(connection, rooms)
            return _put(connection, None, cause, people, now=now)

        return await self._database.run(work)

    async def last(self, kind: Kind) -> float | None:
        query = sa.select(sa.func.max(causes.c.said_at)).where(causes.c.kind == kind.value)
        return await self._database.value(query)

    async def open(self) -> list[Cause]:
        query = (
            sa.select(causes)
            .where(causes.c.ended_at.is_(None), causes.c.kind.not_in(sorted(EVENTS)))
            .order_by(causes.c.since, causes.c.kind, causes.c.about)
        )
        return await self._database.rows(
            query, lambda row: Cause(kind=Kind(row["kind"]), about=row["about"], facts=row["facts"])
        )

    async def people(self, rooms: Iterable[str]) -> list[Person]:
        """Return all people who get reports."""
        return await self._database.run(lambda it: everybody(it, rooms))

    # --- telling -------------------------------------------------------------------------------

    async def claim(
        self, platforms: Sequence[str], *, now: float, until: float, most: int
    ) -> list[Report]:
        """Claim up to `most` due reports to people of these platforms."""
        claim = claims.take_words(reports, tuple(platforms))
        hand = claims.hand(now=now, until=until, most=most)

        def work(connection: Connection) -> list[Report]:
            rows = connection.execute(claim, hand).mappings().all()
            return [_report(connection, row) for row in rows]

        return await self._database.run(work)

    async def next_due(self, platforms: Sequence[str]) -> float | None:
        """Return when the next report can be claimed, or None."""
        is_sqlite = self._database.is_sqlite
        query = claims.next_words(reports, tuple(platforms), is_sqlite=is_sqlite)
        return await self._database.value(query)

    async def sending(self, report: Report, *, now: float) -> bool:
        begun = {"sending_at": report.sending_at or now}
        held = (_held(report), _round(report))
        return await self._database.write(sa.update(reports).where(*held).values(begun)) == 1

    async def sent(self, report: Report, message_id: str, channel_id: str) -> None:
        await self._settle(report, message_id=message_id, channel_id=channel_id, sending_at=None)

    async def put_off(self, report: Report, *, due_at: float, unsent: bool = False) -> None:
        values: dict[str, float | None] = {"due_at": due_at, "claimed_until": None}
        if unsent:
            values["sending_at"] = report.sending_at
        held = (_held(report), _round(report))
        await self._database.write(sa.update(reports).where(*held).values(values))
        await self._let_go(report)

    async def leave(self, report: Report) -> None:
        """Finish a report that was not sent. It becomes due again when the cause changes."""
        await self._settle(report, sending_at=report.sending_at)

    async def _settle(self, report: Report, **values: object) -> None:
        is_same = reports.c.version == report.version
        values |= {"claimed_until": None, "attempts": 0}
        values["due_at"] = sa.case((is_same, sa.null()), else_=reports.c.due_at)
        await self._database.write(
            sa.update(reports).where(_row(report), _round(report)).values(values)
        )
        await self._let_go(report)

    async def _let_go(self, report: Report) -> None:
        await self._database.write(
            sa.update(reports).where(_held(report)).values(claimed_until=None)
        )


def _put(
    connection: Connection,
    row: Row[tuple[object, ...]] | None,
    cause: Cause,
    people: Sequence[Person],
    *,
    now: float,
) -> bool:
    """Save the present facts of a cause, and make reports of changes due. True if any is due."""
    before = _known(row)
    sent = say(before, cause, now=now)
    values: dict[str, object] = {"facts": dict(cause.facts), "ended_at": None}
    if sent is Say.ANEW:
        values |= {"said": dict(cause.facts), "said_at": now}
    elif before and before.ended_at is not None:
        values["said"] = None  # the cause came back, and its alert is still to come
    if before is None:
        named = {"kind": cause.kind.value, "about": cause.about}
        connection.execute(sa.insert(causes).values(since=now, **named, **values))
    elif sent is not Say.SAME or before.ended_at is not None:
        if before.ended_at is not None:
            values["since"] = now
        named_ = _named(causes, cause.kind, cause.about)
        connection.execute(sa.update(causes).where(named_).values(values))
    return _owe(connection, cause, sent, people, now=now)


def _owe(
    connection: Connection, cause: Cause, sent: Say, people: Sequence[Person], *, now: float
) -> bool:
    """Make a report to each person due. New owners get one too; former owners get no more."""
    named = _named(reports, cause.kind, cause.about)
    query = sa.select(reports.c.platform, reports.c.person).where(named)
    known = {(row.platform, row.person) for row in connection.execute(query)}
    fresh = [person for person in people if person not in known]
    if fresh:
        first = {"kind": cause.kind.value, "about": cause.about, "round": 1, "version": 1}
        times = {"written_at": now, "due_at": now, "attempts": 0}
        rows = [{"platform": it[0], "person": it[1], **first, **times} for it in fresh]
        connection.execute(sa.insert(reports), rows)
    if sent is Say.SAME:
        return bool(fresh)
    changed: dict[str, object] = {"version": reports.c.version + 1, "due_at": now, "attempts": 0}
    if sent is Say.ANEW:
        changed |= {"round": reports.c.round + 1, "written_at": now}
        changed |= {"message_id": None, "channel_id": None, "sending_at": None}
    still = sorted(known.intersection(people))
    old = sa.tuple_(reports.c.platform, reports.c.person).in_(still)
    if still:
        connection.execute(sa.update(reports).where(named, old).values(changed))
    return True


def _end(connection: Connection, kind: str, about: str, *, now: float) -> bool:
    """End a cause. Reports that are in chat, or are being sent, become due; others are dropped."""
    named = _named(causes, kind, about)
    connection.execute(sa.update(causes).where(named).values(ended_at=now))
    theirs = _named(reports, kind, about)
    stands = sa.or_(reports.c.message_id.is_not(None), reports.c.sending_at.is_not(None))
    ended = connection.execute(
        sa.update(reports)
        .where(theirs)
        .values(version=reports.c.version + 1, due_at=sa.case((stands, now), else_=None))
    )
    return ended.rowcount > 0


def _forget(connection: Connection, *, now: float) -> None:
    event = sa.and_(causes.c.kind.in_(sorted(EVENTS)), causes.c.said_at < now - KEPT)
    over = causes.c.ended_at < now - KEPT
    connection.execute(sa.delete(causes).where(sa.or_(event, over)))


def _known(row: Row[tuple[object, ...]] | None) -> Known | None:
    if row is None:
        return None
    return Known(facts=row.facts, said=row.said, said_at=row.said_at, ended_at=row.ended_at)


def _named(table: sa.Table, kind: str, about: str) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.kind == str(kind), table.c.about == about)


def _row(report: Report) -> sa.ColumnElement[bool]:
    return sa.and_(
        _named(reports, report.kind, report.about),
        reports.c.platform == report.platform,
        reports.c.person == report.person,
    )


def _held(report: Report) -> sa.ColumnElement[bool]:
    return sa.and_(_row(report), reports.c.claimed_until == report.claimed_until)


def _round(report: Report) -> sa.ColumnElement[bool]:
    return reports.c.round == report.round


def _report(connection: Connection, row: RowMapping) -> Report:
    query = sa.select(causes).where(_named(causes, row["kind"], row["about"]))
    cause = connection.execute(query).one()
    names = {field.name for field in fields(Report)} - {"kind", "facts", "is_over"}
    return Report(
        **{name: row[name] for name in names},
        kind=Kind(row["kind"]),
        facts=cause.facts,
        is_over=cause.ended_at is not None,
    )
