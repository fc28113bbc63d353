"""Tables and JSON of what a use case answered."""

import json
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime

from rich.console import Console, JustifyMethod
from rich.table import Table

from bot.cli import tables
from bot.i18n import printable

Values = Mapping[str, object]


def rows(answer: Values, name: str) -> list[dict[str, object]]:
    """The list of objects of this name in an answer."""
    found = answer[name]
    assert isinstance(found, list)
    return [dict(each) for each in found]


def table(
    headings: Sequence[str],
    lines: Iterable[Sequence[str]],
    *,
    figures: Container[int] = (),
    whole: Container[int] = (0,),
) -> None:
    """Print it; cells are folded, never cut.

    `figures`: the columns of numbers; `whole`: those of names that are typed again, which are not
    even folded.
    """
    console = Console(highlight=False, markup=False)
    drawn = Table(box=None, padding=(0, 1, 0, 0))
    for at, heading in enumerate(headings):
        side: JustifyMethod = "right" if at in figures else "left"
        drawn.add_column(heading, overflow="fold", justify=side, no_wrap=at in whole)
    for line in lines:
        drawn.add_row(*map(printable, line))
    tables.show(console, drawn)


def as_json(values: Values) -> None:
    """Print it for programs."""
    print(json.dumps(values, ensure_ascii=False, indent=2))


def stamped(values: Values, *names: str) -> dict[str, object]:
    """The same with these times as programs read them, in this machine's time zone."""
    return {**values, **{name: stamp(values.get(name)) for name in names}}


def stamp(at: object) -> str | None:
    """A time with its offset."""
    return _local(at).isoformat(timespec="seconds") if at is not None else None


def moment(at: object) -> str:
    """A time for people, in this machine's time zone."""
    return f"{_local(at):%Y-%m-%d %H:%M}" if at is not None else ""


def _local(at: object) -> datetime:
    return datetime.fromtimestamp(float(str(at))).astimezone()
