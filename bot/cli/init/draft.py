"""What is set up so far: exactly what stands in the configuration, its secrets and the environment.

There is no other memory: every answer is written as soon as it is known to be good, so whoever was
interrupted goes on where the files end.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.cli.words import tell
from bot.config import Config, Misconfigured, Problem, gather, load
from bot.config.editing import NotSimple, Value, put
from bot.config.problems import variable
from bot.config.saving import PRIVATE, SHARED, save
from bot.config.secrets import with_secret
from bot.core.errors import Refused

SECRETS = "secrets.env"
GATEWAY = "main"


class Draft:
    """The configuration `file` in the making."""

    def __init__(self, file: Path, *, environment: Mapping[str, str]) -> None:
        self.file = file
        self._environment = environment

    @property
    def secrets(self) -> Path:
        """Where the secrets go: beside the configuration, unless that says otherwise."""
        named = self.get("secrets")
        return self.file.parent / (named if isinstance(named, str) else SECRETS)

    @property
    def gateway(self) -> str:
        """The name of the gateway to set up: the first there is."""
        tables = self.get("gateways")
        return next(iter(tables), GATEWAY) if isinstance(tables, dict) else GATEWAY

    def get(self, *key: str) -> Any:
        """The value from wherever it comes, unchecked; None if there is none."""
        values, problems = gather(self._known, environment=self._environment)
        if problems:
            raise Misconfigured(problems)
        inner: Any = values
        for name in key:
            inner = inner.get(name) if isinstance(inner, dict) else None
        return inner

    def check_ours(self, *key: str) -> None:
        """Raise where the environment has a bad value: it would win over what we write."""
        dotted = ".".join(key)
        for name in (variable(dotted), f"{variable(dotted)}_FILE"):
            if self._environment.get(name, "").strip():
                raise Misconfigured([Problem(dotted, "answer_given", {"variable": name})])

    def put(self, value: Value, *key: str) -> None:
        """Write one answer into the configuration."""
        before = self._text()
        try:
            text = put(before, key, value)
        except NotSimple as error:
            name = ".".join(key)
            raise Refused("config_uneditable", file=str(self.file), key=name) from error
        if text != before:
            mode = self.file.stat().st_mode & 0o777 if self._known else SHARED
            save(self.file, text, mode=mode)

    def keep(self, secret: str, *key: str) -> None:
        """Write one secret into the secrets file, and its name into the configuration."""
        file = self.secrets
        before = file.read_text("utf-8") if file.exists() else f"# {tell('init.secrets_header')}\n"
        save(file, with_secret(before, variable(".".join(key)), secret), mode=PRIVATE)
        if self.get("secrets") is None:
            self.put(SECRETS, "secrets")

    def config(self) -> Config:
        """The whole, checked."""
        return load(self._known, environment=self._environment)

    @property
    def _known(self) -> Path | None:
        return self.file if self.file.exists() else None

    def _text(self) -> str:
        if self._known:
            return self.file.read_text("utf-8")
        return "".join(f"# {line}\n" for line in tell("init.config_header").splitlines())
