"""Polls: claims on jobs that are being made, many rows but few columns in one statement.

A poll is free and may be repeated, and the row's version protects the write after the poll. So on
SQLite, which one process uses, a claim writes no row: a file beside the database notes the ids, and
the next start treats the ids of a dead process as expired claims. On PostgreSQL, which several
processes share, each row is claimed. A row with an expired claim may have crashed its process: it
is claimed by itself, and the crash is counted.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql

from bot.core.jobs import Job, Status
from bot.core.pending import Pending, Seen
from bot.core.posts import EDIT_PACE
from bot.store import claims
from bot.store.database import Database, Part
from bot.store.note import Note
from bot.store.posts import owe_cards
from bot.store.rows import job_of
from bot.store.statements import Said, once
from bot.store.tables import jobs
from bot.store.writing import UNREADABLE, park, readable

_MADE = sa.literal(Status.IN_PROGRESS.value, literal_execute=True)
_making = sa.and_(jobs.c.status == _MADE, jobs.c.due_at.is_not(None))
_free = sa.and_(_making, jobs.c.claimed_until.is_(None))
_held = sa.and_(jobs.c.status == _MADE, jobs.c.claimed_until.is_not(None))


class Polls(Part):
    """Implements the core's `polling.Polls`: claims jobs to poll and saves the outcomes."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._is_shared = not database.is_sqlite
        self._said = _Shared() if self._is_shared else _Alone()
        self._note = Note(database.file)

    async def claim(
        self, *, now: float, until: float, most: int, but: Collection[str]
    ) -> list[Pending]:
        values = {"now": now, "until": until, "most": most, "held": json.dumps(list(but))}
        rows = await self._said.take(self._database, values)
        if rows:
            self._note.write([*but, *(row.id for row in rows)])
        return rows

    async def next_due(self, *, but: Collection[str]) -> float | None:
        """Return when the next unclaimed job can be claimed, or None. `but`: ids left out."""
        held = {"held": json.dumps(list(but))}
        return await self._database.read(lambda it: it.scalar(self._said.next_due, held))

    async def renew(self, ids: Collection[str], *, until: float) -> None:
        if self._is_shared:
            await claims.renew(self._database, jobs, ids, until=until)

    async def release(self, ids: Collection[str]) -> None:
        if self._is_shared:
            await self._database.run(partial(_released, ids=ids))

    async def finish(self) -> None:
        self._note.remove()

    async def whole(self, job: Pending) -> Job | None:
        try:
            found = await self._database.one(_unchanged(job.id, job.version), job_of)
        except UNREADABLE as error:
            await self._database.run(partial(park, job_id=job.id, error=error))
            return None
        if found is None:
            await self.release([job.id])
        return found

    async def write(self, seen: Sequence[Seen], *, now: float, ahead: float) -> bool:
        rows = [(each.id, each.version, each.progress, each.due + ahead) for each in seen]

        def work(connection: Connection) -> bool:
            written = connection.execute(self._said.write, {"lines": json.dumps(rows)})
            if self._is_shared and written.rowcount < len(rows):
                # Some rows had another version: release their claims too.
                _released(connection, ids=[each.id for each in seen])
            shown = [each.id for each in seen if each.shows]
            if shown:
                owe_cards(connection, shown, due_at=now + EDIT_PACE)
            return bool(shown)

        return await self._database.run(work)

    # --- the claims of a dead process ------------------------------------------------------------

    async def expire_claims(self, *, now: float) -> int:
        """Give the jobs whose ids are in the note an expired claim, and return their number.

        Called when the service starts: the process that polled these jobs has died.
        """
        theirs = sa.and_(_free, jobs.c.id.in_(self._note.read()))
        expired = await self._database.write(
            sa.update(jobs).where(theirs).values(claimed_until=now)
        )
        self._note.remove()
        return expired

    async def claim_interrupted(
        self, *, now: float, until: float, most: int, but: Collection[str]
    ) -> list[Job]:
        ran_out = sa.and_(_held, jobs.c.claimed_until <= now, jobs.c.id.not_in(but))
        first = _first(ran_out, jobs.c.claimed_until, most=most)
        counted = {"version": jobs.c.version + 1, "crashes": jobs.c.crashes + 1}
        claim = first.values(claimed_until=until, **counted)

        def work(connection: Connection) -> list[Job]:
            rows = connection.execute(claim.returning(*jobs.c)).mappings().all()
            return [job for row in rows if (job := readable(connection, row))]

        return await self._database.run(work)

    async def next_interrupted(self, *, but: Collection[str]) -> float | None:
        held = sa.and_(_held, jobs.c.id.not_in(but))
        return await self._database.value(sa.select(sa.func.min(jobs.c.claimed_until)).where(held))


# --- statements, each built once: building one for every batch would be slow ----------------------

_now, _until = (sa.bindparam(name, type_=sa.Double) for name in ("now", "until"))
_most = sa.bindparam("most", type_=sa.Integer)
_text = {name: sa.bindparam(name, type_=sa.Text) for name in ("held", "lines")}


class _Alone:
    """The statements of SQLite: this process alone knows which rows it has claimed.

    Rows are read and written as one JSON text. With separate rows, the driver's thread would
    release the GIL and wait for it again at each row of a result.
    """

    def __init__(self) -> None:
        held = sa.func.json_each(_text["held"]).table_valued("value")
        free = sa.and_(_free, jobs.c.id.not_in(sa.select(held.c.value)))
        # A row with invalid JSON must not stop all others.
        is_valid = sa.func.json_valid(jobs.c.request_data) == 1
        columns = _columns(sa.case((is_valid, jobs.c.request_data["quality"].as_string())))
        due = sa.select(*(each.label(f"c{at}") for at, each in enumerate(columns)))
        first = due.where(free, jobs.c.due_at <= _now).order_by(jobs.c.due_at).limit(_most)
        each = sa.func.json_array(*first.subquery().c)
        self._claim = sa.select(sa.func.json_group_array(each))
        self.next_due = sa.select(jobs.c.due_at).where(free).order_by(jobs.c.due_at).limit(1)
        lines = sa.func.json_each(_text["lines"]).table_valued("value")
        self.write = _write(
            [sa.func.json_extract(lines.c.value, sa.text(f"'$[{at}]'")) for at in range(4)]
        )

    async def take(self, database: Database, values: Mapping[str, Any]) -> list[Pending]:
        """Return the first due jobs. Nothing is written."""
        found = await database.value(Said(self._claim, values))
        return list(map(Pending._make, json.loads(found or "[]")))


class _Shared:
    """The statements of PostgreSQL: claims are in the rows."""

    def __init__(self) -> None:
        first = _first(sa.and_(_free, jobs.c.due_at <= _now), jobs.c.due_at, most=_most)
        taken = first.values(version=jobs.c.version + 1, claimed_until=_until)
        columns = _columns(jobs.c.request_data["quality"].as_string())
        self._claim = taken.returning(*columns)
        self.next_due = sa.select(jobs.c.due_at).where(_free).order_by(jobs.c.due_at).limit(1)
        text = sa.cast(_text["lines"], postgresql.JSON)
        lines = sa.func.json_array_elements(text).table_valued("value")
        types = enumerate((sa.Text, sa.Integer, sa.Integer, sa.Double))
        part = lines.c.value.op("->>")
        self.write = _write([sa.cast(part(sa.text(str(at))), type_) for at, type_ in types])

    async def take(self, database: Database, values: Mapping[str, Any]) -> list[Pending]:
        """Claim the first due jobs."""

        def work(connection: Connection) -> list[Pending]:
            return list(map(Pending._make, connection.execute(self._claim, values)))

        return await database.run(work)


def _columns(quality: sa.ColumnElement[str | None]) -> list[sa.ColumnElement[Any]]:
    return [quality if name == "quality" else jobs.c[name] for name in Pending._fields]


def _first(which: sa.ColumnElement[bool], order: sa.Column[Any], *, most: Any) -> sa.Update:
    """Build an update of the first of these rows that no other process has locked."""
    first = sa.select(jobs.c.id).where(which).order_by(order).limit(most)
    taken = sa.select(first.with_for_update(skip_locked=True).cte())
    return sa.update(jobs).where(jobs.c.id.in_(taken))


def _write(line: Sequence[sa.ColumnElement[Any]]) -> sa.Update:
    """Build an update of many rows from JSON lines.

    `line`: the id, the version, the progress and the due time.
    """
    id_, version, progress, due_at = line
    return (
        sa.update(jobs)
        .where(jobs.c.id == id_, jobs.c.version == version)
        .values(
            version=jobs.c.version + 1,
            progress=progress,
            due_at=due_at,
            attempts=0,
            crashes=0,
            claimed_until=None,
        )
    )


@once
def _unchanged(job_id: str, version: int) -> sa.Select[Any]:
    return sa.select(jobs).where(jobs.c.id == job_id, jobs.c.version == version, _making)


def _released(connection: Connection, *, ids: Collection[str]) -> None:
    theirs = sa.and_(jobs.c.id.in_(ids), _making)
    connection.execute(sa.update(jobs).where(theirs).values(claimed_until=None))
