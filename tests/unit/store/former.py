"""Databases as earlier versions of the program left them, with a row of everything they knew."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core import moves
from bot.core.jobs import Job, Reason, Status, Video
from bot.store import migrations
from bot.store.counters import DERIVED
from bot.store.engines import begun, engine_of
from bot.store.rows import job_values, order_values
from bot.store.tables import metadata
from tests.contract.rows import NOON, a_job

REVISIONS = sorted(migrations.known())
FORMER = {"proposals": "drafts", "last_notices": "told"}
"""Names of today's tables before version 0021."""
NESTED = "0015"
"""The first version whose orders store call and wish as objects of their own."""
PROPOSAL = order_values(a_job().order)
VIDEO = Video(key=f"videos/ab/{32 * 'a'}.mp4", size=9, width=640, height=360, seconds=5.0)


def jobs_in_each_state() -> list[Job]:
    """Return one job in each state that all versions know."""
    queued = {status: a_job(id_=f"job-{status}") for status in Status}
    sent = {status: moves.submitting(job, now=NOON) for status, job in queued.items()}
    taken = {
        status: moves.accepted(job, f"video_{status}", now=NOON, due_at=NOON)
        for status, job in sent.items()
    }
    done = {
        status: moves.completed(job, now=NOON + 9, sources=(), made_after=0.9 * 9)
        for status, job in taken.items()
    }
    states = [
        queued[Status.QUEUED],
        sent[Status.SUBMITTING],
        taken[Status.IN_PROGRESS],
        moves.stored(done[Status.COMPLETED], VIDEO),
        moves.delivered(moves.stored(done[Status.DELIVERED], VIDEO), now=NOON + 20),
        moves.failed(taken[Status.FAILED], Reason.MODERATED, charged=True, detail="no"),
        moves.cancelled(queued[Status.CANCELLED], Reason.BY_PERSON),
        moves.unconfirmed(sent[Status.UNCONFIRMED], detail="silence"),
    ]
    return [replace(job, ended_at=_ended_at(job)) for job in states]


def _ended_at(job: Job) -> float | None:
    """Return the end time that an upgrade finds; earlier versions stored none."""
    times = (job.delivered_at, job.completed_at, job.submitted_at, job.created_at)
    return next(at for at in times if at is not None) if job.is_over else None


LATER = ("is_whole", "video")
"""The fields of an order that versions with flat orders lacked."""


def flat(order: Mapping[str, Any]) -> dict[str, Any]:
    """Return an order as it was stored before call and wish became objects of their own."""
    beside = {name: it for name, it in order.items() if name not in ("call", "wish", *LATER)}
    return {**order["call"], **order["wish"], **beside}


def whole(table: str, row: Mapping[str, Any]) -> Any:
    """Return the order of a row as an upgrade writes it, without fields of later versions."""
    if "call" in row["order_data"]:
        return row["order_data"]
    order = next(each["order_data"] for each in rows()[table] if each["id"] == row["id"])
    return {name: value for name, value in order.items() if name not in LATER}


def rows() -> dict[str, list[dict[str, Any]]]:
    """Return the rows by table; a row leaves out the columns that its version lacked."""
    posts = {"platform": "discord", "due_at": None, "attempts": 2, "direct": False}
    told = {"platform": "discord", "person": "ada"}
    return {
        "jobs": [job_values(job) for job in jobs_in_each_state()],
        "posts": [
            {"id": 7, "job_id": "job-delivered", "kind": "result"}
            | {"message_id": "m1", "sending_at": None}
            | posts,
            {"id": 8, "job_id": "job-completed", "kind": "result"}
            | {"message_id": None, "sending_at": NOON}
            | posts,
        ],
        "settings": [{"name": "database.id", "value": "a1"}, {"name": "links.key", "value": "k"}],
        "owners": [told | {"since": NOON}],
        "places": [
            {"platform": "discord", "place": "club", "allowed": True, "decided_by": "ada"}
            | {"decided_at": NOON}
        ],
        "updates": [
            {"source": "telegram:1", "id": 2**40, "lane": "5", "urgent": False, "data": {"a": 1}}
            | {"received_at": NOON, "due_at": NOON, "attempts": 0},
            {"source": "telegram:1", "id": 3, "lane": "5", "urgent": True, "data": None}
            | {"received_at": NOON, "due_at": None, "attempts": 0},
        ],
        "proposals": [{"id": "d1", "order_data": PROPOSAL, "created_at": NOON}],
        "handles": [{"source": "telegram:1", "key": VIDEO.key, "handle": "BAAC"}],
        "moves": [{"platform": "telegram", "old": "-5", "new": "-1005"}],
        "gateways": [
            {
                "name": "main",
                "paused_until": NOON + 60,
                "reason": "bad_key",
                "looking": True,
                "polls_only": True,
            }
            | {"since": NOON, "told_at": NOON, "tried_at": None, "refused_at": None}
        ],
        "notices": [
            {"gateway": "main", "subject": "", "reason": "bad_key", "detail": "401", "waiting": 1}
            | {"written_at": NOON, "due_at": NOON, "claimed_until": None, "attempts": 0}
            | told
        ],
        "last_notices": [{"gateway": "main", "word": "bad_key", "at": NOON}],
        "refusals": [
            {"job_id": "job-queued", "account": "a", "reason": "bad_key", "first_at": NOON}
            | {"last_at": NOON, "passed_at": None}
        ],
        "acts": [
            {"id": 4, "at": NOON, "actor": "cli:ada", "action": "stop", "subject": "*"}
            | {"why": "the bill", "details": {"a": 1}}
        ],
        "holds": [{"name": "elsewhere", "at": NOON, "actor": "cli:ada", "why": "the bill"}],
        "blocks": [
            {"platform": "discord", "person": "bob", "at": NOON, "until": NOON + 60}
            | {"actor": "cli:ada", "why": "twice"}
        ],
        "grants": [
            {"id": 6, "at": NOON, "purse": "", "platform": "discord", "person": "ada"}
            | {"community": None, "videos": 3, "paid": 3, "tries": 3, "money": 0}
        ],
        "causes": [
            {"kind": "unconfirmed", "about": "", "facts": {"count": 1}, "said": {"count": 1}}
            | {"since": NOON, "said_at": NOON, "ended_at": None}
        ],
        "reports": [
            {"kind": "unconfirmed", "about": "", "round": 1, "version": 1, "written_at": NOON}
            | {"due_at": None, "claimed_until": None, "attempts": 0, "sending_at": None}
            | {"message_id": "m5", "channel_id": "c5"}
            | told
        ],
        "preferences": [
            {"platform": "discord", "person": "ada", "family": "wan-2.5", "seconds": -1}
            | {"aspect": None, "quality": "draft", "private": True}
        ],
        "discarded": [{"key": f"thumbnails/ab/{32 * 'b'}.jpg"}],
    }


async def write(url: str, revision: str) -> dict[str, list[dict[str, Any]]]:
    """Make the database at `url` as `revision` left it, and return the rows that it got."""
    async with begun(engine_of(url)) as rows:
        await rows.run(lambda connection: migrations.upgrade(connection, revision))
        return await rows.run(lambda connection: _fill(connection, revision))


def _fill(connection: Connection, revision: str) -> dict[str, list[dict[str, Any]]]:
    """Write a row of everything that this version knew."""
    written: dict[str, list[dict[str, Any]]] = {}
    known = sa.MetaData()
    known.reflect(connection)
    for meant in metadata.sorted_tables:
        former = FORMER.get(meant.name, meant.name)
        table = known.tables.get(meant.name, known.tables.get(former))
        if table is None or meant in DERIVED:
            continue
        for row in rows()[meant.name]:
            there = {name: value for name, value in row.items() if name in table.c}
            if revision < NESTED and "order_data" in there:
                there["order_data"] = flat(there["order_data"])
            # The declared types are used: SQLite's reflected JSON writes the same text.
            columns = [sa.column(name, _type(meant, name)) for name in there]
            into = sa.table(table.name, *columns)
            connection.execute(sa.insert(into).values(there))
            today = {"polls_only" if name == "looking" else name: there[name] for name in there}
            written.setdefault(meant.name, []).append(today)
    return written


def _type(meant: sa.Table, name: str) -> sa.types.TypeEngine[Any]:
    if name == "looking":
        return sa.Boolean()
    return meant.c[name].type if name in meant.c else sa.Double()


def read(connection: Connection, table: sa.Table) -> list[dict[str, Any]]:
    """Return all rows of the table."""
    found = connection.execute(sa.select(table).order_by(*table.primary_key.columns))
    return [dict(row) for row in found.mappings()]
