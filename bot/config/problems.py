"""The mistakes in a configuration, with their keys and remedies, in words."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from bot.config.shape import homes
from bot.core.replies import Text
from bot.i18n import on_terminal
from bot.log import redacted

OWN = "own"
PREFIX = "ZOETROPE_"
"""The beginning of all our variables."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where it stands and the sentence that says how to mend it."""

    key: str
    code: str
    values: Mapping[str, object] = field(default_factory=dict)

    def sentence(self, locale: str) -> str:
        """The mistake and its remedy, for a terminal."""
        text = Text(id=f"problem.{self.code}", values={"key": self.key, **self.values})
        return on_terminal(text, locale)


def problems_of(
    error: ValidationError, table: type[BaseModel] | None = None, *, prefix: str = ""
) -> Iterator[Problem]:
    """Translate pydantic's findings, all of them, into ours."""
    told = set()
    for found in error.errors(include_url=False):
        if found["type"] == "too_short" and found["input"]:
            continue  # what is too short are the items that passed: the others are told already
        place = [_counted(part) for part in found["loc"] if not _MEMBER.fullmatch(str(part))]
        context = dict(found.get("ctx") or {})
        below = str(context.pop("below", ""))
        key = ".".join(filter(None, [prefix, *place, below]))
        # A value that could be of several types is found to be none of them, one by one.
        if key not in told:
            told.add(key)
            if found["type"] == OWN:
                yield Problem(key, found["msg"], context)
            elif found["type"] == "extra_forbidden":
                yield _unknown(key, _fields(place, table), table)
            else:
                yield _translated(key, found["type"], context, found["input"])


def wrong(code: str, *, below: str = "", **values: object) -> PydanticCustomError:
    """A finding of a validator of ours, with the values of its sentence; `below` ends its key."""
    return PydanticCustomError(OWN, code, {"below": below, **values})


def _counted(part: str | int) -> str:
    """A key, or the number of a row as people count."""
    return str(part + 1) if isinstance(part, int) else part


def misread(key: tuple[str, ...], error: ValueError, given: str) -> Problem:
    """A finding of a validator of ours; its code is the error's only word."""
    dotted = ".".join(key)
    values = {"given": _shown(dotted, given), "variable": variable(dotted)}
    return Problem(dotted, str(error), values)


def variable(key: str) -> str:
    """The environment variable for a key, e.g. `discord.token` → `ZOETROPE_DISCORD__TOKEN`."""
    first, _, rest = key.partition(".")
    name, _, last = rest.rpartition(".")
    return PREFIX + "__".join(spelt(part).upper() for part in (first, name, last) if part)


def spelt(name: str) -> str:
    """A name as an environment variable can hold it, in lower case."""
    return re.sub(r"\W", "_", name, flags=re.ASCII).lower()


_MEMBER = re.compile(r"str|int|float|bool|dict\[.*\]|\[key\]")
"""How pydantic names the members of a union inside a place, and the key of a table itself."""
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
    """A key that is none where it stands: below another header, or misspelt."""
    name = key.rpartition(".")[2]
    if table is not None and (right := homes(name, table)):
        return Problem(key, "unknown_key_elsewhere", {"name": name, "tables": ", ".join(right)})
    near = next(iter(get_close_matches(name, beside, n=1)), "")
    return Problem(key, "unknown_key_near" if near else "unknown_key", {"near": near})


def _translated(key: str, kind: str, context: dict[str, object], given: object) -> Problem:
    shown = {"given": _shown(key, given)}
    match kind:
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
    """The value given, unless it is a secret or may hold one."""
    hides = _is_secret(key) or key in ("database_url", "storage_url")
    if hides:
        return "•••"
    if isinstance(given, dict | list | tuple):
        return "a table" if isinstance(given, dict) else "an array"  # and may hold secrets
    return _CREDENTIALS.sub(r"\1•••@", redacted(repr(given)))[:60]


def _is_secret(key: str) -> bool:
    return key.endswith((".token", ".api_key"))


def _fields(place: Sequence[str], table: type[BaseModel] | None) -> Sequence[str]:
    """The keys that the table of `place` may have; none if it is unknown."""
    inner, names = table, iter(place[:-1])
    for name in names:
        found = inner.model_fields.get(name) if inner else None
        kind = found.annotation if found else None
        choices = (each for each in (kind, *get_args(kind)) if isinstance(each, type))
        inner = next((each for each in choices if issubclass(each, BaseModel)), None)
        if get_origin(kind) is dict:
            next(names, None)  # a name of the operator's own
    fields = inner.model_fields.items() if inner else ()
    return tuple(each.alias or name for name, each in fields)
