"""A grant allows more for one day; nobody gets more than the limit and the grants together."""

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
    """Send `count` orders at the same time, and return how many were admitted."""
    wanted = (store.admitted(a_job(now=now), limits) for _ in range(count))
    answers = await asyncio.gather(*wanted, return_exceptions=True)
    assert all(isinstance(answer, Job | Refused) for answer in answers), answers
    return sum(isinstance(answer, Job) for answer in answers)


async def given(store: Store, whose: Whose, limits: Limits, count: int) -> None:
    """Grant `count` videos, or their price to the purse."""
    money = 0 if whose.platform else count * PRICE
    await Grants(store.database).add(whose, limits, an_act(), videos=count, money=money)


@pytest.mark.proof
@pytest.mark.parametrize("name", ONE)
async def test_of_many_simultaneous_orders_limit_plus_grants_are_admitted(
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
async def test_a_grant_holds_for_its_day_and_its_person_or_community_only(
    store: Store, name: str
) -> None:
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


async def test_a_grant_to_a_person_is_no_grant_to_their_community(store: Store) -> None:
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
    # An earlier grant counts: a reset leaves no more than the limit.
    await given(store, whose, limits, 4)
    assert not await grants.reset(whose, limits, an_act())
    assert await admitted(store, limits, 9) == 4
    assert len(await Acts(store.database).latest(most=9)) == 2


async def test_a_reset_also_gives_back_tries_that_failed(store: Store) -> None:
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


async def test_a_reset_counts_an_order_that_is_being_admitted_at_that_moment(
    new_postgres_tables_url: NewUrl,
) -> None:
    """A reset waits for admissions and for other resets; two at once would give back twice."""
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


# --- the use cases of operators ------------------------------------------------------------------


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
async def test_a_grant_of_something_without_a_limit_is_refused(
    store: Store, whose: dict[str, Any], code: str
) -> None:
    limits = replace(FREE, purse_videos=9)
    with pytest.raises(Refused) as refused:
        await allowances(store, limits).grant(actor="cli:ann", **whose)
    assert refused.value.code == code
    assert await Acts(store.database).latest(most=9) == []


async def test_the_purse_shows_the_operators_limit_even_if_a_community_has_its_own(
    store: Store,
) -> None:
    club = replace(FREE, purse_videos=2)
    general = replace(FREE, purse_videos=9)
    shown = await allowances(store, general, club).show(kind="purse")
    videos, _ = drawing.rows(shown, "limits")
    assert (videos["name"], videos["limit"]) == ("purse_videos", 9)


# --- statistics ----------------------------------------------------------------------------------


async def test_the_statistics_sum_videos_and_money_by_day_person_and_community(
    store: Store,
) -> None:
    await store.in_state(Status.DELIVERED)
    await store.in_state(Status.UNCONFIRMED, a_job(person="bob"))
    await store.in_state(Status.FAILED, a_job(person="bob", now=NOON + DAY / 2))
    await store.in_state(Status.QUEUED, replace(a_job(community=None), spend_cost=1))
    await store.in_state(Status.DELIVERED, a_job(now=NOON - 40 * DAY))
    sums = Statistics(
        sums=Sums(store.database),
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
        names = ("name", "made", "failed", "unconfirmed", "waiting", "spent")
        return [tuple(row[name] for name in names) for row in rows]

    # Noon in UTC is evening in Tokyo, and midnight is the next day.
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
