"""Results for one person alone."""

from dataclasses import replace

import pytest

from bot.core.errors import (
    BotError,
    FilesForbidden,
    FileTooLarge,
    Forbidden,
    Refused,
)
from bot.core.jobs import Reason
from bot.core.orders import Call
from bot.core.outcomes import Failed
from bot.core.preferences import Preferences
from bot.core.replies import Action
from tests.unit.core.orders import BOB, HALL, order
from tests.unit.core.said import said
from tests.unit.core.workshop import Workshop


async def privately(workshop: Workshop) -> None:
    await workshop.preferences.put("chat", "ann", Preferences(private=True))


async def test_a_private_result_goes_to_its_person_at_once_and_the_card_says_so(
    workshop: Workshop,
) -> None:
    await privately(workshop)
    await workshop.made(order())
    await workshop.speak(60)
    assert said(workshop) == [("result.ready", True, True)]
    assert workshop.chat.edited[-1].text.id == "card.delivered_private"


async def test_a_private_failure_goes_to_its_person_too(workshop: Workshop) -> None:
    await privately(workshop)
    workshop.gateway.polls = [Failed(Reason.MODERATED, "policy")]
    await workshop.made(order())
    await workshop.speak(60)
    assert [direct for _, _, direct in said(workshop)] == [True]
    assert workshop.chat.edited[-1].text.id == "card.failed"


@pytest.mark.parametrize(
    "refusals",
    [
        [Refused("person_unreachable")],
        [FileTooLarge(), Refused("person_unreachable")],
        [FilesForbidden(), Refused("person_unreachable")],
        [Forbidden()],
    ],
)
async def test_a_private_result_that_its_person_does_not_take_is_kept_and_never_posted(
    workshop: Workshop, refusals: list[BotError | None]
) -> None:
    await privately(workshop)
    workshop.chat.sends = [*refusals]
    job = await workshop.made(order())
    await workshop.speak(3600)
    assert {direct for _, _, direct in said(workshop)} == {True}
    assert workshop.chat.edited[-1].text.id == "card.undeliverable_private"
    kept = await workshop.job(job.id)
    assert (kept.reason, kept.video is not None) == (Reason.UNDELIVERABLE, True)


async def test_where_a_failure_is_told_in_private_the_channel_still_gets_a_card(
    workshop: Workshop,
) -> None:
    """Without an answer to its command nobody there would learn that it is over."""
    await privately(workshop)
    workshop.without_answers()
    workshop.gateway.polls = [Failed(Reason.MODERATED, "policy")]
    await workshop.submit(order())
    await workshop.work(60)
    await workshop.speak(60)
    assert sorted(said(workshop)) == [
        ("card.failed", False, False),
        ("failure.moderated", False, True),
    ]


async def test_in_a_private_chat_there_is_nothing_to_hide(workshop: Workshop) -> None:
    await privately(workshop)
    alone = order(address=replace(HALL, community=None))
    job = await workshop.made(alone)
    await workshop.speak()
    assert not job.private
    assert said(workshop) == [("result.ready", True, False)]


async def test_others_can_not_go_on_from_a_private_result(workshop: Workshop) -> None:
    await privately(workshop)
    job = await workshop.made(order())
    await workshop.speak(60)
    call = Call(event_id="e9", address=HALL, person=BOB, locale="en")
    with pytest.raises(Refused, match="not_yours"):
        await workshop.service.again(job.id, Action.REMIX, call, prompt="a dog")
