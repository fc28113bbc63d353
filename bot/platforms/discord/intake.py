"""From a wish to an answer: one transaction, bounded, then the card; or one plain sentence.

Discord waits three seconds. So nothing here calls the network before the answer, and whatever was
taken without anybody learning of it is withdrawn.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import discord
from discord import app_commands

from bot.core import replies
from bot.core.asking import Asking
from bot.core.errors import BotError, Broken, Refused, Temporary, TooLate, Unwritten
from bot.core.jobs import Job
from bot.core.orders import Order
from bot.core.ports import Posts
from bot.core.posts import PostKind
from bot.core.replies import Reply, Text
from bot.core.service import Service
from bot.log import get_logger
from bot.platforms.discord import errors, messages
from bot.platforms.discord.client import DiscordPlatform
from bot.platforms.discord.reading import check_interaction

ANSWER_TIME = 3.0
"""Seconds after which Discord takes no answer any more."""
PATIENCE = 2.0
"""Seconds for the transaction."""
CARD_TIME = 0.5
"""Seconds for what is only nice to have on the card; without it the card is plainer."""

Submission = Coroutine[Any, Any, Job]
Outcome = TypeVar("Outcome")

log = get_logger()


class Intake:
    """Hands orders to the service and sees to it that somebody learns what became of them."""

    def __init__(
        self,
        *,
        service: Service,
        card: Callable[[Job], Awaitable[Reply]],
        posts: Posts,
        platform: DiscordPlatform,
        patience: float = PATIENCE,
    ) -> None:
        self.service = service
        self._card = card
        self._posts = posts
        self._platform = platform
        self._patience = patience
        self._late: set[asyncio.Future[Any]] = set()

    async def take(
        self, interaction: discord.Interaction, submit: Callable[[], Submission]
    ) -> None:
        """Submit, then answer with the card, for everybody to see."""
        check_interaction(interaction)
        job = await self._admitted(submit())
        try:
            look = await self._look(job)
            card_id = await _answered(interaction, look, job)
        except Exception:
            await self._unanswered(job)
            raise
        if card_id is None:
            await self._unanswered(job)
        else:
            self._platform.cards.stands(card_id, look)
            await self._stands(job, str(card_id), str(interaction.channel_id))

    async def take_message(self, order: Order) -> None:
        """Submit what a message asked for, and reply to it with the card."""
        job = await self._admitted(self.service.submit(order))
        post = await self._posts.get(job.id, PostKind.CARD)
        if post is None or post.message_id:
            return  # Discord told us of this message twice.
        reply = await self._reply(job)
        try:
            stands = await self._platform.send(post, job, reply, video=None)
        except Refused as refused:
            log.warning("discord.unanswered", job=job.id, code=refused.code)
            await self._unanswered(job)
        except Temporary as error:
            # The card is owed: it will be posted like any other message, under the same nonce.
            log.warning("discord.delayed", job=job.id, code=error.code)
        else:
            await self._stands(job, *stands)

    async def change(
        self, interaction: discord.Interaction, job_id: str, use_case: Submission
    ) -> None:
        """Apply a button to its job, and answer by bringing the card up to date in its place."""
        try:
            job = await self._in_time(asyncio.ensure_future(use_case))
        except Refused as refused:
            await refuse(interaction, refused)
            if isinstance(refused, TooLate):
                await self._mend(interaction, job_id)
            return
        card = interaction.message
        if card is None:
            raise Broken("no_card", job=job_id)
        self._platform.cards.promise(card.id, version=job.version)
        with _perhaps_unanswered():
            await self._redraw(interaction, card.id, await self._look(job))
        # A card of which no row tells is one all the same.
        await self._stands(job, str(card.id), str(interaction.channel_id))

    async def _redraw(
        self, interaction: discord.Interaction, card_id: int, look: messages.Look
    ) -> None:
        """An edit that is under way would take the answer back: the answer waits for its end."""
        cards = self._platform.cards
        change: Callable[..., Awaitable[object]] = interaction.response.edit_message
        if cards.is_under_way(card_id):
            async with asyncio.timeout(ANSWER_TIME):
                await interaction.response.defer()
            await cards.settled(card_id)
            change = interaction.edit_original_response
        async with asyncio.timeout(ANSWER_TIME):
            await change(
                content=look.content,
                embeds=look.embeds,
                view=look.view,
                allowed_mentions=look.mentions,
            )
        cards.stands(card_id, look)

    async def _mend(self, interaction: discord.Interaction, job_id: str) -> None:
        """A card that offers what is no longer to be had shows its job as it was long ago."""
        try:
            post = await self._posts.get(job_id, PostKind.CARD)
            if post is None or interaction.message is None:
                return
            job, here = await self.service.job(job_id), str(interaction.message.id)
            card = replace(post, message_id=here, channel_id=str(interaction.channel_id))
            await self._platform.edit(card, job, await self._reply(job))
            await self._stands(job, here, str(interaction.channel_id))
        except BotError as error:
            log.info("discord.card_outdated", job=job_id, code=error.code)

    async def job(self, job_id: str) -> Job:
        """The job that a button is about, in time or not at all."""
        return await self._in_time(asyncio.ensure_future(self.service.job(job_id)))

    async def check(self, check: Coroutine[Any, Any, object]) -> None:
        """Pass on what it raises, in time or not at all."""
        await self._in_time(asyncio.ensure_future(check))

    async def ask(
        self, interaction: discord.Interaction, check: Coroutine[Any, Any, None], job_id: str
    ) -> None:
        """Once `check` has passed, ask this person alone whether the video shall really go."""
        await self.check(check)
        asked = Reply(text=Text(id="delete.sure"))
        await say(interaction, messages.question(asked, str(interaction.locale), job_id=job_id))

    async def confirm(self, interaction: discord.Interaction, use_case: Submission) -> None:
        """Do it, and let the question become the answer."""
        await self._in_time(asyncio.ensure_future(use_case))
        look = messages.notice(Reply(text=Text(id="delete.done")), str(interaction.locale))
        with _perhaps_unanswered():
            async with asyncio.timeout(ANSWER_TIME):
                await interaction.response.edit_message(content=look.content, view=None)

    async def finish(self) -> None:
        """Wait for what outlived its answer."""
        while self._late:
            await asyncio.gather(*self._late, return_exceptions=True)

    # --- taking --------------------------------------------------------------------------------

    async def _admitted(self, submission: Submission) -> Job:
        asking = Asking()
        with asking.begun():
            task = asyncio.ensure_future(submission)
        try:
            return await self._in_time(task)
        except Temporary:
            # A transaction not begun by now never begins. An open one runs to its end,
            # whoever waits for it: what it still takes, we return.
            asking.is_over = True
            self._outlive(asyncio.create_task(self._withdraw(task)))
            raise

    async def _in_time(self, task: asyncio.Future[Outcome]) -> Outcome:
        """Its outcome, if that comes in time; the task itself is left to run."""
        try:
            async with asyncio.timeout(self._patience):
                return await asyncio.shield(task)
        except BotError:
            raise
        except Exception as error:  # too late, or whatever the database says
            self._outlive(task)
            known = isinstance(error, TimeoutError)
            log.warning("discord.busy", late=known, exc_info=None if known else error)
            raise Temporary("busy") from error

    def _outlive(self, task: asyncio.Future[Any]) -> None:
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _withdraw(self, task: asyncio.Future[Job]) -> None:
        try:
            await self._unanswered(await task)
        except Exception as error:  # noqa: BLE001 - not taken, or posted by its row
            log.info("discord.not_withdrawn", error=type(error).__name__)

    async def _unanswered(self, job: Job) -> None:
        """Nobody knows of this job, unless an earlier delivery of the same event was answered."""
        post = await self._posts.get(job.id, PostKind.CARD)
        if post is None or post.message_id is None:
            await self.service.unanswered(job)

    async def _stands(self, job: Job, message_id: str, channel_id: str) -> None:
        try:
            await self._posts.posted(job, message_id, channel_id)
            await self.service.answered(job)
        except Exception:  # people see the card; its row will find it, and its job leaves anyway
            log.exception("discord.card_unrecorded", job=job.id)

    # --- the card ------------------------------------------------------------------------------

    async def _look(self, job: Job) -> messages.Look:
        return messages.card(await self._reply(job), job.order.call.locale, job_id=job.id)

    async def _reply(self, job: Job) -> Reply:
        try:
            async with asyncio.timeout(CARD_TIME):
                return await self._card(job)
        except Exception as error:  # noqa: BLE001 - the answer does not wait for ornaments
            log.warning("discord.card_plain", job=job.id, error=type(error).__name__)
            return replies.card(job)


async def refuse(interaction: discord.Interaction, problem: Exception) -> None:
    """Tell this person, and nobody else, what stands in the way; never raises."""
    error = told(problem)
    if not interaction.response.is_done():
        await say(interaction, messages.notice(replies.error(error), str(interaction.locale)))


async def say(interaction: discord.Interaction, look: messages.Look) -> None:
    """Answer this person, and nobody else; an answer that does not arrive is not missed."""
    with _perhaps_unanswered():
        async with asyncio.timeout(ANSWER_TIME):
            await interaction.response.send_message(
                look.content, view=look.view, ephemeral=True, allowed_mentions=look.mentions
            )


@contextmanager
def _perhaps_unanswered() -> Iterator[None]:
    """A lost answer is only logged: the wish is done, and a card's edit is owed."""
    try:
        yield
    except errors.FOREIGN as error:
        log.info("discord.unanswered", error=type(error).__name__)


def told(problem: Exception) -> BotError:
    """The error whose sentence a person is told; what nobody foresaw is logged."""
    if isinstance(problem, app_commands.CommandInvokeError):
        problem = problem.original
    match problem:
        case Refused() | Unwritten():
            return problem
        case Temporary():
            return Temporary("busy")
        case _:
            log.error("discord.failed", error=type(problem).__name__, exc_info=problem)
            return Broken("internal")


async def _answered(interaction: discord.Interaction, look: messages.Look, job: Job) -> int | None:
    """Answer with the card: its message id, or None if nobody saw an answer."""
    try:
        async with asyncio.timeout(ANSWER_TIME):
            answer = await interaction.response.send_message(
                look.content,
                embeds=look.embeds,
                view=look.view,
                allowed_mentions=look.mentions,
            )
            return answer.message_id
    except errors.FOREIGN as error:
        code = error.code if isinstance(error, discord.HTTPException) else None
        log.warning("discord.unanswered", job=job.id, error=type(error).__name__, code=code)
        if code == errors.UNKNOWN_INTERACTION:
            return None
    return await _standing(interaction, job)


async def _standing(interaction: discord.Interaction, job: Job) -> int | None:
    """After an answer with an unknown end, or one given before: does the card stand?"""
    try:
        async with asyncio.timeout(ANSWER_TIME):
            message = await interaction.original_response()
    except errors.FOREIGN:
        return None
    return message.id if messages.is_about(message, job.id, PostKind.CARD) else None
