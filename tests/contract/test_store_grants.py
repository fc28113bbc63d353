"""A grant lets somebody have more today, and nobody gets past limit and grants together."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection

from bot.cli import drawing
from bot.core import moves
from bot.core.accounts import Accounts, Terms
from bot.core.acts import Act
from bot.core.allowances import Allowances, Whose
from bot.core.errors import Refused
from bot.core.jobs import Job, Reason, Status
from bot.core.quotas import TRIES_PER_VIDEO, Limits, Purse
from bot.core.statistics import Statistics
from bot.store import admission
from bot.store.acts import Acts
from bot.store.database import open_database
from bot.store.grants import Grants
from bot.store.statistics import Sums
from tests.conftest import NewUrl
from tests.contract.rows import FREE, NOON, PRICE, Store, a_job, somebody_waits
from tests.fakes.clock import FakeClock
from tests.unit.core.orders import CATALOG, changed

DAY = 86_400.0
ADA = Whose(platform="discord", person="ada", community="club")
CLUB = Whose(platform="discord", community="club")
ONE = {
    "person_videos": (ADA, replace(FREE, person_videos=1)),
    "community_videos": (CLUB, replace(FREE, community_videos=1)),
    "purse_videos": (Whose(), replace(FREE, purse_videos=1)),
    "purse_money": (Whose(), replace(FREE, purse_money=PRICE)),
}


def an_act(now: float = NOON) -> Act:
    return Act(at=now, actor="cli:ann", action="quota.grant", subject="discord:ada")


async def admitted(store: Store, limits: Limits, count: int, *, now: float = NOON) -> int:
    """So many of `count` orders that come at once."""
    wanted = (store.admitted(a_job(now=now), limits) for _ in range(count))
    answers = await asyncio.gather(*wanted, return_exceptions=True)
    assert all(isinstance(answer, Job | Refused) for answer in answers), answers
    return sum(isinstance(answer, Job) for answer in answers)


async def given(store: Store, whose: Whose, limits: Limits, count: int) -> None:
    money = 0 if whose.platform else count * PRICE
    await Grants(store.database).add(whose, limits, an_act(), videos=count, money=money)


@pytest.mark.proof
@pytest.mark.parametrize("name", ONE)
async def test_of_many_at_once_as_many_come_through_as_limit_and_grants_say(
    store: Store, name: str
) -> None:
    whose, limits = ONE[name]
    assert await admitted(store, limits, 4) == 1
    through, _ = await asyncio.gather(admitted(store, limits, 20), given(store, whose, limits, 2))
    assert through + await admitted(store, limits, 9) == 2
    usage = await store.usage(a_job(), limits=limits)
    assert getattr(usage.granted, name) == (2 * PRICE if name == "purse_money" else 2)
    with pytest.raises(Refused) as refused:
        await store.admitted(a_job(), limits)
    assert refused.value.code == f"limit_{name}"
    assert refused.value.values["limit"] == (3 * PRICE if name == "purse_money" else 3)


@pytest.mark.parametrize("name", ONE)
async def test_a_grant_is_for_its_day_and_for_nobody_else(store: Store, name: str) -> None:
    whose, limits = ONE[name]
    await given(store, whose, limits, 5)
    assert await admitted(store, limits, 3, now=NOON + DAY) == 1
    other = a_job(person="bob", community="pub", gateway="pays")
    own = replace(limits, purse=Purse(gateway="pays"))
    assert isinstance(await store.admitted(other, own), Job)
    with pytest.raises(Refused, match=f"limit_{name}"):
        await store.admitted(
            replace(other, id="again", order=changed(other.order, event_id="again")), own
        )


async def test_a_persons_grant_is_no_grant_for_their_community(store: Store) -> None:
    await given(store, ADA, FREE, 5)
    granted = (await store.usage(a_job())).granted
    assert (granted.person_videos, granted.community_videos, granted.purse_videos) == (5, 0, 0)


@pytest.mark.parametrize("name", ONE)
async def test_a_reset_leaves_as_much_as_at_the_beginning_of_the_day(
    store: Store, name: str
) -> None:
    whose, limits = ONE[name]
    grants = Grants(store.database)
    assert not await grants.reset(whose, limits, an_act()), "nothing was used"
    await admitted(store, limits, 1)
    assert [await grants.reset(whose, limits, an_act()) for _ in range(3)] == [True, False, False]
    assert await admitted(store, limits, 4) == 1
    # A grant of before counts: no more than the limit is left by a reset.
    await given(store, whose, limits, 4)
    assert not await grants.reset(whose, limits, an_act())
    assert await admitted(store, limits, 9) == 4
    assert len(await Acts(store.database).latest(most=9)) == 2


async def test_a_reset_makes_up_for_tries_that_failed_too(store: Store) -> None:
    limits = replace(FREE, person_videos=1)
    for _ in range(TRIES_PER_VIDEO):
        job = await store.admitted(a_job(), limits)
        await store.moved(job, moves.failed(job, Reason.REFUSED, charged=False))
    with pytest.raises(Refused, match="limit_person_tries"):
        await store.admitted(a_job(), limits)
    assert await Grants(store.database).reset(ADA, limits, an_act())
    for _ in range(TRIES_PER_VIDEO):
        job = await store.admitted(a_job(), limits)
        await store.moved(job, moves.failed(job, Reason.REFUSED, charged=False))
    with pytest.raises(Refused, match="limit_person_tries"):
        await store.admitted(a_job(), limits)


async def test_a_reset_counts_the_order_that_is_just_taken(
    new_postgres_tables_url: NewUrl,
) -> None:
    """It waits for admissions, and for other resets: two at once would make up for it twice."""
    async with open_database(await new_postgres_tables_url()) as database:
        limits, locked = replace(FREE, person_videos=1), asyncio.Event()

        def order(connection: Connection) -> None:
            locked.set()
            somebody_waits(connection)
            admission.admit(connection, a_job(), limits, now=NOON, card_at=NOON)

        ordering = asyncio.create_task(database.admit(order))
        await locked.wait()
        assert await Grants(database).reset(ADA, limits, an_act())
        await ordering


# --- what operators ask for ----------------------------------------------------------------------


def allowances(store: Store, general: Limits, club: Limits | None = None) -> Allowances:
    own = {("discord", "club"): Terms(catalog=CATALOG, limits=club)} if club else {}
    return Allowances(
        grants=Grants(store.database),
        jobs=store.jobs,
        accounts=Accounts(Terms(catalog=CATALOG, limits=general), own),
        platforms=dict.fromkeys(("discord", "telegram"), r"\S+"),
        clock=FakeClock(NOON),
    )


@pytest.mark.parametrize(
    ("whose", "code"),
    [
        ({"kind": "person", "of": "discord:ada", "videos": 1}, "grant_unneeded"),
        ({"kind": "community", "of": "discord:club", "videos": 1}, "grant_unneeded"),
        ({"kind": "purse", "money": 1}, "grant_unneeded"),
        ({"kind": "person", "of": "discord:ada", "where": "telegram:5"}, "whom_elsewhere"),
    ],
)
async def test_a_grant_that_helps_nobody_is_refused(
    store: Store, whose: dict[str, Any], code: str
) -> None:
    limits = replace(FREE, purse_videos=9)
    with pytest.raises(Refused) as refused:
        await allowances(store, limits).grant(actor="cli:ann", **whose)
    assert refused.value.code == code
    assert await Acts(store.database).latest(most=9) == []


async def test_the_purse_has_the_operators_limits_though_a_community_shares_it(
    store: Store,
) -> None:
    club = replace(FREE, purse_videos=2)
    general = replace(FREE, purse_videos=9)
    shown = await allowances(store, general, club).show(kind="purse")
    videos, _ = drawing.rows(shown, "limits")
    assert (videos["name"], videos["limit"]) == ("purse_videos", 9)


# --- sums ----------------------------------------------------------------------------------------


async def test_sums_tell_what_was_made_and_spent_by_day_person_and_community(store: Store) -> None:
    await store.in_state(Status.DELIVERED)
    await store.in_state(Status.UNCONFIRMED, a_job(person="bob"))
    await store.in_state(Status.FAILED, a_job(person="bob", now=NOON + DAY / 2))
    await store.in_state(Status.QUEUED, replace(a_job(community=None), spend_cost=1))
    await store.in_state(Status.DELIVERED, a_job(now=NOON - 40 * DAY))
    sums = Statistics(
        sums=Sums(store.database).sums,
        time_zone="Asia/Tokyo",
        currency="USD",
        clock=FakeClock(NOON + DAY),
    )

    async def by(word: str) -> list[tuple[object, ...]]:
        answer = await sums.stats(by=word)
        rows, total = answer["rows"], answer["total"]
        assert isinstance(rows, list)
        assert isinstance(total, dict)
        assert (total["made"], total["spent"]) == (1, 2 * PRICE)
        names = ("name", "made", "failed", "unconfirmed", "under_way", "spent")
        return [tuple(row[name] for name in names) for row in rows]

    # Noon is evening there, and midnight the next day.
    assert await by("day") == [
        ("2026-01-15", 1, 0, 1, 1, 2 * PRICE),
        ("2026-01-16", 0, 1, 0, 0, 0),
    ]
    assert await by("person") == [
        ("discord:ada", 1, 0, 0, 1, PRICE),
        ("discord:bob", 0, 1, 1, 0, PRICE),
    ]
    assert await by("community") == [
        ("discord:club", 1, 1, 1, 0, 2 * PRICE),
        ("discord:@", 0, 0, 0, 1, 0),
    ]
    with pytest.raises(Refused, match="stats_by_unknown"):
        await sums.stats(by="mood")
