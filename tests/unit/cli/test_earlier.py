"""`init` in an empty folder offers to restore the newest backup, and does so after a yes."""

import asyncio
import shutil
from pathlib import Path

import pytest

from bot.cli.init import earlier
from bot.cli.init.talk import Talk
from bot.cli.words import tell
from tests.unit.backups.rows import AS_RESTORED
from tests.unit.backups.site import Site


class Scripted(Talk):
    """A person with one answer, and a record of everything said to them."""

    def __init__(self, answer: str = "n") -> None:
        super().__init__()
        self.heard: list[str] = []
        self._said = answer

    def print(self, sentence: str) -> None:
        self.heard.append(sentence)

    def _answer(self, question: str, default: str | None, /) -> str:
        self.heard.append(question)
        return self._said


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Return a site whose data folder is lost and whose backups are elsewhere."""
    site = Site(tmp_path, backups=tmp_path / "elsewhere")
    asyncio.run(site.furnish())
    asyncio.run(site.back_up())
    shutil.rmtree(site.data)
    return site


@pytest.mark.proof
@pytest.mark.parametrize(("answer", "comes"), [("y", True), ("n", False)])
def test_init_in_an_empty_folder_offers_to_restore_the_newest_backup(
    site: Site, answer: str, comes: bool
) -> None:
    person = Scripted(answer)
    earlier.offer(person, site.config)
    assert "a backup with 8 jobs" in person.heard[0]
    assert site.file.exists() is comes
    if comes:
        assert asyncio.run(site.states()) == AS_RESTORED
        assert person.heard[1] == tell("init.restored", held=2)


@pytest.mark.proof
def test_init_offers_no_backup_if_there_are_rows_already(site: Site) -> None:
    asyncio.run(site.furnish())
    person = Scripted("y")
    earlier.offer(person, site.config)
    assert person.heard == []


@pytest.mark.proof
def test_init_without_a_backup_says_how_to_restore_one(tmp_path: Path) -> None:
    person = Scripted("y")
    earlier.offer(person, Site(tmp_path).config)
    assert person.heard == [tell("init.restorable")]
