"""Print on the terminal. Tables are folded to its width; without a terminal each row is one line.

This module imports rich, which the service never needs. So modules that every command loads import
this module only when they draw.
"""

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

_WIDEST = 10_000


def plain(*, soft_wrap: bool = False) -> Console:
    """Return a console that prints text as it is, without markup."""
    return Console(highlight=False, markup=False, soft_wrap=soft_wrap)


def show(console: Console, table: Table) -> None:
    """Print the table. Nothing is cut, whatever the width."""
    if not console.is_terminal:
        console.width = width(console, table)
    console.print(table)


def width(console: Console, table: Table) -> int:
    """Return the width in characters at which the table needs no folding."""
    widest = console.options.update(width=_WIDEST)
    return Measurement.get(console, widest, table).maximum
