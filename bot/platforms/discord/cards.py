"""Cards as this process has drawn them: no edit that nobody would see, none that comes too late.

A press is answered on a line of its own. So an edit that is under way may arrive after the answer,
and take back what the answer showed.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from bot.platforms.discord.messages import Rendered

MOST = 1000
"""Cards that are remembered: one that is forgotten is edited once more than it needs."""


@dataclass(slots=True)
class _Card:
    version: int = 0
    """Of the job, as anybody was shown it last."""
    shown: object = None
    """None where that is not known."""
    edit: asyncio.Task[object] | None = None


class Cards:
    """By message id."""

    def __init__(self) -> None:
        self._cards: OrderedDict[int, _Card] = OrderedDict()

    def needs(self, message_id: int, rendered: Rendered, *, version: int) -> bool:
        """Whether that look of the job at that version is news, and not older than what stands."""
        card = self._card(message_id)
        return version >= card.version and card.shown != _seen(rendered)

    def promise(self, message_id: int, *, version: int) -> None:
        """Somebody is about to be shown the job at that version: nothing older goes out."""
        card = self._card(message_id)
        card.version, card.shown = max(card.version, version), None

    def stands(self, message_id: int, rendered: Rendered) -> None:
        """It was put there, and nothing else is under way."""
        self._card(message_id).shown = _seen(rendered)

    async def edit(
        self, message_id: int, patch: Coroutine[Any, Any, object], rendered: Rendered
    ) -> None:
        """Do it, so that `settled` can wait for its end."""
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
        """Whether an edit of it has not come to its end."""
        return self._card(message_id).edit is not None

    async def settled(self, message_id: int) -> None:
        """Until no edit of it is under way, however it ends."""
        while task := self._card(message_id).edit:
            await asyncio.wait({task})
            await asyncio.sleep(0)  # whoever made it comes first

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
