"""Installing as the README says, over earlier installations and back again.

The dependencies come from the present environment, by a path file in each new environment.
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
    """A new virtual environment, and the folder of sources that is installed into it."""

    def __init__(self, folder: Path) -> None:
        self.tree = folder / "zoetrope"
        self.tree.mkdir()
        self._venv = folder / "venv"
        _run(sys.executable, "-m", "venv", str(self._venv))
        lent = self.packages / "lent.pth"
        lent.write_text(sysconfig.get_paths()["purelib"], "utf-8")

    @property
    def packages(self) -> Path:
        """The folder of installed packages."""
        return next(self._venv.glob("lib/python*/site-packages"))

    def install(self) -> None:
        """Run `pip install .` with its build requirements."""
        subprocess.run(
            [self._venv / "bin" / "pip", "install", "-q", "--no-deps", str(self.tree)],
            check=True,
            timeout=100,
        )

    def version(self) -> str:
        """Return the version that the installed command prints."""
        return _run(str(self._venv / "bin" / "zoetrope"), "--version", cwd=self.tree.parent)

    def check(self) -> str:
        """Return the output of `zoetrope check` for a good configuration."""
        settings = {
            "ZOETROPE_GATEWAYS__MAIN__BASE_URL": "https://gateway.example",
            "ZOETROPE_GATEWAYS__MAIN__API_KEY": "sk-1",
        }
        command = str(self._venv / "bin" / "zoetrope")
        return _run(command, "check", cwd=self.tree.parent, **settings)

    def modules(self) -> set[str]:
        """Return the relative paths of all installed modules."""
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
    """Return an environment with a copy of the project's sources."""
    environment = Environment(tmp_path)
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, environment.tree / name)
    return environment


@pytest.mark.proof
def test_a_removed_module_is_not_in_a_later_installation(place: Environment) -> None:
    """An older build leaves copies of modules in the tree.

    A later build once packed those again.
    """
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
    """Return the commit of each database schema that ever landed, oldest first."""
    if not (ROOT / ".git").exists():
        return []
    folder = "bot/store/migrations/versions"
    found = _run("git", "log", "--first-parent", "--format=%h", "--", folder, PATH="/usr/bin")
    return found.split()[::-1]


@pytest.mark.long
@pytest.mark.parametrize("commit", _landed())
def test_installing_over_each_landed_version_and_back_leaves_no_mixed_version(
    tmp_path: Path, commit: str
) -> None:
    """One clone, one environment: install the older version, then this one, then the older version
    again. An older build leaves its copies in the clone, as on a machine where people update.
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
