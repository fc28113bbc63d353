"""How much is allowed, and what that may cost: prices if they are known, then three limits."""

from collections.abc import Mapping, Sequence

from bot.cli.check import worst_day
from bot.cli.init.draft import Draft
from bot.cli.init.talk import Talk
from bot.config.settings import UNLIMITED, Limits
from bot.core.models import Model

ASKED: Mapping[str, str] = {
    "person_videos_per_day": "init.ask_person",
    "community_videos_per_day": "init.ask_community",
    "purse_videos_per_day": "init.ask_purse",
}


UNKNOWN = -1
MONEY = ("limits", "purse_money_per_day")
"""Written even where it is no limit: by that we know that money was talked about."""


def set_up(talk: Talk, draft: Draft) -> None:
    """Ask for what is not there yet; then say what the worst day costs."""
    talk.say("init.limits")
    if draft.get(*MONEY) is None:
        most = _most_money(talk, draft)
        draft.put(int(most) if most == int(most) else most, *MONEY)
    for name, question in ASKED.items():
        if draft.get("limits", name) is None:
            number = talk.ask_whole(question, default=Limits.model_fields[name].default)
        else:
            number = getattr(draft.config().settings.limits, name)
        draft.put(number, "limits", name)
    talk.print(worst_day(draft.config()))


def ask_price(talk: Talk, what: str, currency: str) -> float | None:
    """The price of a second of a model or a family; None if not known."""
    price = talk.ask_number("init.ask_price", default=UNKNOWN, what=what, currency=currency)
    return None if price < 0 else price


def _put_silent(
    talk: Talk, draft: Draft, models: Sequence[Model], price: float, currency: str
) -> None:
    """Of models whose price hangs on the sound: what is not said, or the same, is not written."""
    for model in models:
        values = {"what": f"{model.label} ({model.name})", "currency": currency}
        silent = talk.ask_number("init.ask_silent_price", default=price, **values)
        if silent not in (UNKNOWN, price):
            draft.put(silent, "models", model.name, "silent_price")


def _most_money(talk: Talk, draft: Draft) -> float:
    """A limit in money needs every price: the first that is not known ends the matter.

    People know prices by family: one question each, and its models that have a price keep it.
    """
    config = draft.config()
    catalog, currency = config.catalog, config.settings.currency
    for family in catalog.families:
        unpriced = [each for each in catalog.models if each.family == family and not each.prices]
        price = ask_price(talk, catalog.label(family), currency) if unpriced else UNLIMITED
        if price is None:
            return UNLIMITED
        for model in unpriced:
            draft.put(price, "models", model.name, "price")
        _put_silent(talk, draft, [each for each in unpriced if each.sound_priced], price, currency)
    return talk.ask_number("init.ask_money", default=UNLIMITED, currency=currency)
