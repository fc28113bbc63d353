"""An order is filled with preferences when it is submitted; a variation repeats its original."""

from dataclasses import replace

import pytest

from bot.core.errors import Refused
from bot.core.orders import Call, Order
from bot.core.preferences import Preferences
from bot.core.replies import Action
from tests.unit.core.orders import ANN, HALL, order
from tests.unit.core.workshop import Workshop

CALL = Call(event_id="c1", address=HALL, person=ANN, locale="en")


async def test_a_submitted_order_is_filled_with_preferences_and_its_card_shows_them(
    workshop: Workshop,
) -> None:
    await workshop.service.preferring.prefer(CALL, "seconds", "10")
    await workshop.service.preferring.prefer(CALL, "aspect", "9:16")
    job = await workshop.submit(order())
    assert (job.request.seconds, job.request.aspect) == (10, "9:16")
    card = await workshop.cards.card(job)
    assert card.facts[0].values["seconds"] == 10


async def test_a_refused_preference_is_not_saved(workshop: Workshop) -> None:
    with pytest.raises(Refused, match="setting_unavailable"):
        await workshop.service.preferring.prefer(CALL, "seconds", "77")
    assert await workshop.service.preferring.of(CALL) == Preferences()


async def test_try_again_repeats_the_job_without_later_preferences_except_privacy(
    workshop: Workshop,
) -> None:
    """The preference was set later and applies to new orders."""
    job = await workshop.made(order())
    await workshop.service.preferring.prefer(CALL, "seconds", "10")
    await workshop.service.preferring.prefer(CALL, "private", "on")
    again = await workshop.service.again(job.id, Action.RETRY, CALL)
    assert again.request.seconds == job.request.seconds
    assert again.private, "but where it goes is for its person to say"


async def test_try_again_repeats_the_preferences_that_filled_the_original_order(
    workshop: Workshop,
) -> None:
    await workshop.service.preferring.prefer(CALL, "seconds", "10")
    job = await workshop.made(order())
    await workshop.service.preferring.prefer(CALL, "seconds", "none")
    again = await workshop.service.again(job.id, Action.RETRY, CALL)
    assert again.request.seconds == 10


@pytest.mark.parametrize("other", [replace(ANN, id="bob"), None])
async def test_preferences_fill_only_the_orders_of_their_own_person(
    workshop: Workshop, other: object
) -> None:
    await workshop.service.preferring.prefer(CALL, "seconds", "10")
    wish: Order = order() if other is None else order(person=replace(ANN, id="bob"))
    job = await workshop.submit(wish)
    assert job.request.seconds == (10 if other is None else 5)
