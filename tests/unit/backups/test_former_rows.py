"""The former rows, which a restore keeps aside."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.backups import opening, restoring
from bot.store import asides, swap
from bot.store.swap import note_of
from bot.store.tables import jobs
from tests.conftest import NewUrl
from tests.unit.backups.rows import AS_RESTORED
from tests.unit.backups.site import LATER, Site

_NAMES = ("id", "event_id")
"""The columns of a job that must be unique."""


async def test_a_restore_keeps_the_former_rows_aside(site: Site) -> None:
    backup = await site.back_up()
    await site.change("UPDATE jobs SET detail = 'after' WHERE id = 'job-queued'")
    restored = await site.restore(backup)
    assert restored.aside is not None
    aside = Site(site.folder / "aside")
    (kept,) = restored.aside.glob("*.db")
    kept.replace(aside.file)
    query = sa.select(jobs.c.detail).where(jobs.c.id == "job-queued")
    assert await aside.rows(lambda it: it.scalar(query)) == "after"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE alembic_version SET version_num = '9999'",
        pytest.param("UPDATE alembic_version SET version_num = '0012'", marks=pytest.mark.proof),
        pytest.param("DROP TABLE acts", marks=pytest.mark.proof),
        pytest.param("DROP TABLE alembic_version", marks=pytest.mark.proof),
    ],
)
async def test_former_postgresql_tables_that_cannot_be_read_are_kept_in_a_schema_aside(
    tmp_path: Path, new_postgres_url: NewUrl, change: str
) -> None:
    """Unreadable tables are of a newer version (on the way back from an update), of an earlier
    version, or damaged.
    """
    site = Site(tmp_path, await new_postgres_url())
    await site.furnish()
    backup = await site.back_up()
    await site.change("UPDATE jobs SET detail = 'after' WHERE id = 'job-queued'")
    await site.change(change)
    restored = await site.restore(backup)
    assert await site.states() == AS_RESTORED
    assert (restored.aside, restored.schema) == (None, "before_restore_20260115t130100z")
    assert not list(site.data.glob("before-restore-*")), "nothing half done"
    kept = sa.text(f"SELECT detail FROM {restored.schema}.jobs WHERE id = 'job-queued'")
    assert await site.rows(lambda it: it.scalar(kept)) == "after"
    for before, gone in ((LATER, []), (LATER + 61, [restored.schema])):
        assert await site.rows(lambda it, at=before: asides.age_out(it, before=at, most=2)) == gone  # type: ignore[misc]


async def test_jobs_ordered_after_the_backup_are_named_before_a_restore(site: Site) -> None:
    backup = await site.back_up()
    later = f"id = 'job-later', created_at = {LATER + 9}"
    await site.change(f"UPDATE jobs SET {later} WHERE id = 'job-in_progress'")
    found = await restoring.later_jobs(site.config, backup)
    assert found is not None
    assert [(it.id, it.gateway_id) for it in found] == [("job-later", "video_in_progress")]


async def test_a_job_created_while_the_backup_was_made_is_in_the_backup(home: Site) -> None:
    await home.change(f"UPDATE jobs SET created_at = {LATER + 0.1} WHERE id = 'job-queued'")
    assert await restoring.later_jobs(home.config, await home.back_up()) == []


@pytest.mark.parametrize(
    "clock", [-9, 86_400.0], ids=["the clock was set back", "the file is a later copy"]
)
async def test_a_job_later_than_the_backup_is_named_although_clocks_or_file_times_mislead(
    home: Site, clock: float
) -> None:
    """A copied file is younger than its rows, and the machine's clock may be wrong."""
    await home.change(f"INSERT INTO settings VALUES ('clock.seen', '{LATER}')")
    bare = home.folder / "copy.db"
    shutil.copyfile((await home.back_up()).folder / "zoetrope.db", bare)
    later = f"id = 'job-later', created_at = {LATER + clock}"
    await home.change(f"UPDATE jobs SET {later} WHERE id = 'job-in_progress'")
    with opening.opened(bare) as backup:
        assert backup.manifest.made_at == LATER
        found = await restoring.later_jobs(home.config, backup)
    assert found is not None
    assert [it.id for it in found] == ["job-later"]


async def test_all_1501_jobs_later_than_the_backup_are_named(home: Site) -> None:
    backup = await home.back_up()
    columns = ", ".join(column.name for column in jobs.columns if column.name not in _NAMES)
    await home.change(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1501)"
        f" INSERT INTO jobs (id, event_id, {columns})"
        f" SELECT 'later-' || i, 'later-' || i, {columns} FROM jobs, n WHERE id = 'job-failed'"
    )
    found = await restoring.later_jobs(home.config, backup)
    assert found is not None
    assert len(found) == 1501


async def test_without_former_rows_the_jobs_lost_by_a_restore_are_unknown(tmp_path: Path) -> None:
    here, there = Site(tmp_path / "here"), Site(tmp_path / "there")
    await here.furnish()
    assert await restoring.later_jobs(there.config, await here.back_up()) is None


@pytest.mark.proof
async def test_damaged_rows_are_replaced_by_a_restore_and_kept_aside(home: Site) -> None:
    backup = await home.back_up()
    home.file.write_bytes(b"Dear diary, " * 1000)
    restored = await home.restore(backup)
    assert await home.states() == AS_RESTORED
    assert restored.aside is not None
    assert (restored.aside / "zoetrope.db").read_bytes().startswith(b"Dear diary")


async def test_a_restore_first_undoes_an_earlier_restore_that_was_interrupted(home: Site) -> None:
    """The rows kept aside are those from before the earlier restore, not the rows that the earlier
    restore was bringing.
    """
    backup = await home.back_up()
    await home.change("UPDATE jobs SET detail = 'after' WHERE id = 'job-queued'")
    fresh = home.folder / "fresh.db"
    shutil.copyfile(backup.folder / "zoetrope.db", fresh)
    swap.exchange(home.file, fresh, home.folder / "aside")
    aside = (await home.restore(backup)).aside
    assert aside is not None
    with closing(sqlite3.connect(aside / "zoetrope.db")) as rows:
        detail = rows.execute("SELECT detail FROM jobs WHERE id = 'job-queued'").fetchone()
    assert detail == ("after",)


def test_undoing_a_restore_that_moved_nothing_keeps_the_rows_and_their_journal(
    tmp_path: Path,
) -> None:
    """The process died right after it noted that an exchange begins."""
    file, journal = tmp_path / "zoetrope.db", tmp_path / "zoetrope.db-wal"
    for each in (file, journal):
        each.write_text("former")
    told = {"aside": str(tmp_path / "aside"), "had_rows": True}
    note_of(file).write_text(json.dumps(told))
    swap.undo(file)
    assert (file.exists(), journal.exists()) == (True, True)
