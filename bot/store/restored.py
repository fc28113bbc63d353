"""Makes the rows of a backup safe before anything runs on them.

What happened after the backup was made is unknown. So a job that may have been paid for is not sent
again, a post that may be in chat is searched there before it is sent, and videos that people
deleted stay deleted.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core.causes import EVENTS
from bot.core.jobs import MOVES, UNNAMED, Reason, Status
from bot.core.posts import PostKind
from bot.store import carried, usage
from bot.store.carried import Decisions
from bot.store.deletions import Deletion
from bot.store.identity import COPY_OF
from bot.store.statements import count, insert, put, setting
from bot.store.tables import causes, jobs, notices, posts, proposals, reports, settings, updates
from bot.store.words import wordless_order, wordless_request

RESTORED_AT = "restored.at"
"""The setting with the time of the last restore."""
RESTORED_JOBS = "restored.jobs"
"""The setting with the jobs that may have more posts in chat than the rows say.

The value maps ids to times of order, as the clock of a new machine can't be trusted to find the
jobs. The times are those of the backup; unlike times in rows, they do not move with the clock.
"""


class ReceivedUpdate(NamedTuple):
    """The id of an update that was received; see the `updates` table."""

    source: str
    id: int
    received_at: float


class Known(NamedTuple):
    """Facts from the rows that a backup replaces, if those rows can still be read."""

    heard: Sequence[ReceivedUpdate]
    """Received updates, which a platform may deliver again."""
    ids: Mapping[str, str]
    """The gateway's id of each job that has one: an operator need not search for it."""
    decisions: Decisions


@dataclass(frozen=True, slots=True)
class Settled:
    """The numbers of rows of a backup that were changed or need work."""

    held: int
    """Jobs that may have been sent to a gateway after the backup, and are not sent again."""
    polling: int
    """Jobs that are polled as before: a poll costs nothing."""
    posts: int
    """Posts that are searched in chat before they are sent."""
    deleted: int
    """Videos that people had deleted since the backup."""
    unheard: int
    """Updates that the backup has as unhandled. They are dropped: they may be handled by now."""
    carried: int
    """Acts of operators since the backup, which stay in force."""
    stopped: bool
    """True if a hold was put on all orders, because the acts since the backup are unknown."""


def restored_at(connection: Connection) -> float | None:
    """Return when these rows were restored from a backup, or None."""
    said = setting(connection, RESTORED_AT)
    return None if said is None else float(said)


def restored_jobs(connection: Connection) -> dict[str, float]:
    """Return the value of `RESTORED_JOBS`: ids of jobs, each with the time of its order."""
    said = setting(connection, RESTORED_JOBS)
    return {} if said is None else {str(id_): float(at) for id_, at in json.loads(said).items()}


def known_to(connection: Connection) -> Known:
    """Read the facts in the rows that a backup will replace, from tables of any version."""
    taken = sa.select(jobs.c.id, jobs.c.gateway_id).where(jobs.c.gateway_id.is_not(None))
    ids = {str(id_): str(gateway_id) for id_, gateway_id in connection.execute(taken)}
    heard: list[ReceivedUpdate] = []
    if sa.inspect(connection).has_table(updates.name):
        numbers = sa.select(updates.c.source, updates.c.id, updates.c.received_at)
        heard = [ReceivedUpdate(*row) for row in connection.execute(numbers)]
    return Known(heard, ids, carried.decisions(connection))


def settle(
    connection: Connection,
    deletions: Iterable[Deletion],
    known: Known | None = None,
    *,
    now: float,
    stopped: bool = False,
) -> Settled:
    """Make the rows of a backup safe, in this transaction.

    `known`: facts from the replaced rows. `stopped`: put a hold on all orders, because the replaced
    rows can't be read.
    """
    usage.trust(connection)
    deleted = sum([_delete(connection, each, now=now) for each in deletions])
    held = _hold(connection, now=now)
    unheard = _forget(connection)
    if known:
        _know(connection, known)
    acts = carried.carry(connection, known.decisions) if known else 0
    if stopped:
        carried.stop(connection, now=now)
    # Claims belong to a process that is gone; without them, polls are due at once.
    connection.execute(sa.update(jobs).values(claimed_until=None))
    connection.execute(sa.update(posts).values(claimed_until=None))
    connection.execute(sa.delete(settings).where(settings.c.name == COPY_OF))
    # With a clock that is behind, files of later jobs would seem older than the restore.
    newest = connection.scalar(sa.select(sa.func.max(jobs.c.created_at)))
    _set(connection, RESTORED_AT, repr(max(now, newest or now)))
    _set(connection, RESTORED_JOBS, json.dumps(_doubtful(connection)))
    return Settled(
        held=held,
        polling=count(connection, jobs, jobs.c.status == Status.IN_PROGRESS.value),
        posts=count(connection, posts, posts.c.due_at.is_not(None), posts.c.message_id.is_(None)),
        deleted=deleted,
        unheard=unheard,
        carried=acts,
        stopped=stopped,
    )


def _delete(connection: Connection, deletion: Deletion, *, now: float) -> int:
    """Delete a video again. Return 1 if its row changed, else 0.

    People can delete only delivered videos, so the job becomes delivered in any case.
    Its message becomes due for removal once more: a message that is already gone is no problem.
    """
    gone = connection.execute(
        sa.update(jobs)
        .where(
            jobs.c.id == deletion.job_id,
            sa.or_(
                jobs.c.video.is_not(None),
                jobs.c.video_gone_at.is_not(None),
                jobs.c.status != Status.DELIVERED.value,
            ),
        )
        .values(
            status=Status.DELIVERED.value,
            delivered_at=sa.func.coalesce(jobs.c.delivered_at, deletion.at),
            gateway_id=sa.func.coalesce(jobs.c.gateway_id, UNNAMED),
            ended_at=sa.func.coalesce(jobs.c.ended_at, deletion.at),
            video=sa.null(),
            video_gone_at=None,
            unconverted=sa.null(),
            sources=[],
            reason=None,
            detail=None,
            due_at=None,
            version=jobs.c.version + 1,
        )
    )
    _forget_words(connection, deletion.job_id)
    if gone.rowcount:
        result = sa.and_(posts.c.job_id == deletion.job_id, posts.c.kind == PostKind.RESULT.value)
        stands = posts.c.message_id.is_not(None)
        connection.execute(
            sa.update(posts).where(result).values(due_at=sa.case((stands, now), else_=None))
        )
    return gone.rowcount


def _forget_words(connection: Connection, job_id: str) -> None:
    """Remove the texts of a job, as the deletion of its video did."""
    query = sa.select(jobs.c.order_data, jobs.c.request_data).where(jobs.c.id == job_id)
    for order, request in connection.execute(query).all():
        wordless = {
            "order_data": wordless_order(order),
            "request_data": wordless_request(request),
            "detail": None,
        }
        connection.execute(sa.update(jobs).where(jobs.c.id == job_id).values(wordless))


def _hold(connection: Connection, *, now: float) -> int:
    """Make jobs unconfirmed whose POST may have left. Their posts are stopped. Return how many."""
    may_have_left = jobs.c.status.in_([Status.QUEUED.value, Status.SUBMITTING.value])
    ids = sa.select(jobs.c.id).where(may_have_left)
    connection.execute(sa.update(posts).where(posts.c.job_id.in_(ids)).values(due_at=None))
    held = connection.execute(
        sa.update(jobs)
        .where(may_have_left)
        .values(
            status=Status.UNCONFIRMED.value,
            reason=Reason.RESTORED.value,
            detail=None,
            ended_at=now,
            due_at=None,
            quota_cost=0,
            crashes=0,
            version=jobs.c.version + 1,
        )
    )
    return held.rowcount


def _forget(connection: Connection) -> int:
    """Drop unhandled updates, proposals, notices and reports. Return how many updates."""
    unheard = connection.execute(
        sa.update(updates).where(updates.c.due_at.is_not(None)).values(due_at=None, data=sa.null())
    )
    connection.execute(sa.delete(proposals))
    connection.execute(sa.delete(notices))
    # Causes that still hold are found and reported again; what is reported once is kept.
    for table in (reports, causes):
        connection.execute(sa.delete(table).where(table.c.kind.not_in(sorted(EVENTS))))
    return unheard.rowcount


def _know(connection: Connection, known: Known) -> None:
    handled = {"lane": "", "urgent": False, "data": None, "due_at": None, "attempts": 0}
    rows = [each._asdict() | handled for each in known.heard]
    if rows:
        connection.execute(insert(connection, updates).on_conflict_do_nothing(), rows)
    held = sa.select(jobs.c.id).where(jobs.c.reason == Reason.RESTORED.value)
    for id_ in connection.execute(held).scalars().all():
        if gateway_id := known.ids.get(id_):
            change = sa.update(jobs).where(jobs.c.id == id_).values(gateway_id=gateway_id)
            connection.execute(change)


def _doubtful(connection: Connection) -> dict[str, float]:
    """Return the ids of jobs that are not final or have unsent posts, with the times of order."""
    unsaid = sa.select(posts.c.job_id).where(posts.c.message_id.is_(None))
    final = [status.value for status in Status if not MOVES[status]]
    query = sa.select(jobs.c.id, jobs.c.created_at).where(
        sa.or_(jobs.c.status.not_in(final), jobs.c.id.in_(unsaid))
    )
    before = restored_jobs(connection)
    rows = connection.execute(query)
    return {id_: min(created_at, before.get(id_, created_at)) for id_, created_at in rows}


def _set(connection: Connection, name: str, value: str) -> None:
    put(connection, settings, {"name": name}, {"value": value})
