"""Mistakes in a configuration, each with its key and a sentence that names the remedy."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from bot.config.shape import homes
from bot.core.replies import Text
from bot.gateways.dialects import DIALECTS
from bot.i18n import on_terminal
from bot.log import redacted

OWN = "own"
PREFIX = "ZOETROPE_"
"""The prefix of all our environment variables."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake in the configuration: its key, and the code and values of its sentence."""

    key: str
    code: str
    values: Mapping[str, object] = field(default_factory=dict)

    def sentence(self, locale: str) -> str:
        """Return the mistake and its remedy as a sentence for a terminal."""
        text = Text(id=f"problem.{self.code}", values={"key": self.key, **self.values})
        return on_terminal(text, locale)


def problems_of(
    error: ValidationError, table: type[BaseModel] | None = None, *, prefix: str = ""
) -> Iterator[Problem]:
    """Translate all of pydantic's errors into problems."""
    seen = set()
    for found in error.errors(include_url=False):
        if found["type"] == "too_short" and found["input"]:
            continue  # only the valid items count here; the invalid ones are reported already
        path = [_counted(part) for part in found["loc"] if not _MEMBER.fullmatch(str(part))]
        context = dict(found.get("ctx") or {})
        below = str(context.pop("below", ""))
        key = ".".join(filter(None, [prefix, *path, below]))
        # For a union of types pydantic reports one error per type: keep the first.
        if key not in seen:
            seen.add(key)
            if found["type"] == OWN:
                yield Problem(key, found["msg"], context)
            elif found["type"] == "extra_forbidden":
                yield _unknown(key, _fields(path, table), table)
            else:
                yield _translated(key, found["type"], context, found["input"])


def wrong(code: str, *, below: str = "", **values: object) -> PydanticCustomError:
    """Return the error of one of our validators, with the values of its sentence.

    `below` is appended to the key.
    """
    return PydanticCustomError(OWN, code, {"below": below, **values})


def _counted(part: str | int) -> str:
    """Return a key, or a row's number counted from 1."""
    return str(part + 1) if isinstance(part, int) else part


def misread(key: tuple[str, ...], error: ValueError, given: str) -> Problem:
    """Return the problem of an error that one of our validators raised; its text is the code."""
    dotted = ".".join(key)
    values = {"given": _shown(dotted, given), "variable": variable(dotted)}
    return Problem(dotted, str(error), values)


def variable(key: str) -> str:
    """Return the variable's name for a key: `discord.token` → `ZOETROPE_DISCORD__TOKEN`."""
    first, _, rest = key.partition(".")
    name, _, last = rest.rpartition(".")
    return PREFIX + "__".join(spelt(part).upper() for part in (first, name, last) if part)


def spelt(name: str) -> str:
    """Return a name as an environment variable can spell it, in lower case."""
    return re.sub(r"\W", "_", name, flags=re.ASCII).lower()


_MEMBER = re.compile(r"str|int|float|bool|dict\[.*\]|\[key\]")
"""Parts of pydantic's error locations that name a union's member or a table's key, not a field."""
_CREDENTIALS = re.compile(r"^(['\"]?(?:\w+://)?).*@", re.DOTALL)
_TOML_TYPES = {
    "model": "table",
    "dict": "table",
    "tuple": "array",
    "list": "array",
    "int": "integer",
    "float": "number",
    "finite": "number",
    "bool": "boolean",
}


def _unknown(key: str, beside: Sequence[str], table: type[BaseModel] | None) -> Problem:
    """Return the problem of an unknown key: in the wrong table, misspelt, or just unknown."""
    name = key.rpartition(".")[2]
    if table is not None and (right := homes(name, table)):
        return Problem(key, "unknown_key_elsewhere", {"name": name, "tables": ", ".join(right)})
    near = next(iter(get_close_matches(name, beside, n=1)), "")
    return Problem(key, "unknown_key_near" if near else "unknown_key", {"near": near})


def _translated(key: str, kind: str, context: dict[str, object], given: object) -> Problem:
    shown = {"given": _shown(key, given)}
    match kind:
        case "missing" | "too_short" if key.endswith(".api_key"):
            values = {"variable": variable(key), "table": key.removesuffix(".api_key")}
            can = ", ".join(f'"{name}"' for name, each in DIALECTS.items() if each.keyless)
            return Problem(key, "key_missing", {**values, "can": can})
        case "missing" | "too_short" if _is_secret(key):
            return Problem(key, "secret_missing", {"variable": variable(key)})
        case "missing" | "too_short":
            return Problem(key, "missing")
        case "value_error":
            return Problem(key, str(context.get("error")), {**shown, "variable": variable(key)})
        case "literal_error" | "enum":
            return Problem(key, "not_one_of", {**shown, "can": str(context.get("expected"))})
        case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal":
            bound = str(next(iter(context.values()))).removesuffix(".0")
            return Problem(key, f"number_{kind}", {**shown, "bound": bound})
        case _:
            word = kind.partition("_")[0]
            return Problem(key, "wrong_type", {**shown, "wanted": _TOML_TYPES.get(word, word)})


def _shown(key: str, given: object) -> str:
    """Return the given value for display, or a placeholder if it is or may hold a secret."""
    hides = _is_secret(key) or key in ("database_url", "storage_url")
    if hides:
        return "•••"
    if isinstance(given, dict | list | tuple):
        return "a table" if isinstance(given, dict) else "an array"  # its content may hold secrets
    return _CREDENTIALS.sub(r"\1•••@", redacted(repr(given)))[:60]


def _is_secret(key: str) -> bool:
    return key.endswith((".token", ".api_key"))


def _fields(path: Sequence[str], table: type[BaseModel] | None) -> Sequence[str]:
    """Return the keys that the table at `path` may have; empty if the table is unknown."""
    inner, names = table, iter(path[:-1])
    for name in names:
        found = inner.model_fields.get(name) if inner else None
        kind = found.annotation if found else None
        choices = (each for each in (kind, *get_args(kind)) if isinstance(each, type))
        inner = next((each for each in choices if issubclass(each, BaseModel)), None)
        if get_origin(kind) is dict:
            next(names, None)  # a name of the operator's own
    fields = inner.model_fields.items() if inner else ()
    return tuple(each.alias or name for name, each in fields)
