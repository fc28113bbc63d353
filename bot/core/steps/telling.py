"""One step of a notice: send it to its operator directly, then delete its row."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.core import decisions, schedule
from bot.core.errors import BotError, Refused, Temporary
from bot.core.notices import REMINDER, SHAPE, WORD, Notice, nonce_of, puzzle_in
from bot.core.platforms import DirectMessage, Tells
from bot.core.ports import Clock
from bot.core.prompts import shortened
from bot.core.replies import Reply, Text, Tone
from bot.log import get_logger

TELL_TIME = 30.0
"""Timeout of one send in seconds. A claim lasts longer."""
MOST_DETAIL = 200
"""The most characters of a gateway's own text in a notice."""
_PUZZLED = {WORD: "notice.unknown_word", SHAPE: "notice.unknown_shape"}

log = get_logger()


class Notices(Protocol):
    """The rows of notices that are due to operators. Each method is one whole transaction."""

    async def claim(
        self, platforms: Sequence[str], *, now: float, until: float, most: int
    ) -> list[Notice]: ...

    async def next_due(self, platforms: Sequence[str]) -> float | None: ...

    async def put_off(self, notice: Notice, *, due_at: float) -> None:
        """Make the notice due at `due_at`, unless newer news has replaced it."""

    async def forget(self, notice: Notice) -> None:
        """Delete a notice that was sent or given up. Newer news in its row stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Sends claimed notices.

    `variable` names the environment variable of a key such as `discord.token`.
    """

    notices: Notices
    platforms: Mapping[str, Tells]
    variable: Callable[[str], str]
    clock: Clock

    async def take(self, notice: Notice) -> None:
        """Send the notice. Postpone it after a temporary error; drop it after a final refusal."""
        if self.clock.now() - notice.written_at > REMINDER:
            await self._drop(notice, "too_late")  # by now there is a newer one, or nothing to say
            return
        said = reply(notice, key=self.variable(f"gateways.{notice.gateway}.api_key"))
        try:
            async with asyncio.timeout(TELL_TIME):
                platform = self.platforms[notice.platform]
                await platform.tell(_message(notice, said))
        except Refused as refused:
            await self._drop(notice, refused.code)
        except (BotError, TimeoutError) as error:
            await self._try_again(notice, error)
        except Exception as error:
            log.exception("notice.failed", platform=notice.platform)
            await self._try_again(notice, error)
        else:
            log.info("notice.told", platform=notice.platform, gateway=notice.gateway)
            await self.notices.forget(notice)

    async def _drop(self, notice: Notice, code: str) -> None:
        log.warning("notice.dropped", platform=notice.platform, gateway=notice.gateway, code=code)
        await self.notices.forget(notice)

    async def _try_again(self, notice: Notice, error: Exception) -> None:
        asked = error.retry_after if isinstance(error, Temporary) else None
        wait = max(schedule.back_off(notice.attempts, base=5.0, most=3600.0), asked or 0.0)
        log.warning("notice.delayed", platform=notice.platform, what=type(error).__name__)
        await self.notices.put_off(notice, due_at=self.clock.now() + wait)


def _message(notice: Notice, said: Reply) -> DirectMessage:
    """Return the message of a notice. Its nonce is the same for each try of the same news."""
    parts = (notice.gateway, notice.subject, notice.platform, notice.person)
    nonce = nonce_of(*parts, repr(notice.written_at))
    return DirectMessage(person_id=notice.person, reply=said, nonce=nonce)


def reply(notice: Notice, *, key: str) -> Reply:
    """Return a text that says the fault and how to mend it, or that it ended.

    `key` is the name of the environment variable for the gateway's key.
    """
    if notice.subject:
        return _remark(notice)
    if notice.reason is None:
        text = Text(id="notice.works", values={"gateway": notice.gateway})
        return Reply(text=text, tone=Tone.DONE)
    values = {
        "gateway": notice.gateway,
        "key": key,
        "detail": shortened(notice.detail, MOST_DETAIL),
    }
    word = notice.reason.value if notice.waiting else f"idle_{notice.reason}"
    text = Text(id=f"notice.{word}", values=values, count=notice.waiting or None)
    return Reply(text=text, tone=Tone.FAILED)


def _remark(notice: Notice) -> Reply:
    """Return the text about a block in front of the gateway, or about an unreadable response."""
    if found := puzzle_in(notice.subject):
        puzzle, said = found
        text = Text(id=_PUZZLED[puzzle], values={"gateway": notice.gateway, puzzle: said})
        return Reply(text=text, buttons=(decisions.pause(notice.gateway),))
    detail = shortened(notice.detail, MOST_DETAIL)
    values = {"gateway": notice.gateway, "detail": detail}
    return Reply(text=Text(id=f"notice.{notice.subject}", values=values), tone=Tone.FAILED)
