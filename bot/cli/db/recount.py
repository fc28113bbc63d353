"""`zoetrope db recount`: recount the use of limits from the jobs, with or without a service."""

from pathlib import Path

from bot.cli import drawing
from bot.cli.control import ask, configuration
from bot.cli.words import tell


def recount_usage(file: Path | None, *, why: str, as_json: bool) -> None:
    """Recount the use of limits, and print what was wrong."""
    answer = ask(configuration(file), "usage.recount", why=why)
    if as_json:
        drawing.as_json(answer)
        return
    wrong = answer["wrong"]
    assert isinstance(wrong, list)
    if wrong:
        print(tell("db.recounted_wrong", wrong=", ".join(map(str, wrong))))
    else:
        print(tell("db.recounted"))
