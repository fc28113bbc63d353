"""Sentences on the terminal, from the same translations as the sentences in chat.

Values may come from strangers, so only their printable characters are shown.
"""

import datetime
from collections.abc import Sequence

from bot.core.errors import BotError
from bot.core.prices import MICRO
from bot.core.replies import Text, error
from bot.i18n import on_terminal

NAMED = 5
FREE = 1
"""The `spend_cost` of a row whose model has no price. It only counts videos; it is not money."""


def tell(id_: str, *, count: int | None = None, **values: object) -> str:
    """Return the sentence with this id. `count` chooses the plural form."""
    return on_terminal(Text(id=id_, values=values, count=count))


def amount(micro: int, currency: str) -> str:
    """Return money with at least two decimals, and more if the amount needs them (no rounding)."""
    whole, _, part = f"{micro / MICRO:.6f}".partition(".")
    return f"{whole}.{part.rstrip('0'):0<2} {currency}"


def listed(names: Sequence[str]) -> str:
    """Return the first `NAMED` names as text, and how many more there are."""
    more = [tell("cli.more", more=len(names) - NAMED)] if len(names) > NAMED else []
    return ", ".join([*names[:NAMED], *more])


def explain(problem: BotError) -> str:
    """Return a sentence with the problem and its remedy; with the bare code if there is none."""
    moment = {"resets_at": _moment, "until": _moment}
    text = error(problem).text
    sentence = on_terminal(text, formats=moment)
    return f"{tell('error.internal')} ({problem.code})" if sentence == text.id else sentence


def _moment(at: object) -> str:
    when = datetime.datetime.fromtimestamp(float(str(at)), datetime.UTC)
    return when.strftime("%Y-%m-%d %H:%M UTC")
