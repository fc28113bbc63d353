"""An order that alone meets a lock ends and pauses nothing; a true lock pauses its gateway."""

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
        """Send the POST of the order with this name now."""
        self.now += 1
        if name not in self.jobs:
            self.jobs[name] = await self.store.in_state(Status.SUBMITTING)
        return replace(self.jobs[name], submitted_at=self.now)

    async def pauses(self, name: str, reason: Reason = Reason.BAD_KEY) -> bool:
        """The order's POST meets a lock. Return whether that pauses the gateway."""
        job = await self.sent(name)
        self.now += 10
        return await self.told(job, reason)

    async def told(self, job: Job, reason: Reason = Reason.BAD_KEY) -> bool:
        pause = Pause(reason, until=self.now + 50)
        return await self.store.pauses.lock(
            job, self.account, pause, detail="HTTP 401: no", rooms=(), now=self.now
        )

    async def passes(self, name: str, *, balance: bool = True) -> None:
        """The order's POST is accepted, or answered as for a good key."""
        job = await self.sent(name)
        self.now += 10
        await self.store.pauses.passed(job, self.account, balance=balance)
        if balance:
            await self.store.pauses.works(
                "main", polled=False, asked_at=job.submitted_at or 0, rooms=(), now=self.now
            )

    async def poll_is_locked(self) -> None:
        """Let a poll pause the gateway."""
        self.now += 10
        pause = Pause(Reason.BAD_KEY, until=self.now + 50, polls_only=True)
        await self.store.pauses.pause("main", pause, detail="no", rooms=(), now=self.now)

    async def told_of_pass(self, job: Job) -> None:
        """Record that the job's POST, which left some time ago, was accepted."""
        await self.store.pauses.passed(job, self.account, balance=True)

    async def end_pause(self) -> None:
        """End the pause, as if an order of another account had shown that the gateway works."""
        account, self.account = self.account, OTHER_KEY
        await self.passes("Z")
        self.account = account

    async def play(self, events: str) -> str:
        """Play events and return the fates of the locked orders, `p`aused or `a`lone.

        `A-`: A meets a lock. `A$`: a lock for its balance. `B+`: B is accepted. `B!`: B is
        moderated. `?-`: a poll meets a lock.
        """
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
async def test_a_refusal_concerns_one_order_alone_if_another_order_passed_and_none_was_locked_since(
    store: Store, events: str, fates: str
) -> None:
    assert await History(store).play(events) == fates


async def test_of_two_orders_refused_at_the_same_moment_at_most_one_ends_as_refused_alone(
    store: Store,
) -> None:
    """The balance was filled for a single video: the other orders wait."""
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


async def test_a_post_sent_before_the_first_refusal_does_not_prove_that_the_key_works(
    store: Store,
) -> None:
    history = History(store)
    early = await history.sent("B")
    assert await history.play("A-") == "p"
    await store.pauses.passed(early, KEY, balance=True)
    assert await history.play("A-") == "p"


async def test_the_same_refusal_recorded_twice_counts_once(store: Store) -> None:
    """The database wrote the row, but the connection broke before it could answer."""
    history = History(store)
    refused = await history.sent("A")
    history.now += 10
    assert await history.told(refused)
    await history.play("B+")
    assert await history.told(refused)


async def test_with_another_key_a_refused_order_is_judged_from_the_start(store: Store) -> None:
    history = History(store)
    await history.play("A- B+")
    history.account = OTHER_KEY
    assert await history.play("A- A- C+ A-") == "ppa"


async def test_an_order_accepted_with_another_key_proves_nothing_for_this_key(store: Store) -> None:
    history = History(store)
    await history.play("A-")
    history.account = OTHER_KEY
    await history.play("B+")
    history.account = KEY
    assert await history.play("A-") == "p"


@pytest.mark.proof
async def test_after_a_restart_refused_orders_are_judged_as_before(new_url: NewUrl) -> None:
    url, history, fates = await new_url(), None, ""
    for event in ("A-", "B+", "A-", "C-"):
        async with open_database(url) as database:
            history = history or History(Store(database))
            history.store = Store(database)
            fates += await history.play(event)
    assert fates == "pap"


async def test_an_account_id_depends_on_address_and_key_and_reveals_neither() -> None:
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
async def test_the_rule_for_orders_refused_alone_still_works_after_the_clock_is_set(
    store: Store, step: float
) -> None:
    history = History(store)
    await history.play("A- B+")
    history.now += step
    await Times(store.database).shift(step, now=history.now)
    assert await history.play("A- C-") == "ap"


async def test_entries_from_a_wrong_future_clock_do_not_count_for_an_order(store: Store) -> None:
    history = History(store, now=NOON + 3 * DAY)
    await history.play("A- B+")
    history.now = NOON
    assert await history.play("A- B+ A-") == "pa"


async def test_an_acceptance_dated_by_a_wrong_future_clock_proves_nothing(store: Store) -> None:
    history = History(store)
    assert await history.play("A-") == "p"
    history.now += 3 * DAY
    await history.play("B+")
    history.now -= 3 * DAY
    assert await history.play("A-") == "p"


async def test_a_refusal_with_another_key_does_not_count_against_an_order(store: Store) -> None:
    history = History(store)
    await history.play("A- B+")
    history.account = OTHER_KEY
    await history.play("C-")
    await history.end_pause()
    history.account = KEY
    assert await history.play("A-") == "a"


@pytest.mark.proof
async def test_an_acceptance_recorded_late_does_not_hide_a_later_acceptance(store: Store) -> None:
    """The lock between the two POSTs came before the later POST left."""
    history = History(store)
    await history.play("A-")
    early = await history.sent("B")
    await history.play("D- C+")
    await history.told_of_pass(early)
    assert await history.play("A-") == "a"


async def test_a_post_sent_before_the_first_refusal_proves_nothing_even_after_the_pause(
    store: Store,
) -> None:
    history = History(store)
    early = await history.sent("B")
    await history.play("A-")
    await history.end_pause()
    await history.told_of_pass(early)
    assert await history.play("A-") == "p"


async def test_a_refusal_that_came_after_an_accepted_post_left_counts_even_if_its_order_is_over(
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


async def test_a_refused_order_whose_row_was_deleted_pauses_the_gateway(store: Store) -> None:
    """The order was deleted during its POST, so nothing can be noted on its row."""
    history = History(store)
    await history.play("A- B+")
    job = await history.sent("A")
    await store.database.run(lambda it: it.execute(sa.delete(jobs).where(jobs.c.id == job.id)))
    assert await history.told(job)


async def test_refusals_of_orders_that_were_accepted_or_ended_are_forgotten(store: Store) -> None:
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
    """A gateway that answers by the prompt and keeps the prompts that came."""

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
    """Submit `number` orders with this prompt."""
    return [await workshop.submit(order(prompt=prompt)) for _ in range(number)]


@pytest.mark.proof
async def test_an_order_refused_alone_fails_free_of_charge_and_delays_no_other_order(
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
async def test_a_key_revoked_while_orders_pass_pauses_the_gateway_and_loses_no_order(
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
        # Those that left at the same moment, and one in each pause since.
        assert len(gateway.prompts) < 2 + 9 + 6
        assert {(await workshop.job(job.id)).status for job in waiting} == {Status.QUEUED}
        gateway.answers.clear()
        await workshop.work(2 * PAUSE)
        assert {(await workshop.job(job.id)).status for job in waiting} == {Status.COMPLETED}
