"""`zoetrope quota`: today's limits, and more of them."""

from decimal import Decimal, InvalidOperation
from pathlib import Path

from bot.cli.control import ask, configuration
from bot.cli.operating import drawing
from bot.cli.words import amount, tell
from bot.config import Config
from bot.core.acts import Values
from bot.core.errors import Refused
from bot.core.prices import MICRO

_COLUMNS = ("what", "used", "limit", "granted", "left")


def show(file: Path | None, kind: str, of: str, where: str, *, as_json: bool) -> None:
    """Print what was used today, and what is left."""
    config = configuration(file)
    _draw(config, ask(config, "quota.show", kind=kind, of=of, where=where), as_json)


def grant(
    file: Path | None,
    kind: str,
    of: str,
    where: str,
    *,
    videos: int,
    money: str,
    again: bool,
    why: str,
    as_json: bool,
) -> None:
    """Let them have more today."""
    config = configuration(file)
    whose = {"kind": kind, "of": of, "where": where, "why": why}
    micro = _micro(money) if money else 0
    answer = ask(config, "quota.grant", videos=videos, money=micro, again=again, **whose)
    if not as_json:
        print(tell("quota.given"))
        if not answer["known"]:
            print(tell("user.unknown", person=of))
    _draw(config, answer, as_json)


def reset(file: Path | None, kind: str, of: str, where: str, *, why: str, as_json: bool) -> None:
    """Let their day begin anew."""
    config = configuration(file)
    answer = ask(config, "quota.reset", kind=kind, of=of, where=where, why=why)
    if not as_json:
        print(tell("quota.anew" if answer["changed"] else "quota.unused"))
    _draw(config, answer, as_json)


def _draw(config: Config, answer: Values, as_json: bool) -> None:
    if as_json:
        drawing.as_json(drawing.stamped(answer, "resets_at"))
        return
    currency = config.settings.currency
    rows = drawing.rows(answer, "limits")
    headings = [tell(f"quota.{name}") for name in _COLUMNS]
    drawing.table(headings, [_row(it, currency) for it in rows], figures=range(1, 5))
    print(tell("quota.day_ends", at=drawing.moment(answer["resets_at"])))


def _row(limit: Values, currency: str) -> list[str]:
    name = str(limit["name"])
    figures = (limit["used"], limit["limit"], limit["granted"], limit["left"])
    return [tell(f"figure.{name}"), *(_figure(name, it, currency) for it in figures)]


def _figure(name: str, value: object, currency: str) -> str:
    if value is None:
        return tell("quota.no_limit")
    if name == "purse_money":
        return amount(int(str(value)), currency)
    return str(value)


def _micro(typed: str) -> int:
    try:
        sum_ = Decimal(typed) * MICRO
        if sum_.is_finite() and sum_ > 0:
            return round(sum_)
    except InvalidOperation:
        pass
    raise Refused("money_unreadable", given=typed)
