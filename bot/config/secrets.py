"""Files of secrets, which only their owner may read: one secret, or lines of NAME=value.

systemd (`EnvironmentFile=`) and Docker (`--env-file`) read the same lines.
"""

import os
import re
import stat
from pathlib import Path

from bot.config.problems import PREFIX, Problem
from bot.log import redacted

_EXPORT = re.compile(r"\s*export\s+")
_LONGEST_NAME = 31
"""The longest file name that is shown in a message. Tokens and keys are longer."""


def secret_in(named: str, key: str, problems: list[Problem], *, folder: Path = Path()) -> str:
    """Return the content of the named file as one secret; or "", with a problem about `key`."""
    file = folder / named
    try:
        mode = file.stat().st_mode
        if not stat.S_ISREG(mode):
            problems.append(Problem(key, "secret_file_odd", {"file": str(file)}))
            return ""
        if mode & (stat.S_IRGRP | stat.S_IROTH):
            problems.append(Problem(key, "secret_file_open", {"file": str(file)}))
            return ""
        return file.read_text("utf-8-sig").strip()
    except (OSError, ValueError):
        if _is_name(file):
            code = "secret_file_missing" if key == "secrets" else "variable_file_missing"
            problems.append(Problem(key, code, {"file": str(file)}))
        else:
            problems.append(Problem(key, "secret_file_none"))
        return ""


def secrets_of(named: str, problems: list[Problem], *, folder: Path) -> dict[str, str]:
    """Return the variables in a file of NAME=value lines; # begins a comment line."""
    found = {}
    lines = secret_in(named, "secrets", problems, folder=folder).splitlines()
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, is_there, value = line.partition("=")
        # Never show the line itself: it may be a secret.
        where = {"file": str(folder / named), "line": number}
        if not is_there:
            problems.append(Problem("secrets", "secret_file_line", where))
        elif not _spelt(name).startswith(PREFIX):
            problems.append(Problem("secrets", "secret_file_name", where))
        found[_spelt(name)] = value.strip().strip("\"'")
    return found


def with_secret(text: str, name: str, value: str) -> str:
    """Return the text of a file of secrets with this variable set, in exactly one line.

    Other lines for the variable, also as `…_FILE`, are removed.
    """
    lines = text.splitlines(keepends=True)
    end = "\r\n" if "\r\n" in text else "\n"
    ours = (name, f"{name}_FILE")
    numbers = [n for n, line in enumerate(lines) if _spelt(line.partition("=")[0]) in ours]
    if not numbers:
        gap = "" if text.endswith("\n") or not text else end
        return f"{text}{gap}{name}={value}{end}"
    first, *others = numbers
    export = _EXPORT.match(lines[first])
    lines[first] = f"{export[0] if export else ''}{name}={value}{end}"
    return "".join(line for n, line in enumerate(lines) if n not in others)


def _spelt(name: str) -> str:
    """Return a variable's name in upper case, without the shell's `export`."""
    return _EXPORT.sub("", name).strip().upper()


def _is_name(file: Path) -> bool:
    """Whether this is surely a file's name, and not a secret that was pasted by mistake."""
    whole, name = str(file), file.name
    if not whole.isprintable() or redacted(whole) != whole:
        return False
    wordy = name.islower() and len(name) <= _LONGEST_NAME and os.access(file.parent, os.X_OK)
    return wordy or file.suffix == ".env"
