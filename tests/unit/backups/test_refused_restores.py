"""Backups and circumstances that stop a restore, and others that do not."""

import shutil
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.backups import archive, opening, restoring
from bot.core.errors import Broken
from bot.store.database import check_database, open_database
from bot.store.identity import Home
from bot.store.locks import lock_file
from bot.store.tables import jobs
from tests.fakes.disk import no_file_larger_than
from tests.unit.backups.rows import AS_RESTORED
from tests.unit.backups.site import Site
from tests.unit.store import former


async def test_a_restore_under_a_running_service_is_refused(home: Site) -> None:
    backup = await home.back_up()
    with lock_file(home.file), pytest.raises(Broken, match="database_in_use"):
        await home.restore(backup)


async def test_the_check_before_a_restore_is_refused_only_while_the_service_runs(
    site: Site,
) -> None:
    await restoring.check_stopped(site.config)
    async with open_database(site.url, home=Home(site.data)):
        with pytest.raises(Broken, match="database_in_use"):
            await restoring.check_stopped(site.config)
    await restoring.check_stopped(site.config)


async def test_the_check_before_a_restore_makes_no_database_file(tmp_path: Path) -> None:
    site = Site(tmp_path)
    await restoring.check_stopped(site.config)
    assert not site.file.exists()


async def test_a_backup_with_damaged_rows_is_not_restored(home: Site) -> None:
    backup = await home.back_up()
    _flip(backup.folder / "zoetrope.db")
    before = home.file.read_bytes()
    with pytest.raises(Broken, match="backup_damaged"):
        await home.restore(backup)
    assert home.file.read_bytes() == before


@pytest.mark.proof
async def test_a_damaged_video_in_a_backup_is_left_out_of_the_restore(home: Site) -> None:
    backup = await home.back_up()
    _flip(backup.folder / "media" / former.VIDEO.key)
    await home.storage.delete(former.VIDEO.key)
    restored = await home.restore(backup)
    assert (restored.files, restored.missing) == (0, (former.VIDEO.key,))
    assert await home.states() == AS_RESTORED


def _flip(file: Path) -> None:
    """Change one bit of the file's last byte."""
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


@pytest.mark.parametrize("what", ["folder", "file", "tar"])
async def test_a_restore_without_room_names_the_folder_that_is_full(home: Site, what: str) -> None:
    """Room is needed in the data folder, or beside a file or tar file that is unpacked there.

    A backup folder is only read.
    """
    backup, before = await home.back_up(), home.file.read_bytes()
    place = backup.folder
    if what == "file":
        place = backup.folder / "zoetrope.db"
    elif what == "tar":
        place = home.folder / "backup.tar"
        with tarfile.open(place, "w") as file:
            file.add(backup.folder, backup.folder.name)
    with (
        no_file_larger_than(100_000),
        pytest.raises(Broken) as full,
        opening.opened(place) as found,
    ):
        await home.restore(found)
    needs = home.data if what == "folder" else place.parent
    assert (full.value.code, full.value.values["folder"]) == ("restore_no_room", str(needs))
    assert home.file.read_bytes() == before


async def test_a_backup_of_a_newer_version_is_refused(home: Site) -> None:
    backup = await home.back_up()
    newer = backup.manifest.model_copy(update={"revision": "9999"})
    with pytest.raises(Broken, match="backup_newer"):
        await home.restore(archive.Backup(backup.folder, newer))


@pytest.mark.proof
async def test_a_tar_file_of_a_backup_can_be_restored(home: Site) -> None:
    backup = await home.back_up()
    packed = home.folder / "backup.tar.gz"
    with tarfile.open(packed, "w:gz") as file:
        file.add(backup.folder, backup.folder.name)
    for place in (packed, backup.folder / "manifest.json"):
        with opening.opened(place) as found:
            await home.restore(found)
    assert await home.states() == AS_RESTORED


@pytest.mark.parametrize("name", ["zoetrope.db.saved", "backup.tar"])
async def test_a_copy_of_the_rows_or_a_tar_file_inside_the_data_folder_can_be_restored(
    home: Site, name: str
) -> None:
    """The sweep of leftovers must not remove the folder into which the file is unpacked."""
    backup, place = await home.back_up(), home.data / name
    if name.endswith("tar"):
        with tarfile.open(place, "w") as file:
            file.add(backup.folder, backup.folder.name)
    else:
        shutil.copyfile(backup.folder / "zoetrope.db", place)
    with opening.opened(place) as found:
        await home.restore(found)
    assert await home.states() == AS_RESTORED


def test_leftovers_of_a_killed_restore_beside_the_database_are_removed(tmp_path: Path) -> None:
    """The leftovers hold all that people wrote.

    They lie beside the database, which may be outside the data folder.
    """
    (tmp_path / "rows").mkdir()
    site = Site(tmp_path, f"sqlite:///{tmp_path}/rows/zoetrope.db")
    left = tmp_path / "rows" / ".unfinished-abc"
    left.mkdir()
    (left / "zoetrope.db").write_text("all that people wrote")
    restoring.clear(site.config)
    assert not left.exists()


@pytest.mark.proof
async def test_a_restore_from_a_copied_database_file_holds_unfinished_jobs_too(home: Site) -> None:
    """A copied file is a saved copy of the database, or the rows kept aside.

    The content of its journal counts.
    """
    bare = home.folder / "copy.db"
    backup = await home.back_up()
    shutil.copyfile(backup.folder / "zoetrope.db", bare)
    with closing(sqlite3.connect(bare)) as rows:
        rows.execute("UPDATE jobs SET detail = 'journal' WHERE id = 'job-queued'")
        rows.commit()
        with opening.opened(bare) as found:
            assert found.manifest.jobs == backup.manifest.jobs
            await home.restore(found)
    assert await home.states() == AS_RESTORED
    query = sa.select(jobs.c.reason).where(jobs.c.id == "job-queued")
    assert await home.rows(lambda it: it.scalar(query)) == "restored"


@pytest.mark.proof
async def test_a_backup_copied_over_the_database_by_hand_does_not_run(home: Site) -> None:
    """The backup's queued jobs would be ordered, and paid for, a second time."""
    backup = await home.back_up()
    home.file.write_bytes((backup.folder / "zoetrope.db").read_bytes())
    with pytest.raises(Broken, match="database_is_backup"):
        await home.states()
    with pytest.raises(Broken, match="database_is_backup"):
        await check_database(home.url, home=Home(home.data))
    await home.restore(backup)
    assert await home.states() == AS_RESTORED


async def test_a_path_without_a_backup_is_reported_as_no_backup(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("Dear diary")
    for place in (tmp_path, tmp_path / "file", tmp_path / "nothing"):
        with pytest.raises(Broken, match="backup_absent"), opening.opened(place):
            pass


async def test_a_manifest_that_names_files_outside_its_backup_is_refused(home: Site) -> None:
    backup = await home.back_up()
    text = (backup.folder / "manifest.json").read_text()
    for elsewhere in ("../../zoetrope.db", str(backup.folder / "zoetrope.db")):
        (backup.folder / "manifest.json").write_text(text.replace("zoetrope.db", elsewhere))
        with pytest.raises(Broken, match="backup_damaged"):
            archive.read(backup.folder)
