"""The command line: one module per group of commands, imported only when the command runs.

For an operator's mistake a command prints one sentence on standard error and exits with a code; it
never prints a traceback.
"""

import sys
from io import TextIOWrapper

import typer

from bot.cli.errors import translated
from bot.cli.main import app
from bot.cli.usage import WRONG_USAGE, explain_usage
from bot.cli.words import explain
from bot.config import Misconfigured
from bot.installed import command

CONFIG_ERROR = 78
"""EX_CONFIG of sysexits.h."""
TEMPORARY_FAILURE = 75
"""EX_TEMPFAIL of sysexits.h: retry once the other instance has ended or the database answers."""
_TEMPORARY = (
    *("database_in_use", "restore_running", "database_taken", "database_unreachable"),
    *("service_silent", "control_silent", "control_busy", "control_slow"),
)
_CONFIG = (
    "database_missing",
    "database_saved",
    "database_emptied",
    "database_replaced",
    "database_other",
    "database_is_backup",
    "database_foreign",
)

__all__ = ["main"]


def main() -> None:
    """Run the command that the arguments name."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # Names use any script: characters that the terminal lacks are shown as escapes.
            stream.reconfigure(errors="backslashreplace")
    try:
        ended = app(prog_name=command(), standalone_mode=False)
        sys.exit(ended if isinstance(ended, int) else 0)
    except typer.TyperException as wrong:
        print(explain_usage(wrong), file=sys.stderr)
        sys.exit(WRONG_USAGE)
    except typer.Abort:  # standard input ended at a question
        sys.exit(1)
    except Misconfigured as wrong:
        for problem in wrong.problems:
            print(problem.sentence("en"), file=sys.stderr)
        sys.exit(CONFIG_ERROR)
    except Exception as error:
        known = translated(error)
        if known is None:
            raise
        print(explain(known), file=sys.stderr)
        sys.exit(_exit_code(known.code))


def _exit_code(code: str) -> int:
    if code in _CONFIG:
        return CONFIG_ERROR
    return TEMPORARY_FAILURE if code in _TEMPORARY else 1
