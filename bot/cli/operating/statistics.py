"""`zoetrope stats`: count videos made and failed, and money spent."""

from typing import Annotated

import typer

from bot.cli import drawing, times
from bot.cli.control import ask, configuration
from bot.cli.options import AsJson, ConfigFile
from bot.cli.words import amount, tell
from bot.core.acts import Values
from bot.core.clock import SystemClock

_COUNTS = ("made", "failed", "cancelled", "unconfirmed", "under_way")


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
    """Show what was made, what failed, and what was spent."""
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
    lines = [_row(each, by, currency) for each in (*rows, total)]
    columns = (by, *_COUNTS, "spent", *(["called"] if by == "person" else []))
    headings = [tell(f"stats.{name}") for name in columns]
    drawing.table(headings, lines, figures=range(1, 7), whole=(0, 6))
    print(tell("stats.since", at=drawing.moment(answer["since"])))


def _row(sums: Values, by: str, currency: str) -> list[str]:
    name = str(sums["name"])
    if name.endswith(":@"):
        name = tell("stats.private", platform=name.partition(":")[0])
    counts = [str(sums[each]) for each in _COUNTS]
    called = [str(sums["called"])] if by == "person" else []
    return [name, *counts, amount(int(str(sums["spent"])), currency), *called]
