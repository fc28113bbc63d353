"""`zoetrope user`: block people, so that their orders are refused."""

from typing import Annotated

import typer

from bot.cli import drawing, times
from bot.cli.control import ask, configuration
from bot.cli.options import AsJson, ConfigFile, Why
from bot.cli.words import tell
from bot.core.acts import Values
from bot.core.clock import SystemClock

app = typer.Typer(no_args_is_help=True)

PersonId = Annotated[str, typer.Argument(help="The person's network and id: discord:123.")]
_COLUMNS = ("person", "since", "until", "by", "why")


@app.command("list")
def user_list(as_json: AsJson = False, config: ConfigFile = None) -> None:
    """List the blocked people."""
    answer = ask(configuration(config), "user.list")
    if as_json:
        _json(answer)
        return
    found = drawing.rows(answer, "blocked")
    if found:
        drawing.table([tell(f"user.{name}") for name in _COLUMNS], map(_row, found))
    else:
        print(tell("user.none"))


@app.command()
def block(
    person: PersonId,
    until: Annotated[
        str | None, typer.Option(help="How long: 12h or 7d; or until when: 2026-01-31 [14:30].")
    ] = None,
    why: Why = "",
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Refuse a person's orders and button presses; paid videos still arrive."""
    end = times.ahead(until, now=SystemClock().now()) if until else None
    answer = ask(configuration(config), "user.block", person=person, until=end, why=why)
    if as_json:
        _json(answer)
    else:
        print(tell("user.blocked", person=person))
        if not answer["known"]:
            print(tell("user.unknown", person=person))
        if cancelled := int(str(answer["cancelled"])):
            print(tell("user.cancelled", count=cancelled))


@app.command()
def unblock(
    person: PersonId, why: Why = "", as_json: AsJson = False, config: ConfigFile = None
) -> None:
    """Let a blocked person order again."""
    answer = ask(configuration(config), "user.unblock", person=person, why=why)
    if as_json:
        _json(answer)
    else:
        print(tell("user.unblocked" if answer["changed"] else "user.not_blocked", person=person))


def _json(answer: Values) -> None:
    found = [drawing.stamped(each, "at", "until") for each in drawing.rows(answer, "blocked")]
    drawing.as_json({**answer, "blocked": found})


def _row(block: Values) -> list[str]:
    until = drawing.moment(block["until"]) or tell("user.forever")
    person, at = str(block["person"]), drawing.moment(block["at"])
    return [person, at, until, str(block["by"]), str(block["why"])]
