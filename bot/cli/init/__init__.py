"""`zoetrope init`: from nothing to a service that can run, one tested answer at a time.

The steps are plain functions that ask, test and write; who answers is a `Talk`. A further platform
is a further module beside `discord`, and one line below.
"""

import os
import sys
from pathlib import Path

import typer

from bot.cli.init import discord, gateway, limits
from bot.cli.init.draft import Draft
from bot.cli.init.talk import Nobody, Talk
from bot.config import Misconfigured, Problem
from bot.config.problems import variable
from bot.core.errors import Refused

INTERRUPTED = 130


def set_up(file: Path, *, ask: bool) -> None:
    """Set up what is missing; `ask` a person, or take it all from the environment and files."""
    draft = Draft(file, environment=os.environ)
    if not ask:
        _check_known(draft)
        _steps(Nobody(), draft)
        return
    if not sys.stdin.isatty():
        raise Refused("no_terminal")
    talk = Talk()
    try:
        _steps(talk, draft)
    except (KeyboardInterrupt, EOFError):
        talk.say("init.paused", command=_command("init", file))
        raise typer.Exit(INTERRUPTED) from None


def _steps(talk: Talk, draft: Draft) -> None:
    talk.say("init.welcome", file=str(draft.file), secrets=str(draft.secrets))
    discord.set_up(talk, draft)
    gateway.set_up(talk, draft)
    limits.set_up(talk, draft)
    from bot.cli.init import trial  # brings the whole of media along

    trial.offer(talk, draft.config())
    talk.say("init.done", run=_command("run", draft.file), doctor=_command("doctor", draft.file))


def _check_known(draft: Draft) -> None:
    """All that is missing at once, since nobody can be asked one by one."""
    url, key = (("gateways", draft.gateway, name) for name in ("base_url", "api_key"))
    needed = {("discord", "token"): "secret_missing", url: "answer_missing", key: "secret_missing"}
    missing = [
        Problem(".".join(key), code, {"variable": variable(".".join(key))})
        for key, code in needed.items()
        if draft.get(*key) is None
    ]
    if missing:
        raise Misconfigured(missing)


def _command(name: str, file: Path) -> str:
    """How to start it so that it finds this file."""
    config = "" if file == Path("config.toml") else f" --config {file}"
    return f"zoetrope {name}{config}"
