"""The state of the set-up: the values in the configuration, its secrets and the environment.

There is no other state. Each answer is written as soon as it passed its test, so an interrupted
set-up resumes where it ended.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot import log
from bot.cli.words import tell
from bot.config import (
    Config,
    Misconfigured,
    Problem,
    checked,
    gather,
    in_environment,
    load,
    secrets_file,
)
from bot.config.editing import NotSimple, Value, put
from bot.config.problems import spelt, variable
from bot.config.saving import PRIVATE, SHARED, save
from bot.config.secrets import with_secret
from bot.core.errors import Refused

SECRETS = "secrets.env"
GATEWAY = "main"
PATHS = (("data_dir",), ("storage_url",), ("database_url",))
"""Settings that may be a path or hold a password."""


class Setup:
    """The configuration `file` while it is being set up."""

    def __init__(self, file: Path, *, environment: Mapping[str, str]) -> None:
        self.file = file
        self._environment = environment
        self._hidden: set[str] = set()

    @property
    def secrets(self) -> Path:
        """The file of secrets: the configured one, else one beside the configuration."""
        self.get("secrets")  # raises if the value is no file name
        named = secrets_file(self._known, environment=self._environment)
        return named or self.file.parent / SECRETS

    @property
    def gateway(self) -> str:
        """The name of the gateway to set up: the first configured one, else `main`."""
        tables = self.get("gateways")
        return next(iter(tables), GATEWAY) if isinstance(tables, dict) else GATEWAY

    def get(self, *key: str) -> Any:
        """Return a key's value from files or environment, unchecked; None if there is none."""
        return self._value(key, self._environment)

    def check_ours(self, *key: str) -> None:
        """Raise `Misconfigured` if the environment sets the key: it overrides what we write."""
        dotted = ".".join(key)
        for name, value in self._environment.items():
            names = (variable(dotted), f"{variable(dotted)}_FILE")
            if name.upper() in names and value.strip():
                raise Misconfigured([Problem(dotted, "answer_given", {"variable": name})])

    def put(self, value: Value, *key: str) -> None:
        """Write an answer into the configuration."""
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
        """Write a secret into the file of secrets, and that file's name into the configuration."""
        file = self.secrets
        if self._value(key, self._naming_secrets()) != secret:
            before = _read(file) if file.exists() else f"# {tell('init.secrets_header')}\n"
            save(file, with_secret(before, variable(".".join(key)), secret), mode=PRIVATE)
        if self.get("secrets") is None:
            self.put(SECRETS, "secrets")

    def settle(self) -> tuple[list[str], list[str]]:
        """Write settings that only the environment has: a new shell or systemd would lack them.

        Return the keys that were written, and the keys that could not be written.
        """
        written, left = [], []
        settings = self.config().written.model_dump(mode="json", exclude_unset=True)
        for key in in_environment(self._environment):
            found, value = _found(settings, key)
            before = gather(self._known, environment={})[0]
            if value is None or _found(before, found)[1] == value:
                continue
            try:
                self._settle(value, found)
            except Refused:
                left.append(".".join(found))
            else:
                written.append(".".join(found))
        return written, left

    def _settle(self, value: Any, key: tuple[str, ...]) -> None:
        if key in PATHS and "@" in value:  # contains a password
            self.keep(value, *key)
            return
        if key in PATHS and "://" not in value and self.file.parent != Path():
            value = str(
                Path(value).absolute()
            )  # a relative path would be resolved from the file's folder
        self.put(value, *key)

    def hide(self, secret: str) -> None:
        """Redact this and all earlier secrets in the log, also secrets that prove wrong."""
        self._hidden.add(secret)
        log.configure(level="ERROR", secrets=self._hidden)

    def config(self) -> Config:
        """Return the checked configuration. Raises `Misconfigured`."""
        return load(self._known, environment=self._environment)

    def usable(self) -> Config:
        """Return the checked configuration without `default_model`, which may need correction."""
        values, problems = gather(self._known, environment=self._environment)
        return checked({**values, "default_model": None}, problems)

    @property
    def _known(self) -> Path | None:
        return self.file if self.file.exists() else None

    def _value(self, key: tuple[str, ...], environment: Mapping[str, str]) -> Any:
        values, found = gather(self._known, environment=environment)
        if problems := [each for each in found if not _is_to_come(each)]:
            raise Misconfigured(problems)
        inner: Any = values
        for name in key:
            inner = inner.get(name) if isinstance(inner, dict) else None
        return inner

    def _naming_secrets(self) -> dict[str, str]:
        """Return only the variable that names the file of secrets; other values come from files."""
        name = variable("secrets")
        return {key: value for key, value in self._environment.items() if key.upper() == name}

    def _text(self) -> str:
        if self._known:
            return _read(self.file)
        return "".join(f"# {line}\n" for line in tell("init.config_header").splitlines())


def _found(values: Any, key: tuple[str, ...]) -> tuple[tuple[str, ...], Any]:
    """Return the key as it is spelt in `values`, and its value; None if there is none."""
    path: list[str] = []
    for part in key:
        names = values if isinstance(values, dict) else {}
        name = next((each for each in names if spelt(each) == spelt(part)), part)
        path.append(name)
        values = names.get(name)
    return tuple(path), values


def _is_to_come(problem: Problem) -> bool:
    """True for a missing file of secrets: a configuration may name the file before it exists."""
    named = (problem.key, problem.code) == ("secrets", "secret_file_missing")
    return named and not Path(str(problem.values["file"])).exists()


def _read(file: Path) -> str:
    """Return the file's text with its line ends unchanged."""
    return file.read_bytes().decode("utf-8-sig")
