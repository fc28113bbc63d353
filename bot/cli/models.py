"""`zoetrope models`: what this configuration can run, as a table."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from bot.cli import software, tables
from bot.cli.words import tell
from bot.config import load
from bot.core.choosing import listed
from bot.core.models import MICRO, Model
from bot.core.orders import Kind
from bot.i18n import printable

NONE = "–"
_COLUMNS = (
    *("family", "model", "kinds", "seconds", "quality", "aspect", "price"),
    *("gateway", "picture"),
)


def list_models(file: Path | None) -> None:
    """Print one row per enabled model, nothing cut, whatever the width; then what is held back."""
    config = load(file)
    console = Console(markup=False)
    table = Table(box=None, padding=(0, 1, 0, 0))  # 80 columns are just enough
    longest = max(len(model.name) for model in config.catalog.models)
    for column in _COLUMNS:
        whole = column == "model" and 4 * longest <= console.width  # people copy it
        heading = tell(f"models.{column}")
        table.add_column(heading, overflow="fold", no_wrap=whole, min_width=len(heading))
    for model in config.catalog.models:
        family = config.catalog.label(model.family)
        table.add_row(*map(printable, (family, *_row(model, config.settings.currency))))
    tables.show(console, table)
    for sentence in software.held(config):
        console.print(sentence, soft_wrap=True, highlight=False)


def _row(model: Model, currency: str) -> tuple[str, ...]:
    return (
        model.name,
        " ".join(model.kinds),
        _seconds(model),
        " ".join(model.qualities),
        " ".join(model.aspects),
        _price(model, currency),
        f"{model.gateway} {model.dialect}",
        _transport(model),
    )


def _seconds(model: Model) -> str:
    """The default first."""
    return " ".join(dict.fromkeys((str(model.seconds[0]), *listed(model.seconds).split(", "))))


def _price(model: Model, currency: str) -> str:
    """From the cheapest quality to the dearest."""
    if not model.prices:
        return NONE
    each = sorted({model.price(quality) for quality in model.qualities})
    ends = dict.fromkeys((each[0], each[-1]))
    return f"{NONE.join(f'{price / MICRO:g}' for price in ends)} {currency}/s"


def _transport(model: Model) -> str:
    if model.picture is None or set(model.kinds) == {Kind.TEXT}:
        return NONE
    return model.picture.transport
