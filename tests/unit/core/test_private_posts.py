"""Results that only their person sees."""

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
    """Let Ann prefer private results."""
    await workshop.preferences.put("chat", "ann", Preferences(private=True))


async def test_a_private_result_is_sent_to_its_person_and_the_card_says_so(
    workshop: Workshop,
) -> None:
    await privately(workshop)
    await workshop.made(order())
    await workshop.speak(60)
    assert said(workshop) == [("result.ready", True, True)]
    assert workshop.chat.edited[-1].text.id == "card.delivered_private"


async def test_a_private_failure_is_sent_to_its_person_too(workshop: Workshop) -> None:
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
async def test_a_private_result_that_its_person_cannot_receive_is_kept_and_never_posted(
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


async def test_when_a_failure_is_sent_in_private_the_channel_still_gets_a_card(
    workshop: Workshop,
) -> None:
    """Without an answer to its command, nobody in the channel would learn that the job is over."""
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


async def test_in_a_private_chat_a_result_is_posted_as_usual_despite_the_privacy_preference(
    workshop: Workshop,
) -> None:
    await privately(workshop)
    alone = order(address=replace(HALL, community=None))
    job = await workshop.made(alone)
    await workshop.speak()
    assert not job.private
    assert said(workshop) == [("result.ready", True, False)]


async def test_other_people_cannot_vary_a_private_result(workshop: Workshop) -> None:
    await privately(workshop)
    job = await workshop.made(order())
    await workshop.speak(60)
    call = Call(event_id="e9", address=HALL, person=BOB, locale="en")
    with pytest.raises(Refused, match="not_yours"):
        await workshop.service.again(job.id, Action.REMIX, call, prompt="a dog")
