"""How much is allowed, and what that may cost: prices if they are known, then three limits."""

from collections.abc import Mapping

from bot.cli.check import worst_day
from bot.cli.init.draft import Draft
from bot.cli.init.talk import Talk
from bot.config.settings import UNLIMITED, Limits

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


def ask_price(talk: Talk, model: str, currency: str) -> float | None:
    """What one second costs; None if that is not known."""
    price = talk.ask_number("init.ask_price", default=UNKNOWN, model=model, currency=currency)
    return None if price < 0 else price


def _most_money(talk: Talk, draft: Draft) -> float:
    """A limit in money needs every price: the first that is not known ends the matter."""
    config = draft.config()
    currency = config.settings.currency
    for model in config.catalog.models:
        if not model.prices:
            price = ask_price(talk, model.name, currency)
            if price is None:
                return UNLIMITED
            draft.put(price, "models", model.name, "price")
    return talk.ask_number("init.ask_money", default=UNLIMITED, currency=currency)
