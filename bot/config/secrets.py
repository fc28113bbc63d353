"""Files that hold secrets: for their owner alone, read whole or as lines of NAME=value.

The lines are what systemd (`EnvironmentFile=`) and Docker (`--env-file`) read as well.
"""

import stat
from pathlib import Path

from bot.config.problems import Problem


def secret_in(file: Path, key: str, problems: list[Problem]) -> str:
    """The whole file as one secret; "" with a problem about `key`, which names the file."""
    try:
        mode = file.stat().st_mode
        if not stat.S_ISREG(mode):
            problems.append(Problem(key, "secret_file_odd", {"file": str(file)}))
            return ""
        if mode & (stat.S_IRGRP | stat.S_IROTH):
            problems.append(Problem(key, "secret_file_open", {"file": str(file)}))
            return ""
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        problems.append(Problem(key, "secret_file_missing", {"file": str(file)}))
        return ""


def secrets_of(file: Path, problems: list[Problem]) -> dict[str, str]:
    """The variables in a file of NAME=value lines, with # before comments."""
    found = {}
    for number, line in enumerate(secret_in(file, "secrets", problems).splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, is_there, value = line.partition("=")
        if not is_there:
            # Never the line itself: it may well be a secret.
            where = {"file": str(file), "line": number}
            problems.append(Problem("secrets", "secret_file_line", where))
        found[name.strip()] = value.strip().strip("\"'")
    return found


def with_secret(text: str, name: str, value: str) -> str:
    """The lines of such a file with this variable in them, once."""
    lines = [line for line in text.splitlines() if line.partition("=")[0].strip() != name]
    return "\n".join([*lines, f"{name}={value}", ""])
