"""One step of a report: send a cause to its owner, or edit the message that was sent before."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from bot.core import briefs, schedule
from bot.core.causes import Causes, Report
from bot.core.errors import BotError, Refused, Temporary, Unwritten
from bot.core.notices import nonce_of
from bot.core.platforms import DirectMessage, Standing, Tells
from bot.core.ports import Clock
from bot.core.steps.telling import TELL_TIME
from bot.log import get_logger

TOO_LATE = 7 * 86_400.0
"""Age of a report in seconds after which an owner who can't be reached is given up."""
AWAY = 5.0
"""Seconds until the next try while a network is disconnected."""

log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporting:
    """Sends claimed reports."""

    causes: Causes
    platforms: Mapping[str, Tells]
    clock: Clock

    async def take(self, report: Report) -> None:
        """Send the report or put it off. Drop it if its cause ended before the first send."""
        if report.is_over and report.message_id is None and report.sending_at is None:
            await self.causes.leave(report)
            return
        if self.clock.now() - report.written_at > TOO_LATE:
            await self._leave(report, "too_late")
            return
        try:
            async with asyncio.timeout(TELL_TIME):
                stands = await self._tell(report)
        except Refused as refused:
            await self._leave(report, refused.code)
        except (BotError, TimeoutError) as error:
            await self._try_again(report, error)
        except Exception as error:
            log.exception("cause.failed", platform=report.platform, kind=report.kind)
            await self._try_again(report, error)
        else:
            if stands:
                await self._stands(report, *stands)

    async def _tell(self, report: Report) -> Standing | None:
        """Send or edit the message; return its ids, or None if another worker sends it."""
        platform = self.platforms[report.platform]
        said = briefs.brief(report.kind, report.facts, is_over=report.is_over)
        if report.message_id is not None:
            stands = Standing(report.message_id, report.channel_id or "")
            await platform.retell(stands, said)
            return stands
        if not await self.causes.sending(report, now=self.clock.now()):
            return None
        nonce = nonce_of(
            *(report.kind, report.about, report.platform, report.person),
            *(str(report.round), repr(report.written_at)),
        )
        since = report.sending_at
        stands = await platform.tell(
            DirectMessage(person_id=report.person, reply=said, nonce=nonce, since=since)
        )
        log.info("cause.told", platform=report.platform, kind=report.kind)
        if since is not None:
            # This may be the message of an earlier try, with the state of that time.
            await platform.retell(stands, said)
        return stands

    async def _stands(self, report: Report, message_id: str, channel_id: str) -> None:
        while True:
            try:
                await self.causes.sent(report, message_id, channel_id)
            except Unwritten as error:  # unwritten, it would be said once more
                log.warning("cause.unwritten", kind=report.kind, code=error.code)
                await self.clock.sleep(1.0)
            else:
                return

    async def _leave(self, report: Report, code: str) -> None:
        """Give the report up: its message is gone, or its owner can't be reached.

        If the cause gets worse, a new message is sent.
        """
        log.warning("cause.untold", platform=report.platform, kind=report.kind, code=code)
        await self.causes.leave(report)

    async def _try_again(self, report: Report, error: Exception) -> None:
        asked = error.retry_after if isinstance(error, Temporary) else None
        unsent = isinstance(error, Temporary) and (error.unsent or error.away)
        away = isinstance(error, Temporary) and error.away
        wait = AWAY if away else schedule.back_off(report.attempts, base=5.0, most=3600.0)
        log.warning("cause.delayed", platform=report.platform, what=type(error).__name__)
        due_at = self.clock.now() + max(wait, asked or 0.0)
        await self.causes.put_off(report, due_at=due_at, unsent=unsent)
