"""A network is asked for what it offers; one that only says things is served all the same."""

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
    """The required interface alone."""

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
    chat = BareChat()
    workshop.posting.platforms = {"chat": chat}
    return chat


async def test_a_result_is_said_and_its_card_stays_as_it_was(
    workshop: Workshop, bare: BareChat
) -> None:
    job = await workshop.made(order())
    await workshop.speak(60)
    assert bare.said == [f"{job.id} result result.ready True"]
    assert (await workshop.job(job.id)).status is Status.DELIVERED
    card = await workshop.posts.get(job.id, "card")
    assert card is not None
    assert (card.message_id, card.due_at) == ("card", None), "nothing is owed any more"


async def test_after_silence_it_says_it_again(workshop: Workshop, bare: BareChat) -> None:
    bare.troubles = [SILENCE]
    job = await workshop.made(order())
    await workshop.speak(60)
    assert bare.said == [f"{job.id} result result.ready True"]


async def test_what_can_not_be_removed_is_let_go(workshop: Workshop, bare: BareChat) -> None:
    job = await workshop.made(order())
    await workshop.speak(60)
    result = await workshop.posts.get(job.id, "result")
    assert result is not None
    await workshop.posting._remove(result, await workshop.job(job.id), bare)
    left = await workshop.posts.get(job.id, "result")
    assert left is not None
    assert left.due_at is None


async def test_what_may_stand_after_a_backup_is_not_said_twice(
    workshop: Workshop, bare: BareChat
) -> None:
    """Nobody can look whether it was said: it is kept."""
    job = await workshop.made(order())
    workshop.posting.restored = {job.id: job.created_at - 7}
    await workshop.speak(60)
    result = await workshop.posts.get(job.id, "result")
    assert result is not None
    assert (result.message_id, result.due_at) == (None, None)
    assert not any("result" in each for each in bare.said)


@pytest.mark.parametrize(("remembers", "times"), [(True, 2), (False, 1)])
async def test_where_no_nonce_is_remembered_the_channel_is_read_at_once(
    workshop: Workshop, remembers: bool, times: int
) -> None:
    workshop.chat.can = replace(workshop.chat.can, remembers_nonces=remembers)
    workshop.chat.sends = [SILENCE, None]
    workshop.chat.history["result"] = ("m7", "hall")
    await workshop.made(order())
    await workshop.speak(60)
    assert len(workshop.chat.said) == times
