"""TOML and environment → one frozen `Config`. The only reader of the process environment.

`load` never stops at the first mistake: it raises `Misconfigured` with all of them, each with its
key and its remedy.
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
