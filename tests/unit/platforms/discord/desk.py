"""The Discord client over the fake Discord, with a job whose posts it sends."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.core import cards, replies
from bot.core.errors import Refused
from bot.core.jobs import Status, Video
from bot.core.orders import Address, Call, Order, Person
from bot.core.platforms import DirectMessage, Standing
from bot.core.posts import Form, Post, PostKind
from bot.core.replies import Reply, Text
from bot.core.wishes import Wish
from tests.fakes.discord import Person as Member
from tests.unit.core.orders import job
from tests.unit.platforms.discord.bot import Bot

SEND = r"/channels/\d+/messages$"
VIDEO = Video(key="v", size=1000, width=16, height=9, seconds=5.0)


class StepContext:
    """Posts about one finished job of Ann's."""

    def __init__(self, bot: Bot, ann: Member) -> None:
        self.bot = bot
        address = Address(
            platform="discord", channel=str(ann.home.id), community=str(bot.fake.guild.id)
        )
        wish = Order(
            call=Call(
                event_id="1",
                address=address,
                person=Person(id=str(ann.id), name="Ann"),
                locale="en-US",
            ),
            wish=Wish(prompt="a cat"),
        )
        self.job = job(order=wish, status=Status.COMPLETED, video=VIDEO, created_at=bot.clock.now())

    def post(self, kind: PostKind = PostKind.RESULT, **changes: Any) -> Post:
        plain = Post(id=1, job_id=self.job.id, kind=kind, due_at=None, attempts=1)
        return replace(plain, **changes)

    def reply(self, kind: PostKind) -> Reply:
        if kind is PostKind.CARD:
            return cards.card(self.job)
        return replies.result(self.job) if kind is PostKind.RESULT else replies.failure(self.job)

    async def send(
        self, kind: PostKind = PostKind.RESULT, *, video: Path | None = None, **changes: Any
    ) -> Standing:
        post = self.post(kind, form=Form.FILE if video else Form.TEXT, **changes)
        return await self.bot.platform.send(post, self.job, self.reply(kind), video=video)

    async def tell(self) -> None:
        words = Text(id="notice.works", values={"gateway": "main"})
        await self.bot.platform.tell(
            DirectMessage(
                person_id=self.job.order.call.person.id, reply=Reply(text=words), nonce="n1"
            )
        )

    async def refused(self, **changes: Any) -> str:
        with pytest.raises(Refused) as caught:
            await self.send(**changes)
        return caught.value.code
