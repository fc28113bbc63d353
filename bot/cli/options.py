"""Options that several commands share, and the options of a wish."""

import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.words import explain, tell
from bot.core.errors import Refused
from bot.core.wishes import OPTIONS, SWITCHES, Choice, Option

HERE = Path("config.toml")


def _found(given: Path | None) -> Path | None:
    """Return the given file, else `config.toml` in this folder, else None (environment alone)."""
    return given or (HERE if HERE.exists() else None)


ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        callback=_found,
        help="The configuration file; default: config.toml in this folder, if it exists.",
    ),
]
AsJson = Annotated[
    bool,
    typer.Option("--json", help="Print JSON for programs; its keys stay the same across versions."),
]
JobId = Annotated[str, typer.Argument(help="The job's id, or at least its first four characters.")]
Why = Annotated[
    str, typer.Option("--why", help="The reason, stored with the act for other operators.")
]


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return the command with all options of a wish instead of its `**chosen` parameter."""
    own = list(inspect.signature(command).parameters.values())[:-1]
    kind = inspect.Parameter.KEYWORD_ONLY
    options = (
        inspect.Parameter(name, kind, annotation=_annotation(name, option), default=None)
        for name, option in OPTIONS.items()
    )
    vars(command)["__signature__"] = inspect.Signature([*own, *options])
    return command


def _annotation(name: str, option: Option) -> Any:
    says = tell(f"option.{name}")
    if name in SWITCHES:
        return Annotated[bool | None, typer.Option(f"--{name}/--no-{name}", help=says)]
    listed = f"{says} ({', '.join(option.words)})" if option.words else says
    read = partial(_read, option)
    return Annotated[str | None, typer.Option(parser=read, metavar=name.upper(), help=listed)]


def _read(option: Option, word: str) -> Choice:
    try:
        return option.read(word)
    except Refused as refused:
        raise typer.BadParameter(explain(refused)) from None
