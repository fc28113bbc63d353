"""The terminal, and tables on it: folded to its width, or a line for each row where nobody looks.

Rich does it, which the service never needs: modules that are loaded with every command import this
one where they draw.
"""

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

_WIDEST = 10_000


def plain(*, soft_wrap: bool = False) -> Console:
    """A console that takes words as they are."""
    return Console(highlight=False, markup=False, soft_wrap=soft_wrap)


def show(console: Console, table: Table) -> None:
    """Print it; nothing is cut, whatever the width."""
    if not console.is_terminal:
        console.width = width(console, table)
    console.print(table)


def width(console: Console, table: Table) -> int:
    """Columns of a terminal on which nothing is folded."""
    widest = console.options.update(width=_WIDEST)
    return Measurement.get(console, widest, table).maximum
