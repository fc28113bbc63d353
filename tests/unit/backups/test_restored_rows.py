"""The rows after a restore: no job that may have been paid for is ordered again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.core import moves
from bot.core.errors import Broken
from bot.core.jobs import Reason, Status
from bot.core.notices import Pause
from bot.core.posts import PostKind
from bot.store.database import open_database
from bot.store.deletions import Deletion, Deletions
from bot.store.identity import Home
from bot.store.jobs import Jobs
from bot.store.restored import restored_jobs, settle
from bot.store.spool import Spool
from bot.store.tables import jobs, posts, proposals, updates
from bot.store.times import Times
from tests.conftest import NewUrl
from tests.contract.rows import NOON, Store
from tests.unit.backups.rows import AS_RESTORED
from tests.unit.backups.site import LATER, VIDEO, Site
from tests.unit.store import former


@pytest.fixture
async def store(new_tables_url: NewUrl) -> AsyncIterator[Store]:
    """Yield a store whose rows are made safe without a backup, on each of the two databases."""
    async with open_database(await new_tables_url()) as database:
        yield Store(database)


async def test_a_restore_holds_every_job_that_may_have_been_ordered_since_the_backup(
    site: Site,
) -> None:
    restored = await site.restore(await site.back_up())
    assert await site.states() == AS_RESTORED
    assert (restored.settled.held, restored.settled.polling) == (2, 1)
    costs = (jobs.c.quota_cost, jobs.c.spend_cost)
    held = sa.select(jobs.c.reason, *costs, jobs.c.due_at, jobs.c.ended_at).where(
        jobs.c.reason == "restored"
    )
    found = await site.rows(lambda it: it.execute(held).all())
    assert [tuple(row) for row in found] == 2 * [("restored", 0, 700_000, None, LATER + 60)]


async def test_a_restore_brings_back_what_gateways_told_of_costs(site: Site) -> None:
    told = "told_cost = 420000, told_currency = 'EUR', told_is_fee"
    await site.change(f"UPDATE jobs SET {told} = (id = 'job-failed') WHERE id LIKE '%e%d'")
    query = sa.select(jobs.c.id, jobs.c.told_cost, jobs.c.told_currency, jobs.c.told_is_fee)
    before = await site.rows(lambda it: it.execute(query.order_by(jobs.c.id)).all())
    backup = await site.back_up()
    await site.change("UPDATE jobs SET told_cost = NULL, told_currency = NULL, told_is_fee = NULL")
    await site.restore(backup)
    assert await site.rows(lambda it: it.execute(query.order_by(jobs.c.id)).all()) == before
    assert {row.told_is_fee for row in before} == {True, False, None}


async def test_a_job_held_by_a_restore_has_no_post_due(store: Store) -> None:
    """The job's card was due in the backup, and may be in the chat by now."""
    await store.admitted()
    await store.in_state(Status.SUBMITTING)
    await store.database.run(lambda it: settle(it, (), now=LATER))
    assert await store.due_posts(now=LATER + 9999) == []


async def test_a_restore_frees_claimed_rows_without_counting_a_crash(store: Store) -> None:
    job = await store.in_state(Status.IN_PROGRESS)
    await store.claimed(Status.IN_PROGRESS)
    await store.claimed_post(now=NOON + 60)
    await store.database.run(lambda it: settle(it, (), now=NOON + 1))
    (again,) = await store.jobs.claim([Status.IN_PROGRESS], now=NOON + 1, until=LATER, most=9)
    assert (again.id, again.crashes) == (job.id, 0)
    assert await store.due_posts(now=NOON + 60) == [(job.id, PostKind.CARD)]


async def test_a_notice_due_at_the_time_of_the_backup_is_not_sent_after_a_restore(
    store: Store,
) -> None:
    locked = Pause(Reason.BAD_KEY, NOON + 50)
    await store.pauses.pause("main", locked, detail="", rooms=["playground"], now=NOON)
    await store.database.run(lambda it: settle(it, (), now=LATER))
    platforms = ["discord", "playground"]
    assert await store.notices.claim(platforms, now=LATER, until=LATER + 60, most=9) == []


@pytest.mark.proof
async def test_a_held_job_gets_its_gateway_id_from_the_former_rows(site: Site) -> None:
    """The job was sent to the gateway after the backup.

    With the id, the operator who resolves the job need not search.
    """
    backup = await site.back_up()
    await site.change("UPDATE jobs SET gateway_id = 'video_since' WHERE id = 'job-queued'")
    await site.restore(backup)
    query = sa.select(jobs.c.status, jobs.c.gateway_id).where(jobs.c.id == "job-queued")
    (row,) = await site.rows(lambda it: it.execute(query).all())
    assert tuple(row) == ("unconfirmed", "video_since")
    async with open_database(site.url, home=Home(site.data)) as database:
        await Jobs(database).accept("job-queued", "video_since", now=LATER, due_at=LATER)
    assert (await site.states())["queued"] == "in_progress", "that id takes it up"


@pytest.mark.proof
async def test_a_held_job_whose_gateway_id_is_found_is_in_progress_again(site: Site) -> None:
    """Recording an id is allowed from `unconfirmed`."""
    Spool(site.data).add("job-submitting", "video_found")
    await site.restore(await site.back_up())
    assert (await site.states())["submitting"] == "in_progress", "the backup had it beside its rows"


async def test_changing_the_clock_hides_no_job_that_a_restore_left_in_doubt(site: Site) -> None:
    """The times of rows move with a clock that is set; the posts in chat since then do not."""
    ordered = sa.select(jobs.c.id, jobs.c.created_at)
    rows = await site.rows(lambda it: it.execute(ordered).all())
    before = {row.id: row.created_at for row in rows}
    for shift in (7200.0, -10 * 86_400.0):
        await site.restore(await site.back_up(), now=LATER - 10 * 86_400)
        async with open_database(site.url, home=Home(site.data)) as database:
            await Times(database).shift(shift, now=LATER)
    doubtful = await site.rows(restored_jobs)
    told = {id_.removeprefix("job-") for id_ in doubtful}
    assert told >= {"queued", "submitting", "in_progress", "completed", "unconfirmed"}
    assert "delivered" not in told, "nothing more is said of it"
    assert {id_: before[id_] for id_ in doubtful} == doubtful


@pytest.mark.proof
async def test_messages_unread_at_the_time_of_the_backup_are_not_read_after_a_restore(
    site: Site,
) -> None:
    restored = await site.restore(await site.back_up())
    assert restored.settled.unheard == 1

    query = sa.select(sa.func.count()).where(updates.c.due_at.is_not(None))
    assert await site.rows(lambda it: it.scalar(query)) == 0
    assert await site.rows(lambda it: it.scalar(sa.select(sa.func.count(proposals.c.id)))) == 0
    known = sa.select(sa.func.count(updates.c.id))
    assert await site.rows(lambda it: it.scalar(known)) == 2, "they are known by their numbers"


@pytest.mark.proof
async def test_messages_read_after_the_backup_are_not_read_again_after_a_restore(
    site: Site,
) -> None:
    """A platform sends an update again if it never learned that we had received it."""
    backup = await site.back_up()
    await site.change(
        "INSERT INTO updates (source, id, lane, urgent, received_at, due_at, attempts)"
        f" VALUES ('telegram:1', 77, '5', false, {LATER + 9}, {LATER + 9}, 0)"
    )
    await site.restore(backup)
    query = sa.select(updates.c.due_at).where(updates.c.id == 77)
    assert [tuple(row) for row in await site.rows(lambda it: it.execute(query).all())] == [(None,)]


@pytest.mark.proof
@pytest.mark.parametrize("state", ["delivered", "completed", "in_progress", "queued"])
async def test_a_video_deleted_after_the_backup_stays_deleted_after_a_restore(
    site: Site, state: str
) -> None:
    """The video was delivered before it was deleted, whatever its row in the backup says."""
    backup = await site.back_up()
    Deletions(site.data).add(f"job-{state}", at=LATER + 5)
    restored = await site.restore(backup)
    assert restored.settled.deleted == 1
    query = sa.select(jobs.c.status, jobs.c.video, jobs.c.due_at).where(jobs.c.id == f"job-{state}")
    (row,) = await site.rows(lambda it: it.execute(query).all())
    assert tuple(row) == ("delivered", None, None)


async def test_a_video_deleted_after_the_backup_that_waited_for_conversion_stays_deleted(
    store: Store,
) -> None:
    job = await store.in_state(Status.CONVERTING)
    await store.database.run(lambda it: settle(it, [Deletion(job.id, LATER)], now=LATER))
    row = await store.jobs.get(job.id)
    assert row is not None
    assert (row.status, row.unconverted) == (Status.DELIVERED, None)


@pytest.mark.proof
async def test_a_video_swept_before_and_deleted_after_the_backup_stays_deleted(site: Site) -> None:
    """The message with the video may still be in the chat."""
    await site.change(
        f"UPDATE jobs SET video = NULL, video_gone_at = {LATER} WHERE id = 'job-delivered'"
    )
    backup = await site.back_up()
    Deletions(site.data).add("job-delivered", at=LATER + 5)
    assert (await site.restore(backup)).settled.deleted == 1
    query = sa.select(jobs.c.video_gone_at).where(jobs.c.id == "job-delivered")
    assert await site.rows(lambda it: it.scalar(query)) is None
    query = sa.select(posts.c.due_at).where(posts.c.job_id == "job-delivered")
    assert await site.rows(lambda it: it.scalar(query)) == LATER + 60


async def test_prompt_and_file_names_of_a_deleted_video_do_not_come_back_with_a_restore(
    site: Site,
) -> None:
    backup = await site.back_up()
    query = sa.select(jobs.c.order_data, jobs.c.request_data).where(jobs.c.id == "job-delivered")
    (order, request) = await site.rows(lambda it: it.execute(query).one())
    assert order["wish"]["prompt"]
    assert request["prompt"]
    Deletions(site.data).add("job-delivered", at=LATER + 5)
    await site.restore(backup)
    (order, request) = await site.rows(lambda it: it.execute(query).one())
    wish = order["wish"]
    assert (wish["prompt"], wish["negative_prompt"], request["prompt"]) == ("", "", "")
    assert request["parameters"] == []
    assert {each["filename"] for each in order["pictures"]} <= {""}
    async with open_database(site.url, home=Home(site.data)) as database:
        job = await Jobs(database).get("job-delivered")
    assert job is not None, "it can be read"
    assert moves.deleted(job) == job, "as if it had been deleted here"


@pytest.mark.proof
async def test_after_a_restore_the_message_of_a_deleted_video_is_removed_again(site: Site) -> None:
    backup = await site.back_up()
    Deletions(site.data).add("job-delivered", at=LATER + 5)
    await site.restore(backup)
    query = sa.select(posts.c.due_at).where(posts.c.job_id == "job-delivered")
    assert await site.rows(lambda it: it.scalar(query)) == LATER + 60


async def test_a_record_of_deletions_from_a_newer_version_stops_a_restore(home: Site) -> None:
    backup = await home.back_up()
    Deletions(home.data).file.write_text('{"what": "person", "job": "x", "at": 1.0}\n')
    with pytest.raises(Broken, match="deletions_newer"):
        await home.restore(backup)


@pytest.mark.proof
async def test_a_restore_brings_back_all_other_rows_unchanged(site: Site) -> None:
    """Both kinds of database are tested, for the backup and for its destination."""
    backup = await site.back_up()
    await site.change("DELETE FROM posts")
    await site.change("DELETE FROM jobs WHERE status = 'delivered'")
    await site.restore(backup)
    for table in ("owners", "places", "handles", "moves", "last_notices", "refusals", "gateways"):
        rows = await site.rows(
            lambda it, name=table: former.read(it, jobs.metadata.tables[name])  # type: ignore[misc]
        )
        expected = former.rows()[table]
        assert [{key: row[key] for key in row if key in expected[0]} for row in rows] == [
            {key: value for key, value in row.items() if key in rows[0]} for row in expected
        ], table


@pytest.mark.proof
async def test_a_backup_of_sqlite_can_be_restored_into_postgresql_and_back(
    tmp_path: Path, new_postgres_url: NewUrl
) -> None:
    here = Site(tmp_path / "here")
    await here.furnish()
    there = Site(tmp_path / "there", await new_postgres_url())
    await there.restore(await here.back_up())
    assert await there.states() == AS_RESTORED
    assert (there.data / "media" / former.VIDEO.key).read_bytes() == VIDEO
    back = Site(tmp_path / "back")
    restored = await back.restore(await there.back_up())
    assert await back.states() == AS_RESTORED
    assert (back.data / "media" / former.VIDEO.key).read_bytes() == VIDEO
    assert (restored.files, restored.aside) == (1, None), "there was nothing before"


@pytest.mark.proof
async def test_a_null_character_that_only_sqlite_stores_is_dropped_on_the_way_to_postgresql(
    tmp_path: Path, new_postgres_url: NewUrl
) -> None:
    here, there = Site(tmp_path / "here"), Site(tmp_path / "there", await new_postgres_url())
    await here.furnish()
    await here.change("UPDATE jobs SET detail = 'odd' || char(0) || 'words'")
    await there.restore(await here.back_up())
    query = sa.select(jobs.c.detail).where(jobs.c.id == "job-failed")
    assert await there.rows(lambda it: it.scalar(query)) == "oddwords"


@pytest.mark.proof
async def test_a_restore_leaves_foreign_tables_in_the_same_schema_alone(
    tmp_path: Path, new_postgres_url: NewUrl
) -> None:
    """If a foreign table refers to ours, the restore is refused, and no table is emptied."""
    site = Site(tmp_path, await new_postgres_url())
    await site.furnish()
    backup = await site.back_up()
    await site.change("CREATE TABLE theirs (job text REFERENCES jobs (id))")
    await site.change("INSERT INTO theirs VALUES ('job-queued')")
    with pytest.raises(sa.exc.DBAPIError, match="foreign key"):
        await site.restore(backup)
    count = sa.text("SELECT count(*) FROM theirs")
    assert await site.rows(lambda it: it.scalar(count)) == 1
    assert (await site.states())["queued"] == "queued"
    await site.change("DROP TABLE theirs")


@pytest.mark.proof
async def test_after_a_restore_a_new_row_gets_an_unused_number(site: Site) -> None:
    """PostgreSQL keeps its counters apart from the rows."""
    await site.restore(await site.back_up())
    await site.change(
        "INSERT INTO posts (job_id, platform, kind, attempts, direct)"
        " VALUES ('job-failed', 'discord', 'failure', 0, false)"
    )


@pytest.mark.proof
async def test_a_backup_of_an_earlier_version_is_upgraded_by_its_restore(tmp_path: Path) -> None:
    site = Site(tmp_path)
    await former.write(site.url, "0003")
    backup = await site.back_up()
    assert backup.manifest.revision == "0003"
    await site.restore(backup)
    assert await site.states() == AS_RESTORED
