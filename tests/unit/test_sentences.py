"""Every sentence can be said: a bare message id never reaches a person."""

import pytest

from bot.core import replies
from bot.core.errors import Refused
from bot.i18n import say


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (Refused("prompt_too_long", length=60, limit=50, family="Wan"), "reads 50 at most"),
        (Refused("limit_person_videos", limit=1, used=1, resets_at=0), "your one video"),
        (Refused("limit_person_videos", limit=3, used=3, resets_at=0), "your 3 videos"),
        (Refused("limit_zero"), "No videos are made here"),
        (Refused("limit_too_dear"), "One such video costs more"),
    ],
)
def test_only_limits_have_a_plural(problem: Refused, words: str) -> None:
    assert words in say(replies.error(problem).text, "en")
