"""The workshop's posts in a form that tests can compare."""

from bot.core.errors import (
    Temporary,
)
from bot.core.posting import Link
from tests.unit.core.workshop import Workshop

LINK = Link("https://bot.test/v/x", 2_000_000.0)
SILENCE = Temporary("no_answer")


def said(workshop: Workshop) -> list[tuple[str, bool, bool]]:
    """Return the attempts in order: the sentence, whether with a file, whether direct."""
    return [
        (reply.text.id, with_file, nonce.endswith("d"))
        for nonce, reply, with_file in workshop.chat.said
    ]
