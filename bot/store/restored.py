"""The rows of a backup, made safe before anything runs on them.

Nobody knows what happened after the backup was made. So nothing that may have been paid for is
ordered again, nothing that may stand in a chat is said without a look, and what people deleted
stays deleted.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core.causes import Kind
from bot.core.jobs import MOVES, UNNAMED, Reason, Status
from bot.core.posts import PostKind
from bot.store import carried, usage
from bot.store.carried import Decisions
from bot.store.deletions import Deletion
from bot.store.identity import COPY_OF
from bot.store.statements import count, insert, put, setting
from bot.store.tables import causes, drafts, jobs, notices, posts, reports, settings, updates
from bot.store.words import wordless_order, wordless_request

RESTORED_AT = "restored.at"
"""The setting with the time of the last restore."""
RESTORED_JOBS = "restored.jobs"
"""The setting with the jobs of which more may have been said, and when they were ordered.

By their ids, for no clock of a machine that is set up anew is to be trusted. Their times are those
in the backup: they do not move with the clock, as the rows do.
"""


class ReceivedUpdate(NamedTuple):
    """The number of an update that was received; see the `updates` table."""

    source: str
    id: int
    received_at: float


class Known(NamedTuple):
    """The facts in rows that are newer than a backup, where those can still be read."""

    heard: Sequence[ReceivedUpdate]
    """A platform may tell of these again."""
    ids: Mapping[str, str]
    """The gateway's id of each job that has one: whoever resolves a held job need not search."""
    decisions: Decisions


@dataclass(frozen=True, slots=True)
class Settled:
    """The numbers of what was done to the rows of a backup."""

    held: int
    """Jobs that may have been ordered since, and are not ordered again."""
    looking: int
    """Jobs whose gateway is asked about them as before: that costs nothing."""
    posts: int
    """Messages that are looked for in the chat before they are sent."""
    deleted: int
    """Videos that their people had deleted since."""
    unheard: int
    """Messages of people that were received and not read yet: they may have been since."""
    carried: int
    """Acts of operators since, which stay in force."""
    stopped: bool
    """Whether nothing is ordered before an operator says so: nobody knows of those acts."""


def restored_at(connection: Connection) -> float | None:
    """When these rows came out of a backup; None if they never did."""
    said = setting(connection, RESTORED_AT)
    return None if said is None else float(said)


def restored_jobs(connection: Connection) -> dict[str, float]:
    """The jobs out of a backup of which more may stand in a chat than rows tell, from when on."""
    said = setting(connection, RESTORED_JOBS)
    return {} if said is None else {str(id_): float(at) for id_, at in json.loads(said).items()}


def known_to(connection: Connection) -> Known:
    """The facts in the rows that are about to go, of tables of whatever version."""
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
    """Make the rows safe, in this transaction.

    `stopped`: rows that are about to go can't be read.
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
    # A look is asked for at once: claims are of a process that is gone.
    connection.execute(sa.update(jobs).values(claimed_until=None))
    connection.execute(sa.update(posts).values(claimed_until=None))
    connection.execute(sa.delete(settings).where(settings.c.name == COPY_OF))
    # A clock that is behind must not make files of later jobs look older than they can be.
    newest = connection.scalar(sa.select(sa.func.max(jobs.c.created_at)))
    _set(connection, RESTORED_AT, repr(max(now, newest or now)))
    _set(connection, RESTORED_JOBS, json.dumps(_doubtful(connection)))
    return Settled(
        held=held,
        looking=count(connection, jobs, jobs.c.status == Status.IN_PROGRESS.value),
        posts=count(connection, posts, posts.c.due_at.is_not(None), posts.c.message_id.is_(None)),
        deleted=deleted,
        unheard=unheard,
        carried=acts,
        stopped=stopped,
    )


def _delete(connection: Connection, deletion: Deletion, *, now: float) -> int:
    """Only a delivered video can be deleted, so this one was delivered, whatever the backup says.

    Its message is removed once more: one that is gone is as good.
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
    """They went with the video."""
    query = sa.select(jobs.c.order_data, jobs.c.request_data).where(jobs.c.id == job_id)
    for order, request in connection.execute(query).all():
        wordless = {
            "order_data": wordless_order(order),
            "request_data": wordless_request(request),
            "detail": None,
        }
        connection.execute(sa.update(jobs).where(jobs.c.id == job_id).values(wordless))


def _hold(connection: Connection, *, now: float) -> int:
    """As a job whose POST has an unknown end. Nothing is said of it before that is known."""
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
    """Orders that were heard or drafted and not taken yet, and news of that day for operators."""
    unheard = connection.execute(
        sa.update(updates).where(updates.c.due_at.is_not(None)).values(due_at=None, data=sa.null())
    )
    connection.execute(sa.delete(drafts))
    connection.execute(sa.delete(notices))
    # What still holds is found and told anew; the news of a day stay told.
    for table in (reports, causes):
        connection.execute(sa.delete(table).where(table.c.kind != Kind.DIGEST.value))
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
    """Those that go on, or of which something was not said yet."""
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
