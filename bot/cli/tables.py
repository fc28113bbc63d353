"""Tables on the terminal: folded to its width; where nobody looks, one line per row, for grep."""

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

_WIDEST = 10_000


def show(console: Console, table: Table) -> None:
    """Print it; nothing is cut, whatever the width."""
    if not console.is_terminal:
        console.width = width(console, table)
    console.print(table)


def width(console: Console, table: Table) -> int:
    """Columns of a terminal on which nothing is folded."""
    widest = console.options.update(width=_WIDEST)
    return Measurement.get(console, widest, table).maximum
