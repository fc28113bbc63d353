"""Backups are whole or do not exist: tests open them, and make them while others write."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.backups import archive, making
from bot.config.upkeep import Retention
from bot.core import moves
from bot.core.errors import Broken, StorageAway, Temporary
from bot.media.storage import Storage, new_key
from bot.store import tables, wanted
from bot.store.database import open_database
from bot.store.identity import Home
from bot.store.rows import job_values
from bot.store.spool import Spool
from tests.conftest import NewUrl
from tests.contract.rows import NOON, Store, a_job
from tests.fakes.disk import no_file_larger_than, synced
from tests.unit.backups.site import LATER, VIDEO, Site
from tests.unit.store import former

DAY = 86_400.0


@pytest.fixture
async def site(tmp_path: Path) -> Site:
    site = Site(tmp_path)
    await site.furnish()
    return site


@pytest.mark.proof
async def test_a_backups_manifest_lists_its_files_and_only_its_owner_can_read_it(
    tmp_path: Path, new_url: NewUrl
) -> None:
    site = Site(tmp_path, await new_url())
    await site.furnish()
    Spool(site.data).add("job-nobody", "video_nobody")
    backup = await site.back_up()
    manifest = archive.read(backup.folder).manifest
    assert manifest == backup.manifest
    assert backup.folder.name == "zoetrope-20260115T130000Z"
    assert manifest.jobs == dict.fromkeys(await site.states(), 1), "as they are, none held"
    assert (manifest.rows["jobs"], manifest.rows["posts"]) == (8, 2)
    assert manifest.newest_job is not None
    assert {file.path for file in manifest.files} == {
        "zoetrope.db",
        "pending-ids",
        f"media/{former.VIDEO.key}",
    }
    backup.check()
    assert (backup.folder / "media" / former.VIDEO.key).read_bytes() == VIDEO
    modes = {it.stat().st_mode & 0o077 for it in (backup.folder, backup.folder.parent)}
    assert modes == {0}, "it is nobody else's on this machine"


@pytest.mark.proof
async def test_a_backup_is_consistent_while_others_write(site: Site) -> None:
    """200 rows are written each second. A copy of single files lost one row of 435."""
    async with open_database(site.url, home=Home(site.data)) as database:
        store, written, over = Store(database), 0, asyncio.Event()

        async def write() -> None:
            nonlocal written
            while not over.is_set():
                await store.admitted(a_job(id_=f"load{written:06}"))
                written += 1

        writing = asyncio.create_task(write())
        while written < 20:
            await asyncio.sleep(0)
        before = written
        backup = await site.back_up()
        after = written
        over.set()
        await writing
    assert before <= backup.manifest.rows["jobs"] - 8 <= after
    assert after > before, "nobody waited for it"
    with closing(sqlite3.connect(backup.folder / "zoetrope.db")) as rows:
        assert rows.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert rows.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.proof
async def test_a_backup_names_the_videos_that_the_storage_has_lost(site: Site) -> None:
    await site.storage.delete(former.VIDEO.key)
    assert (await site.back_up()).manifest.missing == (former.VIDEO.key,)


@pytest.mark.proof
async def test_a_video_delivered_longer_ago_than_videos_are_kept_is_not_in_a_backup(
    site: Site,
) -> None:
    await site.change("UPDATE jobs SET video = NULL WHERE status = 'completed'")
    month = (await site.back_up(now=LATER + 31 * DAY)).manifest
    assert (month.media, month.missing) == ({}, ())
    longer = site.config.settings.model_copy(update={"retention": Retention(videos_days=40)})
    site.config = replace(site.config, settings=longer)
    month = (await site.back_up(now=LATER + 31 * DAY)).manifest
    assert list(month.media) == [former.VIDEO.key], "as long as it is kept"


async def test_a_backup_reads_rows_page_by_page(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With pages, a backup of many rows does not block the service."""
    whole = (await site.back_up()).manifest
    monkeypatch.setattr(wanted, "PAGE", 1)
    paged = (await site.back_up(now=LATER + 60)).manifest
    assert paged.media.keys() == whole.media.keys()
    assert len(whole.media) > 0
    async with open_database(site.url, home=Home(site.data)) as database:
        looks = partial(wanted.page_of, since=0.0, after="")
        page, last = await database.run(looks)
    assert set(page.values()) == {last}, "one row"


@pytest.mark.proof
async def test_a_second_backup_shares_unchanged_videos_with_the_first(site: Site) -> None:
    first = await site.back_up()
    second = await site.back_up(now=LATER + DAY)
    path = f"media/{former.VIDEO.key}"
    files = [(it.folder / path).stat() for it in (first, second)]
    assert files[0].st_ino == files[1].st_ino
    assert (site.data / path).stat().st_ino != files[0].st_ino, "what harms one harms not the other"
    archive.age_out(first.folder.parent, keep=1, now=LATER + DAY)
    second.check()


@pytest.mark.proof
async def test_a_damaged_video_in_one_backup_is_not_reused_by_the_next(site: Site) -> None:
    first = await site.back_up()
    file = first.folder / "media" / former.VIDEO.key
    file.write_bytes(file.read_bytes()[::-1])
    assert first.check() == [former.VIDEO.key]
    assert (await site.back_up(now=LATER + DAY)).check() == []


@pytest.mark.proof
async def test_two_backups_in_the_same_second_get_two_names(site: Site) -> None:
    names = {(await site.back_up()).folder.name for _ in range(2)}
    assert names == {"zoetrope-20260115T130000Z", "zoetrope-20260115T130001Z"}


async def test_rows_that_fail_their_checks_make_no_backup(site: Site) -> None:
    with closing(sqlite3.connect(site.file)) as rows, rows:
        rows.execute("UPDATE posts SET job_id = 'job-none' WHERE id = 7")
    with pytest.raises(Broken) as unsound:
        await site.back_up()
    assert (unsound.value.code, unsound.value.values["check"]) == ("backup_unsound", "references")
    assert _left(site) == []


@pytest.mark.proof
async def test_a_full_disk_ends_a_backup_with_an_error_and_leaves_no_files(site: Site) -> None:
    with no_file_larger_than(100_000), pytest.raises(Broken, match="backup_no_room"):
        await site.back_up()
    assert _left(site) == []


async def test_a_backup_is_refused_if_it_would_take_room_that_the_service_needs(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "SPARE", 2**60)
    with pytest.raises(Broken) as refused:
        await site.back_up()
    assert refused.value.code == "backup_no_room"
    assert _left(site) == []


async def test_a_backup_checks_the_free_room_before_each_video(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(making, "_check_room", lambda _folder, size: asked.append(size))
    await site.back_up()
    assert asked[1:] == [len(VIDEO)]


async def test_an_unreachable_storage_makes_no_backup(site: Site) -> None:
    with pytest.raises(Temporary, match="storage_unavailable"):
        await making.make(site.config, _Away(site), site.config.backup_folder, now=LATER)
    assert _left(site) == []


class _Away(Storage):
    """A storage that can't be reached."""

    def __init__(self, site: Site) -> None:
        super().__init__(site.config.storage_url, scratch=site.folder)

    async def exists(self, key: str) -> bool:
        raise StorageAway(key=key)


async def test_the_next_backup_removes_one_that_was_interrupted(site: Site) -> None:
    folder = site.config.backup_folder / f"{archive.UNFINISHED}x"
    folder.mkdir(parents=True)
    (folder / "zoetrope.db").write_bytes(b"half")
    backup = await site.back_up()
    assert _left(site) == [backup.folder.name]


def test_a_backup_gets_its_name_only_after_all_of_it_is_synced_to_the_disk(tmp_path: Path) -> None:
    unfinished = tmp_path / f"{archive.UNFINISHED}x"
    (unfinished / "media" / "videos").mkdir(parents=True)
    manifest = archive.Manifest(
        format=archive.FORMAT,
        app="0",
        made_at=LATER,
        revision="0001",
        database="sqlite",
        rows={},
        jobs={},
        newest_job=None,
        files=(),
        missing=(),
    )
    with synced(tmp_path) as places:
        archive.finish(unfinished, manifest)
    media = unfinished / "media"
    inside = {unfinished / "manifest.json", media, media / "videos", unfinished}
    assert (set(places[:-1]), places[-1]) == (inside, tmp_path)


@pytest.mark.proof
async def test_a_second_backup_at_the_same_time_is_refused(site: Site) -> None:
    first = asyncio.create_task(site.back_up())
    with pytest.raises(Broken, match="backup_under_way"):
        await asyncio.gather(first, site.back_up())
    await first


def test_old_backups_are_removed_but_never_the_newest(tmp_path: Path) -> None:
    for day in range(20):
        folder = tmp_path / archive.name_of(LATER + day * DAY)
        folder.mkdir()
        (folder / "manifest.json").touch()
    (tmp_path / "zoetrope-of-mine").mkdir()
    names = [archive.name_of(LATER + day * DAY) for day in range(20)]
    for day, left in ((19, names[6:]), (25, names[11:]), (400, names[-1:])):
        while archive.age_out(tmp_path, keep=14, now=LATER + day * DAY):
            pass
        assert _names(tmp_path) == [*left, "zoetrope-of-mine"]


def test_a_wrong_clock_removes_at_most_two_backups(tmp_path: Path) -> None:
    names = [archive.name_of(LATER + day * DAY) for day in range(10)]
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").touch()
    assert archive.age_out(tmp_path, keep=14, now=LATER + 7300 * DAY) == names[1::-1]
    assert len(_names(tmp_path)) == 8


def test_a_backup_dated_in_the_future_counts_as_the_oldest(tmp_path: Path) -> None:
    now = LATER + 9 * DAY
    names = [archive.name_of(LATER + day * DAY) for day in (7300, 7301, *range(10))]
    assert archive.by_age(reversed(names), now=now) == names
    assert archive.outdated(names, keep=14, now=now) == []
    assert archive.outdated(names, keep=11, now=now) == names[:1]
    assert not archive.is_ahead(archive.name_of(now + 60), now=now), "two of one second"


@pytest.mark.proof
async def test_pictures_of_unfinished_jobs_are_in_a_backup(site: Site) -> None:
    key = new_key("pictures", "jpg")
    await site.storage.put(key, site.folder / "video")
    for state in ("queued", "failed"):
        given = f"json_array(json_object('key', '{key}'))"
        await site.change(
            f"UPDATE jobs SET order_data = json_set(order_data, '$.pictures', {given})"
            f" WHERE status = '{state}'"
        )
    assert key in (await site.back_up()).manifest.media
    await site.change("UPDATE jobs SET inputs_gone_at = 9 WHERE status = 'queued'")
    assert key not in (await site.back_up()).manifest.media, "they were kept their time"
    await site.change("UPDATE jobs SET inputs_gone_at = NULL WHERE status = 'queued'")
    await site.change("UPDATE jobs SET status = 'cancelled' WHERE status = 'queued'")
    assert key not in (await site.back_up()).manifest.media


def _left(site: Site) -> list[str]:
    """Return the names in the backup folder, without the lock."""
    return [name for name in _names(site.config.backup_folder) if name != ".lock"]


def _names(folder: Path) -> list[str]:
    return sorted(it.name for it in folder.iterdir())


@pytest.mark.parametrize("converts", [True, False])
async def test_a_video_that_waits_for_conversion_or_a_first_check_is_in_a_backup(
    site: Site, converts: bool
) -> None:
    """The second video came as the answer to its order and was not examined yet."""
    sent = moves.submitting(a_job(id_="waits"), now=NOON)
    came = (f"stored:{former.VIDEO.key}",)
    waits = moves.accepted(sent, "video_w", sources=came, now=NOON, due_at=NOON)
    if converts:
        fetched = moves.completed(waits, now=NOON, sources=())
        waits = moves.converting(fetched, former.VIDEO, now=NOON)
    await site.change("DELETE FROM jobs")
    row = sa.insert(tables.jobs).values(job_values(waits))
    async with open_database(site.url, home=Home(site.data)) as database:
        await database.run(lambda connection: connection.execute(row))
    assert list((await site.back_up()).manifest.media) == [former.VIDEO.key]
