"""The options that many commands have."""

from pathlib import Path
from typing import Annotated

import typer

HERE = Path("config.toml")


def _found(given: Path | None) -> Path | None:
    """The file named, or the one here; otherwise the environment alone counts."""
    return given or (HERE if HERE.exists() else None)


ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        callback=_found,
        help="The configuration file; by default config.toml in this folder, if it is there.",
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON: for programs, with keys that stay.")
]
