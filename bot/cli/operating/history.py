"""`zoetrope acts`: the acts of operators."""

from collections.abc import Mapping
from pathlib import Path

from bot.cli.control import ask, configuration
from bot.cli.operating import drawing
from bot.cli.words import tell
from bot.core.acts import EVERYTHING

_COLUMNS = ("when", "actor", "action", "subject", "why")


def show(file: Path | None, *, subject: str | None, most: int, as_json: bool) -> None:
    """Print the latest, the newest first."""
    answer = ask(configuration(file), "acts.list", most=most, subject=subject)
    acts = drawing.rows(answer, "acts")
    if as_json:
        drawing.as_json({"acts": [drawing.stamped(act, "at") for act in acts]})
        return
    if not acts:
        print(tell("acts.none"))
        return
    drawing.table([tell(f"acts.{name}") for name in _COLUMNS], map(_row, acts), whole=(2, 3))


def _row(act: Mapping[str, object]) -> list[str]:
    subject = str(act["subject"])
    about = tell("acts.everything") if subject == EVERYTHING else subject
    known = (str(act["actor"]), str(act["action"]), about, str(act["why"]))
    return [drawing.moment(act["at"]), *known]
