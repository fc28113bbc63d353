"""Costs that gateways told: sums beside our estimates, never across currencies."""

from dataclasses import replace
from typing import Any

import pytest

from bot.core import moves
from bot.core.jobs import Job, Reason, Status
from bot.core.prices import Cost
from bot.core.statistics import Statistics
from bot.core.told import Told
from bot.store.statistics import Sums
from bot.store.verifying import verify
from tests.contract.rows import NOON, PRICE, Store, a_job
from tests.fakes.clock import FakeClock

DAY = 86_400.0


def usd(micro: int, **more: Any) -> Cost:
    return Cost(micro=micro, currency="USD", **more)


async def made(store: Store, cost: Cost | None, job: Job | None = None) -> Job:
    """Return a delivered job whose gateway told this cost."""
    row = await store.in_state(Status.IN_PROGRESS, job)
    return await store.moved(row, moves.completed(row, now=NOON, sources=(), cost=cost))


async def stats(store: Store, *, by: str = "model", currency: str = "USD") -> dict[str, Any]:
    clock = FakeClock(NOON + DAY)
    sums = Sums(store.database)
    statistics = Statistics(sums=sums, time_zone="UTC", currency=currency, clock=clock)
    return {**await statistics.stats(by=by)}


def of(model: str, **changed: Any) -> Job:
    job = a_job()
    return replace(job, request=replace(job.request, model=model, **changed))


async def test_a_told_cost_stays_with_its_job_through_later_moves(store: Store) -> None:
    row = await store.in_state(Status.SUBMITTING)
    row = await store.jobs.accept(row.id, "v1", cost=usd(5), now=NOON, due_at=NOON)
    assert row.told_cost == usd(5)
    row = await store.moved(row, moves.completed(row, now=NOON, sources=(), cost=usd(7)))
    row = await store.moved(row, moves.failed(row, Reason.CONTENT_GONE, charged=True))
    read = await store.jobs.get(row.id)
    assert read is not None
    assert (read.told_cost, read.spend_cost) == (usd(7), PRICE)
    assert (await store.usage(row)).purse_money == PRICE, "limits count the estimate"


async def test_a_batch_of_polls_leaves_the_told_costs_alone(store: Store) -> None:
    from bot.core.pending import Seen
    from bot.store.polls import Polls

    row = await store.in_state(Status.SUBMITTING)
    row = await store.jobs.accept(row.id, "v1", cost=usd(5), now=NOON, due_at=NOON)
    polls = Polls(store.database)
    (due,) = await polls.claim(now=NOON, until=NOON + 60, most=9, but=())
    seen = Seen(due.id, due.version, 40, NOON + 9, shows=False)
    await polls.write([seen], now=NOON, ahead=0.0)
    after = await store.jobs.get(row.id)
    assert after is not None
    assert (after.progress, after.told_cost) == (40, usd(5))


async def test_statistics_show_estimates_beside_told_costs_only_where_both_are_known(
    store: Store,
) -> None:
    await made(store, usd(900_000), of("one"))
    await made(store, usd(100_000), of("one"))
    await made(store, None, of("one"))
    await made(store, usd(400_000), replace(of("two"), spend_cost=1))
    answer = await stats(store)
    names = ("name", "made", "spent", "told_videos", "compared_videos", "estimated", "told")
    assert [tuple(row[name] for name in names) for row in answer["rows"]] == [
        ("one", 3, 3 * PRICE, 2, 2, 2 * PRICE, 1_000_000),
        ("two", 1, 0, 1, 0, 0, 0),
    ]
    total = tuple(answer["total"][name] for name in names)
    assert total == ("", 4, 3 * PRICE, 3, 2, 2 * PRICE, 1_000_000)
    assert answer["other_costs"] == []


async def test_another_currency_and_mere_fees_are_lines_of_their_own_and_never_added_up(
    store: Store,
) -> None:
    await made(store, usd(300))
    await made(store, Cost(micro=7, currency="EUR"))
    await made(store, Cost(micro=8, currency="EUR"))
    await made(store, usd(5, is_fee=True))
    answer = await stats(store, by="day")
    assert (answer["total"]["told_videos"], answer["total"]["told"]) == (1, 300)
    assert answer["other_costs"] == [
        {"currency": "EUR", "is_fee": False, "videos": 2, "told": 15},
        {"currency": "USD", "is_fee": True, "videos": 1, "told": 5},
    ]
    in_euros = await stats(store, currency="eur")
    assert (in_euros["total"]["told_videos"], in_euros["total"]["told"]) == (2, 15)


async def test_a_failed_video_that_counts_nothing_is_compared_with_an_estimate_of_nothing(
    store: Store,
) -> None:
    row = await store.in_state(Status.IN_PROGRESS)
    await store.moved(row, moves.failed(row, Reason.REFUSED, charged=False, cost=usd(9)))
    total = (await stats(store))["total"]
    assert (total["compared_videos"], total["estimated"], total["told"]) == (1, 0, 9)


@pytest.mark.parametrize("by", ["day", "model", "gateway", "person", "community"])
async def test_told_costs_are_grouped_by_every_key_of_the_statistics(store: Store, by: str) -> None:
    await made(store, usd(300))
    await made(store, usd(50), replace(a_job(now=NOON - 40 * DAY)))
    (row,) = (await stats(store, by=by))["rows"]
    assert (row["told"], row["compared_videos"], row["spent"]) == (300, 1, PRICE)


async def test_a_waiting_order_is_reserved_and_not_spent(store: Store) -> None:
    await store.in_state(Status.QUEUED)
    await store.in_state(Status.SUBMITTING)
    await store.in_state(Status.IN_PROGRESS)
    total = (await stats(store))["total"]
    assert (total["waiting"], total["reserved"]) == (1, PRICE)
    assert (total["under_way"], total["spent"]) == (2, 2 * PRICE)


async def test_told_costs_are_summed_by_the_keys_of_a_price(store: Store) -> None:
    for audio in (False, True, None):
        await made(store, usd(100), of("one", quality="720p", audio=audio))
    await made(store, usd(100), of("one", quality="1080p"))
    await made(store, usd(100), of("two"))
    found = await Sums(store.database).told_by_model(NOON)
    assert sorted((each.keys, each.count, each.seconds) for each in found) == [
        (("one", "1080p", ""), 1, 5),
        (("one", "720p", ""), 2, 10),
        (("one", "720p", "silent"), 1, 5),
        (("two", "", ""), 1, 5),
    ]


async def test_a_check_of_the_rows_finds_a_told_cost_that_can_not_be(store: Store) -> None:
    good = await made(store, usd(0))
    bad = [await made(store, usd(-1))]
    bad.append(await made(store, usd(1)))
    await store.database.run(
        lambda it: it.exec_driver_sql(
            f"UPDATE jobs SET told_currency = NULL WHERE id = '{bad[1].id}'"
        )
    )
    verdicts = {each.check: each.trouble for each in await store.database.run(verify)}
    assert verdicts["costs"] == tuple(sorted(each.id for each in bad))
    assert good.id not in verdicts["costs"]


async def test_the_seconds_of_a_given_video_that_cost_money_count_for_the_right_price(
    store: Store,
) -> None:
    await made(store, usd(900_000), of("editor", input_seconds=4))
    (found,) = await Sums(store.database).told_by_model(NOON - DAY)
    assert (found.seconds, found.right_price) == (9, "0.1")


@pytest.mark.parametrize(
    ("told", "seconds", "price"),
    [(420_000, 5, "0.084"), (1, 5, "0.0001"), (10_000_000, 10, "1"), (700_001, 7, "0.1001")],
)
def test_the_right_price_is_never_too_low(told: int, seconds: int, price: str) -> None:
    sums = Told(
        keys=("one",),
        currency="USD",
        is_fee=False,
        is_priced=True,
        is_released=False,
        count=1,
        seconds=seconds,
        estimate=1,
        told=told,
    )
    assert sums.right_price == price
    assert float(price) * seconds * 1e6 >= told
