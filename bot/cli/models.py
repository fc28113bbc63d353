"""`zoetrope models`: what this configuration can run, as a table or as JSON."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.cli import drawing, software, terminal
from bot.cli.words import tell
from bot.config import Config, load
from bot.config.held import Held
from bot.core.choosing import listed
from bot.core.models import Model
from bot.core.orders import Kind
from bot.core.prices import MICRO
from bot.core.wishes import ASPECTS, AUTO_WORD, Extra
from bot.i18n import printable

NONE = "–"
Cells = Mapping[str, str]
"""A row's texts, by column."""


def list_models(file: Path | None, *, as_json: bool = False) -> None:
    """Print every enabled model, then the kinds that are held back."""
    config = load(file)
    if as_json:
        _print(config)
        return
    console = Console(markup=False)
    show(config, console)
    for sentence in software.held(config):
        console.print(sentence, soft_wrap=True, highlight=False)


def show(config: Config, console: Console) -> None:
    """Print the table of models. Nothing is cut, whatever the width.

    On a terminal each family is a heading, and columns that are the same for all models are left
    out. Elsewhere each model is one line with all columns, for grep.
    """
    models = config.catalog.models
    if not models:
        console.print(tell("models.none"), soft_wrap=True)
        return
    rows = [_cells(model, config) for model in models]
    headed = console.is_terminal
    hidden = _untelling(models) if headed else ()
    table = Table(box=None, padding=(0, 1, 0, 0))  # 80 columns are just enough
    for column in (column for column in rows[0] if column not in hidden):
        longest = max(len(row[column]) for row in rows)
        whole = column == "model" and 2 * longest <= console.width  # people copy it
        heading = tell(f"models.{column}", currency=config.settings.currency)
        table.add_column(heading, overflow="fold", no_wrap=whole, min_width=len(heading))
    family = ""
    for row in rows:
        if headed and row["family"] != family:
            family = row["family"]
            table.add_row(Text(family, style="bold"))
        table.add_row(*(cell for column, cell in row.items() if column not in hidden))
    terminal.show(console, table)


def _untelling(models: Sequence[Model]) -> Collection[str]:
    """Return the columns to leave out on a terminal, such as columns with equal values."""
    alike = len({model.gateway for model in models}) == 1
    unpriced = not any(model.prices for model in models)
    return ("family", "picture", *["gateway"] * alike, *["price"] * unpriced)


def _print(config: Config) -> None:
    """Print all models as JSON. Models whose kinds are all held back come last, without kinds."""
    held = {each.model.name: each for each in software.held_all(config)}
    offered = {model.name for model in config.catalog.models}
    models = [_facts(model, held.get(model.name)) for model in config.catalog.models]
    models += [_facts(e.model, e) for name, e in held.items() if name not in offered]
    drawing.as_json({"currency": config.settings.currency, "models": models})


def _facts(model: Model, held: Held | None) -> Mapping[str, object]:
    """Return a model as values for JSON. The keys are stable across versions."""
    waits = held.kinds if held else ()
    kinds = tuple(kind for kind in model.kinds if kind not in waits)
    return {
        "model": model.name,
        "family": model.family,
        "label": model.label,
        "note": model.note,
        "gateway": model.gateway,
        "dialect": model.dialect,
        "kinds": kinds,
        "held_back": _waiting(held) if held else None,
        "auto": model.auto,
        "shapes": model.aspects,
        "qualities": [_quality(model, quality, kinds) for quality in model.qualities],
        "takes": model.takes,
        "files": model.picture.transport if model.picture else None,
        "videos": model.video.transport if model.video else None,
        "source": model.source,
    }


def _waiting(held: Held) -> Mapping[str, object]:
    """Return why kinds are held back, and the key of the setting that releases them."""
    return {"kinds": held.kinds, "why": held.why, "until": held.key}


def _quality(model: Model, quality: str, kinds: Collection[Kind]) -> Mapping[str, object]:
    """Return a quality with its kinds, lengths (the default first) and prices of one second."""
    can = model.differing(quality).kinds or model.kinds
    silent = model.silent_prices.get(quality)
    price = model.prices.get(quality)
    return {
        "quality": quality,
        "kinds": [kind for kind in can if kind in kinds],
        "seconds": model.lengths(quality),
        "price": None if price is None else price / MICRO,
        "silent_price": None if silent is None else silent / MICRO,
    }


def _cells(model: Model, config: Config) -> Cells:
    has_all = model.aspects == tuple(ASPECTS)
    cells = {
        "family": config.catalog.label(model.family),
        "model": model.name,
        "kinds": " ".join(model.kinds),
        "seconds": _seconds(model),
        "quality": " ".join(model.qualities),
        "aspect": tell("models.any") if has_all else " ".join(model.aspects),
        "price": _price(model),
        "gateway": f"{model.gateway} {model.dialect}",
        "picture": _transport(model),
    }
    return {column: printable(cell) for column, cell in cells.items()}


def _seconds(model: Model) -> str:
    """Return the lengths as text, the shortest first."""
    last = (AUTO_WORD,) if model.auto else ()
    return " ".join((*listed(sorted(model.seconds)).split(", "), *last))


def _price(model: Model) -> str:
    """Return the range of prices over all qualities, with or without sound."""
    if not model.prices:
        return NONE
    sounds = (None, False) if Extra.AUDIO in model.takes else (None,)
    each = sorted({model.price(q, audio=audio) for q in model.qualities for audio in sounds})
    return f" {NONE} ".join(f"{price / MICRO:g}" for price in dict.fromkeys((each[0], each[-1])))


def _transport(model: Model) -> str:
    if model.picture is None or {Kind.TEXT, Kind.REMIX}.issuperset(model.kinds):
        return NONE
    kinds = [kind for kind in model.kinds if kind not in (Kind.TEXT, Kind.REMIX)]
    return " ".join(dict.fromkeys(map(model.picture.way, kinds)))
