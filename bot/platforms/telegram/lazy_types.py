"""aiogram's types, each built when it is first used: all 403 at once take 110 MB and two seconds.

aiogram builds them as it is imported: the end of `aiogram.types` calls `model_rebuild` on each,
with all the names that the types mention. Here that call keeps the names and does no more, and its
methods are told to wait as well (`defer_build`, which its types say themselves). Pydantic builds a
type that it finds unbuilt later, with the names that were kept. The types themselves are as aiogram
has them.

The package imports this module before anything of aiogram. Where aiogram was imported earlier, all
types are built already, and nothing is left to do.
"""

import sys
from functools import partial
from typing import Any

import pydantic
from pydantic import BaseModel, ConfigDict

_pydantic = BaseModel.__dict__["model_rebuild"]
_names: dict[str, Any] = {}
"""The names that aiogram's annotations mention."""


def _keep(_: type[BaseModel], /, *, _types_namespace: dict[str, Any], **__: Any) -> None:
    """Stand in for `model_rebuild` while aiogram is imported."""
    _names.update(_types_namespace)


def _build(cls: type[BaseModel], /, **options: Any) -> Any:
    """`model_rebuild` of aiogram's classes afterwards: pydantic's own, told the names."""
    given = options.pop("_types_namespace", None) or {}
    return _pydantic.__func__(cls, _types_namespace={**_names, **given}, **options)


def _import_aiogram() -> None:
    setattr(BaseModel, "model_rebuild", classmethod(_keep))  # noqa: B010 (mypy: a method)
    setattr(pydantic, "ConfigDict", partial(ConfigDict, defer_build=True))  # noqa: B010 (a class)
    try:
        from aiogram.types import TelegramObject
    finally:
        setattr(BaseModel, "model_rebuild", _pydantic)  # noqa: B010
        setattr(pydantic, "ConfigDict", ConfigDict)  # noqa: B010
    from aiogram.methods.base import Response, TelegramMethod

    for kind in (TelegramObject, TelegramMethod, Response):
        setattr(kind, "model_rebuild", classmethod(_build))  # noqa: B010


if "aiogram.types" not in sys.modules:
    _import_aiogram()
