"""`zoetrope acts`: list the acts of operators."""

from collections.abc import Mapping
from typing import Annotated

import typer

from bot.cli import drawing
from bot.cli.control import ask, configuration
from bot.cli.options import AsJson, ConfigFile
from bot.cli.words import tell
from bot.core.acts import EVERYTHING

_COLUMNS = ("when", "actor", "action", "subject", "why")


def acts(
    subject: Annotated[
        str | None, typer.Argument(help="Only acts about this job, gateway or person: its id.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="The most acts to list.")] = 20,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """List what operators did: who, when and why."""
    answer = ask(configuration(config), "acts.list", most=limit, subject=subject)
    found = drawing.rows(answer, "acts")
    if as_json:
        drawing.as_json({"acts": [drawing.stamped(act, "at") for act in found]})
        return
    if not found:
        print(tell("acts.none"))
        return
    drawing.table([tell(f"acts.{name}") for name in _COLUMNS], map(_row, found), whole=(2, 3))


def _row(act: Mapping[str, object]) -> list[str]:
    subject = str(act["subject"])
    about = tell("acts.everything") if subject == EVERYTHING else subject
    known = (str(act["actor"]), str(act["action"]), about, str(act["why"]))
    return [drawing.moment(act["at"]), *known]
