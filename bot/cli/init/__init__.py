"""`zoetrope init`: set up a service that can run, one tested answer at a time.

The steps are plain functions that ask, test and write; a `Talk` supplies the answers. To add a
network, add a module beside `discord` and a line below.
"""

import os
import sys
from pathlib import Path

import typer

from bot import installed
from bot.cli.init import discord, gateway, limits, telegram
from bot.cli.init.setup import Setup
from bot.cli.init.talk import Nobody, Talk
from bot.config import Misconfigured, Problem
from bot.config.problems import variable
from bot.core.errors import Refused
from bot.gateways.dialects import DIALECTS

INTERRUPTED = 130


def set_up(file: Path, *, ask: bool, also_telegram: bool) -> None:
    """Set up what is missing. `ask` False: take all answers from the environment and files."""
    setup = Setup(file, environment=os.environ)
    if not ask:
        _check_known(setup, also_telegram=also_telegram)
        _steps(Nobody(), setup, also_telegram=also_telegram)
        return
    if sys.stdin is None or not sys.stdin.isatty():  # None if standard input is closed
        raise Refused("no_terminal")
    talk = Talk()
    try:
        _steps(talk, setup, also_telegram=also_telegram)
    except (KeyboardInterrupt, EOFError):
        talk.say("init.paused", command=_command("init", file))
        raise typer.Exit(INTERRUPTED) from None


def _steps(talk: Talk, setup: Setup, *, also_telegram: bool) -> None:
    talk.say(talk.welcome, file=str(setup.file), secrets=str(setup.secrets))
    on_telegram = also_telegram or setup.get(*telegram.KEY) is not None
    on_discord = setup.get(*discord.KEY) is not None
    if on_discord or not on_telegram:
        on_discord = discord.set_up(talk, setup)
    if on_telegram or not on_discord:
        telegram.set_up(talk, setup)
    gateway.set_up(talk, setup)
    limits.set_up(talk, setup)
    _settle(talk, setup)
    from bot.cli.init import earlier, trial  # these import all of `bot.media`

    earlier.offer(talk, setup.config())
    trial.offer(talk, setup.config())
    talk.say("init.done", run=_command("run", setup.file), doctor=_command("doctor", setup.file))
    if on_discord:
        talk.say("init.reload")


def _settle(talk: Talk, setup: Setup) -> None:
    """Write settings that only this environment has to the files, for the next start."""
    written, left = setup.settle()
    if written:
        talk.say("init.settled", keys=", ".join(written), file=str(setup.file))
    if left:
        talk.say("init.unsettled", keys=", ".join(left), file=str(setup.file))


def _check_known(setup: Setup, *, also_telegram: bool) -> None:
    """Raise `Misconfigured` with all missing answers, because no person can be asked."""
    url, key = (("gateways", setup.gateway, name) for name in ("base_url", "api_key"))
    needed: dict[tuple[str, ...], str] = {url: "answer_missing", key: "secret_missing"}
    dialect = DIALECTS.get(setup.get("gateways", setup.gateway, "dialect"))
    if dialect and dialect.keyless:
        del needed[key]
    if setup.get(*telegram.KEY) is None and also_telegram:
        needed = {telegram.KEY: "secret_missing", **needed}
    elif setup.get(*telegram.KEY) is None:
        needed = {discord.KEY: "platform_missing", **needed}
    missing = [
        Problem(".".join(key), code, {"variable": variable(".".join(key))})
        for key, code in needed.items()
        if setup.get(*key) is None
    ]
    if missing:
        raise Misconfigured(missing)


def _command(name: str, file: Path) -> str:
    """Return the command line that uses this configuration file."""
    config = "" if file == Path("config.toml") else f" --config {file}"
    return f"{installed.command()} {name}{config}"
