"""`zoetrope models`: what this configuration can run, as a table."""

from pathlib import Path

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from bot.cli.words import tell
from bot.config import load
from bot.core.models import MICRO, Model
from bot.i18n import printable

_WIDEST = 10_000
_COLUMNS = ("family", "model", "kinds", "seconds", "quality", "aspect", "gateway", "price")


def list_models(file: Path | None) -> None:
    """Print one row per enabled model; nothing is cut, whatever the width."""
    config = load(file)
    console = Console(markup=False)
    table = Table(box=None)
    longest = max(len(model.name) for model in config.catalog.models)
    for column in _COLUMNS:
        whole = column == "model" and 4 * longest <= console.width  # people copy it
        table.add_column(tell(f"models.{column}"), overflow="fold", no_wrap=whole)
    for model in config.catalog.models:
        table.add_row(*map(printable, _row(model, config.settings.currency)))
    if not console.is_terminal:  # one line per model, for grep
        console.width = Measurement.get(
            console, console.options.update(width=_WIDEST), table
        ).maximum
    console.print(table)


def _row(model: Model, currency: str) -> tuple[str, ...]:
    price = "–" if model.price is None else f"{model.price / MICRO:g} {currency}/s"
    return (
        model.label,
        model.name,
        " ".join(model.kinds),
        " ".join(str(seconds) for seconds in model.seconds),
        " ".join(model.qualities),
        " ".join(model.aspects),
        model.gateway,
        price,
    )
