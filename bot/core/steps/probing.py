"""One step of a paused gateway: ask it free of charge whether the lock is over.

A good answer is the end of the lock only where the same question was refused before: many
gateways answer it to any key, and few tell of a balance. Elsewhere one order that waits may try.
"""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from bot.core.notices import Paused
from bot.core.outcomes import Locked, Open, Probe, Trouble
from bot.core.ports import Clock, Gateway, Pauses
from bot.core.wake import Wake
from bot.log import get_logger

PROBE_TIME = 30.0
"""Seconds that a probe may take; the next one begins later than that."""
DOUBT = 600.0
"""Seconds after which one order may try although the probe, which this process saw answered well
before, is refused: it is refused free of charge, as it was before."""

log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Probing:
    """Probes paused gateways.

    `rooms`: platforms where whoever comes is the operator.
    """

    pauses: Pauses
    gateways: Mapping[str, Gateway]
    clock: Clock
    wake: Wake
    rooms: Collection[str] = ()
    patience: float = PROBE_TIME
    _seen_open: set[str] = field(init=False, default_factory=set)
    """Gateways that answered a probe well to the key of this process: their no tells."""

    async def take(self, paused: Paused) -> None:
        """Ask, and let go what may go now: everything, one order or nothing."""
        name, asked_at = paused.gateway, self.clock.now()
        probe = await self._probe(name)
        log.info("gateway.probed", gateway=name, answer=type(probe).__name__.lower())
        now = self.clock.now()
        if isinstance(probe, Open):
            self._seen_open.add(name)
        if isinstance(probe, Open) and paused.refused_at is not None:
            ended = await self.pauses.works(
                name, polled=False, asked_at=asked_at, rooms=self.rooms, now=now
            )
            if ended:
                log.info("gateway.accepted", gateway=name)
        elif isinstance(probe, Locked) and probe.reason is paused.reason:
            await self.pauses.refused(name, probe.reason, now=now)
            in_doubt = paused.tried_at is None or paused.tried_at <= now - DOUBT
            if in_doubt or name not in self._seen_open:
                await self.pauses.let_one_try(name, now=now)
        else:
            await self.pauses.let_one_try(name, now=now)
        self.wake.ring()

    async def _probe(self, name: str) -> Probe:
        gateway = self.gateways.get(name)
        if gateway is None:
            return Trouble("not configured")
        return await ask(gateway, patience=self.patience)


async def ask(gateway: Gateway, *, patience: float) -> Probe:
    """Ask free of charge how its key and balance are, for so many seconds at most."""
    try:
        async with asyncio.timeout(patience):
            return await gateway.probe()
    except TimeoutError as error:
        return Trouble(type(error).__name__)
