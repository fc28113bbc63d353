"""Read the TOML file and the environment into one frozen `Config`.

No other package reads the process environment. `load` collects all mistakes and raises
`Misconfigured` with the list; each mistake has its key and its remedy.
"""

from bot.config.load import (
    Config,
    Misconfigured,
    checked,
    completed,
    gather,
    in_environment,
    load,
    secrets_file,
)
from bot.config.problems import Problem
from bot.config.settings import Settings

__all__ = [
    "Config",
    "Misconfigured",
    "Problem",
    "Settings",
    "checked",
    "completed",
    "gather",
    "in_environment",
    "load",
    "secrets_file",
]
