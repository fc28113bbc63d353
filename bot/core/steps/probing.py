"""One step of a paused gateway: send a free request that tests whether the pause can end.

A good answer ends the pause only if the same request was refused before: many gateways answer it
for any key, and few show a missing balance. Otherwise one waiting order is sent as a probe.
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
"""Timeout of a free request in seconds; the next one begins later than that."""
DOUBT = 600.0
"""Seconds after an order was sent as a probe until another order may be sent as a probe.

This is for a gateway that still refuses the free request. A refused order costs nothing.
"""

log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Probing:
    """Checks paused gateways. `rooms` are the networks where everybody counts as the operator."""

    pauses: Pauses
    gateways: Mapping[str, Gateway]
    clock: Clock
    wake: Wake
    rooms: Collection[str] = ()
    patience: float = PROBE_TIME
    _seen_open: set[str] = field(init=False, default_factory=set)
    """Gateways that accepted a free request since this process began.

    If such a gateway refuses the free request, it would refuse an order, too.
    """

    async def take(self, paused: Paused) -> None:
        """Send the free request. Then end the pause, let one order try, or change nothing."""
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
    """Send a free request that tests key and balance; `patience` is its timeout in seconds."""
    try:
        async with asyncio.timeout(patience):
            return await gateway.probe()
    except TimeoutError as error:
        return Trouble(type(error).__name__)
