"""`zoetrope user`: people whose orders are refused."""

from pathlib import Path

from bot.cli.control import ask, configuration
from bot.cli.operating import asked, drawing
from bot.cli.words import tell
from bot.core.acts import Values
from bot.core.clock import SystemClock

_COLUMNS = ("person", "since", "until", "by", "why")


def show(file: Path | None, *, as_json: bool) -> None:
    """Print those who are blocked."""
    answer = ask(configuration(file), "user.list")
    if as_json:
        _json(answer)
        return
    found = drawing.rows(answer, "blocked")
    if found:
        drawing.table([tell(f"user.{name}") for name in _COLUMNS], map(_row, found))
    else:
        print(tell("user.none"))


def block(file: Path | None, person: str, *, until: str | None, why: str, as_json: bool) -> None:
    """Refuse their orders from now on."""
    end = asked.ahead(until, now=SystemClock().now()) if until else None
    answer = ask(configuration(file), "user.block", person=person, until=end, why=why)
    if as_json:
        _json(answer)
    else:
        print(tell("user.blocked", person=person))
        if not answer["known"]:
            print(tell("user.unknown", person=person))
        if cancelled := int(str(answer["cancelled"])):
            print(tell("user.cancelled", count=cancelled))


def unblock(file: Path | None, person: str, *, why: str, as_json: bool) -> None:
    """Let them order again."""
    answer = ask(configuration(file), "user.unblock", person=person, why=why)
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
