"""Conversion between rows and the core's frozen values."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy import RowMapping

from bot.core.jobs import Job, Reason, Status, Video
from bot.core.orders import Order, Transport, VideoRequest
from bot.core.posts import Form, Post, PostKind
from bot.core.prices import Cost
from bot.store.statements import once
from bot.store.tables import jobs

SPELT = {status: sa.literal(status.value, literal_execute=True) for status in Status}
"""Statuses as literals in a statement, not bound values: otherwise partial indexes are not used."""
QUEUED = SPELT[Status.QUEUED]

_order = TypeAdapter(Order)
_request = TypeAdapter(VideoRequest)
_video = TypeAdapter(Video)
_fields = tuple(field.name for field in fields(Job))
_columns: Mapping[str, Callable[[Job], dict[str, Any]]] = {
    "status": lambda job: {"status": job.status.value},
    "reason": lambda job: {"reason": job.reason.value if job.reason else None},
    "order": lambda job: {
        "platform": job.order.call.address.platform,
        "event_id": job.order.call.event_id,
        "community": job.order.call.address.community,
        "person": job.order.call.person.id,
        "order_data": order_values(job.order),
    },
    "request": lambda job: {
        "model": job.request.model,
        "seconds": job.request.seconds,
        "request_data": _request.dump_python(job.request, mode="json"),
    },
    "sources": lambda job: {"sources": list(job.sources)},
    "told_cost": lambda job: _cost_values(job.told_cost),
    "unconverted": lambda job: {"unconverted": _video_values(job.unconverted)},
    "video": lambda job: {"video": _video_values(job.video)},
}
"""Fields of a job that have no column of the same name and value."""
_plain = tuple(name for name in _fields if name not in _columns)
JOB_TIMES = (
    *("created_at", "submitted_at", "completed_at", "delivered_at", "ended_at"),
    *("due_at", "claimed_until"),
)


@once
def by_id(job_id: str, *, lock: bool = False) -> sa.Select[Any]:
    """Select the row of this job. `lock`: lock the row."""
    query = sa.select(jobs).where(jobs.c.id == job_id)
    return query.with_for_update() if lock else query


def job_values(job: Job) -> dict[str, Any]:
    """Return the values of all columns of `job`."""
    values: dict[str, Any] = {name: getattr(job, name) for name in _plain}
    for columns in _columns.values():
        values |= columns(job)
    return values


def saved_values(before: Job, after: Job) -> dict[str, Any]:
    """Return the columns in which `after` differs from `before`, the job as it was read.

    The other columns are not written. They may have changed in the row meanwhile: renewed claims
    and a changed clock change times of a row, but not its version.
    """
    values: dict[str, Any] = {}
    for name in _fields:
        value = getattr(after, name)
        if value != getattr(before, name):
            values |= _columns[name](after) if name in _columns else {name: value}
    return values


def job_of(row: Mapping[str, Any] | RowMapping) -> Job:
    """Return the job in `row`. Raises `ValueError`, `KeyError` or `TypeError` if there is none."""
    return Job(
        **{name: row[name] for name in _plain},
        status=Status(row["status"]),
        reason=Reason(row["reason"]) if row["reason"] else None,
        order=order_of(row["order_data"]),
        request=request_of(row["request_data"]),
        sources=tuple(row["sources"]),
        told_cost=_cost_of(row),
        unconverted=video_of(row["unconverted"]),
        video=video_of(row["video"]),
    )


def _cost_values(cost: Cost | None) -> dict[str, Any]:
    values = (cost.micro, cost.currency, cost.is_fee) if cost else (None, None, None)
    return dict(zip(("told_cost", "told_currency", "told_is_fee"), values, strict=True))


def _cost_of(row: Mapping[str, Any] | RowMapping) -> Cost | None:
    if row["told_cost"] is None:
        return None
    currency, is_fee = row["told_currency"], bool(row["told_is_fee"])
    return Cost(micro=row["told_cost"], currency=currency, is_fee=is_fee)


def video_of(values: Any) -> Video | None:
    """Return the video in this JSON, or None."""
    return _video.validate_python(values) if values else None


def _video_values(video: Video | None) -> Any:
    return _video.dump_python(video, mode="json") if video else None


def order_values(order: Order) -> Any:
    """Return an order as JSON."""
    return _order.dump_python(order, mode="json")


def order_of(values: Any) -> Order:
    """Return the order in this JSON."""
    return _order.validate_python(values)


def request_of(values: Any) -> VideoRequest:
    """Return the request in this JSON, which an earlier program may have written."""
    return _request.validate_python(values if "parameters" in values else _as_now(values))


def _as_now(values: dict[str, Any]) -> dict[str, Any]:
    """Convert the JSON of earlier programs, with one `place` and fields chosen by the dialect."""
    dialect, place = values["dialect"], values.get("place")
    extras = {"documented": ["metadata."], "new-api": ["metadata.", "metadata.parameters."]}
    sizes = [("size", values["size"])] if values.get("size") else []
    places = [place]
    if values.get("transport") == Transport.DATA_URI:
        places = [f"metadata.{place}"]
        if dialect == "new-api":
            places += ["input_reference", f"metadata.input.{place}"]
    return values | {
        "parameters": sizes
        + [
            (f"{under}{name}", value)
            for name, value in values.get("extras", ())
            for under in extras.get(dialect, ())
        ],
        "places": [places] if place else [],
    }


def post_of(row: RowMapping) -> Post:
    """Return the post in `row`."""
    values = {field.name: row[field.name] for field in fields(Post)}
    return Post(
        **values
        | {"kind": PostKind(row["kind"]), "form": Form(row["form"]) if row["form"] else None}
    )
