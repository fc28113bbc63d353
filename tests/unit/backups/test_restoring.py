"""Restores: nothing that may have been paid for is ordered again, and a crash leaves no ruins."""

import asyncio
import json
import shutil
import signal
import sqlite3
import sys
import tarfile
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.backups import archive, opening, restoring
from bot.core import moves
from bot.core.errors import Broken
from bot.core.jobs import Reason, Status
from bot.core.notices import Pause
from bot.core.posts import PostKind
from bot.store import asides, swap
from bot.store.database import check_database, open_database
from bot.store.deletions import Deletion, Deletions
from bot.store.files import sync
from bot.store.identity import Home
from bot.store.jobs import Jobs
from bot.store.locks import lock_file
from bot.store.restored import restored_jobs, settle
from bot.store.spool import Spool
from bot.store.swap import note_of
from bot.store.tables import acts, blocks, drafts, holds, jobs, places, posts, preferences, updates
from bot.store.times import Times
from tests.conftest import NewUrl
from tests.contract.rows import NOON, Store
from tests.e2e.processes import forked
from tests.fakes.disk import no_file_larger_than
from tests.unit.backups.site import LATER, VIDEO, Site
from tests.unit.store import former

AS_RESTORED = {
    "queued": "unconfirmed",
    "submitting": "unconfirmed",
    "in_progress": "in_progress",
    "completed": "completed",
    "delivered": "delivered",
    "failed": "failed",
    "cancelled": "cancelled",
    "unconfirmed": "unconfirmed",
}

_NAMES = ("id", "event_id")
"""The columns of a job that no other one may have."""

_LOAD = """
import asyncio, os, signal, sys
from pathlib import Path
from bot.backups import archive, restoring
from tests.unit.backups.site import Site
load = restoring.load_server
async def killed(*given):
    await load(*given)
    os.kill(os.getpid(), signal.SIGKILL)
restoring.load_server = killed
site = Site(Path(sys.argv[1]), sys.argv[2])
asyncio.run(site.restore(archive.read(Path(sys.argv[3]))))
"""


_AT_ANY = """
import asyncio, os, signal, sys
from pathlib import Path
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from bot.backups import archive
from tests.unit.backups.site import Site
left = int(sys.argv[4])
@sa.event.listens_for(Engine, "before_cursor_execute")
def count(connection, cursor, statement, *_):
    global left
    if connection.dialect.name == "sqlite":
        return
    if statement.split()[0].upper() not in ("SELECT", "BEGIN", "SHOW", "SET"):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
site = Site(Path(sys.argv[1]), sys.argv[2])
asyncio.run(site.restore(archive.read(Path(sys.argv[3]))))
"""


@pytest.fixture
async def site(tmp_path: Path, new_url: NewUrl) -> Site:
    """On SQLite and on PostgreSQL."""
    site = Site(tmp_path, await new_url())
    await site.furnish()
    return site


@pytest.fixture
async def home(tmp_path: Path) -> Site:
    """On SQLite, where it stands by itself."""
    site = Site(tmp_path)
    await site.furnish()
    return site


@pytest.fixture
async def store(new_tables_url: NewUrl) -> AsyncIterator[Store]:
    """Rows that are made safe where they are, on both databases."""
    async with open_database(await new_tables_url()) as database:
        yield Store(database)


# --- what becomes of the rows --------------------------------------------------------------------


async def test_whatever_may_have_been_ordered_since_is_held(site: Site) -> None:
    restored = await site.restore(await site.back_up())
    assert await site.states() == AS_RESTORED
    assert (restored.settled.held, restored.settled.looking) == (2, 1)
    costs = (jobs.c.quota_cost, jobs.c.spend_cost)
    held = sa.select(jobs.c.reason, *costs, jobs.c.due_at, jobs.c.ended_at).where(
        jobs.c.reason == "restored"
    )
    found = await site.rows(lambda it: it.execute(held).all())
    assert [tuple(row) for row in found] == 2 * [("restored", 0, 700_000, None, LATER + 60)]


async def test_of_a_held_job_nothing_is_said(store: Store) -> None:
    """Its card was due in the backup, and may stand in the chat by now."""
    await store.admitted()
    await store.in_state(Status.SUBMITTING)
    await store.database.run(lambda it: settle(it, (), now=LATER))
    assert await store.due_posts(now=LATER + 9999) == []


async def test_what_somebody_had_in_hand_is_free_and_nobody_has_crashed(store: Store) -> None:
    job = await store.in_state(Status.IN_PROGRESS)
    await store.claimed(Status.IN_PROGRESS)
    await store.claimed_post(now=NOON + 60)
    await store.database.run(lambda it: settle(it, (), now=NOON + 1))
    (again,) = await store.jobs.claim([Status.IN_PROGRESS], now=NOON + 1, until=LATER, most=9)
    assert (again.id, again.crashes) == (job.id, 0)
    assert await store.due_posts(now=NOON + 60) == [(job.id, PostKind.CARD)]


async def test_what_operators_were_to_be_told_that_day_is_not_told(store: Store) -> None:
    locked = Pause(Reason.BAD_KEY, NOON + 50)
    await store.pauses.pause("main", locked, detail="", rooms=["playground"], now=NOON)
    await store.database.run(lambda it: settle(it, (), now=LATER))
    platforms = ["discord", "playground"]
    assert await store.notices.claim(platforms, now=LATER, until=LATER + 60, most=9) == []


@pytest.mark.proof
async def test_a_held_job_has_its_id_at_the_gateway_where_that_is_known(site: Site) -> None:
    """It was ordered since, as the present rows show: whoever resolves it need not search."""
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
async def test_a_held_job_is_taken_up_once_its_id_is_found(site: Site) -> None:
    """By whoever resolves it: recording an id succeeds from `unconfirmed`."""
    Spool(site.data).add("job-submitting", "video_found")
    await site.restore(await site.back_up())
    assert (await site.states())["submitting"] == "in_progress", "the backup had it beside its rows"


async def test_no_clock_makes_a_job_out_of_a_backup_look_like_a_new_one(site: Site) -> None:
    """Rows move with a clock that is set; what a chat shows since then does not."""
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
async def test_what_people_wrote_and_nobody_read_is_not_read_again(site: Site) -> None:
    restored = await site.restore(await site.back_up())
    assert restored.settled.unheard == 1

    query = sa.select(sa.func.count()).where(updates.c.due_at.is_not(None))
    assert await site.rows(lambda it: it.scalar(query)) == 0
    assert await site.rows(lambda it: it.scalar(sa.select(sa.func.count(drafts.c.id)))) == 0
    known = sa.select(sa.func.count(updates.c.id))
    assert await site.rows(lambda it: it.scalar(known)) == 2, "they are known by their numbers"


@pytest.mark.proof
async def test_what_was_heard_since_is_not_heard_again(site: Site) -> None:
    """A platform tells of it once more, if it never learned that we had it."""
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
async def test_a_video_that_was_deleted_since_stays_deleted(site: Site, state: str) -> None:
    """It was delivered before that, whatever its row says in the backup."""
    backup = await site.back_up()
    Deletions(site.data).add(f"job-{state}", at=LATER + 5)
    restored = await site.restore(backup)
    assert restored.settled.deleted == 1
    query = sa.select(jobs.c.status, jobs.c.video, jobs.c.due_at).where(jobs.c.id == f"job-{state}")
    (row,) = await site.rows(lambda it: it.execute(query).all())
    assert tuple(row) == ("delivered", None, None)


async def test_a_video_that_waited_for_its_conversion_and_was_deleted_since_is_gone(
    store: Store,
) -> None:
    job = await store.in_state(Status.CONVERTING)
    await store.database.run(lambda it: settle(it, [Deletion(job.id, LATER)], now=LATER))
    row = await store.jobs.get(job.id)
    assert row is not None
    assert (row.status, row.unconverted) == (Status.DELIVERED, None)


@pytest.mark.proof
async def test_a_video_that_was_kept_its_time_and_deleted_since_stays_deleted(site: Site) -> None:
    """Its message may still be in the chat."""
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


async def test_the_words_of_a_deleted_video_do_not_come_back(site: Site) -> None:
    """Nor do the names of files, which are words too."""
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
async def test_its_message_is_removed_once_more(site: Site) -> None:
    backup = await site.back_up()
    Deletions(site.data).add("job-delivered", at=LATER + 5)
    await site.restore(backup)
    query = sa.select(posts.c.due_at).where(posts.c.job_id == "job-delivered")
    assert await site.rows(lambda it: it.scalar(query)) == LATER + 60


async def test_a_deletion_that_only_a_newer_program_knows_stops_a_restore(home: Site) -> None:
    backup = await home.back_up()
    Deletions(home.data).file.write_text('{"what": "person", "job": "x", "at": 1.0}\n')
    with pytest.raises(Broken, match="deletions_newer"):
        await home.restore(backup)


@pytest.mark.proof
async def test_all_else_is_as_it_was(site: Site) -> None:
    """Whichever database it comes from, and whichever it goes to."""
    backup = await site.back_up()
    await site.change("DELETE FROM posts")
    await site.change("DELETE FROM jobs WHERE status = 'delivered'")
    await site.restore(backup)
    for table in ("owners", "places", "handles", "moves", "told", "refusals", "gateways"):
        rows = await site.rows(
            lambda it, name=table: former.read(it, jobs.metadata.tables[name])  # type: ignore[misc]
        )
        expected = former.rows()[table]
        assert [{key: row[key] for key in row if key in expected[0]} for row in rows] == [
            {key: value for key, value in row.items() if key in rows[0]} for row in expected
        ], table


@pytest.mark.proof
async def test_rows_move_from_one_kind_of_database_to_the_other(
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
async def test_a_text_that_only_sqlite_takes_holds_up_no_move(
    tmp_path: Path, new_postgres_url: NewUrl
) -> None:
    here, there = Site(tmp_path / "here"), Site(tmp_path / "there", await new_postgres_url())
    await here.furnish()
    await here.change("UPDATE jobs SET detail = 'odd' || char(0) || 'words'")
    await there.restore(await here.back_up())
    query = sa.select(jobs.c.detail).where(jobs.c.id == "job-failed")
    assert await there.rows(lambda it: it.scalar(query)) == "oddwords"


@pytest.mark.proof
async def test_what_another_program_keeps_beside_our_tables_stays(
    tmp_path: Path, new_postgres_url: NewUrl
) -> None:
    """Also where it points to ours: the restore is refused, and nothing is emptied along."""
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
async def test_a_new_row_takes_no_number_that_is_taken(site: Site) -> None:
    """PostgreSQL counts beside its rows."""
    await site.restore(await site.back_up())
    await site.change(
        "INSERT INTO posts (job_id, platform, kind, attempts, direct)"
        " VALUES ('job-failed', 'discord', 'failure', 0, false)"
    )


@pytest.mark.proof
async def test_a_backup_of_an_earlier_version_comes_up_to_date(tmp_path: Path) -> None:
    site = Site(tmp_path)
    await former.write(site.url, "0003")
    backup = await site.back_up()
    assert backup.manifest.revision == "0003"
    await site.restore(backup)
    assert await site.states() == AS_RESTORED


# --- what operators decided since ----------------------------------------------------------------


async def _undecided(site: Site) -> None:
    for table in ("holds", "blocks", "acts"):
        await site.change(f"DELETE FROM {table}")


async def _act(site: Site, action: str, subject: str, at: float) -> None:
    await site.change(
        "INSERT INTO acts (at, actor, action, subject, why, details)"
        f" VALUES ({at}, 'cli:ann', '{action}', '{subject}', 'odd bill', '{{}}')"
    )


async def test_what_people_made_private_since_stays_so(site: Site) -> None:
    await site.change("DELETE FROM preferences")
    await site.change(
        "INSERT INTO preferences VALUES ('discord', '7', 'wan', 5, NULL, NULL, false)"
    )
    await site.change("INSERT INTO preferences VALUES ('discord', '8', NULL, 5, NULL, NULL, false)")
    backup = await site.back_up()
    await site.change("UPDATE preferences SET private = true WHERE person = '7'")
    await site.restore(backup)
    rows = await site.rows(
        lambda it: it.execute(sa.select(preferences).order_by(preferences.c.person)).all()
    )
    assert [(row.person, row.family, row.seconds, row.private) for row in rows] == [
        ("7", "wan", 5, True),
        ("8", None, 5, False),
    ]


async def test_what_was_stopped_blocked_and_closed_since_stays_so(site: Site) -> None:
    await _undecided(site)
    backup = await site.back_up()
    await site.change(f"INSERT INTO holds VALUES ('*', {LATER + 5}, 'cli:ann', 'odd bill')")
    await _act(site, "stop", "*", LATER + 5)
    await site.change(
        f"INSERT INTO blocks VALUES ('discord', '7', {LATER + 6}, NULL, 'cli:ann', 'spam')"
    )
    await _act(site, "user.block", "discord:7", LATER + 6)
    await site.change(f"UPDATE places SET allowed = false, decided_at = {LATER + 7}")
    restored = await site.restore(backup)
    assert (restored.settled.carried, restored.settled.stopped) == (2, False)
    (hold,) = await site.rows(lambda it: it.execute(sa.select(holds)).all())
    assert tuple(hold) == ("*", LATER + 5, "cli:ann", "odd bill")
    people = await site.rows(lambda it: it.scalars(sa.select(blocks.c.person)).all())
    assert list(people) == ["7"]
    allowed = await site.rows(lambda it: it.scalars(sa.select(places.c.allowed).distinct()).all())
    assert list(allowed) == [False]
    again = await site.restore(await site.back_up())
    assert again.settled.carried == 0, "each act is there once"


async def test_what_was_let_go_since_is_not_stopped_again(site: Site) -> None:
    await _undecided(site)
    await site.change(f"INSERT INTO holds VALUES ('*', {LATER - 9}, 'cli:ann', '')")
    await site.change(f"INSERT INTO holds VALUES ('main', {LATER - 9}, 'cli:ann', '')")
    await site.change(f"INSERT INTO blocks VALUES ('discord', '7', {LATER}, NULL, 'a', '')")
    await site.change(f"INSERT INTO blocks VALUES ('discord', '8', {LATER}, NULL, 'a', '')")
    backup = await site.back_up()
    await site.change("DELETE FROM holds")
    await site.change("DELETE FROM blocks")
    await _act(site, "go", "*", LATER + 5)
    await _act(site, "user.unblock", "discord:7", LATER + 5)
    await site.restore(backup)
    found = await site.rows(lambda it: it.scalars(sa.select(holds.c.name)).all())
    assert list(found) == ["main"], "nobody has let it go, as far as an act shows"
    found = await site.rows(lambda it: it.scalars(sa.select(blocks.c.person)).all())
    assert list(found) == ["8"]


@pytest.mark.parametrize("how", ["damaged", "deleted"])
async def test_where_nobody_knows_what_was_stopped_it_starts_stopped(home: Site, how: str) -> None:
    await _undecided(home)
    backup = await home.back_up()
    if how == "damaged":
        home.file.write_bytes(b"Dear diary, " * 1000)
    else:
        home.file.unlink()
    assert (await home.restore(backup)).settled.stopped
    found = await home.rows(lambda it: it.scalars(sa.select(holds.c.name)).all())
    assert list(found) == ["*"]
    found = await home.rows(lambda it: it.scalars(sa.select(acts.c.actor)).all())
    assert list(found) == ["restore"]


async def test_a_new_house_starts_as_the_backup_was(home: Site, tmp_path: Path) -> None:
    there = Site(tmp_path / "there")
    assert not (await there.restore(await home.back_up())).settled.stopped


# --- what stands in the way ----------------------------------------------------------------------


async def test_a_running_service_is_not_restored_under(home: Site) -> None:
    backup = await home.back_up()
    with lock_file(home.file), pytest.raises(Broken, match="database_in_use"):
        await home.restore(backup)


async def test_rows_that_are_not_what_they_were_stop_a_restore(home: Site) -> None:
    backup = await home.back_up()
    _flip(backup.folder / "zoetrope.db")
    before = home.file.read_bytes()
    with pytest.raises(Broken, match="backup_damaged"):
        await home.restore(backup)
    assert home.file.read_bytes() == before


@pytest.mark.proof
async def test_a_video_that_is_not_what_it_was_stops_none_and_is_left_out(home: Site) -> None:
    backup = await home.back_up()
    _flip(backup.folder / "media" / former.VIDEO.key)
    await home.storage.delete(former.VIDEO.key)
    restored = await home.restore(backup)
    assert (restored.files, restored.missing) == (0, (former.VIDEO.key,))
    assert await home.states() == AS_RESTORED


def _flip(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


@pytest.mark.parametrize("what", ["folder", "file", "tar"])
async def test_a_full_disk_is_named_by_the_folder_that_needs_room(home: Site, what: str) -> None:
    """And not by the backup, which is read and not written."""
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


async def test_a_newer_backup_is_refused(home: Site) -> None:
    backup = await home.back_up()
    newer = backup.manifest.model_copy(update={"revision": "9999"})
    with pytest.raises(Broken, match="backup_newer"):
        await home.restore(archive.Backup(backup.folder, newer))


@pytest.mark.proof
async def test_a_tar_file_of_a_backup_is_one(home: Site) -> None:
    backup = await home.back_up()
    packed = home.folder / "backup.tar.gz"
    with tarfile.open(packed, "w:gz") as file:
        file.add(backup.folder, backup.folder.name)
    for place in (packed, backup.folder / "manifest.json"):
        with opening.opened(place) as found:
            await home.restore(found)
    assert await home.states() == AS_RESTORED


@pytest.mark.parametrize("name", ["zoetrope.db.saved", "backup.tar"])
async def test_a_file_beside_the_rows_can_be_restored(home: Site, name: str) -> None:
    """As a copy that was saved lies there: what it is unpacked into is not swept along."""
    backup, place = await home.back_up(), home.data / name
    if name.endswith("tar"):
        with tarfile.open(place, "w") as file:
            file.add(backup.folder, backup.folder.name)
    else:
        shutil.copyfile(backup.folder / "zoetrope.db", place)
    with opening.opened(place) as found:
        await home.restore(found)
    assert await home.states() == AS_RESTORED


def test_what_a_killed_restore_left_goes_from_beside_the_rows(tmp_path: Path) -> None:
    """It has all that people wrote in it; wherever the database is."""
    (tmp_path / "rows").mkdir()
    site = Site(tmp_path, f"sqlite:///{tmp_path}/rows/zoetrope.db")
    left = tmp_path / "rows" / ".unfinished-abc"
    left.mkdir()
    (left / "zoetrope.db").write_text("all that people wrote")
    restoring.clear(site.config)
    assert not left.exists()


@pytest.mark.proof
async def test_a_bare_file_of_rows_is_made_safe_as_well(home: Site) -> None:
    """Such as one that was saved, or lay aside; what is in its journal comes along."""
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
async def test_a_backup_that_was_only_copied_does_not_run(home: Site) -> None:
    """Its queued jobs would be ordered, and paid for, once more."""
    backup = await home.back_up()
    home.file.write_bytes((backup.folder / "zoetrope.db").read_bytes())
    with pytest.raises(Broken, match="database_is_backup"):
        await home.states()
    with pytest.raises(Broken, match="database_is_backup"):
        await check_database(home.url, home=Home(home.data))
    await home.restore(backup)
    assert await home.states() == AS_RESTORED


async def test_what_is_no_backup_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("Dear diary")
    for place in (tmp_path, tmp_path / "file", tmp_path / "nothing"):
        with pytest.raises(Broken, match="backup_absent"), opening.opened(place):
            pass


async def test_a_list_that_names_files_elsewhere_is_not_followed(home: Site) -> None:
    backup = await home.back_up()
    text = (backup.folder / "manifest.json").read_text()
    for elsewhere in ("../../zoetrope.db", str(backup.folder / "zoetrope.db")):
        (backup.folder / "manifest.json").write_text(text.replace("zoetrope.db", elsewhere))
        with pytest.raises(Broken, match="backup_damaged"):
            archive.read(backup.folder)


# --- the former rows -----------------------------------------------------------------------------


async def test_the_former_rows_are_kept(site: Site) -> None:
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
async def test_tables_of_a_server_that_cant_be_read_are_kept_as_they_are(
    tmp_path: Path, new_postgres_url: NewUrl, change: str
) -> None:
    """Of a newer version, as on the way back from an update; of an earlier one; or damaged."""
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


async def test_later_jobs_are_named(site: Site) -> None:
    backup = await site.back_up()
    later = f"id = 'job-later', created_at = {LATER + 9}"
    await site.change(f"UPDATE jobs SET {later} WHERE id = 'job-in_progress'")
    found = await restoring.later_jobs(site.config, backup)
    assert found is not None
    assert [(it.id, it.gateway_id) for it in found] == [("job-later", "video_in_progress")]


async def test_a_job_that_came_while_it_was_made_is_not_lost(home: Site) -> None:
    await home.change(f"UPDATE jobs SET created_at = {LATER + 0.1} WHERE id = 'job-queued'")
    assert await restoring.later_jobs(home.config, await home.back_up()) == []


@pytest.mark.parametrize("clock", [-9, 86_400.0], ids=["a clock that was behind", "a copy"])
async def test_a_later_job_is_named_whatever_a_clock_says(home: Site, clock: float) -> None:
    """A copied file is younger than its rows, and a machine's clock may be anything."""
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


async def test_every_later_job_is_named(home: Site) -> None:
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


async def test_where_there_are_no_rows_nobody_says_what_is_lost(tmp_path: Path) -> None:
    here, there = Site(tmp_path / "here"), Site(tmp_path / "there")
    await here.furnish()
    assert await restoring.later_jobs(there.config, await here.back_up()) is None


@pytest.mark.proof
async def test_damaged_rows_are_replaced_and_kept(home: Site) -> None:
    backup = await home.back_up()
    home.file.write_bytes(b"Dear diary, " * 1000)
    restored = await home.restore(backup)
    assert await home.states() == AS_RESTORED
    assert restored.aside is not None
    assert (restored.aside / "zoetrope.db").read_bytes().startswith(b"Dear diary")


async def test_what_an_earlier_restore_left_half_done_is_undone_first(home: Site) -> None:
    """The rows that are kept are those of before it, and not the ones it was about to bring."""
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


def test_rows_that_were_not_moved_yet_keep_their_journal(tmp_path: Path) -> None:
    """The process died right after it wrote down that an exchange begins."""
    file, journal = tmp_path / "zoetrope.db", tmp_path / "zoetrope.db-wal"
    for each in (file, journal):
        each.write_text("former")
    told = {"aside": str(tmp_path / "aside"), "had_rows": True}
    note_of(file).write_text(json.dumps(told))
    swap.undo(file)
    assert (file.exists(), journal.exists()) == (True, True)


# --- a crash anywhere ----------------------------------------------------------------------------


@pytest.mark.proof
@pytest.mark.parametrize("step", [2, 4, 6])
async def test_a_restore_that_is_killed_leaves_the_former_rows(home: Site, step: int) -> None:
    assert await _killed_at(home, step) == -signal.SIGKILL


@pytest.mark.proof
@pytest.mark.timeout(600)
async def test_a_restore_may_be_killed_at_any_step(tmp_path: Path) -> None:
    """Until one runs through: so it was killed at each."""
    step = 1
    while await _killed_at(await _furnished(tmp_path / f"{step}"), step):
        step += 1
    assert step > 8


@pytest.mark.proof
@pytest.mark.timeout(600)
async def test_an_undoing_may_be_killed_at_any_step_too(tmp_path: Path) -> None:
    step = 1
    while (code := await _killed_at(await _furnished(tmp_path / f"{step}"), step, "ill")) != 1:
        assert code == -signal.SIGKILL
        step += 1
    assert step > 10


@pytest.mark.proof
async def test_a_restore_that_is_killed_in_its_transaction_changes_nothing(
    tmp_path: Path, new_postgres_url: NewUrl
) -> None:
    site = Site(tmp_path, await new_postgres_url())
    await site.furnish()
    backup = await site.back_up()
    await site.change("UPDATE jobs SET detail = 'after' WHERE id = 'job-queued'")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _LOAD, str(site.folder), site.url, str(backup.folder)),
    )
    assert await process.wait() == -signal.SIGKILL
    async with asyncio.timeout(60):
        while (states := await _states_of(site)) is None:
            pass  # the server hears of it a moment later
    assert states["queued"] == "queued"
    await site.restore(backup)
    assert await site.states() == AS_RESTORED


@pytest.mark.parametrize(
    "step", [5, *(pytest.param(each, marks=pytest.mark.proof) for each in (1, 2, 3, 4, 6, 7, 8))]
)
async def test_a_restore_that_is_cancelled_loses_neither_rows(
    home: Site, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """As by Ctrl-C: the new rows are there with the former ones aside, or the former ones.

    Where steps run beside the event loop, an undoing meets an exchange that goes on.
    """
    backup = await home.back_up()
    loop, threads = asyncio.get_running_loop(), ThreadPoolExecutor()
    loop.set_default_executor(threads)
    goes_on, has_ended = threading.Event(), threading.Event()
    exchange, left = swap.exchange, step
    task = asyncio.ensure_future(home.restore(backup))

    def counted(place: Path) -> None:
        nonlocal left
        sync(place)
        left -= 1
        if left == 0:
            loop.call_soon_threadsafe(task.cancel)
        if threading.current_thread() is threading.main_thread():
            return
        if left == 0:
            goes_on.wait()
        elif left < 0 and not goes_on.is_set():
            goes_on.set()
            has_ended.wait()

    def ended(*given: Path) -> None:
        try:
            exchange(*given)
        finally:
            has_ended.set()

    with monkeypatch.context() as patched:
        patched.setattr(swap, "sync", counted)
        patched.setattr(swap, "exchange", ended)
        with suppress(asyncio.CancelledError):
            await task
        threads.shutdown()
    loop.set_default_executor(ThreadPoolExecutor())
    is_new = (await home.states())["queued"] == "unconfirmed"
    kept = list(home.data.glob(f"{restoring.ASIDE}*/zoetrope.db"))
    assert len(kept) == is_new
    assert not note_of(home.file).exists()
    await home.restore(backup, now=LATER + 99)
    assert await home.states() == AS_RESTORED


_AT_THE_END = (
    """
    CREATE FUNCTION refuse() RETURNS trigger AS
    $$ BEGIN RAISE EXCEPTION 'the end'; END; $$ LANGUAGE plpgsql
    """,
    """
    CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON jobs DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION refuse()
    """,
)


async def test_the_former_rows_stay_aside_where_nobody_knows_how_a_restore_ended(
    tmp_path: Path, new_postgres_url: NewUrl
) -> None:
    """The end of a transaction may have come through although an error came back."""
    site = Site(tmp_path, await new_postgres_url())
    await site.furnish()
    backup = await site.back_up()
    for statement in _AT_THE_END:
        await site.change(statement)
    with pytest.raises(sa.exc.SQLAlchemyError, match="the end"):
        await site.restore(backup)
    (aside,) = site.data.glob(f"{restoring.ASIDE}*")
    assert (aside / "zoetrope.db").exists()
    await site.change("DROP TRIGGER refuse ON jobs")
    await site.restore(backup, now=LATER + 99)
    assert await site.states() == AS_RESTORED


@pytest.mark.proof
@pytest.mark.timeout(600)
async def test_a_restore_into_a_server_may_be_killed_anywhere_in_it(
    tmp_path: Path, new_postgres_url: NewUrl
) -> None:
    """At every seventh statement that writes: the rows are the former ones, or the new ones."""
    site = Site(tmp_path, await new_postgres_url())
    await site.furnish()
    backup = await site.back_up()
    step, code = 1, None
    detail = sa.select(jobs.c.detail).where(jobs.c.id == "job-cancelled")
    while code != 0:
        await _freed(site)
        await site.change("UPDATE jobs SET detail = 'after' WHERE id = 'job-cancelled'")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _AT_ANY, str(site.folder), site.url, str(backup.folder)),
            str(step),
        )
        code = await process.wait()
        assert code in (0, -signal.SIGKILL)
        await _freed(site)
        assert await site.rows(lambda it: it.scalar(detail)) == ("after" if code else None)
        step += 7
    assert step > 15
    assert await site.states() == AS_RESTORED


async def _freed(site: Site) -> None:
    async with asyncio.timeout(60):
        while await _states_of(site) is None:
            pass  # the server hears of a death a moment later


async def test_a_restore_that_ends_unwell_is_undone(home: Site) -> None:
    assert await _killed_at(home, 10_000, "ill") == 1
    assert not note_of(home.file).exists(), "by itself"


async def _states_of(site: Site) -> dict[str, str] | None:
    try:
        return await site.states()
    except Broken:
        return None


async def _furnished(folder: Path) -> Site:
    site = Site(folder)
    await site.furnish()
    return site


async def _killed_at(site: Site, step: int, *ill: str) -> int | None:
    """The exit code; the rows are the former ones or the new ones, whole, and stay restorable."""
    backup = await site.back_up()
    await site.change("UPDATE jobs SET detail = 'after' WHERE id = 'job-queued'")
    arguments = [str(site.folder), str(backup.folder), str(step), *ill]
    process = await forked("tests.unit.backups.victim", arguments, {})
    await process.communicate()
    code = process.returncode
    query = sa.select(jobs.c.status, jobs.c.detail).where(jobs.c.id == "job-queued")
    (row,) = await site.rows(lambda it: it.execute(query).all())
    former_rows, new_rows = ("queued", "after"), ("unconfirmed", None)
    # Killed at its very last step, it is done already.
    assert tuple(row) in ((former_rows, new_rows) if code else (new_rows,))
    assert not note_of(site.file).exists()
    await site.restore(backup, now=LATER + 99)
    assert await site.states() == AS_RESTORED
    return code
