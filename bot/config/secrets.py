"""Files that hold secrets: for their owner alone, read whole or as lines of NAME=value.

The lines are what systemd (`EnvironmentFile=`) and Docker (`--env-file`) read as well.
"""

import os
import stat
from pathlib import Path

from bot.config.problems import Problem
from bot.log import redacted

_LONGEST_NAME = 31
"""Characters of a file's name that is repeated: tokens and keys have more."""


def secret_in(named: str, key: str, problems: list[Problem], *, folder: Path = Path()) -> str:
    """The whole file of this name as one secret; "" with a problem about `key`."""
    file = folder / named
    try:
        mode = file.stat().st_mode
        if not stat.S_ISREG(mode):
            problems.append(Problem(key, "secret_file_odd", {"file": str(file)}))
            return ""
        if mode & (stat.S_IRGRP | stat.S_IROTH):
            problems.append(Problem(key, "secret_file_open", {"file": str(file)}))
            return ""
        return file.read_text("utf-8").strip()
    except (OSError, ValueError):
        if _is_name(file):
            problems.append(Problem(key, "secret_file_missing", {"file": str(file)}))
        else:
            problems.append(Problem(key, "secret_file_none"))
        return ""


def secrets_of(named: str, problems: list[Problem], *, folder: Path) -> dict[str, str]:
    """The variables in a file of NAME=value lines, with # before comments."""
    found = {}
    lines = secret_in(named, "secrets", problems, folder=folder).splitlines()
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, is_there, value = line.partition("=")
        if not is_there:
            # Never the line itself: it may well be a secret.
            where = {"file": str(folder / named), "line": number}
            problems.append(Problem("secrets", "secret_file_line", where))
        found[name.strip()] = value.strip().strip("\"'")
    return found


def with_secret(text: str, name: str, value: str) -> str:
    """The lines of such a file with this variable in them, once."""
    lines = [line for line in text.splitlines() if line.partition("=")[0].strip() != name]
    return "\n".join([*lines, f"{name}={value}", ""])


def _is_name(file: Path) -> bool:
    """Whether this is surely a file's name, and no secret that was put where one belongs."""
    whole = str(file)
    return (
        whole.isprintable()
        and redacted(whole) == whole
        and file.name.islower()
        and len(file.name) <= _LONGEST_NAME
        and os.access(file.parent, os.X_OK)
    )
