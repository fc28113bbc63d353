"""The queue of conversions: what its cards say, what ends it, and what does not wait for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.core.cards import SOON
from bot.core.conversions import PACE, Conversions
from bot.core.errors import Broken, FileMissing, StorageAway, Temporary
from bot.core.jobs import CLAIM, MOST_CRASHES, Job, Reason, Status
from bot.core.outcomes import Accepted, Failed
from bot.core.replies import Reply
from bot.core.steps.content import CONVERT_TRIES
from bot.core.worker import MOST_STEPS
from bot.store.conversions import ConversionQueue
from bot.store.parts import Store
from bot.store.settings import StoredValues
from bot.workers import job_loops, running, word_loops
from tests.databases import open_rows
from tests.unit.core.scripted import RAW, RunningClock
from tests.unit.core.workshop import Workshop

WORK = RAW.seconds * PACE
"""Seconds that the conversion of a scripted video is expected to take."""
Shown = tuple[str, int | None, object]


def told(reply: Reply) -> Shown:
    """Return the card's sentence, the videos before it, and when it is ready: a time or a word."""
    facts = {fact.id: fact.values.get("at", "soon") for fact in reply.facts}
    return reply.text.id, reply.text.count, facts.get("fact.ready") or facts.get("fact.soon")


async def converted(workshop: Workshop, seconds: float) -> None:
    """Convert the waiting videos. Each takes so many seconds, and cards are edited meanwhile."""

    async def meanwhile() -> None:
        await workshop.speak(seconds)

    workshop.studio.meanwhile = meanwhile
    await workshop.work(600)
    await workshop.speak(1)


@pytest.mark.proof
async def test_a_card_of_a_waiting_conversion_tells_how_many_are_before_it_and_when_it_is_ready(
    workshop: Workshop,
) -> None:
    jobs = [await workshop.in_line(name) for name in ("one", "two", "three")]
    seen: list[Shown] = []

    async def poll() -> None:
        workshop.studio.meanwhile = None
        seen.extend([told(await workshop.cards.card(job)) for job in jobs])

    workshop.studio.meanwhile = poll
    now = workshop.clock.time
    await workshop.work(1)
    assert seen == [
        ("card.converting", None, now + WORK),
        ("card.waiting_for_conversion", 1, now + 2 * WORK),
        ("card.waiting_for_conversion", 2, now + 3 * WORK),
    ]


@pytest.mark.proof
async def test_a_card_of_a_waiting_conversion_is_edited_only_for_visible_changes(
    workshop: Workshop,
) -> None:
    for name in ("one", "two", "three"):
        await workshop.in_line(name)
    began = workshop.clock.time
    await converted(workshop, WORK)
    edits = [told(each) for each in workshop.chat.edited if each.prompt == "three"]
    line, now = "card.waiting_for_conversion", "card.converting"
    ready_at = [each for each in edits if isinstance(each[2], float)]
    assert [(*each[:2], each[2] == "soon") for each in edits if each[0] in (line, now)] == [
        (line, 2, False),
        (line, 1, False),
        (now, None, False),
        (now, None, True),
    ]
    assert all(float(str(each[2])) == pytest.approx(began + 3 * WORK, abs=3) for each in ready_at)
    assert edits[-1][0] == now, "the card goes once the video stands, a moment later"


async def test_a_conversion_that_takes_longer_than_promised_promises_no_other_time(
    workshop: Workshop,
) -> None:
    """The videos behind it get no new time either."""
    for name in ("one", "two"):
        await workshop.in_line(name)
    late: list[Shown] = []

    async def meanwhile() -> None:
        await workshop.speak(WORK + SOON + 5)
        late.extend(told(each) for each in workshop.chat.edited)
        workshop.studio.meanwhile = None

    workshop.studio.meanwhile = meanwhile
    await workshop.work(1)
    assert ("card.converting", None, None) in late
    assert late[-1][2] is None
    count = len(late)
    assert count == len(set(late)), "nothing is said twice"


@pytest.mark.proof
async def test_the_learned_pace_of_conversions_survives_a_restart(workshop: Workshop) -> None:
    for name in ("one", "two", "three"):
        await workshop.in_line(name)
    await converted(workshop, WORK / 2)
    workshop.studio.meanwhile = None
    job = await workshop.in_line("four")
    anew = Conversions(
        ConversionQueue(workshop.database), StoredValues(workshop.database), workshop.clock
    )
    position = await anew.position(job)
    assert position is not None
    assert position.ready_at == pytest.approx(workshop.clock.time + WORK / 2, abs=2)


async def end_of(workshop: Workshop, job: Job) -> tuple[Status, bool | None, list[str]]:
    """Return the job's state, whether its video plays, and the facts of its result."""
    await workshop.speak(60)
    after = await workshop.job(job.id)
    said = [fact.id for _, reply, _ in workshop.chat.said for fact in reply.facts]
    return after.status, after.video.plays if after.video else None, said


async def test_a_video_that_cannot_be_converted_is_posted_as_it_came(workshop: Workshop) -> None:
    workshop.studio.conversions = [RAW]
    job = await workshop.in_line("one")
    await workshop.work(1)
    status, plays, said = await end_of(workshop, job)
    assert (status, plays, "fact.not_converted" in said) == (Status.DELIVERED, False, True)


async def test_a_conversion_that_kills_the_process_is_given_up_and_the_original_posted(
    workshop: Workshop,
) -> None:
    job = await workshop.in_line("one")
    for _ in range(MOST_CRASHES):
        now = workshop.clock.time
        assert await workshop.jobs.claim([Status.CONVERTING], now=now, until=now + CLAIM, most=1)
        workshop.clock.time += CLAIM
    await workshop.work(1)
    status, plays, said = await end_of(workshop, job)
    assert (status, plays, "fact.not_converted" in said) == (Status.DELIVERED, False, True)


@pytest.mark.parametrize("trouble", [StorageAway(), Broken("worker_failed")])
async def test_a_failing_conversion_is_tried_a_few_times_and_then_the_original_is_posted(
    workshop: Workshop, trouble: Temporary | Broken
) -> None:
    workshop.studio.conversions = [trouble] * 9
    job = await workshop.in_line("one")
    await workshop.work(600)
    status, plays, _ = await end_of(workshop, job)
    assert (status, plays) == (Status.DELIVERED, False)
    assert len(workshop.studio.conversions) == 9 - CONVERT_TRIES


async def test_a_video_whose_stored_original_is_gone_is_fetched_again_and_converted(
    workshop: Workshop,
) -> None:
    workshop.studio.conversions = [FileMissing()]
    job = await workshop.in_line("one")
    fetched = len(workshop.gateway.asked)
    await workshop.work(60)
    assert (await end_of(workshop, job))[:2] == (Status.DELIVERED, True)
    assert len(workshop.gateway.asked) == fetched + 1


async def test_a_restart_converts_the_stored_original_without_asking_the_gateway(
    workshop: Workshop,
) -> None:
    """Links to a video may expire within minutes."""
    job = await workshop.in_line("one")
    now = workshop.clock.time
    await workshop.jobs.claim([Status.CONVERTING], now=now, until=now + CLAIM, most=1)
    await workshop.jobs.expire_claims(now=now)
    fetched = len(workshop.gateway.asked)
    await workshop.work(1)
    assert (await end_of(workshop, job))[:2] == (Status.DELIVERED, True)
    assert len(workshop.gateway.asked) == fetched
    after = await workshop.job(job.id)
    assert after.video is not None
    assert (after.video.original.key, after.unconverted) == (RAW.key, None)


@pytest.mark.proof
async def test_failures_and_playable_videos_never_wait_for_conversions(tmp_path: Path) -> None:
    """The real loops run, with a queue of conversions whose first one does not end."""
    async with open_rows(tmp_path) as database:
        workshop, free = Workshop(database, tmp_path, clock=RunningClock()), asyncio.Event()
        workshop.studio.unplayable, workshop.studio.meanwhile = True, free.wait
        workshop.gateway.creations = [Accepted("v1", ("https://gateway.test/v.mp4",))]
        async with asyncio.timeout(20), _running(workshop):
            slow = [await workshop.asked(f"slow {each}") for each in range(MOST_STEPS + 1)]
            while (await workshop.line.waiting())[len(slow) - 1 :] == []:
                await workshop.chat.news.get()
            workshop.studio.unplayable = False
            await workshop.asked("plays")
            assert await _answer(workshop) == ("plays", "result.ready")
            workshop.gateway.polls = [Failed(Reason.MODERATED, "no")]
            await workshop.asked("refused")
            assert await _answer(workshop) == ("refused", "failure.moderated")
            assert {(await workshop.job(job.id)).status for job in slow} == {Status.CONVERTING}
            free.set()
            assert await _answer(workshop) == ("slow 0", "result.ready")


@asynccontextmanager
async def _running(workshop: Workshop) -> AsyncIterator[None]:
    """Run the loops of the service."""
    store = Store.of(workshop.database, workshop.studio.folder)
    common = (workshop.clock, workshop.bells)
    jobs = job_loops(store, workshop.steps, workshop.polling, workshop.probing, *common)
    async with running(*jobs, *word_loops(store, workshop.posting, ["chat"], *common)):
        yield


async def _answer(workshop: Workshop) -> tuple[str | None, str]:
    """Return the prompt of the next order that gets a result or a failure, and the text's id."""
    while True:
        reply = await workshop.chat.news.get()
        if reply.ping:
            return reply.prompt, reply.text.id
