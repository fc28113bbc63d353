"""Run modules of a published package beside stubs of everything that they import.

Servers of one's own need a graphics card and gigabytes of packages; their routes need neither. This
module knows neither the simulator nor pytest: programs that run alone use it.
"""

# mypy: ignore-errors

import asyncio
import importlib.abc
import importlib.machinery
import importlib.util
import socket
import sys
import types
from collections.abc import Collection
from pathlib import Path

MODEL = "Wan-AI/Wan2.2-TI2V-5B-Diffusers"


class Stub(types.ModuleType):
    """A module that has every name; each is a class that takes anything."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        made = type(name, (), {"__init__": lambda self, *_, **__: None})
        setattr(self, name, made)
        return made


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """A finder of the `real` modules in the folder, and of stubs of the packages' other modules."""

    def __init__(self, folder: Path, packages: Collection[str], real: Collection[str]) -> None:
        self.folder, self.packages, self.real = folder, packages, real

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in self.packages:
            return None
        file = self.folder.joinpath(*name.split("."))
        if name in self.real:
            return importlib.util.spec_from_file_location(name, file.with_suffix(".py"))
        spec = importlib.machinery.ModuleSpec(name, self, is_package=True)
        spec.submodule_search_locations = [str(file)]
        return spec

    def create_module(self, spec):
        return Stub(spec.name)

    def exec_module(self, module):
        pass


def use(folder: Path, packages: Collection[str], real: Collection[str]) -> None:
    """Import the real modules from the folder, and stubs for the rest of the packages."""
    sys.path.insert(0, str(folder))
    sys.meta_path.insert(0, Finder(folder, packages, real))


class Result(types.SimpleNamespace):
    """An object whose unknown attributes are None."""

    def __getattr__(self, _name):
        return None


async def serve(app, go: asyncio.Event) -> None:
    """Serve an application, and print its port first. `POST /go` lets every video be made."""
    import uvicorn

    @app.post("/go")
    async def let_go():
        go.set()
        return {}

    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)  # noqa: T201
    config = uvicorn.Config(app, log_level="error")
    await uvicorn.Server(config).serve(sockets=[listener])
