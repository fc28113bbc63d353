"""The tables and keys of the settings, to tell people where a misplaced key belongs."""

import re
from collections.abc import Iterator
from typing import get_args, get_origin

from pydantic import BaseModel


def homes(name: str, table: type[BaseModel]) -> list[str]:
    """Return the headers of the tables that have a key of this name."""
    return [f"[{path}]" for path, fields in _tables(table) if name in fields]


def meant(name: str, table: type[BaseModel]) -> str | None:
    """Return the right spelling of a variable's key if its underscores are wrong, else None.

    Two underscores stand for a dot in the file: `discord_token` must be `discord__token`.
    """
    flat = re.sub("_+", "_", name)
    for path, fields in _tables(table):
        first, _, named = path.partition(".")
        inner = "_(.+?)" if named else ""
        for field in fields:
            if found := re.fullmatch(f"{first}{inner}_({field}(?:_file)?)", flat):
                right = "__".join((first, *found.groups()))
                return right if right != name else None
    return None


def _tables(table: type[BaseModel]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each table with fixed keys, and its keys. `<name>` stands for an operator's name."""
    for name, field in table.model_fields.items():
        kind, path = field.annotation, name
        if get_origin(kind) is dict:
            kind, path = get_args(kind)[1], f"{name}.<name>"
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield path, tuple(kind.model_fields)
