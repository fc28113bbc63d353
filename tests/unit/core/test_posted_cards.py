"""The content of cards, while a job runs and at its end."""

from dataclasses import replace

import pytest

from bot.core.accounts import Terms
from bot.core.catalog import Catalog
from bot.core.errors import (
    FilesForbidden,
)
from bot.core.jobs import Job, Status
from bot.core.outcomes import Busy, Running
from bot.core.posts import PostKind
from bot.core.replies import Reply, Text
from bot.core.service import Actor
from bot.core.wishes import AUTO
from tests.unit.core.orders import ANN, SORA, order
from tests.unit.core.scripted import FREE
from tests.unit.core.workshop import Workshop

TIME = 210
"""Seconds after which every promised time has passed."""


@pytest.mark.proof
async def test_a_card_whose_promised_time_has_passed_says_late_and_promises_no_other_time(
    workshop: Workshop,
) -> None:
    workshop.gateway.polls = [Running()]
    await workshop.made(order())
    await workshop.speak(120)
    facts = [fact.id for fact in workshop.chat.edited[-1].facts]
    assert "fact.ready" not in facts
    await workshop.speak(3600)
    assert "fact.late" in [fact.id for fact in workshop.chat.edited[-1].facts]


async def watched(workshop: Workshop, seconds: int) -> Job:
    """Return a job with a posted card, after so many seconds of steps and posts."""
    job = await workshop.submit(order())
    await workshop.posts.posted(job, "card", "hall")
    for _ in range(seconds // 6):
        await workshop.work(3)
        await workshop.speak(3)
    return await workshop.job(job.id)


def promises(reply: Reply) -> bool:
    """Whether the card promises a time."""
    return any(fact.id in ("fact.ready", "fact.soon") for fact in reply.facts)


@pytest.mark.proof
@pytest.mark.parametrize("progress", [0, 50, 99, 100])
async def test_progress_that_stands_still_causes_no_further_edits_of_the_card(
    workshop: Workshop, progress: int
) -> None:
    """Otherwise "ready in a second" would go on for ever, with an edit every other second."""
    workshop.gateway.polls = [Running(progress)]
    assert (await watched(workshop, TIME)).status is Status.IN_PROGRESS
    said = [(reply.progress, promises(reply)) for reply in workshop.chat.edited]
    shown = min(progress, 99)
    assert said[-1] == (shown, False)
    assert set(said[:-1]) <= {(0, True), (shown, True)}
    assert len(said) <= 4


@pytest.mark.proof
async def test_a_card_whose_promised_time_has_passed_never_promises_a_time_again(
    workshop: Workshop,
) -> None:
    """However fast the job goes on then, a promise that failed once is not made again."""
    workshop.gateway.polls = [Running(each) for each in range(10, 99, 2)]
    await watched(workshop, TIME)
    promised = [promises(reply) for reply in workshop.chat.edited]
    assert promised == sorted(promised, reverse=True)
    assert not promised[-1]


@pytest.mark.proof
async def test_the_card_of_a_queued_job_is_edited_only_when_it_is_tried(workshop: Workshop) -> None:
    workshop.gateway.creations = [Busy(60.0)]
    assert (await watched(workshop, TIME)).status is Status.QUEUED
    waits = Text(id="card.waiting_for_gateway")
    assert all(reply.text.values["state"] == waits for reply in workshop.chat.edited)
    assert not any(promises(reply) for reply in workshop.chat.edited)
    assert len(workshop.chat.edited) == workshop.gateway.posts


async def test_the_card_says_that_its_video_was_sent_to_its_person_alone(
    workshop: Workshop,
) -> None:
    workshop.chat.sends = [FilesForbidden(), FilesForbidden(), None]
    await workshop.made(order())
    await workshop.speak(60)
    assert workshop.chat.edited[-1].text.id == "card.delivered_direct"


@pytest.mark.proof
async def test_a_running_card_never_shows_a_ready_time_that_may_have_passed(
    workshop: Workshop,
) -> None:
    """Chat apps count down by themselves and would show "ready a second ago"."""
    workshop.gateway.polls = [Running()]
    await workshop.made(order())
    timing = []
    for _ in range(150):
        await workshop.speak(1)
        facts = workshop.chat.edited[-1].facts if workshop.chat.edited else ()
        timing += [each for each in facts if each.id in ("fact.ready", "fact.soon")]
        for each in timing[-1:]:
            at = each.values.get("at")
            assert at is None or float(str(at)) > workshop.clock.time, each
    assert {each.id for each in timing} == {"fact.ready", "fact.soon"}


@pytest.mark.parametrize(
    ("ordered_at", "cost"), [({"720p": 100_000}, ["0.40 USD"]), ({}, [])], ids=["priced", "free"]
)
async def test_a_card_shows_the_price_at_the_time_of_the_order(
    workshop: Workshop, ordered_at: dict[str, int], cost: list[str]
) -> None:
    _price(workshop, ordered_at)
    job = await workshop.submit(order())
    _price(workshop, {"720p": 900_000})
    assert await _costs(workshop, job) == cost


async def test_the_card_of_a_cancelled_job_shows_no_price(workshop: Workshop) -> None:
    _price(workshop, {"720p": 100_000})
    job = await workshop.submit(order())
    over = await workshop.service.cancel(job.id, Actor(person=ANN))
    assert await _costs(workshop, over) == []


async def test_the_card_of_an_auto_length_shows_the_highest_price(
    workshop: Workshop,
) -> None:
    _price(workshop, {"720p": 100_000}, auto=True)
    job = await workshop.submit(order(seconds=AUTO))
    facts = (await workshop.cards.card(job)).facts
    assert Text(id="fact.cost_most", values={"cost": "0.80 USD"}) in facts


def _price(workshop: Workshop, prices: dict[str, int], *, auto: bool = False) -> None:
    """Give the club's model these prices."""
    catalog = Catalog(models=(replace(SORA, prices=prices, auto=auto),))
    workshop.own["chat", "club"] = Terms(catalog=catalog, limits=FREE)


async def _costs(workshop: Workshop, job: Job) -> list[object]:
    """Return the costs that the job's card shows."""
    facts = (await workshop.cards.card(job)).facts
    return [fact.values["cost"] for fact in facts if fact.id == "fact.cost"]


@pytest.mark.proof
async def test_a_video_removed_by_age_before_it_was_posted_is_not_posted(
    workshop: Workshop,
) -> None:
    job = await workshop.made(order())
    gone = replace(job, video=None, video_gone_at=workshop.clock.time)
    assert await workshop.jobs.save(job, gone, now=workshop.clock.time) is not None
    said = len(workshop.chat.said)
    await workshop.speak()
    assert (len(workshop.chat.said), workshop.chat.removed) == (said, [])
    post = await workshop.posts.get(job.id, PostKind.RESULT)
    assert post is not None
    assert post.due_at is None
