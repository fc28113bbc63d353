"""Once the end of a job is posted, its card is removed, so that one message of ours stays."""

import pytest

from bot.core.endings import MOST_REMOVALS
from bot.core.errors import BotError, Refused, Temporary
from bot.core.jobs import Job, Reason, Status
from bot.core.outcomes import Busy, Done, Failed, Running, Uncertain
from bot.core.posts import PostKind
from bot.core.replies import Reply, Text
from bot.core.service import Actor
from tests.unit.core.orders import ANN, order
from tests.unit.core.workshop import Workshop

SILENCE = Temporary("no_answer")
STAYS = Refused("card_stays")
MODERATED = Failed(Reason.MODERATED, "policy")
AT = "https://chat.test/hall/m1"


async def settled(workshop: Workshop, job: Job) -> bool:
    """Whether no post of the job is due any more."""
    posts = [await workshop.posts.get(job.id, kind) for kind in PostKind]
    return all(each.due_at is None for each in posts if each)


def lines(workshop: Workshop) -> list[Reply]:
    """Return the edits of the card since its video was made."""
    return [reply for reply in workshop.chat.edited if reply.text.id != "card.completed"]


async def told_first(workshop: Workshop) -> Job:
    """Return a job whose result is posted before any row knows of its card."""
    job = await workshop.submit(order())
    await workshop.work(60)
    now = workshop.clock.time
    (post,) = await workshop.posts.claim(
        ["chat"], [PostKind.RESULT], now=now, until=now + 60, most=1
    )
    await workshop.posting.take(post)
    return await workshop.job(job.id)


async def test_the_card_is_removed_once_the_result_is_posted(workshop: Workshop) -> None:
    job = await workshop.made(order())
    await workshop.speak(60)
    assert (workshop.chat.removed, lines(workshop)) == (["card"], [])
    assert await settled(workshop, job)


async def test_the_card_stays_until_the_result_is_posted(
    workshop: Workshop,
) -> None:
    workshop.chat.sends = [SILENCE]
    await workshop.made(order())
    await workshop.speak(600)
    assert workshop.chat.removed == []


async def test_the_card_is_removed_once_the_failure_is_posted(workshop: Workshop) -> None:
    workshop.gateway.polls = [MODERATED]
    job = await workshop.made(order())
    await workshop.speak(60)
    assert [reply.text.id for _, reply, _ in workshop.chat.said] == ["failure.moderated"]
    assert workshop.chat.removed == ["card"]
    assert await settled(workshop, job)


async def test_an_unconfirmed_job_that_turns_up_keeps_only_its_video_message(
    workshop: Workshop,
) -> None:
    workshop.gateway.creations = [Uncertain("reset")]
    job = await workshop.made(order())
    await workshop.speak(60)
    await workshop.jobs.accept(job.id, "v1", now=workshop.clock.time, due_at=workshop.clock.time)
    await workshop.work(60)
    await workshop.speak(60)
    assert [reply.text.id for _, reply, _ in workshop.chat.said] == [
        "failure.unconfirmed",
        "result.ready",
    ]
    assert set(workshop.chat.removed) == {"card", "m1"}
    assert await settled(workshop, job)


async def test_a_card_that_no_row_knows_is_found_in_the_history_and_removed(
    workshop: Workshop,
) -> None:
    workshop.chat.history["card"] = ("m7", "hall")
    await told_first(workshop)
    await workshop.speak(60)
    assert workshop.chat.removed == ["m7"]
    assert [reply.text.id for _, reply, _ in workshop.chat.said] == ["result.ready"]


@pytest.mark.parametrize("is_readable", [True, False])
async def test_a_card_that_was_never_posted_is_not_posted_after_the_result(
    workshop: Workshop, is_readable: bool
) -> None:
    workshop.chat.is_readable = is_readable
    job = await told_first(workshop)
    await workshop.speak(60)
    assert [reply.text.id for _, reply, _ in workshop.chat.said] == ["result.ready"]
    assert await settled(workshop, job)


async def test_an_answer_recorded_after_the_end_of_its_job_is_removed(workshop: Workshop) -> None:
    job = await told_first(workshop)
    await workshop.speak(60)
    await workshop.posts.posted(job, "late", "hall")
    await workshop.speak(60)
    assert workshop.chat.removed == ["late"]


async def test_a_removal_of_the_card_with_an_unknown_end_is_tried_again(workshop: Workshop) -> None:
    workshop.chat.removals = [SILENCE, SILENCE, None]
    job = await workshop.made(order())
    await workshop.speak(60)
    assert workshop.chat.removed == ["card"] * 3
    assert lines(workshop) == []
    assert await settled(workshop, job)


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("https://chat.test", Text(id="card.elsewhere_at", values={"to": AT})),
        (None, Text(id="card.elsewhere")),
    ],
)
async def test_a_card_that_cannot_be_removed_becomes_one_line_that_points_to_the_result(
    workshop: Workshop, address: str | None, text: Text
) -> None:
    workshop.chat.address, workshop.chat.removals = address, [STAYS]
    job = await workshop.made(order())
    await workshop.speak(60)
    (shown,) = lines(workshop)
    assert shown == Reply(text=text, tone=shown.tone), "no prompt, no facts, no buttons"
    assert await settled(workshop, job)


@pytest.mark.parametrize("edits", [[None], [SILENCE], [Refused("card_gone")]])
async def test_the_removal_of_a_card_is_not_tried_for_ever(
    workshop: Workshop, edits: list[BotError | None]
) -> None:
    workshop.chat.removals, workshop.chat.edits = [SILENCE], [None, *edits]
    job = await workshop.made(order())
    await workshop.speak(86_400.0)
    assert len(workshop.chat.removed) == MOST_REMOVALS
    assert {reply.text.id for reply in lines(workshop)} <= {"card.elsewhere_at"}
    assert await settled(workshop, job)


async def test_a_card_that_cannot_be_removed_says_that_its_video_was_deleted(
    workshop: Workshop,
) -> None:
    workshop.chat.removals = [STAYS]
    job = await workshop.made(order())
    await workshop.speak(60)
    await workshop.service.delete(job.id, Actor(person=ANN))
    await workshop.speak(60)
    assert workshop.chat.edited[-1].text.id == "card.deleted"
    assert workshop.chat.edited[-1].prompt is None


async def test_no_message_of_a_deleted_video_stays(workshop: Workshop) -> None:
    job = await workshop.made(order())
    await workshop.speak(60)
    await workshop.service.delete(job.id, Actor(person=ANN))
    await workshop.speak(60)
    assert set(workshop.chat.removed) == {"card", "m1"}
    assert (len(workshop.chat.said), lines(workshop)) == (1, [])


async def test_a_result_that_replaced_its_card_in_the_same_message_is_not_removed(
    workshop: Workshop,
) -> None:
    """This happens on Telegram after a send with an unknown end."""
    job = await workshop.submit(order())
    await workshop.posts.posted(job, "m1", "hall")
    await workshop.work(60)
    await workshop.speak(60)
    assert (await workshop.job(job.id)).status is Status.DELIVERED
    assert workshop.chat.removed == []
    assert await settled(workshop, job)


@pytest.mark.parametrize("polls", [[], [MODERATED]], ids=["made", "failed"])
async def test_the_card_of_a_result_sent_in_private_stays_as_one_line(
    workshop: Workshop, polls: list[Failed]
) -> None:
    workshop.gateway.polls = [*polls] or [Done()]
    workshop.chat.sends = [Refused("forbidden"), None]
    await workshop.made(order())
    await workshop.speak(60)
    assert workshop.chat.removed == []
    shown = workshop.chat.edited[-1]
    assert shown.text.id == ("card.failed" if polls else "card.delivered_direct")
    assert (shown.prompt, shown.facts, shown.buttons) == (None, (), ())


async def test_the_card_of_a_video_that_is_not_posted_stays(workshop: Workshop) -> None:
    workshop.gateway.polls = [Running()]
    job = await workshop.asked("a cat")
    await workshop.work(1)
    await workshop.service.silence(job.id, Actor(person=ANN))
    workshop.gateway.polls = [Done()]
    await workshop.work(60)
    await workshop.speak(60)
    assert (await workshop.job(job.id)).status is Status.DELIVERED
    assert workshop.chat.removed == []
    assert workshop.chat.edited[-1].text.id == "card.delivered_silent"


async def test_the_card_of_a_cancelled_job_is_its_only_message(workshop: Workshop) -> None:
    workshop.gateway.creations = [Busy(600.0)]
    job = await workshop.asked("a cat")
    await workshop.work(1)
    await workshop.service.cancel(job.id, Actor(person=ANN))
    await workshop.speak(60)
    assert (workshop.chat.said, workshop.chat.removed) == ([], [])
    assert workshop.chat.edited[-1].text.id == "card.cancelled"


async def test_after_a_restore_the_card_of_a_finished_job_is_not_posted_again(
    workshop: Workshop,
) -> None:
    job = await workshop.submit(order())
    await workshop.work(60)
    workshop.posting.restored = {job.id: job.created_at - 7}
    workshop.chat.sends = [SILENCE]
    await workshop.speak(60)
    kinds = {nonce.rpartition("-")[2][0] for nonce, _, _ in workshop.chat.said}
    assert kinds == {"r"}, "the result alone"


async def test_after_a_restore_a_card_that_the_rows_show_is_removed_again(
    workshop: Workshop,
) -> None:
    job = await workshop.made(order())
    workshop.posting.restored = {job.id: job.created_at - 7}
    workshop.chat.history["result"] = ("m7", "hall")
    await workshop.speak(60)
    assert (workshop.chat.said, workshop.chat.removed) == ([], ["card"])
