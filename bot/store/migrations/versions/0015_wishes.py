"""The JSON of orders has separate parts for the call (who and where) and the wish (what)."""

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
    """Rewrite the orders in batches, as a large table would not fit into memory."""
    connection, last = op.get_bind(), ""
    batch = sa.select(rows).order_by(rows.c.id).limit(BATCH)
    change = sa.update(rows).where(rows.c.id == sa.bindparam("row"))
    while found := connection.execute(batch.where(rows.c.id > last)).all():
        last = found[-1].id
        values = [{"row": row.id, "order_data": nested(row.order_data)} for row in found]
        connection.execute(change, values)


def nested(order: dict[str, Any]) -> dict[str, Any]:
    """Return the order in its new structure. Orders of earlier versions have fewer values."""
    call = {name: order[name] for name in _CALL if name in order}
    beside = {name: order[name] for name in _BESIDE if name in order}
    wish = {name: value for name, value in order.items() if name not in {*call, *beside}}
    return {"call": call, "wish": wish, **beside}
