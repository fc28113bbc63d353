"""The installed program: its version, and whether its files belong together.

The build reads the version from this module too, so it imports only the standard library.
"""

import sys
from collections.abc import Iterator
from hashlib import sha256
from importlib.metadata import distributions
from pathlib import Path
from shutil import which

RELEASE = "0.1.0"
NAME = "zoetrope"
PACKAGE = Path(__file__).parent
_DIGITS = 8


def version(package: Path = PACKAGE) -> str:
    """Return the release and a digest of all files. Any changed file changes the version."""
    digest = sha256()
    for path in sorted(_files(package)):
        digest.update(f"{path.relative_to(package).as_posix()}\0".encode())
        digest.update(sha256(path.read_bytes()).digest())
    return f"{RELEASE}+b{digest.hexdigest()[:_DIGITS]}"


def strays(package: Path = PACKAGE) -> list[str]:
    """Return the modules in `package` that are not part of the installation, and missing modules.

    The list is empty if the program runs from its sources, which have no list of installed files.
    """
    site = package.parent
    for each in distributions(name=NAME, path=[str(site)]):
        listed = each.files if each.read_text("RECORD") else None
        installed = {site / str(file) for file in listed or () if file.suffix == ".py"}
        if package / "__init__.py" in installed:
            ours = {path for path in installed if path.is_relative_to(package)}
            there = {path for path in _files(package) if path.suffix == ".py"}
            return sorted(str(path) for path in ours ^ there)
    return []


def command(started: str | None = None) -> str:
    """Return our command as it must be typed.

    This is `zoetrope` if the shell finds this program by that name, else the path that was used to
    start it, such as `.venv/bin/zoetrope`.
    """
    typed = sys.argv[0] if started is None else started
    if Path(typed).name != NAME:
        return NAME
    found = which(NAME)
    return NAME if found and Path(found).absolute() == Path(typed).absolute() else typed


def _files(package: Path) -> Iterator[Path]:
    return (
        path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )
