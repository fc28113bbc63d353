"""Read the configuration file and the environment, and collect all mistakes before failing."""

import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import time
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from yarl import URL

from bot.config import discoveries, paths, terms
from bot.config.catalog import resolve
from bot.config.offered import NOTHING, Offers
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
"""Keys that may be given as `…_FILE`: secrets, and addresses that may contain a secret."""


class Misconfigured(Exception):
    """Error: the configuration can't be used. `problems` lists all reasons."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"{len(problems)} problems in the configuration")
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The complete checked configuration."""

    settings: Settings
    catalog: Catalog
    communities: Mapping[tuple[str, str], Terms] = field(default_factory=dict)
    """The terms of communities that have their own, by platform and id."""
    written: Settings
    """The settings as the operator wrote them, without findings about gateways."""
    found: discoveries.Founds = field(default_factory=dict)
    """The stored findings about each gateway at its present address."""
    offers: Offers = field(default_factory=dict)
    """The models of the gateways whose own lists build the catalog."""
    remarks: tuple[Problem, ...] = ()
    """Problems that do not stop the service."""
    only: str | None = None
    """The only gateway whose models are offered, also after a new list; None: all gateways."""

    def kept_to(self, gateway: str) -> "Config":
        """Return the configuration with the models of this gateway alone."""
        able = tuple(model for model in self.catalog.models if model.gateway == gateway)
        return replace(self, catalog=replace(self.catalog, models=able), only=gateway)

    @property
    def data_dir(self) -> Path:
        """The data folder."""
        return Path(self.settings.data_dir)

    @property
    def database_url(self) -> str:
        """The address of the database; SQLite in the data folder by default."""
        file = self.data_dir / "zoetrope.db"
        return self.settings.database_url or f"sqlite:///{file}"

    @property
    def storage_url(self) -> str:
        """The address of the media storage; a folder in the data folder by default."""
        return self.settings.storage_url or str(self.data_dir / "media")

    @property
    def backup_folder(self) -> Path:
        """The folder of backups."""
        return Path(self.settings.backup.folder or self.data_dir / "backups")

    @property
    def kept(self) -> keeping.Rules:
        """The rules for how long media, texts and backups are kept."""
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
        """The time of day when owners get the daily digest; None: never."""
        return time_of(self.settings.digest)

    @property
    def limits(self) -> quotas.Limits:
        """The operator's general limits, as the core reads them."""
        return terms.general(self.settings)

    @property
    def terms(self) -> Terms:
        """The operator's terms, which are the default."""
        return Terms(catalog=self.catalog, limits=self.limits)

    @property
    def all_terms(self) -> tuple[Terms, ...]:
        """The operator's terms, then the terms of communities."""
        return (self.terms, *self.communities.values())

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
    """Return the configuration of `file` and the environment. Raises `Misconfigured`.

    `file` None: the environment alone. The variables in `over` override the environment.
    """
    variables = {**(os.environ if environment is None else environment), **(over or {})}
    given, problems = gather(file, environment=variables)
    problems += paths.left_behind(file, given.get("data_dir"))
    if file is None and not given.get("gateways"):
        folder = {"folder": str(Path().absolute())}
        problems.append(Problem("config.toml", "config_nowhere", folder))
    return checked(given, problems)


def gather(
    file: Path | None, *, environment: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], list[Problem]]:
    """Return all values, unchecked, and the problems found so far.

    The environment overrides the file of secrets, which overrides the configuration file.
    """
    values = _read(file)
    problems = _secrets_in(values)
    variables = os.environ if environment is None else environment
    surroundings = _from_environment(variables, problems)
    given = _laid_over(_without_secrets(values), surroundings)
    if isinstance(named := given.get("secrets"), str):
        folder = paths.folder_of("secrets", file, surroundings)
        secrets = _from_environment(secrets_of(named, problems, folder=folder), problems)
        given = _laid_over(_laid_over(_without_secrets(values), secrets), surroundings)
    return paths.resolved(given, file, surroundings), problems


def checked(given: Mapping[str, Any], problems: list[Problem]) -> Config:
    """Return the configuration of these values.

    Raises `Misconfigured` with all mistakes, `problems` included.
    """
    problems = list(problems)
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        problems += [*problems_of(error, Settings), *_salvaged(given, error)]
        raise Misconfigured(problems) from None
    return completed(settings, problems)


def completed(
    written: Settings,
    problems: Iterable[Problem] = (),
    *,
    found: discoveries.Founds | None = None,
) -> Config:
    """Return the configuration of these settings and of the findings about their gateways.

    `found`: the findings; None: the stored ones. Raises `Misconfigured` with all mistakes,
    `problems` included.
    """
    stored = discoveries.read(Path(written.data_dir)) if found is None else (found, [])
    kept, remarks = discoveries.valid(written, stored[0]), stored[1]
    settings, offers = discoveries.filled(written, kept), discoveries.offers(written, kept)
    catalog, own, faults = _whole(settings, offers)
    if faults and any(each.models is not None for each in kept.values()):
        # A gateway's changed list of models must not stop the service: load without the lists.
        without = discoveries.filled(written, kept, models=False)
        reloaded = _whole(without, offers)
        if not reloaded[2]:
            why = {"why": faults[0].sentence("en")}
            remarks.append(Problem("models", "found_models_aside", why))
            settings, (catalog, own, faults) = without, reloaded
    problems = [*problems, *faults, *_about_gateways(settings)]
    if problems:
        raise Misconfigured(problems)
    return Config(
        settings=settings,
        catalog=catalog,
        communities=own,
        written=written,
        found=kept,
        offers=offers,
        remarks=tuple(remarks),
    )


def _whole(
    settings: Settings, offers: Offers = NOTHING
) -> tuple[Catalog, Mapping[tuple[str, str], Terms], list[Problem]]:
    """Return the catalog, the terms of communities, and all problems without repetition."""
    catalog, found = resolve(settings, offers)
    own, faults = terms.communities(settings, catalog, offers)
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
    """Return the key of each setting that these variables set, except secrets."""

    def keys(values: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
        for name, value in values.items():
            if isinstance(value, dict):
                yield from ((name, *inner) for inner in keys(value))
            elif name not in (*_SECRET_NAMES, "secrets"):
                yield (name,)

    return keys(_from_environment(variables, []))


def secrets_file(file: Path | None, *, environment: Mapping[str, str]) -> Path | None:
    """Return the path of the file of secrets; None if no setting names a file."""
    surroundings = _from_environment(environment, [])
    named = _laid_over(_read(file), surroundings).get("secrets")
    folder = paths.folder_of("secrets", file, surroundings)
    return folder / named if isinstance(named, str) else None


def _salvaged(given: Mapping[str, Any], error: ValidationError) -> list[Problem]:
    """Return the mistakes in the catalog's tables although other tables are wrong.

    So people see all mistakes at once.
    """
    wrong = {str(found["loc"][0]) for found in error.errors()}
    sound = {key: value for key, value in given.items() if key not in wrong | {"gateways"}}
    # The content of a wrong table is unknown, so no value may be reported as missing from it.
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
    # Python's own limits (digits of a number, depth of a list) raise these errors too.
    except (ValueError, RecursionError) as error:
        raise Misconfigured([_no_toml(file, text, str(error))]) from None


def _no_toml(file: Path, text: str, why: str) -> Problem:
    """Return the problem of a file that is not TOML; name typographic quotes with their line."""
    found = re.search(r"\(at line (\d+),", why)
    line = text.split("\n")[int(found[1]) - 1] if found else ""
    if found and (curly := re.search("[“”„‟‘’‚‛«»]", line)):
        return Problem(str(file), "not_toml_quotes", {"line": found[1], "mark": curly[0]})
    return Problem(str(file), "not_toml", {"why": why})


def _secrets_in(values: Mapping[str, Any], prefix: str = "") -> list[Problem]:
    """Return a problem for each secret in the configuration file, which may be shared."""
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
    """Return the values of `ZOETROPE_A__B=…` and, for secrets, `ZOETROPE_A__B_FILE=path`.

    An empty variable counts as unset. Lists and tables are written as JSON. An unknown name stays
    in the result; `Settings` reports it.
    """
    given: dict[str, Any] = {}
    for name, value in sorted(variables.items()):
        # A Windows file leaves a CR at the end of each value; pasting may leave a space.
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
    """Return `under` with the values of `over`, merged recursively.

    Variables can't spell every name, so names are compared in their spelling as variables.
    """
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
