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


async def test_where_commands_have_no_answer_the_card_is_posted_at_once(
    workshop: Workshop,
) -> None:
    workshop.without_answers()
    await workshop.submit(order())
    await workshop.speak(0.1)
    assert said(workshop) == [("card.queued", False, False)]


async def test_what_nobody_can_be_told_of_is_withdrawn_and_counts_for_nobody(
    workshop: Workshop,
) -> None:
    workshop.without_answers()
    workshop.chat.sends = [Forbidden()]
    job = await workshop.submit(order())
    await workshop.speak(60)
    withdrawn = await workshop.job(job.id)
    assert (withdrawn.status, withdrawn.reason) == (Status.CANCELLED, Reason.UNANSWERED)
    assert (withdrawn.quota_cost, withdrawn.spend_cost) == (0, 0)


async def test_a_refused_card_withdraws_nothing_that_a_gateway_may_have(
    workshop: Workshop,
) -> None:
    workshop.without_answers()
    workshop.gateway.polls = [Running()]
    workshop.chat.sends = [Forbidden()]
    job = await workshop.submit(order())
    await workshop.work(1)
    await workshop.speak(60)
    assert (await workshop.job(job.id)).status is Status.IN_PROGRESS


async def test_where_the_command_was_answered_a_refused_card_withdraws_nothing(
    workshop: Workshop,
) -> None:
    workshop.chat.sends = [Forbidden()]
    job = await workshop.submit(order())
    await workshop.speak(60)
    assert (await workshop.job(job.id)).status is Status.QUEUED


@pytest.mark.proof
async def test_to_be_told_to_wait_is_no_failed_try(workshop: Workshop, few: int) -> None:
    wait = Temporary("chat_busy", retry_after=3.0, unsent=True)
    workshop.chat.sends = [*([wait] * (2 * few)), None]
    job = await workshop.made(order())
    begun = workshop.clock.time
    await workshop.speak(6 * few + 1)
    assert (await workshop.job(job.id)).delivered_at == begun + 6 * few


@pytest.mark.proof
async def test_a_network_that_is_away_costs_no_try_and_is_back_within_seconds(
    workshop: Workshop, few: int
) -> None:
    away = Temporary("chat_unreachable", away=True)
    workshop.chat.sends = [*([away] * (2 * few)), None]
    job = await workshop.made(order())
    begun = workshop.clock.time
    await workshop.speak(2 * few * AWAY + 1)
    assert (await workshop.job(job.id)).delivered_at == begun + 2 * few * AWAY


async def test_a_deleted_card_is_let_go_and_the_result_still_comes(workshop: Workshop) -> None:
    workshop.chat.edits = [MessageGone()]
    job = await workshop.made(order())
    await workshop.speak()
    assert (await workshop.job(job.id)).status is Status.DELIVERED


async def test_a_change_during_an_edit_is_not_forgotten(workshop: Workshop) -> None:
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
async def test_trouble_with_our_own_file_is_tried_again_and_never_said_otherwise(
    workshop: Workshop, trouble: Broken | Temporary
) -> None:
    workshop.chat.sends = [trouble, None]
    job = await workshop.made(order())
    await workshop.speak()
    assert (await workshop.job(job.id)).status is Status.DELIVERED


async def test_a_shrunk_video_stays_a_file_after_silence(workshop: Workshop) -> None:
    workshop.chat.limit = 1
    workshop.studio.shrinks = True
    workshop.chat.sends = [SILENCE, None]
    await workshop.made(order())
    await workshop.speak()
    assert said(workshop) == [("result.ready", True, False)] * 2
    assert len({nonce for nonce, _, _ in workshop.chat.said}) == 1


@pytest.mark.proof
async def test_a_video_that_waits_to_be_shrunk_has_not_been_tried(workshop: Workshop) -> None:
    workshop.chat.limit = 1
    workshop.studio.shrinks = True
    workshop.studio.shrinking = [Temporary("shrinking", retry_after=20.0, unsent=True)] * 60
    job = await workshop.made(order())
    await workshop.speak()
    assert (await workshop.job(job.id)).status is Status.DELIVERED
    assert said(workshop) == [("result.ready", True, False)]


async def test_files_that_stay_too_large_come_to_an_end_in_words(workshop: Workshop) -> None:
    """A server that refuses every size is not sent one file after another for ever."""
    workshop.chat.limit = 1
    workshop.studio.shrinks = True
    workshop.chat.sends = [FileTooLarge()] * MOST_FILES + [None]
    await workshop.made(order())
    await workshop.speak()
    files = [("result.ready", True, False)] * MOST_FILES
    assert said(workshop) == [*files, ("result.too_large", False, False)]


async def test_a_limit_learned_in_between_does_not_change_a_send_with_an_unknown_end(
    workshop: Workshop,
) -> None:
    workshop.link = LINK
    workshop.chat.sends = [SILENCE, None]
    await workshop.made(order())
    await workshop.speak(0.5)
    workshop.chat.limit = 1
    await workshop.speak()
    assert said(workshop) == [("result.ready", True, False)] * 2


async def test_where_files_are_forbidden_and_no_link_can_be_given_it_goes_to_the_person(
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


async def test_a_failure_whose_job_turned_up_is_not_said(workshop: Workshop) -> None:
    workshop.gateway.creations = [Uncertain("reset")]
    job = await workshop.made(order())
    await workshop.jobs.accept(job.id, "v1", now=workshop.clock.time, due_at=workshop.clock.time)
    await workshop.speak()
    assert said(workshop) == []


async def test_a_job_that_turned_up_and_failed_then_says_so(workshop: Workshop) -> None:
    workshop.gateway.creations = [Uncertain("reset")]
    job = await workshop.made(order())
    await workshop.speak(60)
    workshop.gateway.polls = [Failed(Reason.MODERATED, "policy")]
    await workshop.jobs.accept(job.id, "v1", now=workshop.clock.time, due_at=workshop.clock.time)
    await workshop.work(60)
    await workshop.speak(60)
    assert said(workshop) == [("failure.unconfirmed", False, False)]
    assert "failure.moderated" in [reply.text.id for reply in workshop.chat.edited]
