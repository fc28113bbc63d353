"""Sentences on the terminal, out of the same catalogs as those in chat.

Values in them may come from strangers, so only what is `printable` of them is shown.
"""

import datetime
from collections.abc import Sequence

from bot.core.errors import BotError
from bot.core.prices import MICRO
from bot.core.replies import Text, error
from bot.i18n import on_terminal

NAMED = 5
FREE = 1
"""The `spend_cost` of a row whose model has no price: it counts videos, and is no money."""


def tell(id_: str, *, count: int | None = None, **values: object) -> str:
    """The sentence with this id; `count` chooses its plural form."""
    return on_terminal(Text(id=id_, values=values, count=count))


def amount(micro: int, currency: str) -> str:
    """Money with two digits behind the point, and more where there are more: nothing is rounded."""
    whole, _, part = f"{micro / MICRO:.6f}".partition(".")
    return f"{whole}.{part.rstrip('0'):0<2} {currency}"


def listed(names: Sequence[str]) -> str:
    """As many names as can be read at a glance, and how many more there are."""
    more = [tell("cli.more", more=len(names) - NAMED)] if len(names) > NAMED else []
    return ", ".join([*names[:NAMED], *more])


def explain(problem: BotError) -> str:
    """The problem and its remedy in words; the bare code stands where they are missing."""
    moment = {"resets_at": _moment, "until": _moment}
    text = error(problem).text
    told = on_terminal(text, formats=moment)
    return f"{tell('error.internal')} ({problem.code})" if told == text.id else told


def _moment(at: object) -> str:
    when = datetime.datetime.fromtimestamp(float(str(at)), datetime.UTC)
    return when.strftime("%Y-%m-%d %H:%M UTC")
