"""`zoetrope stop` and `zoetrope go`."""

from bot.cli import drawing
from bot.cli.control import ask, configuration
from bot.cli.options import AsJson, ConfigFile, Why
from bot.cli.words import tell


def stop(why: Why = "", as_json: AsJson = False, config: ConfigFile = None) -> None:
    """Stop everything that costs money: take and send no orders. Paid videos still arrive."""
    answer = ask(configuration(config), "stop", why=why)
    if as_json:
        drawing.as_json(drawing.stamped(answer, "since"))
        return
    if answer["changed"]:
        print(tell("stop.stopped"))
    else:
        print(tell("stop.already", by=answer["by"], since=drawing.moment(answer["since"])))
    waiting, leaving, made = (answer[name] for name in ("waiting", "leaving", "made"))
    print(tell("stop.under_way", waiting=waiting, leaving=leaving, made=made))


def go(why: Why = "", as_json: AsJson = False, config: ConfigFile = None) -> None:
    """Take and send orders again after `zoetrope stop`."""
    answer = ask(configuration(config), "go", why=why)
    if as_json:
        drawing.as_json(drawing.stamped(answer, "since"))
        return
    id_ = "stop.gone_on" if answer["changed"] else "stop.not_stopped"
    print(tell(id_, waiting=answer["waiting"]))
