"""The shape of the settings, to tell where a key that stands in the wrong place belongs."""

import re
from collections.abc import Iterator
from typing import get_args, get_origin

from pydantic import BaseModel


def homes(name: str, table: type[BaseModel]) -> list[str]:
    """The tables that have a key of this name, as they are written."""
    return [f"[{path}]" for path, fields in _tables(table) if name in fields]


def meant(name: str, table: type[BaseModel]) -> str | None:
    """The right spelling of a key in a variable's name, where its underscores are wrong.

    `discord_token` is `discord__token`: two underscores stand where the file has a dot.
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
    """Each table of a fixed shape, with its keys; a name of the operator's own is `<name>`."""
    for name, field in table.model_fields.items():
        kind, path = field.annotation, name
        if get_origin(kind) is dict:
            kind, path = get_args(kind)[1], f"{name}.<name>"
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield path, tuple(kind.model_fields)
