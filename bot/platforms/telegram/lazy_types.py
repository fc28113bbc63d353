"""Build each of aiogram's types when it is first used: all 403 take 110 MB and two seconds.

aiogram builds its types on import: `aiogram.types` ends with a call of `model_rebuild` for each
type, with all the names that annotations mention. This module imports aiogram with a replacement
of that call, which only keeps the names. It also sets `defer_build` for aiogram's methods; the
types set it themselves. Pydantic later builds an unbuilt type on first use, with the names that
were kept. The types themselves are unchanged.

The package imports this module before any part of aiogram. If aiogram was imported earlier, all
types are built already, and this module does nothing.
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
    """Replace `model_rebuild` while aiogram is imported: keep the names, build nothing."""
    _names.update(_types_namespace)


def _build(cls: type[BaseModel], /, **options: Any) -> Any:
    """Replace `model_rebuild` of aiogram's classes later: call pydantic's with the kept names."""
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
