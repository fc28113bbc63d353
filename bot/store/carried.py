"""Decisions that a restore carries over from the replaced rows to the rows of a backup.

A backup is older than the latest holds, blocks, decisions about places and preferences. Rows of the
backup that the replaced rows lack are deleted only if an act in the replaced rows says so, because
the replaced rows may belong to another installation.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core.acts import EVERYTHING, Act
from bot.store.acts import note
from bot.store.statements import insert, put, rows
from bot.store.tables import acts, blocks, holds, places, preferences

Row = Mapping[str, Any]
Decisions = Mapping[str, list[Row]]
"""The rows of acts, holds, blocks, places and preferences, by the name of their table."""

_LIFTED = ("go", "gateways.resume", "user.unblock")


def decisions(connection: Connection) -> Decisions:
    """Read all decisions, from tables of any version of the program."""
    there = sa.inspect(connection).get_table_names()
    found: dict[str, list[Row]] = {}
    for table in (acts, holds, blocks, places, preferences):
        is_there = table.name in there
        found[table.name] = rows(connection, sa.select(table), dict) if is_there else []
    return found


def carry(connection: Connection, former: Decisions) -> int:
    """Apply the decisions to the rows of a backup. Return how many acts the backup did not have."""
    lifted = {
        (row["action"], row["subject"]): row["at"]
        for row in sorted(former[acts.name], key=lambda it: it["at"])
        if row["action"] in _LIFTED
    }
    before = decisions(connection)
    for hold in before[holds.name]:
        how = "go" if hold["name"] == EVERYTHING else "gateways.resume"
        if lifted.get((how, hold["name"]), 0.0) >= hold["at"]:
            connection.execute(sa.delete(holds).where(holds.c.name == hold["name"]))
    for block in before[blocks.name]:
        whom = f"{block['platform']}:{block['person']}"
        if lifted.get(("user.unblock", whom), 0.0) >= block["at"]:
            of = (blocks.c.platform == block["platform"], blocks.c.person == block["person"])
            connection.execute(sa.delete(blocks).where(*of))
    for table in (holds, blocks, preferences):
        _put(connection, table, former[table.name])
    _put(connection, places, _newer(former[places.name], before[places.name]))
    known = {_name(row) for row in before[acts.name]}
    new = [row for row in former[acts.name] if _name(row) not in known]
    for row in sorted(new, key=lambda it: int(it["id"])):
        values = {name: value for name, value in row.items() if name != acts.c.id.name}
        connection.execute(sa.insert(acts).values(values))
    return len(new)


def stop(connection: Connection, *, now: float) -> None:
    """Put a hold on all gateways, because the holds since the backup are unknown."""
    act = Act(at=now, actor="restore", action="stop", subject=EVERYTHING)
    row = insert(connection, holds).values(name=EVERYTHING, at=now, actor=act.actor, why="")
    if connection.execute(row.on_conflict_do_nothing()).rowcount == 1:
        note(connection, act)


def _put(connection: Connection, table: sa.Table, found: Iterable[Row]) -> None:
    for row in found:
        keys = {column.name: row[column.name] for column in table.primary_key}
        put(connection, table, keys, {it: row[it] for it in row if it not in keys})


def _newer(former: Iterable[Row], before: Iterable[Row]) -> list[Row]:
    """Return the decisions on places that are later than those of the backup."""
    decided = {(row["platform"], row["place"]): row["decided_at"] for row in before}
    return [
        row
        for row in former
        if row["decided_at"] > decided.get((row["platform"], row["place"]), 0.0)
    ]


def _name(act: Row) -> tuple[object, ...]:
    return act["at"], act["actor"], act["action"], act["subject"]
