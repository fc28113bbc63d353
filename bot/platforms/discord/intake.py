"""Run an order or a command, and answer: with a card, or with one plain sentence.

Discord waits three seconds for an answer. So the transaction has a timeout and no network call
precedes the answer. A job whose person got no answer is withdrawn.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

import discord

from bot.core import failures, presses, replies
from bot.core.answers import Answer, Asked, Changed, Removed, Shown, Sure, Taken, TextAnswer, Turned
from bot.core.asking import Asking
from bot.core.entry import Entry
from bot.core.errors import BotError, Broken, Refused, Temporary, TooLate
from bot.core.jobs import Job
from bot.core.orders import Order
from bot.core.platforms import Standing
from bot.core.posts import PostKind
from bot.core.presses import Press
from bot.core.replies import Reply
from bot.log import get_logger
from bot.platforms.discord import messages
from bot.platforms.discord.answering import (
    ANSWER_TIME,
    answered,
    error_of,
    finish,
    perhaps_unanswered,
    refuse,
    say,
    think,
    turn,
)
from bot.platforms.discord.client import DiscordPlatform
from bot.platforms.discord.forms import WordsForm
from bot.platforms.discord.reading import call_of, check_interaction
from bot.platforms.discord.videos import Videos

PATIENCE = 2.0
"""Seconds that the work for a command or a press may take; after that the person gets "busy"."""
CARD_TIME = 0.5
"""Timeout in seconds for the optional facts of a card, which are left out after that."""

Work = Coroutine[Any, Any, Answer]
Outcome = TypeVar("Outcome")

log = get_logger()


class Intake:
    """Passes orders to the service and answers with the outcome."""

    def __init__(
        self, *, entry: Entry, videos: Videos, platform: DiscordPlatform, patience: float = PATIENCE
    ) -> None:
        self.entry = entry
        self.service = entry.service
        self._posts = entry.listings.posts
        self._videos = videos
        self._platform = platform
        self._patience = patience
        self._late: set[asyncio.Future[Any]] = set()

    async def take(
        self, interaction: discord.Interaction, order: Order, *, words: str = ""
    ) -> None:
        """Submit an order, then answer with its card, visible to everybody.

        `words`: the text that a form asked for. A refusal gives it back.
        """
        check_interaction(interaction)
        await self.hear(interaction, lambda: self._submitted(order), words=words)

    async def _submitted(self, order: Order) -> Taken:
        return Taken(await self.service.submit(order))

    async def hear(
        self,
        interaction: discord.Interaction,
        work: Callable[[], Work],
        *,
        about: str = "",
        words: str = "",
    ) -> None:
        """Run the work and answer with the outcome. After the timeout, the work is undone.

        `about` is the id of the job whose button was pressed; `words` are given back by a refusal.
        """
        try:
            answer = await self._admitted(work())
        except Refused as refused:
            await refuse(interaction, refused, words=words)
            if isinstance(refused, TooLate):
                await self._mend(interaction, about)
            return
        match answer:
            case Taken(job):
                await self._show_card(interaction, job)
            case Changed(job):
                await self._change(interaction, job)
            case Asked():
                await self._ask(interaction, answer)
            case TextAnswer(reply) | Sure(reply=reply):
                await say(interaction, messages.notice(reply, str(interaction.locale)))
            case Turned(reply) | Removed(reply):
                await turn(interaction, messages.notice(reply, str(interaction.locale)))
                if isinstance(answer, Removed):
                    await self._clear(interaction, about)
            case Shown():
                await self._videos.show(interaction, answer)

    async def wait(self, interaction: discord.Interaction, work: Work) -> None:
        """Run work that may take longer than Discord waits, and answer with its sentence."""
        await think(interaction)
        try:
            answer = await work
            assert isinstance(answer, TextAnswer)
            said = answer.reply
        except Exception as problem:  # noqa: BLE001 - else "is thinking" would stay
            said = replies.error(error_of(problem))
        await finish(interaction, messages.notice(said, str(interaction.locale)))

    async def _ask(self, interaction: discord.Interaction, asked: Asked) -> None:
        """Open a form for the prompt. An empty field is an empty prompt."""

        async def sent(answer: discord.Interaction, words: str) -> None:
            press = Press(action=asked.action, about=asked.job.id, words=words)
            call = call_of(answer)
            await self.hear(
                answer, lambda: presses.press(self.entry, call, press, moderates=presses.nobody)
            )

        await interaction.response.send_modal(WordsForm(asked, str(interaction.locale), sent))

    async def _show_card(self, interaction: discord.Interaction, job: Job) -> None:
        try:
            rendered = await self._rendered(job)
            card_id = await answered(interaction, rendered, job)
        except Exception:
            await self._unanswered(job)
            raise
        if card_id is None:
            await self._unanswered(job)
        else:
            self._platform.cards.stands(card_id, rendered)
            await self._stands(job, str(card_id), str(interaction.channel_id))

    async def take_message(self, order: Order) -> None:
        """Submit the order of a message, and reply to the message with the card."""
        job = (await self._admitted(self._submitted(order))).job
        post = await self._posts.get(job.id, PostKind.CARD)
        if post is None or post.message_id:
            return  # Discord sent this message twice
        reply = await self._reply(job)
        try:
            stands = await self._platform.send(post, job, reply, video=None)
        except Refused as refused:
            log.warning("discord.unanswered", job=job.id, code=refused.code)
            await self._unanswered(job)
        except Temporary as error:
            # The card's row sends it later, with the same nonce.
            log.warning("discord.delayed", job=job.id, code=error.code)
        else:
            await self._stands(job, *stands)

    async def _change(self, interaction: discord.Interaction, job: Job) -> None:
        """Answer a press on a card by editing the card."""
        card = interaction.message
        if card is None:
            raise Broken("no_card", job=job.id)
        self._platform.cards.promise(card.id, version=job.version)
        with perhaps_unanswered():
            await self._redraw(interaction, card.id, await self._rendered(job))
        # The pressed card may be missing in the row, so record it.
        await self._stands(job, str(card.id), str(interaction.channel_id))

    async def _redraw(
        self, interaction: discord.Interaction, card_id: int, rendered: messages.Rendered
    ) -> None:
        """Edit the card as the answer, after any other edit has ended: the other edit could
        overwrite the answer."""
        cards = self._platform.cards
        change: Callable[..., Awaitable[object]] = interaction.response.edit_message
        if cards.is_under_way(card_id):
            async with asyncio.timeout(ANSWER_TIME):
                await interaction.response.defer()
            await cards.settled(card_id)
            change = interaction.edit_original_response
        async with asyncio.timeout(ANSWER_TIME):
            await change(**rendered.whole)
        cards.stands(card_id, rendered)

    async def _mend(self, interaction: discord.Interaction, job_id: str) -> None:
        """Edit a card whose button came too late: the card shows an outdated state of the job."""
        try:
            pressed = interaction.message
            if pressed is None or not messages.is_about(pressed, job_id, PostKind.CARD):
                return  # for example, the button of a list
            post = await self._posts.get(job_id, PostKind.CARD)
            if post is None:
                return
            job, here = await self.service.job(job_id), str(pressed.id)
            card = replace(post, message_id=here, channel_id=str(interaction.channel_id))
            await self._platform.edit(card, job, await self._reply(job))
            await self._stands(job, here, str(interaction.channel_id))
        except BotError as error:
            log.info("discord.card_outdated", job=job_id, code=error.code)

    async def _clear(self, interaction: discord.Interaction, job_id: str) -> None:
        """Delete the pressed message if it is a copy of a deleted video: copies have no row."""
        pressed = interaction.message
        if pressed is None or not messages.is_about(pressed, job_id, PostKind.RESULT):
            return
        try:
            await self._platform.remove(Standing(str(pressed.id), str(interaction.channel_id)))
        except BotError as error:
            log.info("discord.copy_stays", job=job_id, code=error.code)

    async def check(self, check: Coroutine[Any, Any, Outcome]) -> Outcome:
        """Run a check. Raises the errors of the check, or `Temporary` after the timeout."""
        return await self._in_time(asyncio.ensure_future(check))

    async def finish(self) -> None:
        """Wait for the transactions that are still running after their answer."""
        while self._late:
            await asyncio.gather(*self._late, return_exceptions=True)

    # --- taking --------------------------------------------------------------------------------

    async def _admitted(self, work: Coroutine[Any, Any, Outcome]) -> Outcome:
        asking = Asking()
        with asking.begun():
            task = asyncio.ensure_future(work)
        try:
            return await self._in_time(task)
        except Temporary:
            # A transaction that has not begun by now won't begin. A running one runs to its end;
            # a job that it still takes is withdrawn.
            asking.is_over = True
            self._outlive(asyncio.create_task(self._withdraw(task)))
            raise

    async def _in_time(self, task: asyncio.Future[Outcome]) -> Outcome:
        """Return the task's outcome. Raises `Temporary` after the timeout; the task goes on."""
        try:
            async with asyncio.timeout(self._patience):
                return await asyncio.shield(task)
        except BotError:
            raise
        except Exception as error:  # the timeout, or any error of the database
            self._outlive(task)
            known = isinstance(error, TimeoutError)
            log.warning("discord.busy", late=known, exc_info=None if known else error)
            raise Temporary("busy") from error

    def _outlive(self, task: asyncio.Future[Any]) -> None:
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _withdraw(self, task: asyncio.Future[Any]) -> None:
        try:
            answer = await task
            if isinstance(answer, Taken):
                await self._unanswered(answer.job)
        except Exception as error:  # noqa: BLE001 - not taken, or its row posts it
            log.info("discord.not_withdrawn", error=type(error).__name__)

    async def _unanswered(self, job: Job) -> None:
        """Withdraw a job whose person got no answer, unless an earlier delivery of the same event
        was answered."""
        post = await self._posts.get(job.id, PostKind.CARD)
        if post is None or post.message_id is None:
            await self.service.unanswered(job)

    async def _stands(self, job: Job, message_id: str, channel_id: str) -> None:
        try:
            await self.service.answered(self._posts, job, message_id, channel_id)
        except Exception as error:  # noqa: BLE001 - the card's row finds it later
            failures.record("discord.card_unrecorded", error, job=job.id)

    async def _rendered(self, job: Job) -> messages.Rendered:
        return messages.card(await self._reply(job), job.order.call.locale, job_id=job.id)

    async def _reply(self, job: Job) -> Reply:
        return await self.entry.listings.cards.at_hand(job, within=CARD_TIME)
