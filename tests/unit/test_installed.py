"""The installed program: its command, its version, and whether its modules belong together."""

from pathlib import Path

import pytest

from bot import installed
from bot.cli.run import mixed
from bot.core.replies import Text
from bot.i18n import on_terminal
from bot.store import migrations


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return a folder of packages with a small program in it, as pip leaves it."""
    record = []
    for name in ("bot/__init__.py", "bot/store/jobs.py", "bot/words.po"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.touch()
        record.append(f"{name},,")
    facts = tmp_path / "zoetrope-0.1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: zoetrope\nVersion: 0.1.0\n")
    (facts / "RECORD").write_text("\n".join(record))
    return tmp_path


def test_a_fresh_pip_installation_has_no_stray_module(site: Path) -> None:
    assert installed.strays(site / "bot") == []
    assert list(mixed(site / "bot")) == []


def test_a_stray_or_missing_module_is_reported_with_the_folder_to_remove(site: Path) -> None:
    (site / "bot" / "store" / "old.py").touch()
    (site / "bot" / "store" / "jobs.py").unlink()
    (problem,) = mixed(site / "bot")
    said = problem.sentence("en")
    assert "a mix of two versions" in said
    for name in ("old.py", "jobs.py", f"Remove {site / 'bot'}"):
        assert name in said


def test_sources_run_from_their_own_folder_are_not_checked_for_strays(tmp_path: Path) -> None:
    """An editable installation lists no modules. An old build leaves an .egg-info folder there."""
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "__init__.py").touch()
    (tmp_path / "zoetrope.egg-info").mkdir()
    (tmp_path / "zoetrope.egg-info" / "SOURCES.txt").write_text("bot/gone.py\n")
    assert installed.strays(tmp_path / "bot") == []


def test_two_newest_database_revisions_are_reported(tmp_path: Path) -> None:
    assert migrations.forks() == ()
    versions = tmp_path / "versions"
    versions.mkdir()
    for name, before in {"1": None, "2_ours": "1", "2_theirs": "1"}.items():
        text = f"revision = {name!r}\ndown_revision = {before!r}\n"
        (versions / f"v{name}.py").write_text(text, "utf-8")
    assert migrations.forks(tmp_path) == ("2_ours", "2_theirs")


def test_the_version_changes_with_each_change_of_a_file(site: Path) -> None:
    first = installed.version(site / "bot")
    assert first == installed.version(site / "bot")
    assert first.startswith(f"{installed.RELEASE}+b")
    (site / "bot" / "words.po").write_text("changed")
    second = installed.version(site / "bot")
    (site / "bot" / "new.toml").touch()
    third = installed.version(site / "bot")
    (site / "bot" / "new.toml").rename(site / "bot" / "newer.toml")
    assert len({first, second, third, installed.version(site / "bot")}) == 4


def test_hints_name_the_command_as_it_was_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The README uses `.venv/bin/zoetrope`."""
    assert installed.command("/somewhere/.venv/bin/zoetrope") == "/somewhere/.venv/bin/zoetrope"
    assert installed.command(".venv/bin/zoetrope") == ".venv/bin/zoetrope"
    assert installed.command("/usr/lib/python3/bot/__main__.py") == "zoetrope"
    monkeypatch.setattr("sys.argv", [".venv/bin/zoetrope", "check"])
    assert "`.venv/bin/zoetrope init`" in on_terminal(
        Text(id="problem.platform_missing", values={"key": ""})
    )


def test_a_command_that_is_on_the_path_is_named_without_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = tmp_path / "zoetrope"
    found.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert installed.command(str(found)) == "zoetrope"
