"""Store a gateway's new list of models, if it can be believed, and note what it changes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from bot.config import discoveries
from bot.config.discoveries import Changes, Found
from bot.config.load import Config, completed
from bot.core.models import Model, Origin
from bot.core.prices import MICRO
from bot.gateways.dialects import DIALECTS
from bot.gateways.offers import Offer
from bot.gateways.offers.names import VIDEO
from bot.gateways.which import UNKNOWN

Row = Mapping[str, str | float | bool | None]
KEPT = timedelta(days=14)
"""The age of changes after which they are dropped, told or not."""
MOST_CHANGES = 20


def listed(config: Config, gateway: str, offers: tuple[Offer, ...], at: datetime) -> Config:
    """Store what a gateway's list said at a time; return the configuration that follows.

    A list that suddenly lacks more than half of the models is stored only if two in a row say so.
    Raises `Misconfigured` and `Refused("output_unwritable")`.
    """
    kept, _ = discoveries.read(config.data_dir)
    stored = discoveries.valid(config.written, kept)
    last = stored.get(gateway) or _first(config, gateway, at)
    if _is_doubtful(last, offers) and not last.doubted:
        found = last.model_copy(update={"doubted": True})
    else:
        found = last.model_copy(
            update={
                "models": tuple(offer.model for offer in offers),
                "offers": _worth_keeping(config, gateway, offers),
                "listed_at": at,
                "doubted": False,
            }
        )
    fresh = completed(config.written, found={**stored, gateway: found})
    changes = changed(config, fresh, gateway, at)
    if changes.gone or changes.prices:
        recent = (each for each in found.changes if at - each.at < KEPT)
        found = found.model_copy(update={"changes": (*recent, changes)[-MOST_CHANGES:]})
    discoveries.put(config.data_dir, gateway, found, kept)
    return completed(config.written)


def _first(config: Config, gateway: str, at: datetime) -> Found:
    """Return a finding about a gateway of which nothing is known."""
    base_url = config.settings.gateways[gateway].base_url
    return Found(base_url=base_url, software=UNKNOWN, at=at, since=at)


def _is_doubtful(last: Found, offers: Iterable[Offer]) -> bool:
    before = set(last.models or ())
    return 2 * len(before.intersection(offer.model for offer in offers)) < len(before)


def _worth_keeping(config: Config, gateway: str, offers: tuple[Offer, ...]) -> tuple[Offer, ...]:
    """Return the offers that tell more than a name."""
    if DIALECTS[config.settings.gateways[gateway].dialect].builds:
        return offers
    return tuple(offer for offer in offers if VIDEO in offer.endpoint_types)


# --- what a new list changes ---------------------------------------------------------------------


def changed(before: Config, after: Config, gateway: str, at: datetime) -> Changes:
    """Return what changed in the models of this gateway that people could order before."""
    had, has = _models(before, gateway), _models(after, gateway)
    gone = [{"label": it.label, "model": name} for name, it in had.items() if name not in has]
    told = [config.offers.get(gateway, {}) for config in (before, after)]
    prices = [
        row
        for name, model in had.items()
        if name in has
        for row in _prices(model, has[name], [offers.get(name) for offers in told])
    ]
    return Changes(at=at, gone=tuple(gone), prices=tuple(prices))


def _models(config: Config, gateway: str) -> dict[str, Model]:
    all_ = (model for terms in config.all_terms for model in terms.catalog.models)
    return {model.name: model for model in all_ if model.gateway == gateway}


def _prices(had: Model, has: Model, told: Sequence[Offer | None]) -> Iterator[Row]:
    """Yield the changed prices of a second that count, or else that the list tells."""
    is_mine = has.origins.get("price") is Origin.YOURS
    if is_mine and None in told:
        return
    for sound, key in ((True, "prices"), (False, "silent_prices")):
        if is_mine:
            before, after = (getattr(offer, key) for offer in told)
        else:
            before, after = (
                {quality: price / MICRO for quality, price in getattr(model, key).items()}
                for model in (had, has)
            )
        for quality in (each for each in had.qualities if each in has.qualities):
            was, is_ = before.get(quality), after.get(quality)
            if was != is_:
                row = {"label": has.label, "model": has.name, "quality": quality}
                yield {**row, "sound": sound, "before": was, "after": is_, "mine": is_mine}
