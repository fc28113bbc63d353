"""Explain a mistake in a command line in one sentence, with the right spelling if it is known."""

import re
from collections.abc import Sequence
from difflib import get_close_matches

import typer

from bot import installed
from bot.cli.jobs.asked import LEAST
from bot.cli.words import explain, tell
from bot.core.errors import Refused

WRONG_USAGE = 2
_MEANT = {
    **dict.fromkeys(("start", "serve", "up", "launch", "bot"), "run"),
    **dict.fromkeys(("setup", "install", "configure", "config"), "init"),
    **dict.fromkeys(("status", "health", "diagnose"), "doctor"),
    **dict.fromkeys(("validate", "test", "verify"), "check"),
    **dict.fromkeys(("make", "create", "video"), "generate"),
}
"""Commands of other programs, with our command of the same meaning."""
_NO_COMMAND = re.compile(r"No such command '(.*)'\.(?: Did you mean .*)?", re.DOTALL)
_WORDS = re.compile(r"Got unexpected extra arguments? ?(?:\(s\))? ?\((.*)\)", re.DOTALL)


def explain_usage(wrong: typer.TyperException) -> str:
    """Return a sentence with the mistake and what to type instead."""
    context: typer.Context | None = getattr(wrong, "ctx", None)
    if _lacks_job(wrong):
        return explain(Refused("job_id_missing", least=LEAST))
    if type(wrong).__name__ == "NoArgsIsHelpError":
        return wrong.format_message()
    if context is None:
        return tell("usage.other", said=wrong.format_message(), command=installed.command())
    command, said = context.command_path, wrong.message
    option = getattr(wrong, "option_name", None)
    if option and said.startswith("No such option"):
        can = [name for each in context.command.params for name in each.opts if name[:1] == "-"]
        return tell("usage.option_unknown", option=option, command=command, can=", ".join(can))
    if found := _NO_COMMAND.fullmatch(said):
        return _no_command(found[1], command, list(getattr(context.command, "commands", ())))
    if found := _WORDS.fullmatch(said):
        is_file = found[1].endswith(".toml") and " " not in found[1]
        code = "usage.words_file" if is_file else "usage.words"
        return tell(code, words=found[1], command=command)
    return tell("usage.other", said=wrong.format_message(), command=command)


def _lacks_job(wrong: typer.TyperException) -> bool:
    """Whether the command line lacks the id of a job."""
    parameter = getattr(wrong, "param", None)
    return type(wrong).__name__ == "MissingParameter" and getattr(parameter, "name", "") == "id"


def _no_command(given: str, command: str, can: Sequence[str]) -> str:
    near = _MEANT.get(given.lower()) or next(iter(get_close_matches(given.lower(), can, n=1)), "")
    if near in can:
        return tell("usage.command_near", given=given, command=command, near=near)
    return tell("usage.command_unknown", given=given, command=command, can=", ".join(can))
