"""The order of a job or a draft says apart who asked where, and what is wished for."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

BATCH = 500
_CALL = ("event_id", "address", "person", "locale")
_BESIDE = ("pictures", "sound", "remix_of")


def upgrade() -> None:
    for name in ("jobs", "drafts"):
        _rewrite(sa.table(name, sa.column("id", sa.Text), sa.column("order_data", sa.JSON)))


def _rewrite(rows: sa.TableClause) -> None:
    """A batch at a time: all of a large table would not fit into memory."""
    connection, last = op.get_bind(), ""
    batch = sa.select(rows).order_by(rows.c.id).limit(BATCH)
    change = sa.update(rows).where(rows.c.id == sa.bindparam("row"))
    while found := connection.execute(batch.where(rows.c.id > last)).all():
        last = found[-1].id
        values = [{"row": row.id, "order_data": nested(row.order_data)} for row in found]
        connection.execute(change, values)


def nested(order: dict[str, Any]) -> dict[str, Any]:
    """The same values in their new places; earlier versions wrote fewer."""
    call = {name: order[name] for name in _CALL if name in order}
    beside = {name: order[name] for name in _BESIDE if name in order}
    wish = {name: value for name, value in order.items() if name not in {*call, *beside}}
    return {"call": call, "wish": wish, **beside}
