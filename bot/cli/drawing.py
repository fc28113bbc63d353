"""Print a command's result as a table, a list of names and values, or JSON.

On a terminal, tables are folded to its width; elsewhere each row is one line, for grep. The
service imports this module too, so rich is imported only when something is drawn.
"""

import json
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import repeat
from typing import Literal

from bot.i18n import printable

Values = Mapping[str, object]


def table(
    headings: Sequence[str],
    lines: Iterable[Sequence[str]],
    *,
    figures: Container[int] = (),
    whole: Container[int] = (0,),
    styles: Iterable[str] | None = None,
    gap: int = 1,
) -> None:
    """Print a table. Cells are folded, never cut.

    `figures`: the columns of numbers. `whole`: the columns that are not folded, because people
    type their names again. `styles`: a style for each line.
    """
    from rich.table import Table

    from bot.cli.terminal import plain, show

    drawn = Table(box=None, padding=(0, gap, 0, 0))
    for at, heading in enumerate(headings):
        side: Literal["left", "right"] = "right" if at in figures else "left"
        drawn.add_column(heading, overflow="fold", justify=side, no_wrap=at in whole)
    for line, style in zip(lines, styles or repeat(""), strict=False):
        drawn.add_row(*map(printable, line), style=style)
    show(plain(), drawn)


def sheet(lines: Iterable[tuple[str, str]]) -> None:
    """Print a list of names with their values beside them."""
    from rich.table import Table

    from bot.cli.terminal import plain, show

    drawn = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    drawn.add_column(no_wrap=True)
    drawn.add_column(overflow="fold")
    for name, value in lines:
        drawn.add_row(name, printable(value))
    show(plain(), drawn)


def as_json(values: Values) -> None:
    """Print values as JSON."""
    print(json.dumps(values, ensure_ascii=False, indent=2))


def rows(answer: Values, name: str) -> list[dict[str, object]]:
    """Return the list of objects under `name` in an answer."""
    found = answer[name]
    assert isinstance(found, list)
    return [dict(each) for each in found]


# --- times, in this machine's time zone ----------------------------------------------------------


def stamped(values: Values, *names: str) -> dict[str, object]:
    """Return `values` with the named times as ISO 8601 text."""
    return {**values, **{name: stamp(values.get(name)) for name in names}}


def stamp(at: object) -> str | None:
    """Return a time as ISO 8601 text with its UTC offset."""
    return local(at).isoformat(timespec="seconds") if at is not None else None


def moment(at: object) -> str:
    """Return a time for people, or "" if `at` is None."""
    return f"{local(at):%Y-%m-%d %H:%M}" if at is not None else ""


def local(at: object) -> datetime:
    """Return a time (seconds since the epoch) in the machine's time zone."""
    return datetime.fromtimestamp(float(str(at))).astimezone()
