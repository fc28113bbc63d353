"""Sentences on the terminal, out of the same catalogues as those in chat."""

import datetime

from bot.core.errors import BotError
from bot.core.replies import Text, error
from bot.i18n import say


def tell(id_: str, **values: object) -> str:
    """The sentence with this id."""
    return say(Text(id=id_, values=values), "en")


def explain(problem: BotError) -> str:
    """What went wrong and what to do about it."""
    moment = {"resets_at": _moment, "until": _moment}
    return say(error(problem).text, "en", formats=moment)


def _moment(at: object) -> str:
    when = datetime.datetime.fromtimestamp(float(str(at)), datetime.UTC)
    return when.strftime("%Y-%m-%d %H:%M UTC")
