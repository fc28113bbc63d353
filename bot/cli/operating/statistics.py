"""`zoetrope stats`: count videos made and failed, money spent, and costs that gateways told."""

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from bot.cli import drawing, times
from bot.cli.control import ask, configuration
from bot.cli.options import AsJson, ConfigFile
from bot.cli.words import amount, tell
from bot.core.acts import Values
from bot.core.clock import SystemClock

_COUNTS = ("made", "failed", "cancelled", "unconfirmed", "waiting", "under_way")
_COMPARED = ("estimated", "told")


def stats(
    by: Annotated[
        str, typer.Option(help="One row for each day, model, gateway, person or community.")
    ] = "day",
    since: Annotated[
        str | None,
        typer.Option(help="Only jobs ordered since: 12h, 7d, or 2026-01-31; default: 30d."),
    ] = None,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Show what was made, what failed, what was spent, and what gateways told of costs."""
    start = times.ago(since, now=SystemClock().now()) if since else None
    answer = ask(configuration(config), "stats", by=by, since=start)
    if as_json:
        drawing.as_json(drawing.stamped(answer, "since"))
        return
    total = answer["total"]
    assert isinstance(total, dict)
    rows = drawing.rows(answer, "rows")
    currency = str(answer["currency"])
    total = {**total, "name": tell("stats.total"), "called": ""}
    has_room = by not in ("person", "community")
    columns = ("spent", *(_COMPARED if total["compared_videos"] and has_room else ()))
    lines = [_row(each, by, columns, currency) for each in (*rows, total)]
    named = (by, *_COUNTS, *columns, *(["called"] if by == "person" else []))
    headings = [tell(f"stats.{name}") for name in named]
    figures = range(1, 1 + len(_COUNTS) + len(columns))
    drawing.table(headings, lines, figures=figures, whole=(0, *figures[len(_COUNTS) :]))
    print(tell("stats.since", at=drawing.moment(answer["since"])))
    for line in (*_notes(total, currency), *map(_other, drawing.rows(answer, "other_costs"))):
        print(line)


def _notes(total: Values, currency: str) -> Iterator[str]:
    if reserved := _figure(total, "reserved"):
        yield tell("stats.reserved", money=amount(reserved, currency))
    if compared := _figure(total, "compared_videos"):
        both = {name: amount(_figure(total, name), currency) for name in _COMPARED}
        yield tell("stats.compared", count=compared, **both)
    if unpriced := _figure(total, "told_videos") - compared:
        yield tell("stats.told_unpriced", count=unpriced)


def _other(sums: Values) -> str:
    """Return the line for the costs in another currency, or for mere fees."""
    money = amount(_figure(sums, "told"), str(sums["currency"]))
    id_ = "stats.told_fees" if sums["is_fee"] else "stats.told_elsewhere"
    return tell(id_, count=_figure(sums, "videos"), money=money)


def _figure(sums: Values, name: str) -> int:
    return int(str(sums[name]))


def _row(sums: Values, by: str, columns: Sequence[str], currency: str) -> list[str]:
    name = str(sums["name"])
    if name.endswith(":@"):
        name = tell("stats.private", platform=name.partition(":")[0])
    counts = [str(sums[each]) for each in _COUNTS]
    called = [str(sums["called"])] if by == "person" else []
    money = [amount(_figure(sums, each), currency) for each in columns]
    return [name, *counts, *money, *called]
