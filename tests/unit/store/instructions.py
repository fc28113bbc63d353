"""Counts of the instructions that SQLite executes for the queries of a service.

The counts repeat exactly. `counts` takes the same few rows from a database in which many more jobs
wait or are finished; the counts must not depend on how many.
"""

import sqlite3
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from shutil import copyfile
from typing import TypeVar

from bot.core import moves
from bot.core.bells import KINDS, STATES
from bot.core.jobs import Job, Status
from bot.core.pending import Seen
from bot.core.posts import Form, PostKind
from bot.core.updates import Update
from bot.store.causes import Causes
from bot.store.database import Database, open_database
from bot.store.polls import Polls
from bot.store.updates import Updates
from tests.contract.rows import NOON, VIDEO, Store, a_job
from tests.databases import on_driver, sync_nothing, write_tables

FEW = 6
"""Rows of each sort that are due soon after noon; all others are due later."""
SOON = NOON + 2.0
LATER = NOON + 1_000.0
ALL_DUE = NOON + 3_000.0
PLATFORMS = ("discord", "telegram")
Result = TypeVar("Result")
_WAITS = [status for statuses in STATES for status in statuses]


@dataclass(slots=True)
class Counted:
    """Counts of instructions by the name of the query."""

    found: dict[str, int] = field(default_factory=dict)
    _steps: int = 0

    def step(self) -> int:
        """Count one instruction; SQLite calls this method before each instruction."""
        self._steps += 1
        return 0

    async def of(self, name: str, asked: Awaitable[Result]) -> Result:
        """Await the query and store its count under `name`."""
        self._steps = 0
        answer = await asked
        self.found[name] = self._steps
        return answer


async def counts(folder: Path, waiting: int) -> dict[str, int]:
    """Return the cost of each claim, due time, save and card among `waiting` other jobs."""
    template, file = folder / "few.db", folder / f"{waiting}.db"
    if not template.exists():
        await write_tables(template)
        async with _opened(template) as database:
            await _few(Store(database))
    copyfile(template, file)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("PRAGMA synchronous=OFF")
        _many(connection, waiting)
    counted = Counted()
    async with _opened(file) as database:
        await _listen(database, counted)
        await _polls(Store(database), counted)
        for at, name in ((NOON - 1, "none"), (NOON + 100, "few"), (ALL_DUE, "all")):
            await _claims(database, counted, name, now=at)
        await _saves(Store(database), counted)
        await _card(database, counted)
    return counted.found


@asynccontextmanager
async def _opened(file: Path) -> AsyncIterator[Database]:
    async with open_database(f"sqlite:///{file}") as database:
        await sync_nothing(database)
        yield database


async def _listen(database: Database, counted: Counted) -> None:
    await on_driver(database, lambda it: it.set_progress_handler(counted.step, 1))


# --- rows ----------------------------------------------------------------------------------------


async def _few(store: Store) -> None:
    """Store due jobs of each state, and each sort of post on each platform."""
    for status, platform in product((*_WAITS, Status.DELIVERED), PLATFORMS):
        for _ in range(FEW // 2):
            await store.in_state(status, a_job(platform=platform))


def _many(connection: sqlite3.Connection, waiting: int) -> None:
    """Store that many waiting jobs over all states, and as many that were finished today."""
    for status in (*_WAITS, Status.DELIVERED):
        number = waiting if status is Status.DELIVERED else waiting // len(_WAITS)
        is_over = status is Status.DELIVERED
        due = "NULL" if is_over else f"{LATER} + n / 1000.0"
        ids = {"id": f"'{status}' || n", "event_id": f"'{status}' || n", "turn": "n % 50"}
        reason = {"reason": "iif(n % 2, 'at_once', NULL)"} if status is Status.QUEUED else {}
        fresh = {"due_at": due, "claimed_until": "NULL", **ids, **reason}
        _copy(connection, "jobs", fresh, f"WHERE status = '{status}'", number)
        said = f"iif(n % 2, 'discord', 'telegram'), {due}, 0, 0, 0, {'1' if is_over else 'NULL'}"
        for kind in PostKind:
            connection.execute(
                f"INSERT INTO posts (job_id, kind, platform, due_at, attempts, direct, version,"
                f" message_id) {_NUMBERS} SELECT '{status}' || n, '{kind}', {said} FROM numbers",
                {"number": number // 3},
            )
    connection.execute(
        "INSERT INTO notices (gateway, subject, platform, person, detail, waiting, written_at,"
        f" due_at, attempts) {_NUMBERS} SELECT 'main', n, 'discord', '', '', 0, 0, {LATER}, 0"
        " FROM numbers",
        {"number": waiting // 3},
    )
    connection.execute(
        "INSERT INTO updates (source, id, lane, urgent, received_at, attempts)"
        f" {_NUMBERS} SELECT 'telegram', n, n % 99, 0, {NOON}, 0 FROM numbers",
        {"number": waiting // 3},
    )


_NUMBERS = (
    "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :number)"
)


def _copy(
    connection: sqlite3.Connection, table: str, fresh: dict[str, str], which: str, number: int
) -> None:
    names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    columns = ", ".join(fresh.get(name, name) for name in names)
    connection.execute(
        f"INSERT INTO {table} {_NUMBERS} SELECT {columns} FROM numbers,"
        f" (SELECT * FROM {table} {which} LIMIT 1)",
        {"number": number},
    )


# --- queries ------------------------------------------------------------------------------------


async def _claims(database: Database, counted: Counted, due: str, *, now: float) -> None:
    store, until = Store(database), now + 60
    for statuses in STATES:
        name = f"{due} due: {statuses[0]}"
        held = await counted.of(
            f"{name}: claim", store.jobs.claim(statuses, now=now, until=until, most=8)
        )
        assert bool(held) is (due != "none")
        ids = {job.id for job in held}
        await counted.of(f"{name}: next_due", store.jobs.next_due(statuses, but=ids))
    for kinds in KINDS:
        name = f"{due} due: {kinds[0]}"
        posts = await counted.of(
            f"{name}: claim", store.posts.claim(PLATFORMS, kinds, now=now, until=until, most=8)
        )
        await counted.of(
            f"{name}: next_due", store.posts.next_due(PLATFORMS, kinds, but={it.id for it in posts})
        )
    hand = {"now": now, "until": until}
    notices, reports = store.notices, Causes(database)
    await counted.of("notices: claim", notices.claim(PLATFORMS, **hand, most=8))
    await counted.of("notices: next_due", notices.next_due(PLATFORMS))
    await counted.of("reports: claim", reports.claim(PLATFORMS, **hand, most=8))
    await counted.of("reports: next_due", reports.next_due(PLATFORMS))
    await counted.of("pauses: claim", store.pauses.claim(now=now, until=until, most=8))
    await counted.of("pauses: next_due", store.pauses.next_due())
    updates = Updates(database, "telegram")
    arrived = Update(id=9_999_999, lane="lane", data={}, received_at=NOON)
    await counted.of("updates: put", updates.put([arrived]))
    await counted.of("updates: latest", updates.latest())
    await counted.of("updates: due", updates.due(now=now, most=8))
    await counted.of("updates: next_due", updates.next_due(now=now))


async def _saves(store: Store, counted: Counted) -> None:
    """Save a job's whole way, among many that wait for the same slot, and its result."""
    waiting = await store.admitted(a_job(id_="waits", now=NOON))
    await counted.of("begin without a place", store.jobs.begin(waiting, now=SOON, at_once=3))
    await store.usage(waiting)  # the first query of a day counts its rows
    await counted.of("usage", store.usage(waiting))
    row = await counted.of("admit", store.admitted(a_job(id_="row", now=NOON)))
    begun = await counted.of("begin", store.jobs.begin(row, now=SOON, at_once=None))
    assert begun is not None
    row = await counted.of("accept", store.jobs.accept("row", "id", now=SOON, due_at=SOON))
    later = moves.put_off(replace(row, progress=20), due_at=SOON + 5)
    row = await _saved(store, counted, "look", row, later)
    row = await _saved(store, counted, "made", row, moves.completed(row, now=SOON, sources=()))
    row = await _saved(store, counted, "stored", row, moves.stored(row, VIDEO))
    await counted.of("release", store.jobs.release(row))
    asked = ["discord"], [PostKind.RESULT]
    posts = await store.posts.claim(*asked, now=ALL_DUE, until=ALL_DUE, most=FEW)
    result = await counted.of("sending", store.posts.sending(posts[0], Form.FILE, now=SOON))
    assert result is not None
    await counted.of("sent", store.posts.sent(result, "7", "lounge", now=SOON))


async def _polls(store: Store, counted: Counted) -> None:
    """Claim and save polls together."""
    polls = Polls(store.database)
    claim = polls.claim(now=NOON + 100, until=NOON + 160, most=8, but=())
    taken = await counted.of("looks: claim", claim)
    assert len(taken) == FEW
    ids = [each.id for each in taken]
    await counted.of("looks: next_due", polls.next_due(but=ids))
    seen = [Seen(each.id, each.version, 30, NOON, shows=False) for each in taken]
    await counted.of("looks: write", polls.write(seen, now=SOON, ahead=0.0))
    await counted.of("looks: interrupted", polls.next_interrupted(but=()))


async def _saved(store: Store, counted: Counted, name: str, before: Job, after: Job) -> Job:
    saved = await counted.of(f"save: {name}", store.jobs.save(before, after, now=SOON))
    assert saved is not None
    return saved


async def _card(database: Database, counted: Counted) -> None:
    """Run the queries of one edit of a card, except the usage of the day."""
    jobs, posts = Store(database).jobs, Store(database).posts
    await counted.of("card: job", jobs.get("row"))
    await counted.of("card: end", posts.get("row", PostKind.RESULT))
    await counted.of("card: durations", jobs.durations("wan2.5-t2v-preview"))
