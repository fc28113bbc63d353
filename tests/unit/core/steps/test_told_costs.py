"""The cost that a gateway tells is stored beside our estimate; the one that it told last counts."""

import pytest

from bot.core.jobs import CLAIM, Reason, Status
from bot.core.outcomes import Accepted, Done, Failed, Polled, Running
from bot.core.prices import Cost
from tests.unit.core.orders import order
from tests.unit.core.workshop import Workshop

FIRST, NEXT, LAST = (Cost(micro=micro, currency="USD") for micro in (100, 200, 300))
FEE = Cost(micro=9, currency="EUR", is_fee=True)


@pytest.mark.parametrize(
    ("at_first", "polls", "told"),
    [
        (None, [Done()], None),
        (FIRST, [Done()], FIRST),
        (FIRST, [Running(cost=NEXT), Done(cost=LAST)], LAST),
        (FIRST, [Running(cost=NEXT), Running(), Done()], NEXT),
        (None, [Running(), Done(cost=LAST)], LAST),
        (FIRST, [Done(cost=FEE)], FEE),
    ],
)
async def test_the_cost_that_was_told_last_stays_with_the_job(
    workshop: Workshop, at_first: Cost | None, polls: list[Polled], told: Cost | None
) -> None:
    workshop.gateway.creations = [Accepted("v1", cost=at_first)]
    workshop.gateway.polls = polls
    job = await workshop.submit(order())
    await workshop.work(120)
    end = await workshop.job(job.id)
    assert (end.status, end.told_cost) == (Status.COMPLETED, told)
    assert end.spend_cost == job.spend_cost, "limits go on counting the estimate"


@pytest.mark.parametrize(("last", "told"), [(LAST, LAST), (None, FIRST)])
async def test_a_failed_job_keeps_the_cost_that_was_told(
    workshop: Workshop, last: Cost | None, told: Cost
) -> None:
    workshop.gateway.creations = [Accepted("v1", cost=FIRST)]
    workshop.gateway.polls = [Failed(Reason.REFUSED, "oops", cost=last)]
    job = await workshop.submit(order())
    await workshop.work(120)
    end = await workshop.job(job.id)
    assert (end.status, end.told_cost, end.spend_cost) == (Status.FAILED, told, 0)


async def test_a_cost_told_of_a_job_under_way_is_saved_by_the_polling_loop_too(
    workshop: Workshop,
) -> None:
    """Usual polls share one write of few columns; a poll that tells a cost saves the whole row."""
    workshop.gateway.polls = [Running(5, cost=NEXT)]
    job = await workshop.submit(order())
    await workshop.work(0)
    now = workshop.clock.time = (await workshop.job(job.id)).due_at or 0.0
    (due,) = await workshop.polls.claim(now=now, until=now + CLAIM, most=9, but=())
    await workshop.polling._poll(due)
    under_way = await workshop.job(job.id)
    assert (under_way.status, under_way.progress) == (Status.IN_PROGRESS, 5)
    assert under_way.told_cost == NEXT
