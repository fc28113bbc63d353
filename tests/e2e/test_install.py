"""Installing as the README says, over what was installed before, and back again.

The dependencies are those of this environment: they are lent to each new one by a path file.
"""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("bot", "pyproject.toml", "README.md", "LICENSE")
OURS = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"}


class Environment:
    """A fresh virtual environment and the folder of sources that is installed into it."""

    def __init__(self, folder: Path) -> None:
        self.tree = folder / "zoetrope"
        self.tree.mkdir()
        self._venv = folder / "venv"
        _run(sys.executable, "-m", "venv", str(self._venv))
        lent = self.packages / "lent.pth"
        lent.write_text(sysconfig.get_paths()["purelib"], "utf-8")

    @property
    def packages(self) -> Path:
        """Where packages are installed."""
        return next(self._venv.glob("lib/python*/site-packages"))

    def install(self) -> None:
        """`pip install .`, with what it needs to build."""
        subprocess.run(
            [self._venv / "bin" / "pip", "install", "-q", "--no-deps", str(self.tree)],
            check=True,
            timeout=100,
        )

    def version(self) -> str:
        """The answer of the command as it is installed there."""
        return _run(str(self._venv / "bin" / "zoetrope"), "--version", cwd=self.tree.parent)

    def check(self) -> str:
        """The words of `zoetrope check` about a configuration that is good."""
        settings = {
            "ZOETROPE_GATEWAYS__MAIN__BASE_URL": "https://gateway.example",
            "ZOETROPE_GATEWAYS__MAIN__API_KEY": "sk-1",
        }
        command = str(self._venv / "bin" / "zoetrope")
        return _run(command, "check", cwd=self.tree.parent, **settings)

    def modules(self) -> set[str]:
        """All modules that are installed."""
        house = self.packages / "bot"
        return {path.relative_to(house).as_posix() for path in house.rglob("*.py")}


def _run(*command: str, cwd: Path = ROOT, **variables: str) -> str:
    ended = subprocess.run(
        command, cwd=cwd, env=OURS | variables, capture_output=True, text=True, timeout=100
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout.strip()


@pytest.fixture
def place(tmp_path: Path) -> Environment:
    environment = Environment(tmp_path)
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, environment.tree / name)
    return environment


@pytest.mark.proof
def test_a_module_that_is_gone_is_in_no_later_installation(place: Environment) -> None:
    """An older build left its copies in the tree, and they were packed again."""
    left = place.tree / "build" / "lib" / "bot"
    left.mkdir(parents=True)
    (left / "ghost.py").touch()
    (place.tree / "bot" / "later.py").touch()
    before = sorted(place.tree.rglob("*"))
    place.install()
    later = place.version()
    assert "later.py" in place.modules()
    assert "ghost.py" not in place.modules()
    assert sorted(place.tree.rglob("*")) == before, "a build leaves nothing in the tree"
    (place.tree / "bot" / "later.py").unlink()
    place.install()
    assert "later.py" not in place.modules()
    assert place.version() != later
    assert "is valid" not in place.check()  # no chat network is set up
    assert "The configuration is enough" in place.check()
    assert "two versions" not in place.check()
    (place.packages / "bot" / "left.py").touch()
    assert "a mix of two versions" in place.check()


def _landed() -> list[str]:
    """The commit of each schema that ever landed, the oldest first."""
    if not (ROOT / ".git").exists():
        return []
    folder = "bot/store/migrations/versions"
    found = _run("git", "log", "--first-parent", "--format=%h", "--", folder, PATH="/usr/bin")
    return found.split()[::-1]


@pytest.mark.long
@pytest.mark.parametrize("commit", _landed())
def test_over_each_landed_version_and_back(tmp_path: Path, commit: str) -> None:
    """One clone, one environment: the older version, this one over it, the older one again.

    An older build leaves its copies in the clone, as it does wherever people update.
    """
    place = Environment(tmp_path)
    _run("git", "clone", "-q", str(ROOT), str(place.tree), PATH="/usr/bin")

    def of(revision: str) -> None:
        _run("git", "checkout", "-q", revision, cwd=place.tree, PATH="/usr/bin")
        place.install()
        house = place.tree / "bot"
        assert place.modules() == {it.relative_to(house).as_posix() for it in house.rglob("*.py")}

    of(commit)
    of(_run("git", "rev-parse", "HEAD", PATH="/usr/bin"))
    assert "+b" in place.version()
    assert "The configuration is enough" in place.check()
    of(commit)
