"""`zoetrope stats`: what was made, failed and spent."""

from pathlib import Path

from bot.cli.control import ask, configuration
from bot.cli.jobs import asked
from bot.cli.operating import drawing
from bot.cli.words import tell
from bot.core.acts import Values
from bot.core.clock import SystemClock
from bot.core.prices import MICRO

_COUNTS = ("made", "failed", "cancelled", "unconfirmed", "under_way")


def show(file: Path | None, *, by: str, since: str | None, as_json: bool) -> None:
    """Print a row for each day, model, gateway, person or community."""
    start = asked.moment(since, now=SystemClock().now()) if since else None
    answer = ask(configuration(file), "stats", by=by, since=start)
    if as_json:
        drawing.as_json(drawing.stamped(answer, "since"))
        return
    total = answer["total"]
    assert isinstance(total, dict)
    rows = drawing.rows(answer, "rows")
    currency = str(answer["currency"])
    total = {**total, "name": tell("stats.total")}
    lines = [_row(each, by, currency) for each in (*rows, total)]
    headings = [tell(f"stats.{name}") for name in (by, *_COUNTS, "spent")]
    drawing.table(headings, lines)
    print(tell("stats.since", at=drawing.moment(answer["since"])))


def _row(sums: Values, by: str, currency: str) -> list[str]:
    name = str(sums["name"])
    if by == "person" and sums["called"]:
        name = f"{sums['called']} ({name})"
    if name.endswith(":@"):
        name = tell("stats.private", platform=name.partition(":")[0])
    counts = [str(sums[each]) for each in _COUNTS]
    return [name, *counts, f"{int(str(sums['spent'])) / MICRO:.2f} {currency}"]
