"""Answers to slash commands that fail or come too late."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot.core.accounts import Accounts, Terms
from bot.core.jobs import Job, Reason, Status
from bot.core.orders import Order
from tests.fakes.discord import (
    FakeDiscord,
    accepted,
    error,
)
from tests.fakes.discord import Person as Member
from tests.unit.core.orders import (
    CATALOG,
)
from tests.unit.platforms.discord.bot import UNLIMITED, Bot
from tests.unit.platforms.discord.orders import deliver_again, only_job, recorded, said, told_help

ANSWER = "/callback$"


@pytest.mark.parametrize("fault", [error(404, 10062), error(400, 40060), error(403, 50001)])
async def test_a_job_whose_card_discord_refused_is_withdrawn(
    fake: FakeDiscord, bot: Bot, ann: Member, fault: Any
) -> None:
    fake.faults.add("POST", ANSWER, fault)
    await ann.slash("video", prompt="a cat")
    await asyncio.wait_for(bot.service.withdrawals.get(), 60)
    job = await only_job(bot)
    assert job.status is Status.CANCELLED
    assert (job.reason, job.quota_cost, job.spend_cost) == (Reason.UNANSWERED, 0, 0)
    assert fake.posts() == []


async def test_an_answer_with_an_unknown_outcome_is_found_as_the_card(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    """discord.py repeats the answer, and Discord says that the answer was given before."""
    fake.faults.add("POST", ANSWER, accepted(error(400, 40060)))
    asked = await ann.slash("video", prompt="a cat")
    await asked.answered()
    job = await only_job(bot)
    assert job.status is Status.QUEUED
    assert await recorded(bot, job) == (str(asked.original_id), str(fake.channel.id))


async def test_a_repeated_interaction_does_not_withdraw_a_job_that_was_answered(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    asked = await ann.slash("video", prompt="a cat")
    await asked.answered()
    job = await only_job(bot)
    place = await recorded(bot, job)
    fake.faults.add("POST", ANSWER, error(404, 10062))
    bot.posts.asked = asyncio.Queue()
    deliver_again(fake, "INTERACTION_CREATE")
    await asyncio.wait_for(bot.posts.asked.get(), 60)
    await told_help(fake, ann)
    assert [each.id for each in bot.service.submitted] == [job.id, job.id]
    assert bot.service.withdrawing == []
    post = await bot.post(job)
    assert (post.message_id, post.channel_id) == place


async def test_a_refusal_given_as_the_answer_is_not_taken_for_the_card(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    """The order was refused at the first delivery and taken at the second, so nobody saw a card."""
    real, refusing = bot.service.accounts, replace(UNLIMITED, person_videos=0)
    bot.service.accounts = Accounts(Terms(catalog=CATALOG, limits=refusing))
    assert (await said(await ann.slash("video", prompt="a cat"))).startswith("I make no videos")
    bot.service.accounts = real
    deliver_again(fake, "INTERACTION_CREATE")
    await asyncio.wait_for(bot.service.withdrawals.get(), 60)
    job = await only_job(bot)
    assert (job.status, job.reason) == (Status.CANCELLED, Reason.UNANSWERED)
    assert (await bot.post(job)).message_id is None


class TestImpatience:
    """A transaction that takes too long."""

    @pytest.fixture
    async def hasty(self, idle: Bot) -> Any:
        """Yield a running bot that waits only a moment for the database."""
        idle.patience = 0.01
        idle.fresh()
        async with idle.running():
            yield idle

    async def test_an_order_not_begun_in_time_is_answered_and_not_begun_later(
        self, hasty: Bot, ann: Member
    ) -> None:
        hasty.service.go_on.clear()
        sentence = await said(await ann.slash("video", prompt="a cat"))
        assert sentence.startswith("I could not save that just now")
        hasty.service.go_on.set()
        await hasty.commands.finish()
        assert hasty.service.submitted == []

    async def test_an_order_taken_after_the_time_limit_is_withdrawn(
        self, fake: FakeDiscord, idle: Bot, ann: Member
    ) -> None:
        idle.patience = 0.5
        idle.fresh()
        submit, go_on = idle.service.submit, asyncio.Event()

        async def slowly(order: Order) -> Job:
            job = await submit(order)
            await go_on.wait()
            return job

        idle.service.submit = slowly  # type: ignore[method-assign]
        async with idle.running():
            sentence = await said(await ann.slash("video", prompt="a cat"))
            assert sentence.startswith("I could not save that just now")
            go_on.set()
            await idle.commands.finish()
            assert (await only_job(idle)).status is Status.CANCELLED
            assert fake.posts() == [each for each in fake.posts() if each.ephemeral]
