"""Sweeps that fail, crash or run at the same time, on both databases."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core import moves
from bot.core.context import SETTLED
from bot.core.errors import StorageAway, Temporary
from bot.core.jobs import Reason, Status
from bot.core.keeping import DAY, GRACE, Rules, Step
from bot.core.retention import EVERY, STRAYS_EVERY, Retention
from bot.media.file_store import FileStore
from bot.media.storage import video_key
from bot.store.settings import StoredValues
from bot.store.sweeps import Sweeps
from bot.store.tables import discarded
from tests.contract.loft import Loft, capped
from tests.contract.rows import NOON


async def test_sweeps_begin_ten_minutes_after_a_clock_step_and_run_every_minute(loft: Loft) -> None:
    """A clock that is wrong at the start would remove everything."""
    job = await loft.posted(await loft.video())
    await loft.clock.advance(29.999 * DAY)
    loft.clock.adopt(0)
    sweeps = asyncio.create_task(loft.retention().run())
    await loft.clock.asleep()
    await loft.clock.advance(SETTLED - 1)
    assert (await loft.job(job)).video is not None
    await loft.clock.advance(1)
    await loft.clock.asleep()
    assert (await loft.job(job)).video is None
    late = await loft.posted(await loft.video(), at=loft.clock.now() - 30 * DAY)
    await loft.clock.advance(EVERY)
    await loft.clock.asleep()
    assert (await loft.job(late)).video is None
    sweeps.cancel()


async def test_a_sweep_that_failed_is_completed_by_the_next_one(loft: Loft) -> None:
    job = await loft.posted(await loft.video())
    await loft.clock.advance(31 * DAY)
    sweeps = asyncio.create_task(loft.retention().run())
    media, away = loft.folder / "media", loft.folder / "away"
    media.rename(away)
    await loft.clock.asleep()
    await loft.clock.advance(EVERY)
    await loft.clock.asleep()
    assert await loft.ledger.discarded(after="", most=9) != []
    away.rename(media)
    await loft.clock.advance(EVERY)
    await loft.clock.asleep()
    assert await loft.ledger.discarded(after="", most=9) == []
    assert (await loft.job(job)).video is None
    assert list((media / "videos").glob("*/*")) == []
    sweeps.cancel()


class Sticking(FileStore):
    """A file store some of whose files can't be removed, like files of another user."""

    stuck: tuple[str, ...] = ()

    async def delete(self, key: str) -> None:
        if key in self.stuck:
            raise StorageAway(key=key)
        await super().delete(key)


def sticking(loft: Loft, *stuck: str) -> Sticking:
    """Return a file store in which these files can't be removed."""
    file_store = Sticking(loft.storage, loft.folder, owner="me")
    file_store.stuck = stuck
    return file_store


async def test_a_file_that_cannot_be_removed_does_not_stop_the_removal_of_other_files(
    loft: Loft, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file is logged once and tried again.

    The same holds for a key of a shape that we don't know.
    """
    stuck, video = await loft.video(), await loft.video()
    strays = [await loft.file("videos", "mp4") for _ in range(2)]
    await loft.file_store().claim()
    _age(loft, "media/owners/me", NOON - DAY)
    await loft.store.database.run(_let_go_of_an_odd_key)
    jobs = [await loft.posted(each, at=NOON + n) for n, each in enumerate((stuck, video))]
    file_store = sticking(loft, stuck.key, min(strays))
    retention = Retention(
        ledger=loft.ledger, file_store=file_store, rules=Rules(), clock=loft.clock
    )
    await loft.clock.advance(31 * DAY)
    for _ in range(3):
        await retention.sweep()
        await loft.clock.advance(STRAYS_EVERY)
    assert loft.there(stuck.key, *video.keys, *sorted(strays)) == [True, False, False, True, False]
    assert [(await loft.job(job)).video for job in jobs] == [None, None]
    assert capsys.readouterr().out.count("media.not_removed") == 3
    file_store.stuck = ()
    await retention.sweep()
    assert loft.there(stuck.key, *strays) == [False, False, False]


async def test_a_file_that_cannot_be_removed_does_not_cause_another_video_to_be_swept(
    loft: Loft,
) -> None:
    stuck, video = await loft.video(size=50), await loft.video(size=50)
    job, other = await loft.posted(stuck), await loft.posted(video, at=NOON + 9)
    file_store = sticking(loft, stuck.key)
    retention = Retention(
        ledger=loft.ledger, file_store=file_store, rules=capped(60), clock=loft.clock
    )
    await loft.clock.advance(DAY)
    for _ in range(3):
        await retention.sweep()
    assert (await loft.job(job)).video is None
    assert (await loft.job(other)).video == video


async def test_a_sweep_with_nothing_due_removes_files_left_over_by_a_failed_sweep(
    loft: Loft,
) -> None:
    video = await loft.video()
    await loft.posted(video)
    await loft.clock.advance(31 * DAY)
    (loft.folder / "media").rename(loft.folder / "away")
    with pytest.raises(Temporary):
        await loft.retention().sweep()
    (loft.folder / "away").rename(loft.folder / "media")
    await loft.ledger.inputs(
        ended_by=loft.clock.now(), unconfirmed_by=0, now=loft.clock.now(), most=9
    )
    await loft.swept(31)
    assert loft.there(*video.keys) == [False] * 2


class Unlisted(FileStore):
    """A file store whose names can't be listed."""

    polls = 0

    async def claimed_at(self) -> float | None:
        self.polls += 1
        raise StorageAway(key="")


async def test_a_failed_search_for_stray_files_is_repeated_after_an_hour(loft: Loft) -> None:
    """The search lists all stored files, so it is expensive."""
    file_store = Unlisted(loft.storage, loft.folder, owner="me")
    retention = Retention(
        ledger=loft.ledger, file_store=file_store, rules=Rules(), clock=loft.clock
    )
    with pytest.raises(Temporary):
        await retention.sweep()
    await loft.clock.advance(EVERY)
    await retention.sweep()
    await loft.clock.advance(STRAYS_EVERY)
    with pytest.raises(Temporary):
        await retention.sweep()
    assert file_store.polls == 2


async def test_two_sweeps_do_not_run_at_the_same_time(loft: Loft) -> None:
    """The files that rows name are read in pages, so rows that change meanwhile would be missed."""
    steps: list[str] = []

    class Slow(Sweeps):
        async def videos(self, *, ended_by: float, now: float, most: int) -> Step:
            steps.append("begins")
            await asyncio.sleep(0)
            return await super().videos(ended_by=ended_by, now=now, most=most)

        async def words(self, *, ended_by: float, now: float, most: int) -> Step:
            await asyncio.sleep(0)
            steps.append("ends")
            return await super().words(ended_by=ended_by, now=now, most=most)

    ledger = Slow(loft.store.database)
    sweeps = Retention(ledger=ledger, file_store=loft.file_store(), rules=Rules(), clock=loft.clock)
    await asyncio.gather(sweeps.sweep(), sweeps.sweep())
    assert steps == ["begins", "ends"] * 2


# --- crashes -------------------------------------------------------------------------------------


class Dying(FileStore):
    """A file store whose process dies at the first file that is to be removed."""

    async def delete(self, key: str) -> None:
        raise SystemError(key)


async def test_files_left_by_a_crash_in_a_sweep_are_removed_by_the_next_sweep(loft: Loft) -> None:
    video = await loft.video()
    job = await loft.posted(video)
    await loft.clock.advance(31 * DAY)
    dying = Dying(loft.storage, loft.folder, owner="me")
    # Nothing else is due: the next sweep finds no row, only the files that the first one noted.
    rules = Rules(inputs=None, words=None)
    first = Retention(ledger=loft.ledger, file_store=dying, rules=rules, clock=loft.clock)
    with pytest.raises(SystemError):
        await first.sweep()
    assert (await loft.job(job)).video_gone_at == loft.clock.now()
    assert loft.there(*video.keys) == [True] * 2
    await loft.swept(31, rules)
    assert loft.there(*video.keys) == [False] * 2


@pytest.mark.proof
async def test_a_file_that_no_row_names_is_removed_after_a_day(loft: Loft) -> None:
    await loft.file_store().claim()
    _age(loft, "media/owners/me", NOON - DAY)
    job = await loft.posted(await loft.video(), await loft.picture(), at=NOON + DAY)
    await loft.file("videos", "mp4", at=NOON)
    kept, foreign = loft.files() - 1, loft.folder / "media" / "videos" / "notes.txt"
    foreign.write_text("not ours")
    await loft.swept(0.9)
    assert loft.files() == kept + 1
    await loft.swept(1.5)
    assert loft.files() == kept
    assert foreign.exists()
    assert (await loft.job(job)).video is not None


async def test_a_video_that_waits_for_its_conversion_is_not_removed_as_a_stray_file(
    loft: Loft,
) -> None:
    await loft.file_store().claim()
    _age(loft, "media/owners/me", NOON - DAY)
    job = await loft.store.in_state(Status.COMPLETED)
    raw = replace(await loft.video(), plays=False)
    await loft.store.moved(job, moves.converting(job, raw, now=NOON))
    await loft.swept(1.5)
    assert loft.there(*raw.keys) == [True] * 2


async def test_after_a_restore_no_file_is_removed_while_the_former_rows_are_kept(
    loft: Loft,
) -> None:
    """The file may belong to a job that was ordered after the backup and paid for."""
    await loft.file_store().claim()
    _age(loft, "media/owners/me", NOON - DAY)
    stray = await loft.file("videos", "mp4", at=NOON)
    received = loft.folder / "received" / Path(video_key("a" * 16)).name
    received.write_bytes(b"video")
    os.utime(received, (NOON, NOON))
    await StoredValues(loft.store.database).put("restored.at", repr(NOON + DAY))
    await loft.swept(14.9)
    assert (received.exists(), *loft.there(stray)) == (True, True)
    verdict = await loft.inspection().due()
    assert verdict["strays"] == {"rows": 0, "files": 0, "bytes": 0}
    await loft.swept(15.1)
    assert (received.exists(), *loft.there(stray)) == (False, False)


async def test_no_stray_file_is_removed_from_a_storage_that_two_databases_use(loft: Loft) -> None:
    await loft.file_store().claim()
    await loft.file_store("another").claim()
    for owner in ("me", "another"):
        _age(loft, f"media/owners/{owner}", NOON - DAY)
    stray = await loft.file("videos", "mp4", at=NOON)
    await loft.swept(9)
    assert loft.there(stray) == [True]


async def test_files_older_than_the_database_are_not_removed_as_strays(loft: Loft) -> None:
    """A new database beside old media names none of the old files."""
    old = await loft.file("videos", "mp4", at=NOON - DAY)
    await loft.file_store().claim()
    _age(loft, "media/owners/me", NOON)
    await loft.swept(9)
    assert loft.there(old) == [True]


@pytest.mark.parametrize(("status", "days"), [(Status.FAILED, 1.5), (Status.UNCONFIRMED, 31)])
async def test_a_video_received_as_the_answer_is_removed_once_its_job_no_longer_needs_it(
    loft: Loft, status: Status, days: float
) -> None:
    await loft.file_store().claim()
    _age(loft, "media/owners/me", NOON - DAY)
    job = await loft.store.admitted()
    left = await loft.store.moved(job, moves.submitting(job, now=NOON))
    waiting = loft.folder / "received" / Path(video_key(job.id)).name
    waiting.write_bytes(b"video")
    os.utime(waiting, (NOON, NOON))
    await loft.put(video_key(job.id))
    await loft.swept(1.2)
    assert (waiting.exists(), *loft.there(video_key(job.id))) == (True, True)
    end = moves.unconfirmed(left, detail=None)
    if status is Status.FAILED:
        end = moves.failed(left, Reason.REFUSED, charged=False)
    await loft.store.moved(left, end)
    await loft.swept(days)
    assert (waiting.exists(), *loft.there(video_key(job.id))) == (False, False)


async def test_temporary_folders_of_a_dead_process_are_removed_after_a_day(loft: Loft) -> None:
    old, fresh = loft.folder / "scratch" / "old", loft.folder / "scratch" / "fresh"
    for folder, at in ((old, NOON), (fresh, NOON + GRACE)):
        folder.mkdir()
        os.utime(folder, (at, at))
    await loft.swept(1.1)
    assert (old.exists(), fresh.exists()) == (False, True)


def _let_go_of_an_odd_key(connection: Connection) -> None:
    """Note a removed file whose key has a shape that we don't know."""
    connection.execute(sa.insert(discarded).values(key="0/odd.gif"))


def _age(loft: Loft, name: str, at: float) -> None:
    """Set the modification time of a file."""
    os.utime(loft.folder / name, (at, at))
