"""Posts that a network refuses, postpones or takes only as a file."""

from dataclasses import replace

import pytest

from bot.core.errors import (
    Broken,
    FileMissing,
    FilesForbidden,
    FileTooLarge,
    Forbidden,
    MessageGone,
    StorageAway,
    Temporary,
)
from bot.core.jobs import Reason, Status
from bot.core.outcomes import Failed, Running, Uncertain
from bot.core.posting import AWAY, MOST_FILES
from bot.core.posts import EDIT_PACE
from bot.core.service import Actor
from tests.unit.core.orders import ANN, order
from tests.unit.core.said import LINK, SILENCE, said
from tests.unit.core.workshop import Workshop


async def test_where_commands_get_no_answer_the_card_is_posted_at_once(
    workshop: Workshop,
) -> None:
    workshop.without_answers()
    await workshop.submit(order())
    await workshop.speak(0.1)
    assert said(workshop) == [("card.taken", False, False)]


async def test_an_order_whose_card_cannot_be_posted_anywhere_is_withdrawn_free_of_charge(
    workshop: Workshop,
) -> None:
    workshop.without_answers()
    workshop.chat.sends = [Forbidden()]
    job = await workshop.submit(order())
    await workshop.speak(60)
    withdrawn = await workshop.job(job.id)
    assert (withdrawn.status, withdrawn.reason) == (Status.CANCELLED, Reason.UNANSWERED)
    assert (withdrawn.quota_cost, withdrawn.spend_cost) == (0, 0)


async def test_a_card_that_is_refused_does_not_withdraw_a_job_that_its_gateway_accepted(
    workshop: Workshop,
) -> None:
    workshop.without_answers()
    workshop.gateway.polls = [Running()]
    workshop.chat.sends = [Forbidden()]
    job = await workshop.submit(order())
    await workshop.work(1)
    await workshop.speak(60)
    assert (await workshop.job(job.id)).status is Status.IN_PROGRESS


async def test_a_card_that_is_refused_does_not_withdraw_an_order_whose_command_was_answered(
    workshop: Workshop,
) -> None:
    workshop.chat.sends = [Forbidden()]
    job = await workshop.submit(order())
    await workshop.speak(60)
    assert (await workshop.job(job.id)).status is Status.QUEUED


@pytest.mark.proof
async def test_a_network_that_says_wait_costs_the_post_no_try(workshop: Workshop, few: int) -> None:
    wait = Temporary("chat_busy", retry_after=3.0, unsent=True)
    workshop.chat.sends = [*([wait] * (2 * few)), None]
    job = await workshop.made(order())
    begun = workshop.clock.time
    await workshop.speak(6 * few + 1)
    assert (await workshop.job(job.id)).delivered_at == begun + 6 * few


@pytest.mark.proof
async def test_an_unreachable_network_costs_the_post_no_try_and_is_tried_every_few_seconds(
    workshop: Workshop, few: int
) -> None:
    away = Temporary("chat_unreachable", away=True)
    workshop.chat.sends = [*([away] * (2 * few)), None]
    job = await workshop.made(order())
    begun = workshop.clock.time
    await workshop.speak(2 * few * AWAY + 1)
    assert (await workshop.job(job.id)).delivered_at == begun + 2 * few * AWAY


async def test_a_deleted_card_is_left_alone_and_the_result_is_still_posted(
    workshop: Workshop,
) -> None:
    workshop.chat.edits = [MessageGone()]
    job = await workshop.made(order())
    await workshop.speak()
    assert (await workshop.job(job.id)).status is Status.DELIVERED


async def test_a_change_during_an_edit_of_the_card_makes_the_card_due_again(
    workshop: Workshop,
) -> None:
    workshop.gateway.polls = [Running()]
    job = await workshop.submit(order())
    await workshop.posts.posted(job, "card", "hall")
    await workshop.work(EDIT_PACE)
    now = workshop.clock.time
    (post,) = await workshop.posts.claim(["chat"], now=now, until=now + 60, most=1)
    workshop.clock.time += 1
    await workshop.service.silence(job.id, Actor(person=ANN))
    await workshop.posting.take(replace(post))
    workshop.chat.edited.clear()
    await workshop.speak(60)
    assert [reply.text.id for reply in workshop.chat.edited] == ["card.in_progress_silent"]


@pytest.mark.parametrize("trouble", [FileMissing(), StorageAway()])
async def test_a_post_whose_file_cannot_be_read_for_now_is_tried_again_with_the_file(
    workshop: Workshop, trouble: Broken | Temporary
) -> None:
    workshop.chat.sends = [trouble, None]
    job = await workshop.made(order())
    await workshop.speak()
    assert (await workshop.job(job.id)).status is Status.DELIVERED


async def test_a_shrunk_video_is_repeated_as_a_file_after_a_send_with_an_unknown_end(
    workshop: Workshop,
) -> None:
    workshop.chat.limit = 1
    workshop.studio.shrinks = True
    workshop.chat.sends = [SILENCE, None]
    await workshop.made(order())
    await workshop.speak()
    assert said(workshop) == [("result.ready", True, False)] * 2
    assert len({nonce for nonce, _, _ in workshop.chat.said}) == 1


@pytest.mark.proof
async def test_waiting_for_a_video_to_be_shrunk_costs_the_post_no_try(workshop: Workshop) -> None:
    workshop.chat.limit = 1
    workshop.studio.shrinks = True
    workshop.studio.shrinking = [Temporary("shrinking", retry_after=20.0, unsent=True)] * 60
    job = await workshop.made(order())
    await workshop.speak()
    assert (await workshop.job(job.id)).status is Status.DELIVERED
    assert said(workshop) == [("result.ready", True, False)]


async def test_a_video_whose_every_smaller_file_is_refused_ends_as_a_plain_message(
    workshop: Workshop,
) -> None:
    """A server that refuses every size must not be sent one file after another for ever."""
    workshop.chat.limit = 1
    workshop.studio.shrinks = True
    workshop.chat.sends = [FileTooLarge()] * MOST_FILES + [None]
    await workshop.made(order())
    await workshop.speak()
    files = [("result.ready", True, False)] * MOST_FILES
    assert said(workshop) == [*files, ("result.too_large", False, False)]


async def test_a_new_size_limit_does_not_change_the_repetition_of_a_send_with_an_unknown_end(
    workshop: Workshop,
) -> None:
    workshop.link = LINK
    workshop.chat.sends = [SILENCE, None]
    await workshop.made(order())
    await workshop.speak(0.5)
    workshop.chat.limit = 1
    await workshop.speak()
    assert said(workshop) == [("result.ready", True, False)] * 2


async def test_where_files_are_forbidden_and_links_impossible_the_result_goes_to_the_person(
    workshop: Workshop,
) -> None:
    workshop.chat.sends = [FilesForbidden(), FilesForbidden(), None]
    await workshop.made(order())
    await workshop.speak()
    assert said(workshop) == [
        ("result.ready", True, False),
        ("result.ready", True, True),
        ("result.not_attachable", False, True),
    ]


async def test_a_failure_is_not_posted_if_its_job_turned_up_meanwhile(workshop: Workshop) -> None:
    workshop.gateway.creations = [Uncertain("reset")]
    job = await workshop.made(order())
    await workshop.jobs.accept(job.id, "v1", now=workshop.clock.time, due_at=workshop.clock.time)
    await workshop.speak()
    assert said(workshop) == []


async def test_a_job_that_turned_up_and_then_failed_edits_its_failure_message(
    workshop: Workshop,
) -> None:
    workshop.gateway.creations = [Uncertain("reset")]
    job = await workshop.made(order())
    await workshop.speak(60)
    workshop.gateway.polls = [Failed(Reason.MODERATED, "policy")]
    await workshop.jobs.accept(job.id, "v1", now=workshop.clock.time, due_at=workshop.clock.time)
    await workshop.work(60)
    await workshop.speak(60)
    assert said(workshop) == [("failure.unconfirmed", False, False)]
    assert "failure.moderated" in [reply.text.id for reply in workshop.chat.edited]
