"""An operator's view of the rows, on both databases: everything is shown and nothing is changed."""

import asyncio
import sqlite3
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.core.errors import Broken
from bot.core.jobs import Job, Status
from bot.core.posts import PostKind
from bot.store.database import open_database
from bot.store.listing import Wanted, open_listing
from bot.store.tables import jobs
from tests.conftest import NewUrl
from tests.contract.rows import NOON, Store, a_job


async def _fill(url: str) -> list[Job]:
    """Store three jobs: Ann's and Bob's in the club, and a later one of Ann's on Telegram."""
    async with open_database(url) as database:
        store = Store(database)
        return [
            await store.in_state(Status.DELIVERED, a_job(id_="aaaa1", person="ann")),
            await store.in_state(
                Status.UNCONFIRMED, a_job(id_="aaaa2", person="bob", now=NOON + 1)
            ),
            await store.admitted(
                a_job(
                    id_="bbbb",
                    person="ann",
                    platform="telegram",
                    community=None,
                    gateway="other",
                    now=NOON + 2,
                )
            ),
        ]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(), ["bbbb", "aaaa2", "aaaa1"]),
        (Wanted(statuses=frozenset({Status.UNCONFIRMED, Status.QUEUED})), ["bbbb", "aaaa2"]),
        (Wanted(platform="discord"), ["aaaa2", "aaaa1"]),
        (Wanted(person="bob"), ["aaaa2"]),
        (Wanted(person="ANN", platform="discord"), ["aaaa1"]),
        (Wanted(person="Ann"), ["bbbb", "aaaa1"]),
        (Wanted(person="an"), []),
        (Wanted(community="club"), ["aaaa2", "aaaa1"]),
        (Wanted(gateway="other"), ["bbbb"]),
        (Wanted(since=NOON + 1), ["bbbb", "aaaa2"]),
        (Wanted(gateway="other", community="club"), []),
    ],
    ids=[*"0123456789x"],
)
async def test_jobs_are_listed_by_the_properties_that_are_asked_for(
    new_url: NewUrl, wanted: Wanted, found: list[str]
) -> None:
    url = await new_url()
    rows = {row.id: row for row in await _fill(url)}
    async with open_listing(url) as listing:
        assert await listing.newest(wanted, most=9) == [rows[id_] for id_ in found]
        assert sum((await listing.counts(wanted)).values()) == len(found)
        assert len(await listing.newest(wanted, most=1)) == min(1, len(found))


async def test_job_counts_are_listed_in_the_order_of_a_jobs_life(new_url: NewUrl) -> None:
    url = await new_url()
    async with open_database(url) as database:
        for status in reversed(Status):
            await Store(database).in_state(status)
    async with open_listing(url) as listing:
        counts = await listing.counts(Wanted())
        assert list(counts.items()) == [(status, 1) for status in Status]


@pytest.mark.parametrize(
    ("beginning", "found"),
    [
        ("aaaa", ["aaaa1", "aaaa2"]),
        ("aaaa1", ["aaaa1"]),
        ("bb", ["bbbb"]),
        ("a%", []),
        ("____", []),
        ("c", []),
    ],
)
async def test_job_ids_are_found_by_their_beginning(
    new_url: NewUrl, beginning: str, found: list[str]
) -> None:
    url = await new_url()
    await _fill(url)
    async with open_listing(url) as listing:
        assert await listing.ids(beginning, most=9) == found


async def test_a_complete_job_id_that_begins_another_id_finds_only_itself(new_url: NewUrl) -> None:
    url = await new_url()
    async with open_database(url) as database:
        for id_ in ("aaaa", "aaaa1"):
            await Store(database).admitted(a_job(id_=id_))
    async with open_listing(url) as listing:
        assert await listing.ids("aaaa", most=9) == ["aaaa"]


async def test_a_job_is_listed_together_with_its_posts(new_url: NewUrl) -> None:
    url = await new_url()
    first, second, _ = await _fill(url)
    async with open_listing(url) as listing:
        assert await listing.job(first.id) == first
        assert [post.kind for post in await listing.posts(first.id)] == [
            PostKind.CARD,
            PostKind.RESULT,
        ]
        assert [post.kind for post in await listing.posts(second.id)][-1] is PostKind.FAILURE


async def test_a_listing_reads_one_moment_and_does_not_block_the_running_service(
    new_url: NewUrl,
) -> None:
    url = await new_url()
    async with open_database(url) as database:
        store = Store(database)
        row = await store.admitted(a_job(id_="aaaa"))
        async with open_listing(url) as listing:
            assert (await listing.job("aaaa")).silent is False
            async with asyncio.timeout(2):  # the service must not be blocked
                await store.moved(row, replace(row, silent=True))
                await store.admitted(a_job(id_="bbbb"))
            assert (await listing.job("aaaa")).silent is False
            assert await listing.counts(Wanted()) == {Status.QUEUED: 1}
        async with open_listing(url) as listing:
            assert (await listing.job("aaaa")).silent is True


async def test_a_listing_cannot_write_to_the_database(new_url: NewUrl) -> None:
    url = await new_url()
    await _fill(url)
    with pytest.raises((Broken, sa.exc.DBAPIError), match=r"readonly|read-only|database_damaged"):
        async with open_listing(url) as listing:
            await listing.run(lambda connection: connection.execute(sa.delete(jobs)))
    async with open_listing(url) as listing:
        assert len(await listing.newest(Wanted(), most=9)) == 3


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE alembic_version SET version_num = '0001'", "database_older"),
        ("UPDATE alembic_version SET version_num = '9999'", "database_newer"),
        ("DELETE FROM alembic_version", "database_newer"),
        ("DROP TABLE alembic_version", "database_empty"),
    ],
)
async def test_a_listing_refuses_a_database_of_another_version(
    new_url: NewUrl, statement: str, code: str
) -> None:
    url = await new_url()
    async with open_database(url) as database:
        await database.run(lambda connection: connection.execute(sa.text(statement)))
    assert await _refusal(url) == code


async def test_a_listing_does_not_create_a_missing_database(tmp_path: Path) -> None:
    assert await _refusal(f"sqlite:///{tmp_path}/no.db") == "database_absent"
    assert list(tmp_path.iterdir()) == []


async def test_a_listing_refuses_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"no database at all, but long enough for one" * 99)
    assert await _refusal(f"sqlite:///{tmp_path}/a.db") == "database_damaged"


@pytest.mark.parametrize("shm", [True, False], ids=["log and its index", "log alone"])
async def test_a_listing_reads_rows_that_a_killed_process_left_in_the_write_ahead_log(
    tmp_path: Path, shm: bool
) -> None:
    """Nobody closed the file, so the rows are in the write-ahead log only."""
    file = tmp_path / "a b#%.db"
    url = f"sqlite:///{file}"
    await _fill(url)
    victim = (
        "import sqlite3, sys, os; it = sqlite3.connect(sys.argv[1]);"
        "it.execute('UPDATE jobs SET detail = 7'); it.commit(); os._exit(9)"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", victim, str(file))
    assert await process.wait() == 9
    assert file.with_name(file.name + "-wal").stat().st_size > 0
    if not shm:
        file.with_name(file.name + "-shm").unlink()
    async with open_listing(url) as listing:
        assert [row.detail for row in await listing.newest(Wanted(), most=9)] == ["7"] * 3


async def test_a_listing_does_not_wait_for_another_process_that_writes(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    await _fill(f"sqlite:///{file}")
    writer = sqlite3.connect(file, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    async with asyncio.timeout(2), open_listing(f"sqlite:///{file}") as listing:
        assert len(await listing.newest(Wanted(), most=9)) == 3
    writer.close()


async def _refusal(url: str) -> str:
    """Return the code with which a listing refuses the database."""
    with pytest.raises(Broken) as refused:
        async with open_listing(url):
            pass
    return refused.value.code
