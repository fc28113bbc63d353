"""One step of a paused gateway: ask it free of charge whether the lock is over.

A good answer is the end of the lock only where the same question was refused before: many
gateways answer it to any key, and few tell of a balance. Elsewhere one order that waits may try.
"""

import asyncio
from collections.abc import Collection, Mapping

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


class Probing:
    """Probes paused gateways."""

    def __init__(
        self,
        *,
        pauses: Pauses,
        gateways: Mapping[str, Gateway],
        clock: Clock,
        wake: Wake,
        rooms: Collection[str] = (),
        patience: float = PROBE_TIME,
    ) -> None:
        """`rooms`: platforms where whoever comes is the operator."""
        self._pauses = pauses
        self._gateways = gateways
        self._clock = clock
        self._wake = wake
        self._rooms = rooms
        self._patience = patience
        self._seen_open: set[str] = set()
        """Gateways that answered a probe well to the key of this process: their no tells."""

    async def take(self, paused: Paused) -> None:
        """Ask, and let go what may go now: everything, one order or nothing."""
        name, asked_at = paused.gateway, self._clock.now()
        probe = await self._probe(name)
        log.info("gateway.probed", gateway=name, answer=type(probe).__name__.lower())
        now = self._clock.now()
        if isinstance(probe, Open):
            self._seen_open.add(name)
        if isinstance(probe, Open) and paused.refused_at is not None:
            ended = await self._pauses.works(
                name, looked=False, asked_at=asked_at, rooms=self._rooms, now=now
            )
            if ended:
                log.info("gateway.accepted", gateway=name)
        elif isinstance(probe, Locked) and probe.reason is paused.reason:
            await self._pauses.refused(name, probe.reason, now=now)
            in_doubt = paused.tried_at is None or paused.tried_at <= now - DOUBT
            if in_doubt or name not in self._seen_open:
                await self._pauses.let_one_try(name, now=now)
        else:
            await self._pauses.let_one_try(name, now=now)
        self._wake.ring()

    async def _probe(self, name: str) -> Probe:
        gateway = self._gateways.get(name)
        if gateway is None:
            return Trouble("not configured")
        return await ask(gateway, patience=self._patience)


async def ask(gateway: Gateway, *, patience: float) -> Probe:
    """Ask free of charge how its key and balance are, for so many seconds at most."""
    try:
        async with asyncio.timeout(patience):
            return await gateway.probe()
    except TimeoutError as error:
        return Trouble(type(error).__name__)
