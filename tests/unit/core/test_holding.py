"""While an operator has stopped everything or blocked a person: what is said, and what goes on."""

from collections.abc import Awaitable, Callable

import pytest

from bot.core import cards
from bot.core.acts import EVERYTHING, Act, Block
from bot.core.cards import Timing
from bot.core.errors import Refused
from bot.core.jobs import HARD_DEADLINE, Job, Reason, Status
from bot.core.orders import Call
from bot.core.replies import Action
from bot.core.service import Actor
from bot.store.blocks import Blocks
from bot.store.holds import Holds
from tests.unit.core.orders import ANN, BOB, HALL, order
from tests.unit.core.workshop import Workshop

Press = Callable[[Workshop, Job], Awaitable[object]]
CALL = Call(event_id="press", address=HALL, person=ANN, locale="en")


def act(workshop: Workshop, action: str) -> Act:
    return Act(at=workshop.clock.now(), actor="cli:op", action=action, subject=EVERYTHING)


async def stop(workshop: Workshop) -> None:
    """Stop all orders, as an operator."""
    await Holds(workshop.jobs._database).put(EVERYTHING, act(workshop, "stop"))


async def go(workshop: Workshop) -> None:
    """End the stop of all orders."""
    await Holds(workshop.jobs._database).lift(EVERYTHING, act(workshop, "go"))


async def block(workshop: Workshop) -> None:
    """Block Ann."""
    platform = HALL.platform
    row = Block(platform=platform, person=ANN.id, at=0.0, until=None, actor="cli:op", why="")
    await Blocks(workshop.jobs._database).put(row, act(workshop, "user.block"))


@pytest.mark.proof
async def test_during_a_stop_an_order_waits_for_days_and_is_then_sent_once(
    workshop: Workshop,
) -> None:
    job = await workshop.submit(order())
    await stop(workshop)
    await workshop.work(3 * HARD_DEADLINE)
    waiting = await workshop.job(job.id)
    assert (waiting.status, waiting.reason) == (Status.QUEUED, Reason.PAUSED)
    assert workshop.gateway.posts == 0
    assert cards.standing(waiting, Timing(ready_at=5.0)).id == "card.paused"
    assert [each.action for each in cards.card(waiting).buttons] == [Action.CANCEL]
    await go(workshop)
    await workshop.work(60)
    assert (await workshop.job(job.id)).video
    assert workshop.gateway.posts == 1


async def test_during_a_stop_jobs_at_a_gateway_are_still_polled_fetched_and_posted(
    workshop: Workshop,
) -> None:
    job = await workshop.submit(order())
    workshop.gateway.meanwhile = lambda: stop(workshop)
    await workshop.work(120)
    assert (await workshop.job(job.id)).video
    await workshop.speak()
    assert (await workshop.job(job.id)).status is Status.DELIVERED


async def test_a_stop_just_before_the_first_byte_keeps_the_order_from_being_sent(
    workshop: Workshop,
) -> None:
    job = await workshop.submit(order())
    workshop.gateway.before = lambda: stop(workshop)
    await workshop.work(60)
    assert workshop.gateway.posts == 0
    assert (await workshop.job(job.id)).reason is Reason.PAUSED


async def test_during_a_stop_no_form_opens_and_no_order_is_taken(
    workshop: Workshop,
) -> None:
    await stop(workshop)
    for refused in (workshop.service.check(HALL, ANN), workshop.submit(order())):
        with pytest.raises(Refused, match="stopped"):
            await refused


PRESSES: dict[str, Press] = {
    "cancel": lambda it, job: it.service.cancel(job.id, Actor(person=ANN)),
    "don't post": lambda it, job: it.service.silence(job.id, Actor(person=ANN)),
    "delete": lambda it, job: it.service.delete(job.id, Actor(person=ANN)),
    "are you sure": lambda it, job: it.service.check_delete(job.id, Actor(person=ANN)),
    "retry": lambda it, job: it.service.again(job.id, Action.RETRY, CALL),
    "remix": lambda it, job: it.service.varied(job.id, Action.REMIX, CALL, prompt="a dog"),
    "form": lambda it, job: it.service.check(HALL, ANN),
    "order": lambda it, job: it.submit(order()),
}


@pytest.mark.parametrize("press", PRESSES.values(), ids=PRESSES)
async def test_every_press_by_a_blocked_person_is_refused(workshop: Workshop, press: Press) -> None:
    job = await workshop.made(order())
    await block(workshop)
    with pytest.raises(Refused, match="blocked"):
        await press(workshop, job)
    assert (await workshop.job(job.id)).video
    await workshop.speak()
    assert (await workshop.job(job.id)).status is Status.DELIVERED


async def test_a_block_of_one_person_affects_neither_other_people_nor_moderators(
    workshop: Workshop,
) -> None:
    job = await workshop.made(order())
    await block(workshop)
    assert await workshop.submit(order(person=BOB))
    await workshop.speak()
    assert not (await workshop.service.delete(job.id, Actor(person=BOB, moderates=True))).video
