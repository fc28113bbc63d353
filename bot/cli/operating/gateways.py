"""`zoetrope gateways`: the list, and an operator's pauses."""

from pathlib import Path

from bot.cli.control import ask, configuration
from bot.cli.operating import drawing
from bot.cli.words import tell
from bot.core.acts import Values

_COLUMNS = ("name", "state", "waiting", "at_work")


def show(file: Path | None, *, as_json: bool) -> None:
    """Print each with its state and its jobs."""
    answer = ask(configuration(file), "gateways.list")
    if as_json:
        _json(answer)
        return
    found = drawing.rows(answer, "gateways")
    drawing.table(
        [tell(f"gateways.{name}") for name in _COLUMNS], map(_row, found), figures=range(2, 4)
    )
    if answer["stopped"]:
        print(tell("gateways.everything"))


def pause(file: Path | None, name: str, *, why: str, as_json: bool) -> None:
    """Let nothing leave to it."""
    answer = ask(configuration(file), "gateways.pause", name=name, why=why)
    if as_json:
        _json(answer)
    else:
        print(
            tell(
                "gateways.paused_now" if answer["changed"] else "gateways.paused_already", name=name
            )
        )


def resume(file: Path | None, name: str, *, why: str, as_json: bool) -> None:
    """Let it go on."""
    answer = ask(configuration(file), "gateways.resume", name=name, why=why)
    if as_json:
        _json(answer)
    else:
        id_ = "gateways.resumed" if answer["changed"] else "gateways.not_paused"
        print(tell(id_, name=name))


def _json(answer: Values) -> None:
    found = [drawing.stamped(each, "since") for each in drawing.rows(answer, "gateways")]
    drawing.as_json({**answer, "gateways": found})


def _row(gateway: Values) -> list[str]:
    states = []
    if gateway["paused"]:
        since = drawing.moment(gateway["since"])
        because = tell("gateways.because", why=gateway["why"]) if gateway["why"] else ""
        states.append(tell("gateways.paused", by=gateway["by"], since=since) + because)
    if gateway["refuses"]:
        states.append(tell("gateways.refuses", reason=gateway["refuses"]))
    if not gateway["configured"]:
        states.append(tell("gateways.unknown"))
    state = "; ".join(states) or tell("gateways.open")
    return [str(gateway["name"]), state, str(gateway["waiting"]), str(gateway["at_work"])]
