"""`zoetrope gateways`: list gateways, and hold or resume one."""

from typing import Annotated

import typer

from bot.cli import drawing
from bot.cli.control import ask, configuration
from bot.cli.options import AsJson, ConfigFile, Why
from bot.cli.words import tell
from bot.core.acts import Values

app = typer.Typer(no_args_is_help=True)

Gateway = Annotated[str, typer.Argument(help="The gateway's name in the configuration.")]
_COLUMNS = ("name", "state", "waiting", "at_work")


@app.command("list")
def gateways_list(as_json: AsJson = False, config: ConfigFile = None) -> None:
    """List the gateways: which are open, paused or refuse us, and their jobs."""
    answer = ask(configuration(config), "gateways.list")
    if as_json:
        _json(answer)
        return
    found = drawing.rows(answer, "gateways")
    drawing.table(
        [tell(f"gateways.{name}") for name in _COLUMNS], map(_row, found), figures=range(2, 4)
    )
    if answer["stopped"]:
        print(tell("gateways.everything"))


@app.command()
def pause(name: Gateway, why: Why = "", as_json: AsJson = False, config: ConfigFile = None) -> None:
    """Send no more orders to a gateway until you resume it; orders wait."""
    answer = ask(configuration(config), "gateways.pause", name=name, why=why)
    if as_json:
        _json(answer)
    else:
        id_ = "gateways.paused_now" if answer["changed"] else "gateways.paused_already"
        print(tell(id_, name=name))


@app.command()
def resume(
    name: Gateway, why: Why = "", as_json: AsJson = False, config: ConfigFile = None
) -> None:
    """Send orders to a gateway again after `gateways pause`."""
    answer = ask(configuration(config), "gateways.resume", name=name, why=why)
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
        reason = tell(f"reason.{gateway['refuses']}")
        states.append(tell("gateways.refuses", reason=reason))
    if not gateway["configured"]:
        states.append(tell("gateways.unknown"))
    state = "; ".join(states) or tell("gateways.open")
    return [str(gateway["name"]), state, str(gateway["waiting"]), str(gateway["at_work"])]
