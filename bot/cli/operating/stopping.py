"""`zoetrope stop` and `zoetrope go`."""

from pathlib import Path

from bot.cli.control import ask, configuration
from bot.cli.operating import drawing
from bot.cli.words import tell


def stop(file: Path | None, *, why: str, as_json: bool) -> None:
    """Stop everything that costs, and say what goes on."""
    answer = ask(configuration(file), "stop", why=why)
    if as_json:
        drawing.as_json(drawing.stamped(answer, "since"))
        return
    if answer["changed"]:
        print(tell("stop.stopped"))
    else:
        print(tell("stop.already", by=answer["by"], since=drawing.moment(answer["since"])))
    waiting, leaving, made = (answer[name] for name in ("waiting", "leaving", "made"))
    print(tell("stop.under_way", waiting=waiting, leaving=leaving, made=made))


def go(file: Path | None, *, why: str, as_json: bool) -> None:
    """Go on."""
    answer = ask(configuration(file), "go", why=why)
    if as_json:
        drawing.as_json(drawing.stamped(answer, "since"))
        return
    id_ = "stop.gone_on" if answer["changed"] else "stop.not_stopped"
    print(tell(id_, waiting=answer["waiting"]))
