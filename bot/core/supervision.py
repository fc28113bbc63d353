"""Keep one chat network connected: after every end of a connection, connect again.

A failure of one network doesn't affect the others. The log has a line when an outage begins and a
line when it ends. The process ends only if the network refuses us from the start, which the
operator has to mend.
"""

import random
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path

from bot.core.errors import BotError, Broken, Temporary, Unforeseen
from bot.core.ports import Clock
from bot.log import get_logger

LEAST = 1.0
MOST = 30.0
"""Least and most seconds between two tries to connect."""
STEADY = 60.0
"""Seconds after which a connection counts as stable, and the outage before it as over."""
MOST_ASKED = 60.0
"""Most seconds that we wait if the network asks us to, and the wait after a refusal."""
HOUR = 3600.0

log = get_logger()


@dataclass(slots=True)
class Outage:
    """Computes the wait before the next try to connect: at most half the length of the outage.

    The wait is between `LEAST` / 2 and `MOST` seconds. A connection that did not last `STEADY`
    seconds doesn't end the outage. Otherwise a connection that always fails after its start would
    be retried as fast as it can fail.
    """

    clock: Clock
    chance: Callable[[], float] = random.random
    """A function that returns a random number from 0 to 1, so that not all bots retry at once."""
    _lost: float = field(init=False, default=0.0)
    _down_since: float = field(init=False)
    _up_since: float | None = field(init=False, default=None)
    _tries: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._down_since = self.clock.steady()

    def over(self) -> None:
        """Record that there is a connection again."""
        self._lost += self._passed(self._down_since)
        self._up_since = self.clock.steady()

    def wait(self) -> float:
        """Return the seconds until the next try, 0.0 for the first. Call this once per failure."""
        if self._up_since is not None:
            if self._passed(self._up_since) >= STEADY:
                self._lost, self._tries = 0.0, 0
            self._up_since, self._down_since = None, self.clock.steady()
        self._tries += 1
        if self._tries == 1:
            return 0.0
        lost = self._lost + self._passed(self._down_since)
        return min(MOST, max(LEAST, lost / 2)) * (1 + self.chance()) / 2

    def _passed(self, since: float) -> float:
        return self.clock.steady() - since


def unforeseen(error: Exception) -> BotError:
    """Return a `BotError` unchanged, and `Unforeseen` for any other error, which is retried."""
    return error if isinstance(error, BotError) else Unforeseen()


@dataclass
class Supervisor:
    """Keeps the connection of one network.

    The connection calls `up` and `down` when the network begins and stops to deliver messages.
    """

    network: str
    _: KW_ONLY
    clock: Clock
    reason: Callable[[Exception], BotError] = unforeseen
    """A function that translates an error of the connection; `Broken` means: we are refused."""
    chance: Callable[[], float] = random.random
    is_up: bool = field(init=False, default=False)
    _has_worked: bool = field(init=False, default=False)
    _logged: dict[str, float] = field(init=False, default_factory=dict)
    """When the log was last told of each reason of this outage."""

    def __post_init__(self) -> None:
        self._outage = Outage(self.clock, chance=self.chance)
        self._silent_since = self.clock.steady()

    def up(self) -> None:
        """Record that the network delivers messages."""
        if self.is_up:
            return
        was_lost = self._has_worked or bool(self._logged)
        self.is_up = self._has_worked = True
        self._outage.over()
        if was_lost:
            seconds = round(self.clock.steady() - self._silent_since, 1)
            log.warning(f"{self.network}.recovered", seconds=seconds)
            self._logged.clear()

    def down(self) -> None:
        """Record that the network delivers no messages, even if the connection is still open."""
        if self.is_up:
            self.is_up = False
            self._silent_since = self.clock.steady()

    async def keep(self, connect: Callable[[], Awaitable[None]]) -> None:
        """Call `connect` again and again; each call holds a connection until it is lost.

        Raises `Broken` if the network refuses us and has not worked since the start.
        """
        while True:
            try:
                await connect()
                error: Exception = Temporary("connection_ended")
            except Exception as raised:  # noqa: BLE001 - the rim of this network
                error = raised
            finally:
                self.down()
            reason = self.reason(error)
            if isinstance(reason, Broken):
                if not self._has_worked:
                    raise reason from error
                wait = self._refused(reason)
            else:
                wait = self._lost(reason, error)
            await self.clock.sleep(wait)

    def _lost(self, reason: BotError, error: Exception) -> float:
        wait = self._outage.wait()
        if isinstance(reason, Temporary) and reason.retry_after:
            wait = max(wait, min(reason.retry_after, MOST_ASKED))
        where = {"at": _raised_at(error)} if isinstance(reason, Unforeseen) else {}
        # Each reason is logged once: an unreachable network is tried twice a minute for hours.
        if self._is_news(":".join([reason.code, *where.values()])):
            kind = type(error).__name__
            log.warning(f"{self.network}.disconnected", why=reason.code, error=kind, **where)
        return wait

    def _refused(self, reason: Broken) -> float:
        """Log that the network refuses us, although it has worked. Return the wait in seconds."""
        if self._is_news(reason.code, again=HOUR):
            log.error(f"{self.network}.refused", why=reason.code)
        return MOST_ASKED

    def _is_news(self, reason: str, *, again: float = float("inf")) -> bool:
        """Whether the log was not told of this reason in this outage, or `again` seconds ago."""
        now = self.clock.steady()
        if reason in self._logged and now - self._logged[reason] < again:
            return False
        self._logged[reason] = now
        return True


def _raised_at(error: Exception) -> str:
    """Return the file and line that raised the error. The error's text may quote people."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
