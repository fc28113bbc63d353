"""Remember the content of cards, to avoid edits that change nothing and edits that arrive too late.

The answer to a button press and an edit of the same card are separate requests. An edit under way
may arrive after the answer, and overwrite the newer card with an older one.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from bot.platforms.discord.messages import Rendered

MOST = 1000
"""Most cards that are remembered. A forgotten card may get an unnecessary edit."""


@dataclass(slots=True)
class _Card:
    version: int = 0
    """The version of the job's row that people were shown last."""
    shown: object = None
    """The content of the card; None if unknown."""
    edit: asyncio.Task[object] | None = None


class Cards:
    """The remembered cards, by message id."""

    def __init__(self) -> None:
        self._cards: OrderedDict[int, _Card] = OrderedDict()

    def needs(self, message_id: int, rendered: Rendered, *, version: int) -> bool:
        """Whether to edit the card: `rendered` differs from the card, and `version` is not older.

        `version` is the version of the job's row that `rendered` shows.
        """
        card = self._card(message_id)
        return version >= card.version and card.shown != _seen(rendered)

    def promise(self, message_id: int, *, version: int) -> None:
        """Note that the card is about to show this version of the job's row.

        From then on `needs` returns False for older versions.
        """
        card = self._card(message_id)
        card.version, card.shown = max(card.version, version), None

    def stands(self, message_id: int, rendered: Rendered) -> None:
        """Note that the card has this look, and that no edit is under way."""
        self._card(message_id).shown = _seen(rendered)

    async def edit(
        self, message_id: int, patch: Coroutine[Any, Any, object], rendered: Rendered
    ) -> None:
        """Run an edit, so that `settled` can wait until it ends."""
        card = self._card(message_id)
        card.shown = None
        task = card.edit = asyncio.create_task(patch)
        try:
            await task
        finally:
            if card.edit is task:
                card.edit = None
        card.shown = _seen(rendered)

    def is_under_way(self, message_id: int) -> bool:
        """Whether an edit of the card is still running."""
        return self._card(message_id).edit is not None

    async def settled(self, message_id: int) -> None:
        """Wait until no edit of the card is running. Errors of the edits are ignored."""
        while task := self._card(message_id).edit:
            await asyncio.wait({task})
            await asyncio.sleep(0)  # lets the edit's caller run first

    def _card(self, message_id: int) -> _Card:
        card = self._cards.setdefault(message_id, _Card())
        self._cards.move_to_end(message_id)
        if len(self._cards) > MOST:
            self._cards.popitem(last=False)
        return card


def _seen(rendered: Rendered) -> object:
    return (
        rendered.content,
        [each.to_dict() for each in rendered.embeds],
        rendered.view.to_components(),
    )
