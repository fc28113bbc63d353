"""`zoetrope models`: what this configuration can run, as a table."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from bot.cli.words import tell
from bot.config import load
from bot.core.catalog import Model

MICRO = 1_000_000
_COLUMNS = ("family", "model", "kinds", "seconds", "quality", "aspect", "gateway", "price")


def list_models(file: Path | None) -> None:
    """Print one row per enabled model."""
    config = load(file)
    table = Table(*(tell(f"models.{column}") for column in _COLUMNS), box=None)
    for model in config.catalog.models:
        table.add_row(*_row(model, config.settings.currency))
    Console().print(table)


def _row(model: Model, currency: str) -> tuple[str, ...]:
    price = "–" if model.price is None else f"{model.price / MICRO:g} {currency}/s"
    return (
        model.label,
        model.name,
        " ".join(model.kinds),
        " ".join(str(seconds) for seconds in model.seconds),
        " ".join(model.sizes),
        " ".join(model.aspects),
        model.gateway,
        price,
    )
