"""An order that alone meets a lock is ended, and pauses nobody; a true lock pauses its gateway."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core import moves
from bot.core.context import PAUSE
from bot.core.jobs import Job, Reason, Status
from bot.core.notices import Pause
from bot.core.orders import VideoRequest
from bot.core.outcomes import Accepted, Creation, Locked, NotSent
from bot.core.ports import Ready
from bot.core.replies import failure
from bot.gateways.videos_api import GatewayOptions, open_gateways
from bot.i18n import say
from bot.store.database import open_database
from bot.store.refusals import is_alone
from bot.store.tables import jobs, refusals
from bot.store.times import Times
from tests.conftest import NewUrl
from tests.contract.rows import NOON, Store
from tests.databases import hold
from tests.unit.core.orders import order
from tests.unit.core.scripted import ScriptedGateway
from tests.unit.core.workshop import Workshop

KEY = "the account with its key"
OTHER_KEY = "the same with another key"
DAY = 86_400.0


@dataclass
class History:
    """The POSTs of a few orders, one after the other, ten seconds each."""

    store: Store
    now: float = NOON
    account: str = KEY
    jobs: dict[str, Job] = field(default_factory=dict)

    async def sent(self, name: str) -> Job:
        """The order of this name, whose POST leaves now."""
        self.now += 1
        if name not in self.jobs:
            self.jobs[name] = await self.store.in_state(Status.SUBMITTING)
        return replace(self.jobs[name], submitted_at=self.now)

    async def pauses(self, name: str, reason: Reason = Reason.BAD_KEY) -> bool:
        """Its POST meets a lock."""
        job = await self.sent(name)
        self.now += 10
        return await self.told(job, reason)

    async def told(self, job: Job, reason: Reason = Reason.BAD_KEY) -> bool:
        pause = Pause(reason, until=self.now + 50)
        return await self.store.pauses.lock(
            job, self.account, pause, detail="HTTP 401: no", rooms=(), now=self.now
        )

    async def passes(self, name: str, *, balance: bool = True) -> None:
        """Its POST is accepted, or answered as for a good key."""
        job = await self.sent(name)
        self.now += 10
        await self.store.pauses.passed(job, self.account, balance=balance)
        if balance:
            await self.store.pauses.works(
                "main", polled=False, asked_at=job.submitted_at or 0, rooms=(), now=self.now
            )

    async def poll_is_locked(self) -> None:
        """A look pauses the gateway."""
        self.now += 10
        pause = Pause(Reason.BAD_KEY, until=self.now + 50, polls_only=True)
        await self.store.pauses.pause("main", pause, detail="no", rooms=(), now=self.now)

    async def told_of_pass(self, job: Job) -> None:
        """Its POST was accepted; it left some time ago."""
        await self.store.pauses.passed(job, self.account, balance=True)

    async def end_pause(self) -> None:
        """The gateway works again, as an order of another account shows."""
        account, self.account = self.account, OTHER_KEY
        await self.passes("Z")
        self.account = account

    async def play(self, events: str) -> str:
        """`A-`: A meets a lock, `A$`: of its balance, `B+`: B is accepted, `B!`: is moderated,
        `?-`: a look meets a lock. Answers with the fates of the locked: `p`aused or `a`lone."""
        fates = ""
        for event in events.split():
            name, what = event[0], event[1]
            if what == "+":
                await self.passes(name)
            elif what == "!":
                await self.passes(name, balance=False)
            elif name == "?":
                await self.poll_is_locked()
            else:
                reason = Reason.NO_BALANCE if what == "$" else Reason.BAD_KEY
                fates += "p" if await self.pauses(name, reason) else "a"
        return fates


@pytest.mark.proof
@pytest.mark.parametrize(
    ("events", "fates"),
    [
        ("A-", "p"),
        ("A- A- A-", "ppp"),
        ("B+ A-", "p"),
        ("B+ A- A-", "pp"),
        ("A- B+ A-", "pa"),
        ("A$ B+ A$", "pa"),
        ("A- A- B+ A-", "ppa"),
        ("A- B+ C+ A-", "pa"),
        ("A- B+ C- A-", "ppp"),
        ("A- B+ C- A- C- A-", "ppppp"),
        ("A- B+ C- A- D+ A-", "pppa"),
        ("A- C- B+ A- C-", "ppap"),
        ("A- C- B+ A- C- D+ C-", "ppapa"),
        ("A- B+ ?- A-", "pp"),
        ("A- ?- B+ A-", "pa"),
        ("A- B! A-", "pa"),
        ("A$ B! A$", "pp"),
        ("A- B! A$", "pa"),
        ("A- B+ A- C- D-", "papp"),
    ],
)
async def test_an_order_is_alone_if_another_has_passed_and_none_was_locked_since(
    store: Store, events: str, fates: str
) -> None:
    assert await History(store).play(events) == fates


async def test_of_two_that_are_refused_in_one_moment_one_at_most_is_alone(store: Store) -> None:
    """A balance that was filled for a single video: the others wait."""
    history = History(store)
    await history.play("A- C- B+")
    first, second = [await history.sent(name) for name in "AC"]
    history.now += 10
    noted, told = asyncio.Event(), asyncio.Event()

    def alone(connection: Connection) -> bool:
        return is_alone(connection, first, Reason.BAD_KEY, account=KEY, now=history.now)

    one = asyncio.create_task(hold(store.database, alone, begun=noted, may_end=told))
    await noted.wait()
    other = asyncio.create_task(history.told(second))
    done, _ = await asyncio.wait({other}, timeout=0.2)
    told.set()
    assert not done, "it waits for the other to be written"
    assert await one
    assert await other, "paused"


async def test_a_post_that_left_before_the_first_refusal_proves_nothing(store: Store) -> None:
    history = History(store)
    early = await history.sent("B")
    assert await history.play("A-") == "p"
    await store.pauses.passed(early, KEY, balance=True)
    assert await history.play("A-") == "p"


async def test_the_same_refusal_told_twice_is_one(store: Store) -> None:
    """The database took it, and the line was cut before it could say so."""
    history = History(store)
    refused = await history.sent("A")
    history.now += 10
    assert await history.told(refused)
    await history.play("B+")
    assert await history.told(refused)


async def test_with_another_key_an_order_is_judged_anew(store: Store) -> None:
    history = History(store)
    await history.play("A- B+")
    history.account = OTHER_KEY
    assert await history.play("A- A- C+ A-") == "ppa"


async def test_the_pass_of_another_key_proves_nothing(store: Store) -> None:
    history = History(store)
    await history.play("A-")
    history.account = OTHER_KEY
    await history.play("B+")
    history.account = KEY
    assert await history.play("A-") == "p"


@pytest.mark.proof
async def test_a_restart_forgets_nothing_of_it(new_url: NewUrl) -> None:
    url, history, fates = await new_url(), None, ""
    for event in ("A-", "B+", "A-", "C-"):
        async with open_database(url) as database:
            history = history or History(Store(database))
            history.store = Store(database)
            fates += await history.play(event)
    assert fates == "pap"


async def test_an_account_is_an_address_and_a_key_and_tells_neither() -> None:
    settings = [
        GatewayOptions(name="main", base_url="https://a.example", api_key="sk-secret"),
        GatewayOptions(name="twin", base_url="https://a.example/v1", api_key="sk-secret"),
        GatewayOptions(name="key", base_url="https://a.example", api_key="sk-other"),
        GatewayOptions(name="host", base_url="https://b.example", api_key="sk-secret"),
    ]
    async with open_gateways(settings) as gateways:
        main, twin, key, host = (gateways[one.name].account for one in settings)
    assert main == twin
    assert len({main, key, host}) == 3
    assert "secret" not in main
    assert len(main) == 8


@pytest.mark.parametrize("step", [3 * DAY, -DAY])
async def test_the_rule_holds_across_a_clock_that_is_set(store: Store, step: float) -> None:
    history = History(store)
    await history.play("A- B+")
    history.now += step
    await Times(store.database).shift(step, now=history.now)
    assert await history.play("A- C-") == "ap"


async def test_times_of_a_future_that_was_none_speak_for_nobody(store: Store) -> None:
    history = History(store, now=NOON + 3 * DAY)
    await history.play("A- B+")
    history.now = NOON
    assert await history.play("A- B+ A-") == "pa"


async def test_a_pass_of_a_future_that_was_none_speaks_for_nobody(store: Store) -> None:
    history = History(store)
    assert await history.play("A-") == "p"
    history.now += 3 * DAY
    await history.play("B+")
    history.now -= 3 * DAY
    assert await history.play("A-") == "p"


async def test_a_lock_of_another_key_does_not_speak_against_an_order(store: Store) -> None:
    history = History(store)
    await history.play("A- B+")
    history.account = OTHER_KEY
    await history.play("C-")
    await history.end_pause()
    history.account = KEY
    assert await history.play("A-") == "a"


@pytest.mark.proof
async def test_a_pass_that_is_told_late_hides_no_later_one(store: Store) -> None:
    """A lock between the two POSTs came before the later of them left."""
    history = History(store)
    await history.play("A-")
    early = await history.sent("B")
    await history.play("D- C+")
    await history.told_of_pass(early)
    assert await history.play("A-") == "a"


async def test_a_post_that_left_before_the_first_refusal_proves_nothing_after_the_pause(
    store: Store,
) -> None:
    history = History(store)
    early = await history.sent("B")
    await history.play("A-")
    await history.end_pause()
    await history.told_of_pass(early)
    assert await history.play("A-") == "p"


async def test_a_lock_that_came_after_a_pass_had_left_is_remembered_although_its_order_is_over(
    store: Store,
) -> None:
    history = History(store)
    await history.play("A-")
    passing = await history.sent("B")
    await history.play("C-")
    job = history.jobs["C"]
    await store.moved(job, moves.failed(job, Reason.REFUSED, charged=False))
    await history.end_pause()
    await history.told_of_pass(passing)
    assert await history.play("A-") == "p"


async def test_an_order_whose_row_is_gone_pauses_the_gateway(store: Store) -> None:
    """It was deleted during its POST: nothing can be noted of it."""
    history = History(store)
    await history.play("A- B+")
    job = await history.sent("A")
    await store.database.run(lambda it: it.execute(sa.delete(jobs).where(jobs.c.id == job.id)))
    assert await history.told(job)


async def test_nothing_is_remembered_of_orders_that_were_taken_or_are_over(store: Store) -> None:
    history = History(store)
    await history.play("A- C- D- B- B+")
    for name in "AC":
        job = history.jobs[name]
        await store.moved(job, moves.failed(job, Reason.REFUSED_ALONE, charged=False))
    await history.play("E+")

    def left(connection: Connection) -> Sequence[str]:
        return connection.scalars(sa.select(refusals.c.job_id)).all()

    assert await store.database.run(left) == [history.jobs["D"].id]


# --- the steps of jobs ---------------------------------------------------------------------------

LOCK = Locked(Reason.BAD_KEY, "HTTP 403: no access to this model")


class Judging(ScriptedGateway):
    """Answers by the prompt; keeps which prompts came."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, Creation] = {}
        self.prompts: list[str] = []

    @asynccontextmanager
    async def ready(
        self,
        request: VideoRequest,
        files: Sequence[Path],
        *,
        links: Sequence[str] = (),
        into: Path | None = None,
    ) -> AsyncIterator[Ready | NotSent]:
        self.creations = [self.answers.get(request.prompt, Accepted("v1"))]
        self.prompts.append(request.prompt)
        async with super().ready(request, files, links=links, into=into) as ready:
            yield ready


async def ordered(workshop: Workshop, prompt: str, number: int = 1) -> list[Job]:
    return [await workshop.submit(order(prompt=prompt)) for _ in range(number)]


@pytest.mark.proof
async def test_an_order_that_alone_meets_a_lock_is_ended_free_of_charge_and_holds_up_nobody(
    new_url: NewUrl, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway = Judging()
    gateway.answers["odd"] = LOCK
    async with open_database(await new_url()) as database:
        workshop = Workshop(database, tmp_path, gateway)
        (odd,) = await ordered(workshop, "odd")
        await workshop.work(1)
        await ordered(workshop, "fine", 3)
        await workshop.work(2 * PAUSE)
        end = await workshop.job(odd.id)
        assert (end.status, end.reason) == (Status.FAILED, Reason.REFUSED_ALONE)
        assert (end.quota_cost, end.spend_cost) == (0, 0)
        await ordered(workshop, "fine", 2)
        await workshop.work(1)
        reply = say(failure(end).text, "en")
    assert sorted(gateway.prompts) == ["fine"] * 5 + ["odd"] * 2
    assert gateway.prompts[-2:] == ["fine"] * 2, "at once: nothing is paused"
    assert "refused this order but accepted others. I can't tell why" in reply
    (line,) = [it for it in "".join(capsys.readouterr()).splitlines() if "job.refused_alone" in it]
    assert "HTTP 403: no access to this model" in line


@pytest.mark.proof
async def test_a_key_that_is_revoked_while_others_pass_pauses_the_gateway_and_loses_nothing(
    new_url: NewUrl, tmp_path: Path
) -> None:
    gateway = Judging()
    async with open_database(await new_url()) as database:
        workshop = Workshop(database, tmp_path, gateway)
        await ordered(workshop, "fine", 2)
        await workshop.work(PAUSE)
        gateway.answers["fine"] = LOCK
        waiting = await ordered(workshop, "fine", 9)
        for _ in range(5):
            await workshop.work(PAUSE)
        # Those that left in one moment, and one in each pause since.
        assert len(gateway.prompts) < 2 + 9 + 6
        assert {(await workshop.job(job.id)).status for job in waiting} == {Status.QUEUED}
        gateway.answers.clear()
        await workshop.work(2 * PAUSE)
        assert {(await workshop.job(job.id)).status for job in waiting} == {Status.COMPLETED}
