"""Keeps one chat network connected. Its failures are nobody else's: whatever ends a connection,
another one is tried. The log has a line as an outage begins and one as it ends.

The process ends for nothing but what its operator has to mend before the network ever worked.
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
"""Seconds between two tries: enough for a server that fails, few for people who wait."""
STEADY = 60.0
"""Seconds after which a connection counts as well, and what was before it as over."""
MOST_ASKED = 60.0
"""Seconds that we wait at the other side's wish, and between two tries of what is refused."""
HOUR = 3600.0

log = get_logger()


@dataclass(slots=True)
class Outage:
    """When to try again: after half the time that was lost so far at most, within bounds.

    A connection that did not last does not begin the count anew, or what fails at every start
    would be tried as fast as it can fail.
    """

    clock: Clock
    chance: Callable[[], float] = random.random
    """Answers 0 to 1: many that lost the same network do not come back as one."""
    _lost: float = field(init=False, default=0.0)
    _down_since: float = field(init=False)
    _up_since: float | None = field(init=False, default=None)
    _tries: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._down_since = self.clock.steady()

    def over(self) -> None:
        """There is a connection again."""
        self._lost += self._passed(self._down_since)
        self._up_since = self.clock.steady()

    def wait(self) -> float:
        """Seconds until the next try, none before the first; call it after each that failed."""
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
    """Our own errors as they are; whatever else heals by a new connection, as far as we know."""
    return error if isinstance(error, BotError) else Unforeseen()


@dataclass
class Supervisor:
    """Of one network. Its connection tells by `up` and `down` whether people are heard."""

    network: str
    _: KW_ONLY
    clock: Clock
    reason: Callable[[Exception], BotError] = unforeseen
    """Names in our words what a connection raised; `Broken` is what we are refused."""
    chance: Callable[[], float] = random.random
    is_up: bool = field(init=False, default=False)
    _has_worked: bool = field(init=False, default=False)
    _logged: dict[str, float] = field(init=False, default_factory=dict)
    """When the log was last told of each reason of this outage."""

    def __post_init__(self) -> None:
        self._outage = Outage(self.clock, chance=self.chance)
        self._silent_since = self.clock.steady()

    def up(self) -> None:
        """People are heard."""
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
        """They are not, although the connection goes on."""
        if self.is_up:
            self.is_up = False
            self._silent_since = self.clock.steady()

    async def keep(self, connect: Callable[[], Awaitable[None]]) -> None:
        """Have `connect` hold a connection until it is lost, for ever.

        Raises `Broken` where the network refuses us and never took us since the start.
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
        # Each reason once: a network that can't be reached is tried twice a minute for hours.
        if self._is_news(":".join([reason.code, *where.values()])):
            kind = type(error).__name__
            log.warning(f"{self.network}.disconnected", why=reason.code, error=kind, **where)
        return wait

    def _refused(self, reason: Broken) -> float:
        """It took us before: whether it will again is for its operator, and the others go on."""
        if self._is_news(reason.code, again=HOUR):
            log.error(f"{self.network}.refused", why=reason.code)
        return MOST_ASKED

    def _is_news(self, reason: str, *, again: float = float("inf")) -> bool:
        """Whether this outage was not told of by this reason yet, or that many seconds ago."""
        now = self.clock.steady()
        if reason in self._logged and now - self._logged[reason] < again:
            return False
        self._logged[reason] = now
        return True


def _raised_at(error: Exception) -> str:
    """Where it was raised, in place of the text, which may quote anybody."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
