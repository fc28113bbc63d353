"""Platforms with optional interfaces; a platform that can only send works too."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.jobs import Job, Status
from bot.core.platforms import Can, Standing
from bot.core.posts import Post
from bot.core.replies import Reply
from tests.unit.core.orders import order
from tests.unit.core.said import SILENCE
from tests.unit.core.workshop import Workshop


class BareChat:
    """A platform with the required interface only."""

    name = "chat"

    def __init__(self) -> None:
        self.can = Can(upload_limit=10**9)
        self.said: list[str] = []
        self.troubles: list[Exception] = []

    async def is_connected(self) -> bool:
        return True

    async def send(self, post: Post, job: Job, reply: Reply, *, video: Path | None) -> Standing:
        if self.troubles:
            raise self.troubles.pop()
        self.said.append(f"{job.id} {post.kind} {reply.text.id} {video is not None}")
        return Standing(f"m{len(self.said)}", "hall")


@pytest.fixture
def bare(workshop: Workshop) -> BareChat:
    """A workshop's platform with the required interface only."""
    chat = BareChat()
    workshop.posting.platforms = {"chat": chat}
    return chat


async def test_a_platform_that_can_only_send_posts_the_result_and_keeps_the_card(
    workshop: Workshop, bare: BareChat
) -> None:
    job = await workshop.made(order())
    await workshop.speak(60)
    assert bare.said == [f"{job.id} result result.ready True"]
    assert (await workshop.job(job.id)).status is Status.DELIVERED
    card = await workshop.posts.get(job.id, "card")
    assert card is not None
    assert (card.message_id, card.due_at) == ("card", None), "nothing is owed any more"


async def test_a_platform_that_can_only_send_repeats_a_send_with_an_unknown_end(
    workshop: Workshop, bare: BareChat
) -> None:
    bare.troubles = [SILENCE]
    job = await workshop.made(order())
    await workshop.speak(60)
    assert bare.said == [f"{job.id} result result.ready True"]


async def test_a_message_that_the_platform_cannot_remove_is_left_alone(
    workshop: Workshop, bare: BareChat
) -> None:
    job = await workshop.made(order())
    await workshop.speak(60)
    result = await workshop.posts.get(job.id, "result")
    assert result is not None
    await workshop.posting._remove(result, await workshop.job(job.id), bare)
    left = await workshop.posts.get(job.id, "result")
    assert left is not None
    assert left.due_at is None


async def test_after_a_restore_a_platform_without_history_does_not_repeat_a_result(
    workshop: Workshop, bare: BareChat
) -> None:
    """Without a history nobody knows whether the result was posted, so it is kept."""
    job = await workshop.made(order())
    workshop.posting.restored = {job.id: job.created_at - 7}
    await workshop.speak(60)
    result = await workshop.posts.get(job.id, "result")
    assert result is not None
    assert (result.message_id, result.due_at) == (None, None)
    assert not any("result" in each for each in bare.said)


@pytest.mark.parametrize(("remembers", "times"), [(True, 2), (False, 1)])
async def test_on_a_platform_without_nonces_the_history_is_read_before_a_repeated_send(
    workshop: Workshop, remembers: bool, times: int
) -> None:
    workshop.chat.can = replace(workshop.chat.can, remembers_nonces=remembers)
    workshop.chat.sends = [SILENCE, None]
    workshop.chat.history["result"] = ("m7", "hall")
    await workshop.made(order())
    await workshop.speak(60)
    assert len(workshop.chat.said) == times
