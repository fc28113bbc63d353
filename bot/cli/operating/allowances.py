"""`zoetrope quota`: show today's limits, and grant extras."""

from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from bot.cli import drawing
from bot.cli.control import ask, configuration
from bot.cli.options import AsJson, ConfigFile, Why
from bot.cli.words import amount, tell
from bot.config import Config
from bot.core.acts import Values
from bot.core.errors import Refused
from bot.core.prices import MICRO

app = typer.Typer(no_args_is_help=True)

Kind = Annotated[str, typer.Argument(help="Whose limits: person, community or purse.")]
Of = Annotated[
    str,
    typer.Argument(help="Network and id: discord:123. For a community's own purse, its gateway."),
]
Where = Annotated[
    str,
    typer.Option("--in", help="The community where the person orders, if it has its own purse."),
]
_COLUMNS = ("what", "used", "limit", "granted", "left")


@app.command()
def show(
    kind: Kind, of: Of = "", where: Where = "", as_json: AsJson = False, config: ConfigFile = None
) -> None:
    """Show what was used today, and what is left."""
    known = configuration(config)
    _draw(known, ask(known, "quota.show", kind=kind, of=of, where=where), as_json)


@app.command()
def grant(
    kind: Kind,
    of: Of = "",
    videos: Annotated[int, typer.Option(min=0, help="How many more videos for today.")] = 0,
    money: Annotated[
        str, typer.Option(help="How much more money for today, as 5.00; only for a purse.")
    ] = "",
    where: Where = "",
    again: Annotated[
        bool, typer.Option("--again", help="Grant even if the same was granted in the last hour.")
    ] = False,
    why: Why = "",
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Grant more for today than the limits allow."""
    known = configuration(config)
    whose = {"kind": kind, "of": of, "where": where, "why": why}
    micro = _micro(money) if money else 0
    answer = ask(known, "quota.grant", videos=videos, money=micro, again=again, **whose)
    if not as_json:
        print(tell("quota.given"))
        if not answer["known"]:
            print(tell("user.unknown", person=of))
    _draw(known, answer, as_json)


@app.command()
def reset(
    kind: Kind,
    of: Of = "",
    where: Where = "",
    why: Why = "",
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Make the whole day's limit available again, as at midnight."""
    known = configuration(config)
    answer = ask(known, "quota.reset", kind=kind, of=of, where=where, why=why)
    if not as_json:
        print(tell("quota.anew" if answer["changed"] else "quota.unused"))
    _draw(known, answer, as_json)


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
