"""The operators' use cases on limits: show the use of today, grant more, and reset.

A grant and a reset hold for today alone. On other days the limits in the configuration apply.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Protocol

from bot.core.accounts import Accounts
from bot.core.acts import Act, UseCase, Values
from bot.core.admin import whom
from bot.core.errors import Refused
from bot.core.orders import Address
from bot.core.ports import Clock, Jobs
from bot.core.quotas import Granted, Limits, Usage, allowed

REPEATED = 3600.0
"""Seconds within which the same grant counts as a repetition of the same command."""
MOST_VIDEOS = 1_000_000
MOST_MONEY = 10**15
"""Micro-units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """A person or a community; a purse if neither is given."""

    platform: str | None = None
    person: str | None = None
    community: str | None = None
    """The community; for a person, the place of their orders, which decides the purse."""

    @property
    def figures(self) -> tuple[str, ...]:
        """Return the names of the `Usage` fields that concern this person, community or purse."""
        if self.person:
            return ("person_videos", "person_paid", "person_tries", "person_at_once")
        return ("community_videos",) if self.community else ("purse_videos", "purse_money")


def regained(whose: Whose, usage: Usage) -> Granted:
    """Return a grant equal to the use of today minus the earlier grants, not below zero."""
    names = {field.name for field in fields(Granted)}
    used = {name: getattr(usage, name) or 0 for name in whose.figures if name in names}
    more = {name: max(0, each - getattr(usage.granted, name)) for name, each in used.items()}
    return Granted(**more)


class Grants(Protocol):
    """The rows of grants. Each method is one whole transaction, which includes its act."""

    async def add(
        self,
        whose: Whose,
        limits: Limits,
        act: Act,
        *,
        videos: int = 0,
        money: int = 0,
        once_since: float | None = None,
    ) -> None:
        """Grant more videos for today, and micro-units of money.

        Raises `Refused`, as `grant_repeated` or `grant_repeated_now`, if the same act happened
        since `once_since`.
        """

    async def reset(self, whose: Whose, limits: Limits, act: Act) -> bool:
        """Restore the full limit of the day. Return whether anything had been used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowances:
    """Shows, grants and resets the limits of today."""

    grants: Grants
    jobs: Jobs
    accounts: Accounts
    platforms: Mapping[str, str]
    clock: Clock

    @property
    def use_cases(self) -> Mapping[str, UseCase]:
        """Return the use cases by the names that commands use."""
        return {"quota.show": self.show, "quota.grant": self.grant, "quota.reset": self.reset}

    async def show(self, *, kind: str, of: str = "", where: str = "") -> Values:
        """Return the use of today, what is left, and when the day ends.

        `kind` is `person` or `community`, with `of` such as `discord:7`; or `purse`, with `of` the
        name of a gateway with a purse of its own. `where`: the community in which a person orders.
        """
        whose, limits = await self._whose(kind, of, where)
        now = self.clock.now()
        address = Address(platform=whose.platform or "", channel="", community=whose.community)
        usage = await self.jobs.usage(address, whose.person or "", limits, now=now)
        most = allowed(limits, usage.granted)
        rows = []
        for name in whose.figures:
            used, limit = getattr(usage, name) or 0, most[name]
            rows.append(
                {
                    "name": name,
                    "used": used,
                    "limit": limit,
                    "granted": getattr(usage.granted, name, 0),
                    "left": None if limit is None else max(0, limit - used),
                }
            )
        return {"kind": kind, "of": of, "limits": rows, "resets_at": limits.day(now)[1]}

    async def grant(
        self,
        *,
        actor: str,
        kind: str,
        of: str = "",
        where: str = "",
        videos: int = 0,
        money: int = 0,
        why: str = "",
        again: bool = False,
    ) -> Values:
        """Grant more videos for today, and for a purse micro-units of money.

        Raises `Refused` for the same grant within an hour, as the answer to the first command may
        have been lost. `again` allows the repetition.
        """
        whose, limits = await self._whose(kind, of, where)
        if not (0 <= videos <= MOST_VIDEOS and 0 <= money <= MOST_MONEY and videos + money > 0):
            raise Refused("grant_nothing")
        if money and kind != "purse":
            raise Refused("grant_money")
        most, asked = allowed(limits, Granted()), {whose.figures[0]: videos, "purse_money": money}
        if all(most[name] is None for name, more in asked.items() if more):
            raise Refused("grant_unneeded")
        details = {"videos": videos, "money": money}
        act = self._act(actor, "quota.grant", whose, of, why, details)
        since = None if again else act.at - REPEATED
        await self.grants.add(whose, limits, act, videos=videos, money=money, once_since=since)
        known = whose.person is None or await self.jobs.has_ordered(
            whose.platform or "", whose.person
        )
        return {"known": known, **await self.show(kind=kind, of=of, where=where)}

    async def reset(
        self, *, actor: str, kind: str, of: str = "", where: str = "", why: str = ""
    ) -> Values:
        """Restore the full limit of today."""
        whose, limits = await self._whose(kind, of, where)
        act = self._act(actor, "quota.reset", whose, of, why, {})
        changed = await self.grants.reset(whose, limits, act)
        return {"changed": changed, **await self.show(kind=kind, of=of, where=where)}

    async def _whose(self, kind: str, of: str, where: str) -> tuple[Whose, Limits]:
        match kind:
            case "person":
                platform, person = whom(of, self.platforms)
                community = None
                if where:
                    there, community = whom(where, self.platforms)
                    if there != platform:
                        raise Refused("whom_elsewhere", given=of, where=where)
                whose = Whose(platform=platform, person=person, community=community)
            case "community":
                platform, community = whom(of, self.platforms)
                whose = Whose(platform=platform, community=community)
            case "purse":
                return Whose(), self._purse(of)
            case _:
                raise Refused("quota_kind_unknown", given=kind)
        address = Address(platform=platform, channel="", community=community)
        return whose, (await self.accounts.terms(address)).limits

    def _purse(self, gateway: str) -> Limits:
        """Return the limits with the purse of this gateway, or with the operator's purse for ""."""
        every = [self.accounts.general, *self.accounts.own.values()]
        known = {terms.limits.purse.gateway or "": terms.limits for terms in reversed(every)}
        if gateway not in known:
            can = ", ".join(sorted(filter(None, known))) or "–"
            raise Refused("purse_unknown", given=gateway, can=can)
        return known[gateway]

    def _act(
        self, actor: str, action: str, whose: Whose, of: str, why: str, details: Values
    ) -> Act:
        subject = f"purse:{of}" if of else "purse"
        if whose.platform:
            subject = f"{whose.platform}:{whose.person or whose.community}"
        now = self.clock.now()
        return Act(at=now, actor=actor, action=action, subject=subject, why=why, details=details)
