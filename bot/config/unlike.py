"""The kinds and options that get lost where a gateway's software needs another dialect."""

import re
from collections.abc import Iterator
from dataclasses import replace

from bot.config.settings import Gateway
from bot.config.tables import FieldsTable
from bot.core.models import Fields, Model
from bot.core.orders import Kind
from bot.gateways.dialects import DIALECTS, Dialect
from bot.gateways.which import FITTING

_PIXELS = re.compile(r"\d+x\d+")


def wanted(gateway: Gateway) -> Dialect | None:
    """Return the dialect that this gateway needs, if its software drops much of the present one.

    The software is the configured one, else as `init` and `doctor` found it.
    """
    dialect = DIALECTS.get(FITTING.get(gateway.software or "", ""))
    is_lossy = dialect is not None and dialect.drops_unknown and dialect.name != gateway.dialect
    return dialect if is_lossy else None


def arriving(model: Model, dialect: Dialect) -> Model | None:
    """Return the model with only what a server of this dialect reads; None if nothing arrives.

    A file never counts as arriving. A prompt does if the server reads length and shape as well.
    """
    read = FieldsTable.model_validate(dialect.base.get("places", {}))
    pairs = [(model.places.length, read.length), (model.places.size, read.size)]
    if model.shapes:
        pairs.append((model.places.aspect, read.aspect))
    is_read = all(not set(sent).isdisjoint(known) for sent, known in pairs)
    if dialect.base.get("picture", {}).get("exact"):
        is_read &= all(map(_PIXELS.fullmatch, _sizes(model)))
    is_same_form = model.is_json == (dialect.base.get("body") == "json")
    if Kind.TEXT not in model.kinds or not (is_read and is_same_form):
        return None
    fields = Fields(named=read.named)
    takes = [each for each in model.takes if set(model.places.of(each)) & set(fields.of(each))]
    return replace(model, kinds=(Kind.TEXT,), takes=tuple(takes))


def _sizes(model: Model) -> Iterator[str]:
    for sizes in model.sizes.values():
        yield from [sizes] if isinstance(sizes, str) else sizes.values()
