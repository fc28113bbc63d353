"""Set up limits: ask for prices if they are known, then for three limits."""

from collections.abc import Mapping, Sequence

from bot.cli.check import worst_day
from bot.cli.init import prices
from bot.cli.init.gateway import choose_default
from bot.cli.init.setup import Setup
from bot.cli.init.talk import Talk
from bot.config.money import UNLIMITED
from bot.config.settings import Limits
from bot.core.models import Model

ASKED: Mapping[str, str] = {
    "person_videos_per_day": "init.ask_person",
    "community_videos_per_day": "init.ask_community",
    "purse_videos_per_day": "init.ask_purse",
}


UNKNOWN = -1
MONEY = ("limits", "purse_money_per_day")
"""Written even without a limit, to record that the question was answered."""


def set_up(talk: Talk, setup: Setup) -> None:
    """Ask for missing limits; then print the highest cost of a day."""
    talk.say("init.limits")
    if setup.get(*MONEY) is None:
        most = _most_money(talk, setup)
        setup.put(int(most) if most == int(most) else most, *MONEY)
    for name, question in ASKED.items():
        if setup.get("limits", name) is None:
            number = talk.ask_whole(question, default=Limits.model_fields[name].default)
        else:
            number = getattr(setup.config().settings.limits, name)
        setup.put(number, "limits", name)
    talk.print(worst_day(setup.config()))


def _put_silent(
    talk: Talk, setup: Setup, models: Sequence[Model], price: float, currency: str
) -> None:
    """Ask for prices without sound, for models with such prices; write only different ones."""
    for model in models:
        values = {"what": f"{model.label} ({model.name})", "currency": currency}
        silent = talk.ask_number("init.ask_silent_price", default=price, **values)
        if silent not in (UNKNOWN, price):
            setup.put(silent, "models", model.name, "silent_price")


def _most_money(talk: Talk, setup: Setup) -> float:
    """Ask for missing prices, by family; then ask for the most money per day, and return it.

    If no model has a price, return `UNLIMITED` without the second question. If the operator sets a
    limit, hide the models that have no price.
    """
    config = setup.config()
    currency, unpriced = config.settings.currency, dict[str, list[Model]]()
    for model in (each for each in config.catalog.models if not each.prices):
        unpriced.setdefault(config.catalog.label(model.family), []).append(model)
    for family, price in prices.ask(talk, list(unpriced), currency):
        models = unpriced.pop(family)
        for model in models:
            setup.put(price, "models", model.name, "price")
        _put_silent(talk, setup, [each for each in models if each.sound_priced], price, currency)
    if not any(model.prices for model in setup.config().catalog.models):
        return UNLIMITED
    if unpriced:
        talk.say("init.unpriced", families=", ".join(unpriced))
    most = talk.ask_number("init.ask_money", default=UNLIMITED, currency=currency)
    if most != UNLIMITED and unpriced:
        names = [model.name for models in unpriced.values() for model in models]
        for name in names:
            setup.put(True, "models", name, "hidden")
        talk.say("init.models_unpriced", models=", ".join(names))
        choose_default(talk, setup)
    return most
