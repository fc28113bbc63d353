"""The operators' use cases on the service as a whole, on its gateways and on people.

Values in, values out; no chat network and no command line. Whatever they change is written in one
transaction with an act that says who did it, and why.
"""

import re
from collections.abc import Awaitable, Callable, Collection, Mapping
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
"""A person, as Discord has them in the text of a message."""


Acts = Callable[[int, str | None], Awaitable[list[Act]]]
"""So many acts, the newest first; all, or those on one subject."""


class Holds(Protocol):
    """Gateways that an operator holds. Each method is one whole transaction."""

    async def put(self, name: str, act: Act) -> bool:
        """Hold it from now on; whether it was not held so far."""

    async def lift(self, name: str, act: Act) -> bool:
        """Let go what it holds; whether there was such a hold."""

    async def all(self) -> list[Hold]:
        """Those in force."""

    async def paused(self) -> list[Paused]:
        """Gateways that refuse our key or our balance."""

    async def unfinished(self) -> list[tuple[str, Status, int]]:
        """By gateway and state, how many jobs have a step to come."""


class Blocks(Protocol):
    """People who are blocked. Each method is one whole transaction."""

    async def put(self, block: Block, act: Act) -> int:
        """Block them; answers how many orders that waited were cancelled."""

    async def lift(self, platform: str, person: str, act: Act) -> bool:
        """Let them order again; whether they were blocked."""

    async def all(self, *, now: float) -> list[Block]:
        """Those in force, the newest first."""


class Admin:
    """Looks after the service as a whole."""

    def __init__(
        self,
        *,
        acts: Acts,
        holds: Holds,
        blocks: Blocks,
        gateways: Collection[str],
        jobs: Jobs,
        platforms: Mapping[str, str],
        clock: Clock,
        wake: Wake,
    ) -> None:
        """`gateways`: the names of those configured. `platforms`: as `whom` takes them."""
        self._acts = acts
        self._holds = holds
        self._blocks = blocks
        self._gateways = gateways
        self._jobs = jobs
        self._platforms = platforms
        self._clock = clock
        self._wake = wake

    @property
    def use_cases(self) -> Mapping[str, UseCase]:
        """By the name that a command asks for."""
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
        """The latest acts, the newest first."""
        found = await self._acts(min(max(1, most), MOST_ACTS), subject)
        return {"acts": [_shown(act) for act in found]}

    # --- everything ----------------------------------------------------------------------------

    async def stop(self, *, actor: str, why: str = "") -> Values:
        """Take no order and let no POST leave; what is paid for is fetched and posted.

        No POST begins after it answers. Nothing that waits is lost.
        """
        changed = await self._holds.put(EVERYTHING, self._act(actor, "stop", EVERYTHING, why))
        self._wake.ring()
        return {"changed": changed, **await self._under_way()}

    async def go(self, *, actor: str, why: str = "") -> Values:
        """Go on after `stop`; the holds of single gateways stay."""
        changed = await self._holds.lift(EVERYTHING, self._act(actor, "go", EVERYTHING, why))
        self._wake.ring()
        return {"changed": changed, **await self._under_way()}

    async def _under_way(self) -> Values:
        """The jobs that are not over, and who has stopped the service, if it is stopped."""
        counts = dict.fromkeys(Status, 0)
        for _, status, count in await self._holds.unfinished():
            counts[status] += count
        held = next((hold for hold in await self._holds.all() if hold.name == EVERYTHING), None)
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
        """Each gateway with who holds it, why it is paused, and its jobs that are not over."""
        holds = {hold.name: hold for hold in await self._holds.all()}
        paused = {each.gateway: each for each in await self._holds.paused()}
        unfinished = await self._holds.unfinished()
        seen = {*holds, *(name for name, _, _ in unfinished)} - {EVERYTHING}
        rows = []
        for name in [*self._gateways, *sorted(seen - set(self._gateways))]:
            hold, lock = holds.get(name), paused.get(name)
            counts = {status: count for each, status, count in unfinished if each == name}
            rows.append(
                {
                    "name": name,
                    "configured": name in self._gateways,
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
        """Let no POST leave to this gateway until an operator resumes it; orders wait."""
        if name not in self._gateways:
            raise Refused("gateway_not_known", given=name, can=", ".join(self._gateways))
        changed = await self._holds.put(name, self._act(actor, "gateways.pause", name, why))
        self._wake.ring()
        return {"changed": changed, **await self.gateways()}

    async def resume(self, *, actor: str, name: str, why: str = "") -> Values:
        """End an operator's pause; one for a bad key or balance ends by itself."""
        changed = await self._holds.lift(name, self._act(actor, "gateways.resume", name, why))
        if not changed and name not in self._gateways:
            raise Refused("gateway_not_known", given=name, can=", ".join(self._gateways))
        self._wake.ring()
        return {"changed": changed, **await self.gateways()}

    # --- people --------------------------------------------------------------------------------

    async def block(
        self, *, actor: str, person: str, until: float | None = None, why: str = ""
    ) -> Values:
        """Refuse their orders and presses; what is paid for still arrives."""
        platform, id_ = self._person(person)
        now = self._clock.now()
        if until is not None and until <= now:
            raise Refused("until_past")
        block = Block(platform=platform, person=id_, at=now, until=until, actor=actor, why=why)
        details = {"until": until}
        act = self._act(actor, "user.block", f"{platform}:{id_}", why, details)
        cancelled = await self._blocks.put(block, act)
        self._wake.ring()
        known = await self._jobs.has_ordered(platform, id_)
        return {"cancelled": cancelled, "known": known, **await self.blocked()}

    async def unblock(self, *, actor: str, person: str, why: str = "") -> Values:
        """Let them order again."""
        platform, id_ = self._person(person)
        act = self._act(actor, "user.unblock", f"{platform}:{id_}", why)
        changed = await self._blocks.lift(platform, id_, act)
        return {"changed": changed, **await self.blocked()}

    async def blocked(self) -> Values:
        """The people who are blocked now."""
        found = await self._blocks.all(now=self._clock.now())
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

    def _person(self, named: str) -> tuple[str, str]:
        return whom(named, self._platforms)

    def _act(
        self, actor: str, action: str, subject: str, why: str, details: Values | None = None
    ) -> Act:
        return Act(
            at=self._clock.now(),
            actor=actor,
            action=action,
            subject=subject,
            why=why,
            details=details or {},
        )


def whom(named: str, platforms: Mapping[str, str]) -> tuple[str, str]:
    """Platform and id of a person or a community, written as `discord:7` or `discord:<@7>`.

    `platforms`: those there are, with the shape of their ids.
    """
    platform, _, id_ = named.strip().partition(":")
    if mention := _MENTION.fullmatch(id_):
        id_ = mention[1]
    if platform not in platforms or not re.fullmatch(platforms[platform], id_, re.ASCII):
        raise Refused("whom_unreadable", given=named, can=", ".join(sorted(platforms)))
    return platform, id_


def _shown(act: Act) -> Values:
    return {
        "at": act.at,
        "actor": act.actor,
        "action": act.action,
        "subject": act.subject,
        "why": act.why,
        "details": dict(act.details),
    }
