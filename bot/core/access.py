"""The places where the bot may work, and the owners who decide it.

A place is a community, or one person's direct messages. A place is closed until an owner opens it,
unless the configuration says otherwise. The first owner is the person who sends the one-time code
that the service prints while it has no owner. A private platform, which only the operator can
reach, is one open place without owners.
"""

import hashlib
import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.core.errors import Refused
from bot.core.orders import Address, Person
from bot.core.ports import Clock
from bot.log import get_logger

CODE = "access.code"
"""The name of the fact that holds the digest of the one-time code."""
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"

log = get_logger()


class Default(StrEnum):
    """The rule for a place that no owner has decided on."""

    CLOSED = "closed"
    OPEN = "open"


class Places(Protocol):
    """The stored owners and decisions."""

    async def has_owner(self) -> bool: ...

    async def is_owner(self, platform: str, person_id: str) -> bool: ...

    async def claim(self, code: str, platform: str, person_id: str, *, now: float) -> bool:
        """Make this person an owner and use up the code if `code` is the value of the fact `CODE`.

        Return whether the code was right. This is one transaction: if several people send the
        code, only one of them becomes the owner.
        """

    async def decide(
        self, platform: str, place: str, *, allowed: bool, by: str, now: float
    ) -> None:
        """Open or close a place."""

    async def decision(self, platform: str, place: str) -> bool | None:
        """Return whether an owner opened the place; None if no owner has decided."""


class Facts(Protocol):
    """Small values by name that outlast the process."""

    async def get(self, name: str) -> str | None: ...

    async def put(self, name: str, value: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Decides whether a person may order in a place.

    `private`: the names of platforms without owners.
    """

    places: Places
    facts: Facts
    default: Default
    clock: Clock
    private: frozenset[str] = frozenset()

    async def new_code(self) -> str | None:
        """Create a one-time code for the first owner. Return None if there is an owner already."""
        if await self.places.has_owner():
            return None
        groups = ("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))
        code = "-".join(groups)
        await self.facts.put(CODE, _digest(code))
        return code

    async def forget_code(self) -> None:
        """Make a code that was printed earlier invalid."""
        await self.facts.put(CODE, "")

    async def is_claimable(self) -> bool:
        """Whether a code exists that makes a person the first owner."""
        return bool(await self.facts.get(CODE)) and not await self.places.has_owner()

    async def claim(self, code: str, person: Person, address: Address) -> None:
        """Make a person with the right code the owner, and open the place they are in.

        Raises `Refused("code_wrong")`, also for a code that was used before.
        """
        now = self.clock.now()
        if not await self.places.claim(_digest(code), address.platform, person.id, now=now):
            log.warning("access.code_wrong", platform=address.platform)
            raise Refused("code_wrong")
        await self._put(address, person, allowed=True)
        log.info("access.claimed", platform=address.platform)

    async def decide(
        self, person: Person, address: Address, *, allowed: bool, whom: str | None = None
    ) -> None:
        """Open or close the place for everybody in it, or the direct messages of `whom`.

        Active jobs are still delivered. Raises `Refused("owners_only")`.
        """
        if not await self.owns(person, address):
            raise Refused("owners_only")
        await self._put(address, person, allowed=allowed, whom=whom)

    async def check(self, person: Person, address: Address) -> None:
        """Raise `Refused` if this person may not order here. The error says who can change that."""
        if address.platform in self.private:
            return
        decision = await self.places.decision(address.platform, _place(address, person))
        if decision is None:
            decision = self.default is Default.OPEN or (
                address.community is None
                and await self.places.is_owner(address.platform, person.id)
            )
        if decision:
            return
        if not await self.places.has_owner():
            raise Refused("no_owner")
        if address.community is None:
            raise Refused("not_allowed_private", id=person.id)
        raise Refused("not_allowed_here")

    async def owns(self, person: Person, address: Address) -> bool:
        """Whether this person owns the bot."""
        return await self.places.is_owner(address.platform, person.id)

    async def _put(
        self, address: Address, person: Person, *, allowed: bool, whom: str | None = None
    ) -> None:
        await self.places.decide(
            address.platform,
            _place(address, person) if whom is None else _private(whom),
            allowed=allowed,
            by=person.id,
            now=self.clock.now(),
        )


def _place(address: Address, person: Person) -> str:
    return address.community or _private(person.id)


def _private(person_id: str) -> str:
    return f"@{person_id}"


def _digest(code: str) -> str:
    return hashlib.sha256(code.strip().upper().encode()).hexdigest()
