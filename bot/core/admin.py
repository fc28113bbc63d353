"""The operators' use cases on the service as a whole, on its gateways and on people.

The use cases take and return plain values and know no chat network and no command line. Each change
is written in one transaction with an act that says who did it, and why.
"""

import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Protocol

from bot.core.acts import EVERYTHING, Act, Block, Hold, UseCase, Values
from bot.core.errors import Refused
from bot.core.jobs import Status
from bot.core.notices import Paused
from bot.core.ports import Clock, Jobs
from bot.core.wake import Wake

MOST_ACTS = 1000
"""Acts in one list."""
_MENTION = re.compile(r"<@!?(.+)>")
"""A mention of a person in the text of a Discord message."""


Acts = Callable[[int, str | None], Awaitable[list[Act]]]
"""A function that returns acts, the newest first: up to a number, and on one subject if given."""


class Holds(Protocol):
    """The operators' holds. Each method is one whole transaction."""

    async def put(self, name: str, act: Act) -> bool:
        """Begin a hold. Return False if it was in force already."""

    async def lift(self, name: str, act: Act) -> bool:
        """End a hold. Return whether it was in force."""

    async def all(self) -> list[Hold]:
        """Return the holds in force."""

    async def paused(self) -> list[Paused]:
        """Return the gateways that are paused, as they refuse our key or balance."""

    async def unfinished(self) -> list[tuple[str, Status, int]]:
        """Return the number of unfinished jobs by gateway and state."""


class Blocks(Protocol):
    """People who are blocked. Each method is one whole transaction."""

    async def put(self, block: Block, act: Act) -> int:
        """Block a person. Return the number of queued jobs that this cancelled."""

    async def lift(self, platform: str, person: str, act: Act) -> bool:
        """End a person's block. Return whether the person was blocked."""

    async def all(self, *, now: float) -> list[Block]:
        """Return the blocks in force, the newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admin:
    """The operators' use cases on the service, its gateways and people."""

    latest: Acts
    holds: Holds
    blocks: Blocks
    configured: Collection[str]
    """The names of gateways."""
    jobs: Jobs
    platforms: Mapping[str, str]
    """The platforms, with the pattern of the ids of each, for `whom`."""
    clock: Clock
    wake: Wake

    @property
    def use_cases(self) -> Mapping[str, UseCase]:
        """Return the use cases by the names that commands use."""
        return {
            "acts.list": self.acts,
            "stop": self.stop,
            "go": self.go,
            "gateways.list": self.gateways,
            "gateways.pause": self.pause,
            "gateways.resume": self.resume,
            "user.block": self.block,
            "user.unblock": self.unblock,
            "user.list": self.blocked,
        }

    async def acts(self, *, most: int = 20, subject: str | None = None) -> Values:
        """Return the latest acts, the newest first."""
        found = await self.latest(min(max(1, most), MOST_ACTS), subject)
        return {"acts": [asdict(act) for act in found]}

    # --- everything ----------------------------------------------------------------------------

    async def stop(self, *, actor: str, why: str = "") -> Values:
        """Accept no orders and send no POSTs. Paid videos are still fetched and posted.

        No POST begins after this returns. Queued jobs wait.
        """
        changed = await self.holds.put(EVERYTHING, self._act(actor, "stop", EVERYTHING, why))
        self.wake.ring()
        return {"changed": changed, **await self._under_way()}

    async def go(self, *, actor: str, why: str = "") -> Values:
        """End `stop`. The holds of single gateways stay."""
        changed = await self.holds.lift(EVERYTHING, self._act(actor, "go", EVERYTHING, why))
        self.wake.ring()
        return {"changed": changed, **await self._under_way()}

    async def _under_way(self) -> Values:
        """Return the counts of unfinished jobs, and who stopped the service, if it is stopped."""
        counts = dict.fromkeys(Status, 0)
        for _, status, count in await self.holds.unfinished():
            counts[status] += count
        held = next((hold for hold in await self.holds.all() if hold.name == EVERYTHING), None)
        return {
            "stopped": held is not None,
            "since": held and held.at,
            "by": held and held.actor,
            "waiting": counts[Status.QUEUED],
            "leaving": counts[Status.SUBMITTING],
            "made": sum(counts.values()) - counts[Status.QUEUED] - counts[Status.SUBMITTING],
        }

    # --- gateways ------------------------------------------------------------------------------

    async def gateways(self) -> Values:
        """Return each gateway with its hold, its pause, and its unfinished jobs."""
        holds = {hold.name: hold for hold in await self.holds.all()}
        paused = {each.gateway: each for each in await self.holds.paused()}
        unfinished = await self.holds.unfinished()
        seen = {*holds, *(name for name, _, _ in unfinished)} - {EVERYTHING}
        rows = []
        for name in [*self.configured, *sorted(seen - set(self.configured))]:
            hold, lock = holds.get(name), paused.get(name)
            counts = {status: count for each, status, count in unfinished if each == name}
            rows.append(
                {
                    "name": name,
                    "configured": name in self.configured,
                    "paused": hold is not None,
                    "since": hold and hold.at,
                    "by": hold and hold.actor,
                    "why": hold and hold.why,
                    "refuses": lock and lock.reason.value,
                    "waiting": counts.get(Status.QUEUED, 0),
                    "at_work": sum(counts.values()) - counts.get(Status.QUEUED, 0),
                }
            )
        return {"gateways": rows, "stopped": EVERYTHING in holds}

    async def pause(self, *, actor: str, name: str, why: str = "") -> Values:
        """Send no POST to this gateway until an operator resumes it. Queued jobs wait."""
        if name not in self.configured:
            raise Refused("gateway_not_known", given=name, can=", ".join(self.configured))
        changed = await self.holds.put(name, self._act(actor, "gateways.pause", name, why))
        self.wake.ring()
        return {"changed": changed, **await self.gateways()}

    async def resume(self, *, actor: str, name: str, why: str = "") -> Values:
        """End an operator's hold of a gateway. A pause for a bad key or balance ends by itself."""
        changed = await self.holds.lift(name, self._act(actor, "gateways.resume", name, why))
        if not changed and name not in self.configured:
            raise Refused("gateway_not_known", given=name, can=", ".join(self.configured))
        self.wake.ring()
        return {"changed": changed, **await self.gateways()}

    # --- people --------------------------------------------------------------------------------

    async def block(
        self, *, actor: str, person: str, until: float | None = None, why: str = ""
    ) -> Values:
        """Refuse a person's orders and presses. Videos that are paid for are still posted."""
        platform, id_ = whom(person, self.platforms)
        now = self.clock.now()
        if until is not None and until <= now:
            raise Refused("until_past")
        block = Block(platform=platform, person=id_, at=now, until=until, actor=actor, why=why)
        details = {"until": until}
        act = self._act(actor, "user.block", f"{platform}:{id_}", why, details)
        cancelled = await self.blocks.put(block, act)
        self.wake.ring()
        known = await self.jobs.has_ordered(platform, id_)
        return {"cancelled": cancelled, "known": known, **await self.blocked()}

    async def unblock(self, *, actor: str, person: str, why: str = "") -> Values:
        """End a person's block."""
        platform, id_ = whom(person, self.platforms)
        act = self._act(actor, "user.unblock", f"{platform}:{id_}", why)
        changed = await self.blocks.lift(platform, id_, act)
        return {"changed": changed, **await self.blocked()}

    async def blocked(self) -> Values:
        """Return the people who are blocked now."""
        found = await self.blocks.all(now=self.clock.now())
        return {
            "blocked": [
                {
                    "person": f"{each.platform}:{each.person}",
                    "at": each.at,
                    "until": each.until,
                    "by": each.actor,
                    "why": each.why,
                }
                for each in found
            ]
        }

    def _act(
        self, actor: str, action: str, subject: str, why: str, details: Values | None = None
    ) -> Act:
        now, given = self.clock.now(), details or {}
        return Act(at=now, actor=actor, action=action, subject=subject, why=why, details=given)


def whom(named: str, platforms: Mapping[str, str]) -> tuple[str, str]:
    """Return the platform and id of a person or community in `discord:7` or `discord:<@7>`.

    `platforms`: the known platforms, with the pattern of their ids. Raises `Refused`.
    """
    platform, _, id_ = named.strip().partition(":")
    if mention := _MENTION.fullmatch(id_):
        id_ = mention[1]
    if platform not in platforms or not re.fullmatch(platforms[platform], id_, re.ASCII):
        raise Refused("whom_unreadable", given=named, can=", ".join(sorted(platforms)))
    return platform, id_
