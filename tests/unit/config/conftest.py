"""A configuration file to write, and an environment that holds what a file may not."""

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
"""The wire names of all models that we have a table of."""
PACKAGED = tuple(name for name, table in _TABLES.items() if table.get("assumed"))
"""The wire names of models that a gateway is taken to have which lists none."""

Read = Callable[..., Config]
TextAnswer = Callable[..., list[str]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """The configuration of this text, with one sound gateway beside it."""
    file = tmp_path / "config.toml"

    def read_(text: str = "", *, gateway: str = GATEWAY, **environment: str) -> Config:
        file.write_text(f"{text}\n{gateway}", "utf-8")
        return load(file, environment={**SECRETS, **environment})

    return read_


@pytest.fixture
def told(read: Read) -> TextAnswer:
    """Everything that is said about a text, in words."""

    def told_(text: str = "", *, gateway: str = GATEWAY, **environment: str) -> list[str]:
        with pytest.raises(Misconfigured) as wrong:
            read(text, gateway=gateway, **environment)
        return [problem.sentence("en") for problem in wrong.value.problems]

    return told_
