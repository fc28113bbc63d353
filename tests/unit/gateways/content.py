"""Answers with a video and answers without one."""

from bot.core.jobs import Reason
from bot.core.outcomes import Unusable
from bot.net.bounds import Bounds
from tests.fakes import wire

from .samples import MP4

HASTY = Bounds(poll=1.0, stall=0.7, video=100_000, answer=50_000)
HEAD = wire.answer(MP4[:12], length=None)


def too_large(detail: str) -> Unusable:
    return Unusable(Reason.CONTENT_TOO_LARGE, f"too large: {detail}")


async def nothing_to_wait_for(_: int) -> None:
    """Return at once, so that the pieces are sent without a pause."""
