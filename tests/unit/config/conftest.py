"""Fixtures to write a configuration file, and an environment with the secrets that a file may not
contain.
"""

import tomllib
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

from bot.config import Config, Misconfigured, load

GATEWAY = '[gateways.main]\nbase_url = "https://gateway.example"\n'
SECRETS = {"ZOETROPE_GATEWAYS__MAIN__API_KEY": "sk-1", "ZOETROPE_DISCORD__TOKEN": "t-1"}
_TABLES = tomllib.loads(files("bot").joinpath("catalog.toml").read_text("utf-8"))["models"]
KNOWN = tuple(_TABLES)
"""The wire names of all models that have a packaged table."""
PACKAGED = tuple(name for name, table in _TABLES.items() if table.get("assumed"))
"""The wire names of the models that are assumed at a gateway that lists none."""

Read = Callable[..., Config]
Complaints = Callable[..., list[str]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Return a function that reads a configuration of this text, with one valid gateway."""
    file = tmp_path / "config.toml"

    def read_(text: str = "", *, gateway: str = GATEWAY, **environment: str) -> Config:
        file.write_text(f"{text}\n{gateway}", "utf-8")
        return load(file, environment={**SECRETS, **environment})

    return read_


@pytest.fixture
def told(read: Read) -> Complaints:
    """Return a function that reads a wrong configuration and returns its errors as sentences."""

    def told_(text: str = "", *, gateway: str = GATEWAY, **environment: str) -> list[str]:
        with pytest.raises(Misconfigured) as wrong:
            read(text, gateway=gateway, **environment)
        return [problem.sentence("en") for problem in wrong.value.problems]

    return told_
