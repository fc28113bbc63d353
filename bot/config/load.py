"""Reads the file and the environment, and collects every mistake before giving up."""

import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from yarl import URL

from bot.config import discoveries, places, terms
from bot.config.catalog import resolve
from bot.config.problems import PREFIX, Problem, problems_of, spelt, variable
from bot.config.secrets import secret_in, secrets_of
from bot.config.settings import Settings
from bot.config.shape import meant
from bot.config.upkeep import time_of
from bot.core import keeping, quotas
from bot.core.accounts import Terms
from bot.core.catalog import Catalog

_SECRET_NAMES = ("token", "api_key")
_MAY_STAND_IN_FILES = (*_SECRET_NAMES, "database_url", "storage_url")
"""Keys `…_FILE` may follow: secrets, and addresses that may hold one."""


class Misconfigured(Exception):
    """The configuration can't be used; `problems` are all the reasons."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"{len(problems)} problems in the configuration")
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything the composition root needs."""

    settings: Settings
    catalog: Catalog
    communities: Mapping[tuple[str, str], Terms] = field(default_factory=dict)
    """By platform and id, those that have terms of their own."""
    written: Settings
    """The settings as the operator wrote them, without what was found out."""
    found: discoveries.Founds = field(default_factory=dict)
    """The findings about each gateway at its present address."""
    remarks: tuple[Problem, ...] = ()
    """The problems that were left aside, and stop nothing."""

    @property
    def data_dir(self) -> Path:
        """Where everything of ours is kept."""
        return Path(self.settings.data_dir)

    @property
    def database_url(self) -> str:
        """Where the rows are."""
        file = self.data_dir / "zoetrope.db"
        return self.settings.database_url or f"sqlite:///{file}"

    @property
    def storage_url(self) -> str:
        """Where the media are."""
        return self.settings.storage_url or str(self.data_dir / "media")

    @property
    def backup_folder(self) -> Path:
        """Where backups are."""
        return Path(self.settings.backup.folder or self.data_dir / "backups")

    @property
    def kept(self) -> keeping.Rules:
        """How long things are kept."""
        table = self.settings.retention
        return keeping.Rules(
            videos=table.videos_days * keeping.DAY or None,
            inputs=table.inputs_days * keeping.DAY or None,
            words=table.words_days * keeping.DAY or None,
            most_bytes=round(table.most_gb * 1e9) or None,
            former=self.settings.backup.keep * keeping.DAY,
        )

    @property
    def digest_at(self) -> time | None:
        """When owners hear the news of a day; None: never."""
        return time_of(self.settings.digest)

    @property
    def limits(self) -> quotas.Limits:
        """The core's limits."""
        return terms.general(self.settings)

    @property
    def terms(self) -> Terms:
        """The operator's terms: the default."""
        return Terms(catalog=self.catalog, limits=self.limits)

    @property
    def all_terms(self) -> tuple[Terms, ...]:
        """The operator's, then those of communities."""
        return (self.terms, *self.communities.values())

    def at_once(self, name: str) -> int | None:
        """How many orders of this model a gateway takes at a time; None: any number."""
        found = (terms.catalog.model(name) for terms in self.all_terms)
        return next((model.at_once for model in found if model), None)

    @property
    def platforms(self) -> tuple[str, ...]:
        """The names of the chat networks that are switched on."""
        switched_on = {
            "discord": self.settings.discord.token is not None,
            "telegram": self.settings.telegram.token is not None,
            "playground": self.settings.playground.enabled,
        }
        return tuple(name for name, is_on in switched_on.items() if is_on)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret value, for redaction."""
        keys = [gateway.api_key for gateway in self.settings.gateways.values()]
        given = [*keys, self.settings.discord.token, self.settings.telegram.token]
        password = URL(self.settings.database_url or "").password
        return tuple(filter(None, [*(key.get_secret_value() for key in given if key), password]))


def load(
    file: Path | None,
    *,
    environment: Mapping[str, str] | None = None,
    over: Mapping[str, str] | None = None,
) -> Config:
    """The configuration of `file` (none: environment alone). Raises `Misconfigured`.

    `over` are variables that win over the environment's own.
    """
    variables = {**(os.environ if environment is None else environment), **(over or {})}
    given, problems = gather(file, environment=variables)
    problems += places.left_behind(file, given.get("data_dir"))
    if file is None and not given.get("gateways"):
        folder = {"folder": str(Path().absolute())}
        problems.append(Problem("config.toml", "config_nowhere", folder))
    return checked(given, problems)


def gather(
    file: Path | None, *, environment: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], list[Problem]]:
    """Every value from everywhere, unchecked: the environment over the secrets over the file."""
    values = _read(file)
    problems = _secrets_in(values)
    variables = os.environ if environment is None else environment
    surroundings = _from_environment(variables, problems)
    given = _laid_over(_without_secrets(values), surroundings)
    if isinstance(named := given.get("secrets"), str):
        folder = places.folder_of("secrets", file, surroundings)
        secrets = _from_environment(secrets_of(named, problems, folder=folder), problems)
        given = _laid_over(_laid_over(_without_secrets(values), secrets), surroundings)
    return places.placed(given, file, surroundings), problems


def checked(given: Mapping[str, Any], problems: list[Problem]) -> Config:
    """The configuration of these values. Raises `Misconfigured` with what was found besides."""
    problems = list(problems)
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        problems += [*problems_of(error, Settings), *_salvaged(given, error)]
        raise Misconfigured(problems) from None
    return completed(settings, problems)


def completed(written: Settings, problems: Iterable[Problem] = ()) -> Config:
    """The configuration of these settings and of what was found out of their gateways.

    Raises `Misconfigured` with what was found besides.
    """
    kept, remarks = discoveries.read(Path(written.data_dir))
    kept = discoveries.valid(written, kept)
    settings = discoveries.filled(written, kept)
    catalog, own, faults = _whole(settings)
    if faults and any(each.models is not None for each in kept.values()):
        # A list of models that changed by itself stops no service.
        without = discoveries.filled(written, kept, models=False)
        again = _whole(without)
        if not again[2]:
            why = {"why": faults[0].sentence("en")}
            remarks.append(Problem("models", "found_models_aside", why))
            settings, (catalog, own, faults) = without, again
    problems = [*problems, *faults, *_about_gateways(settings)]
    if problems:
        raise Misconfigured(problems)
    return Config(
        settings=settings,
        catalog=catalog,
        communities=own,
        written=written,
        found=kept,
        remarks=tuple(remarks),
    )


def _whole(settings: Settings) -> tuple[Catalog, Mapping[tuple[str, str], Terms], list[Problem]]:
    """The catalog and everybody's terms; what is wrong for several is said once."""
    catalog, found = resolve(settings)
    own, faults = terms.communities(settings, catalog)
    for problem in faults:
        if problem not in found:
            found.append(problem)
    return catalog, own, found


def _about_gateways(settings: Settings) -> Iterator[Problem]:
    named, others = settings.default_gateway, settings.gateways.keys() - settings.claimed
    if not settings.gateways:
        yield Problem("gateways", "gateway_missing")
    elif named in settings.claimed:
        yield Problem("default_gateway", "gateway_claimed", {"given": named})
    elif not others:
        yield Problem("gateways", "gateways_claimed")
    elif named is not None and named not in settings.gateways:
        can = ", ".join(name for name in settings.gateways if name in others)
        yield Problem("default_gateway", "not_one_of", {"given": named, "can": can})


def in_environment(variables: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """The key of each setting that these variables name, secrets left out."""

    def keys(values: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
        for name, value in values.items():
            if isinstance(value, dict):
                yield from ((name, *inner) for inner in keys(value))
            elif name not in (*_SECRET_NAMES, "secrets"):
                yield (name,)

    return keys(_from_environment(variables, []))


def secrets_file(file: Path | None, *, environment: Mapping[str, str]) -> Path | None:
    """Where `gather` looks for the secrets; None if nothing names a file for them."""
    surroundings = _from_environment(environment, [])
    named = _laid_over(_read(file), surroundings).get("secrets")
    folder = places.folder_of("secrets", file, surroundings)
    return folder / named if isinstance(named, str) else None


def _salvaged(given: Mapping[str, Any], error: ValidationError) -> list[Problem]:
    """The catalog's mistakes although other tables are wrong: all at once means all."""
    wrong = {str(found["loc"][0]) for found in error.errors()}
    sound = {key: value for key, value in given.items() if key not in wrong | {"gateways"}}
    # Of a table that is wrong nobody knows what it was to hold: nothing is missed in it.
    if "web" in wrong:
        sound["web"] = {"public_url": "http://localhost"}
    stand_in = {"base_url": "http://localhost", "api_key": "-"}
    tables = [*sound.get("models", {}).values(), *sound.get("communities", {}).values()]
    named = {str(table.get("gateway", "-")) for table in tables}
    try:
        settings = Settings.model_validate(
            {**sound, "default_gateway": None, "gateways": dict.fromkeys(named | {"-"}, stand_in)}
        )
    except ValidationError:
        return []
    return _whole(settings)[2]


def _read(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    text = ""
    try:
        text = file.read_text("utf-8-sig")
        return tomllib.loads(text)
    except FileNotFoundError:
        raise Misconfigured([Problem(str(file), "file_missing")]) from None
    except UnicodeDecodeError:
        raise Misconfigured([Problem(str(file), "file_not_text")]) from None
    except OSError as error:
        why = error.strerror
        raise Misconfigured([Problem(str(file), "file_unreadable", {"why": why})]) from None
    # Python's own limits come as they are: digits of a number, depth of a list.
    except (ValueError, RecursionError) as error:
        raise Misconfigured([_no_toml(file, text, str(error))]) from None


def _no_toml(file: Path, text: str, why: str) -> Problem:
    """The mistake; quotation marks that a program made beautiful are named, with their line."""
    found = re.search(r"\(at line (\d+),", why)
    line = text.split("\n")[int(found[1]) - 1] if found else ""
    if found and (curly := re.search("[“”„‟‘’‚‛«»]", line)):
        return Problem(str(file), "not_toml_quotes", {"line": found[1], "mark": curly[0]})
    return Problem(str(file), "not_toml", {"why": why})


def _secrets_in(values: Mapping[str, Any], prefix: str = "") -> list[Problem]:
    """The file can be shared, so no secret may stand in it."""
    found = []
    for name, value in values.items():
        key = f"{prefix}{name}"
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                found += _secrets_in(inner, f"{key}.")
        if name in _SECRET_NAMES and not isinstance(value, dict):
            found.append(Problem(key, "secret_in_file", {"variable": variable(key)}))
    return found


def _without_secrets(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _without_secrets(value) if isinstance(value, dict) else value
        for name, value in values.items()
        if name not in _SECRET_NAMES or isinstance(value, dict)
    }


def _from_environment(variables: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    """`ZOETROPE_A__B=…` and, for secrets, `ZOETROPE_A__B_FILE=path`; empty is as good as unset.

    Lists and tables are written as JSON. A name that is no setting is left for `Settings` to find.
    """
    given: dict[str, Any] = {}
    for name, value in sorted(variables.items()):
        # A file of Windows leaves a CR at each value's end, a careless paste a blank.
        key, said = name.upper().removeprefix(PREFIX), value.strip()
        if not name.upper().startswith(PREFIX) or not said:
            continue
        if right := meant(key.lower(), Settings):
            near = {"near": f"{PREFIX}{right.upper()}"}
            problems.append(Problem(name.upper(), "variable_near", near))
            continue
        *tables, last = key.lower().split("__")
        if (inner := last.removesuffix("_file")) != last and inner in _MAY_STAND_IN_FILES:
            last, said = inner, secret_in(said, name, problems)
        if said:
            given = _laid_over(given, _nested([*tables, last], _parsed(said)))
    return given


def _nested(names: list[str], value: object) -> dict[str, Any]:
    first, *rest = names
    return {first: _nested(rest, value) if rest else value}


def _parsed(value: str) -> object:
    if not value.startswith(("[", "{")):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _laid_over(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid upon `under`; the environment can't spell every name, so the nearest counts."""
    laid = dict(under)
    names = {spelt(name): name for name in under}
    for key, value in over.items():
        name = names.get(spelt(key), key)
        earlier = laid.get(name)
        if isinstance(earlier, dict) and isinstance(value, dict):
            laid[name] = _laid_over(earlier, value)
        else:
            laid[name] = value
    return laid
