"""The largest request body that each gateway accepts, learned from its refusals (413).

A server in front of a gateway has an unpublished limit: nginx 1 MiB, others 4.5, 6 or 10 MB. The
limit is learned only from the refusal of a body that was plausibly too large. It is forgotten after
a week, so that one wrong response does not reduce the quality of pictures for ever.
"""

import json
from dataclasses import dataclass

from bot.core.access import Facts
from bot.core.ports import Clock

LEAST = 250_000
"""Bytes of a body that is never too large. A 413 for a smaller body has another reason."""
USUAL = 1_000_000
"""Bytes that an nginx with its default limit (1 MiB) accepts."""
LIFETIME = 7 * 86_400.0
"""Seconds after which a learned limit is forgotten."""


@dataclass(frozen=True, slots=True)
class Fronts:
    """The learned limits, stored as facts."""

    facts: Facts
    clock: Clock

    async def most(self, gateway: str, base_url: str) -> int | None:
        """Return the most bytes of a body for this gateway; None if no limit is known."""
        try:
            known = json.loads(await self.facts.get(_name(gateway)) or "{}")
            is_old = self.clock.now() - known["at"] > LIFETIME
            return None if is_old or known["url"] != base_url else int(known["most"])
        except (ValueError, LookupError, TypeError):
            return None

    async def refused(self, gateway: str, base_url: str, body: int) -> int | None:
        """Lower the limit, because a body of `body` bytes was refused; return the new limit.

        Return None if the size can't have been the reason.
        """
        if body <= LEAST:
            return None
        most = USUAL if body > USUAL else max(LEAST, body // 2)
        if before := await self.most(gateway, base_url):
            most = min(most, before)
        fact = {"url": base_url, "most": most, "at": self.clock.now()}
        await self.facts.put(_name(gateway), json.dumps(fact))
        return most


def _name(gateway: str) -> str:
    return f"front.{gateway}"
