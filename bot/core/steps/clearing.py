"""Deletes the copies of posted videos on servers that the operator owns.

A copy is deleted only after the original is in our storage and the job is delivered. No job waits
for it: it has a loop of its own. Its tries are a column of the job's row, so a restart goes on.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from bot.core.jobs import UNNAMED, Job
from bot.core.outcomes import Trouble
from bot.core.ports import Clock, Gateway
from bot.log import get_logger

PACE = 30.0
"""Seconds until copies that are due are searched again."""
WAITS = (0.0, 600.0, 6 * 3600.0, 48 * 3600.0)
"""Seconds after the delivery at which each try is due. After the last one the copy stays."""
_AT_ONCE = 20

log = get_logger()


@dataclass(frozen=True, slots=True)
class Copy:
    """The copy of a job's video on the server that made it."""

    job_id: str
    gateway: str
    base_url: str
    gateway_id: str
    tries: int


class Copies(Protocol):
    """The copies that are still to be deleted."""

    async def due(
        self, gateways: Collection[str], waits: Sequence[float], *, now: float, most: int
    ) -> list[Copy]:
        """Return copies at these gateways whose next try is due, the oldest first."""

    async def tried(self, copy: Copy, *, tries: int | None) -> None:
        """Store the number of tries; None if no other try follows."""


def with_copy(job: Job, gateway: Gateway | None) -> Job:
    """Return the job, with a copy to delete if its gateway is the operator's own server."""
    has_copy = gateway is not None and gateway.own and job.gateway_id not in (None, UNNAMED)
    return replace(job, copy_tries=0) if has_copy and job.video else job


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearing:
    """Deletes copies that are due, one after the other."""

    copies: Copies
    gateways: Mapping[str, Gateway]
    clock: Clock

    async def run(self) -> None:
        """Delete copies until cancelled. Returns at once if no gateway is the operator's own."""
        own = [name for name, gateway in self.gateways.items() if gateway.own]
        is_well = True
        while own:
            try:
                await self.clear(own)
            except Exception as error:  # noqa: BLE001 - a database that is away comes back
                if is_well:
                    log.warning("clearing.failed", why=type(error).__name__)
                is_well = False
            else:
                is_well = True
            await self.clock.sleep(PACE)

    async def clear(self, own: Collection[str]) -> None:
        """Try to delete each copy that is due at these gateways."""
        now = self.clock.now()
        for copy in await self.copies.due(own, WAITS, now=now, most=_AT_ONCE):
            gateway = self.gateways[copy.gateway]
            # Behind another address, the same id may be the id of another video.
            trouble = (
                await gateway.delete(copy.gateway_id)
                if gateway.base_url == copy.base_url
                else Trouble("another address")
            )
            tries = copy.tries + 1
            if trouble is None:
                log.info("copy.deleted", job=copy.job_id)
            elif tries == len(WAITS):
                log.warning("copy.left", job=copy.job_id, why=trouble.detail)
            is_over = trouble is None or tries == len(WAITS)
            await self.copies.tried(copy, tries=None if is_over else tries)
