"""Empty stand-ins for packages that need a GPU, so that the real routes above them can be imported.

A peer's own process imports this module. It is no part of our tests' process.
"""

import sys
from abc import ABCMeta
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any


class _Anything(ABCMeta):
    """The type of stand-ins: a stand-in has every attribute, and is its own result."""

    def __getattr__(cls, name: str) -> "_Anything":
        if name.startswith("_"):
            raise AttributeError(name)
        made = _stand_in(name)
        setattr(cls, name, made)
        return made

    def __call__(cls, *given: Any, **named: Any) -> Any:
        if not vars(cls).get("is_stand_in"):
            return super().__call__(*given, **named)
        is_decorator = len(given) == 1 and callable(given[0]) and not named
        return given[0] if is_decorator else cls

    def _itself(cls, *_: object) -> "_Anything":
        return cls

    # A registry of a stand-in is not the one that Python gives to abstract classes.
    register = _itself  # type: ignore[assignment]
    __getitem__ = __or__ = __ror__ = __enter__ = _itself
    __add__ = __radd__ = __sub__ = __rsub__ = __neg__ = _itself
    __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _itself

    def _never(cls, _: object) -> bool:
        return False

    __lt__ = __gt__ = __le__ = __ge__ = _never

    def __exit__(cls, *_: object) -> None:
        """Do nothing."""

    def __iter__(cls) -> Iterator[Any]:
        return iter(())

    def __bool__(cls) -> bool:
        return False


class _Base(metaclass=_Anything):
    """The base of a class of a peer, in place of a base that is not there."""

    def __init__(self, *given: object, **named: object) -> None:
        """Take anything."""

    @classmethod
    def __get_pydantic_core_schema__(cls, *_: object) -> Any:
        """Let a model of pydantic have a field of this type, with any value."""
        from pydantic_core import core_schema  # not every peer has it

        return core_schema.any_schema()

    def __init_subclass__(cls, **named: object) -> None:
        """Take any option of a class."""


def _stand_in(name: str) -> _Anything:
    return _Anything(name, (_Base,), {"is_stand_in": True})


class _Module(ModuleType):
    __path__: list[str] = []  # noqa: RUF012 - a package: its inner modules are found too

    def __getattr__(self, name: str) -> _Anything:
        if name.startswith("__"):
            raise AttributeError(name)
        made = _stand_in(name)
        setattr(self, name, made)
        return made


class _Finder(MetaPathFinder, Loader):
    def __init__(self, names: Sequence[str], real: Sequence[str]) -> None:
        self._names, self._real = names, real

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        if _in(fullname, self._names) and not _in(fullname, self._real):
            return ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Leave the module empty: its names are made when they are asked for."""


def _in(name: str, packages: Sequence[str]) -> bool:
    return any(f"{name}.".startswith(f"{package}.") for package in packages)


def stand_in(*names: str, real: Sequence[str] = ()) -> None:
    """Let these packages, and all modules in them but the real ones, be empty stand-ins."""
    sys.meta_path.insert(0, _Finder(names, real))


def bare(*names: str) -> None:
    """Let the modules of these real packages be imported without the packages' own `__init__`."""
    for name in names:
        inner = Path(*name.split("."))
        module = ModuleType(name)
        module.__path__ = [str(Path(place) / inner) for place in sys.path if place]
        sys.modules[name] = module
