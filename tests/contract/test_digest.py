"""The daily digest: sent once a day, at its hour, and only if there is news."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import time

import pytest

from bot.core import moves
from bot.core.accounts import Accounts, Terms
from bot.core.briefs import brief
from bot.core.causes import Cause, Kind, Report
from bot.core.digest import DAY, LAST_DAY, Digest, News
from bot.core.jobs import Reason, Status
from bot.core.keeping import Rules
from bot.core.learned import Learned
from bot.core.quotas import Limits
from bot.core.sources import Sources
from bot.i18n import say
from bot.store.causes import Causes
from bot.store.outlook import Outlook
from bot.store.statistics import Sums
from tests.contract.rows import NOON, PRICE, Store, a_job
from tests.contract.test_store_notices import own
from tests.fakes.clock import FakeClock
from tests.unit.core.orders import CATALOG

HOUR = 3600.0
NINE = time(9)
LIMITS = Limits(person_videos=None, person_at_once=None, community_videos=None, purse_videos=20)
LOST = Cause(kind=Kind.UNCONFIRMED, facts={"count": 1, "ids": ["a"], "jobs": []})


async def at_once() -> None:
    """Return at once: the causes were checked already."""


class Morning:
    """A digest due at nine in Berlin, which is eight UTC."""

    def __init__(self, store: Store, *, at: float = NOON, digest: time = NINE) -> None:
        self.store, self.clock, self.digest = store, FakeClock(at), digest
        self.price = PRICE // 5
        self.causes, self.rang = Causes(store.database), asyncio.Event()

    async def check(self) -> None:
        """Check once, like a service that was just started."""
        await self.service().check()

    def service(self, checked: Callable[[], Awaitable[None]] = at_once) -> Digest:
        """Return a digest that was not started."""
        outlook = Outlook(self.store.database)
        found = Sources(
            outlook=outlook,
            jobs=self.store.jobs,
            learned=Learned(self.store.jobs),
            accounts=Accounts(Terms(catalog=CATALOG, limits=LIMITS)),
            rules=Rules(),
            currency="USD",
            clock=self.clock,
        )
        news = News(
            day=outlook.day,
            told=Sums(self.store.database).told_by_model,
            price=lambda *_: self.price,
            used=found.used,
            amount=found.amount,
            room=self.room,
            currency="USD",
        )
        return Digest(
            at=self.digest,
            time_zone="Europe/Berlin",
            causes=self.causes,
            settings=self.store.settings,
            news=news,
            rooms=(),
            clock=self.clock,
            changed=self.rang.set,
            checked=checked,
        )

    async def room(self) -> Mapping[str, object]:
        return {"free": 12.5, "media": 0.3, "backup": NOON - 8 * HOUR}

    async def sent(self) -> list[Report]:
        """Tell all reports that are due, and return them."""
        now = self.clock.now()
        due = await self.causes.claim(["discord"], now=now, until=now + 60, most=9)
        for report in due:
            await self.causes.sent(report, "m1", "dm")
        return due

    async def opens(self, *causes: Cause) -> None:
        """Open causes and tell the owner of them."""
        now = self.clock.now()
        await self.causes.settle({Kind.UNCONFIRMED: causes}, rooms=(), now=now)
        await self.sent()


@pytest.fixture
async def morning(store: Store) -> Morning:
    """A digest with one owner, who got the last one two weeks ago."""
    await own(store, ("discord", "7"))
    await store.settings.put(LAST_DAY, "2026-01-01")
    return Morning(store)


async def test_the_digest_says_what_was_made_and_spent_and_what_is_left_to_decide(
    morning: Morning,
) -> None:
    store = morning.store
    for _ in range(3):
        await store.in_state(Status.DELIVERED, a_job())
    for reason in (Reason.MODERATED, Reason.MODERATED, Reason.TIMED_OUT):
        row = await store.in_state(Status.IN_PROGRESS, a_job())
        await store.moved(row, moves.failed(row, reason, charged=False))
    await store.in_state(Status.UNCONFIRMED)
    await store.admitted()
    await morning.opens(LOST)
    await morning.check()
    (report,) = await morning.sent()
    reply = brief(report.kind, report.facts)
    words = [say(text, "en") for text in (reply.text, *reply.facts)]
    spent = 4 * PRICE / 1e6
    assert words[:5] == [
        f"The last day: 3 made, 3 failed, 1 unconfirmed, {spent:.2f} USD spent.",
        "Failed, against the content rules: 2",
        "Failed, never finished by the gateway: 1",
        "Now: 1 waiting, 0 being made",
        "Left for today: 15 of 20 videos",
    ]
    assert words[5] == "Disk: 12.5 GB free; pictures and videos take 0.3 GB"
    assert words[-1].startswith("To decide: I don't know whether 1 order was taken")
    assert "a cat" not in str(report.facts)


async def test_the_digest_is_sent_once_a_day_at_its_hour_even_after_restarts(
    morning: Morning,
) -> None:
    await morning.opens(LOST)
    days = []
    for _ in range(2 * 24 * 2):
        await morning.clock.advance(HOUR / 2)
        await morning.check()
        days += [(report.about, morning.clock.now() - NOON) for report in await morning.sent()]
    assert days == [
        ("2026-01-15", HOUR / 2),
        ("2026-01-16", 20 * HOUR),
        ("2026-01-17", 44 * HOUR),
    ]


@pytest.mark.parametrize("step", [-DAY, -HOUR, HOUR, 6 * HOUR])
async def test_no_second_digest_is_sent_when_the_clock_is_set(
    morning: Morning, step: float
) -> None:
    await morning.opens(LOST)
    await morning.check()
    assert len(await morning.sent()) == 1
    morning.clock.set(step)
    morning.clock.adopt(step)
    await morning.check()
    assert await morning.sent() == []
    morning.clock.adopt(-step)
    await morning.check()
    assert await morning.sent() == []


async def test_a_day_without_news_has_no_digest_and_later_news_wait_for_the_next_day(
    morning: Morning,
) -> None:
    await morning.check()
    await morning.store.in_state(Status.DELIVERED, a_job(now=NOON + HOUR))
    await morning.clock.advance(2 * HOUR)
    await morning.check()
    assert await morning.sent() == []
    await morning.clock.advance(18 * HOUR)
    await morning.check()
    assert [report.about for report in await morning.sent()] == ["2026-01-16"]


async def test_no_digest_is_sent_before_its_hour(store: Store) -> None:
    await own(store, ("discord", "7"))
    morning = Morning(store, at=NOON - 5 * HOUR)
    await morning.opens(LOST)
    await morning.check()
    assert await morning.sent() == []


async def test_a_new_service_sends_no_digest_on_its_first_day(store: Store) -> None:
    await own(store, ("discord", "7"))
    first = Morning(store)
    await first.check()
    await store.in_state(Status.DELIVERED, a_job())
    await first.check()
    assert await first.sent() == []
    await first.clock.advance(DAY)
    await store.in_state(Status.DELIVERED, a_job(now=first.clock.now()))
    await first.check()
    assert [report.kind for report in await first.sent()] == [Kind.DIGEST]


async def test_a_service_that_starts_before_the_digest_hour_sends_a_digest_that_day(
    store: Store,
) -> None:
    await own(store, ("discord", "7"))
    early = Morning(store, at=NOON - 6 * HOUR)
    await early.check()
    await store.in_state(Status.DELIVERED, a_job())
    await early.clock.advance(6 * HOUR)
    await early.check()
    assert [report.kind for report in await early.sent()] == [Kind.DIGEST]


@pytest.mark.parametrize("late", [1.0, 59.0, 61.0, 600.0])
async def test_a_digest_due_just_before_midnight_is_sent_even_if_its_check_comes_late(
    store: Store, late: float
) -> None:
    """A check comes once a minute and takes its time, so the next one may be after midnight."""
    await own(store, ("discord", "7"))
    before_its_time = NOON + 11 * HOUR - 60 - 1  # 23:58:59 in Berlin
    morning = Morning(store, at=before_its_time, digest=time(23, 59))
    await morning.opens(LOST)
    await morning.check()
    assert await morning.sent() == []
    await morning.clock.advance(1 + late)
    await morning.check()
    assert [report.about for report in await morning.sent()] == ["2026-01-15"]
    await morning.clock.advance(60)
    await morning.check()
    assert await morning.sent() == []


async def test_after_a_start_the_digest_waits_for_the_first_check_of_causes(
    morning: Morning,
) -> None:
    """A cause that was open at the last check of an earlier run may be over by now."""
    await morning.opens(LOST)
    await morning.store.in_state(Status.DELIVERED)

    async def checked() -> None:
        await morning.causes.settle({Kind.UNCONFIRMED: []}, rooms=(), now=NOON)

    task = asyncio.create_task(morning.service(checked).run())
    await morning.rang.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    sent = {report.kind: report.facts for report in await morning.sent()}
    assert sent[Kind.DIGEST]["open"] == []
