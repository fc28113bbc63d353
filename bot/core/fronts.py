"""How large a request is taken where each gateway is, as far as its refusals (413) have told.

A server in front of a gateway keeps a limit that it does not tell: nginx 1 MiB, others 4.5, 6 or
10 MB. It is learned from a refusal, only of a body that was plausibly too large, and forgotten
after a week, so that one strange answer makes nobody's pictures worse for ever.
"""

import json
from dataclasses import dataclass

from bot.core.access import Facts
from bot.core.ports import Clock

LEAST = 250_000
"""Bytes of a body that is never too large: whoever refuses it means something else."""
USUAL = 1_000_000
"""Bytes that go through an nginx whose operator set nothing (1 MiB)."""
LIFETIME = 7 * 86_400.0
"""Seconds for which a limit is believed."""


@dataclass(frozen=True, slots=True)
class Fronts:
    """Remembers them between processes."""

    facts: Facts
    clock: Clock

    async def most(self, gateway: str, base_url: str) -> int | None:
        """Bytes of the largest body to send there; None where no limit is known."""
        try:
            known = json.loads(await self.facts.get(_name(gateway)) or "{}")
            is_old = self.clock.now() - known["at"] > LIFETIME
            return None if is_old or known["url"] != base_url else int(known["most"])
        except (ValueError, LookupError, TypeError):
            return None

    async def refused(self, gateway: str, base_url: str, body: int) -> int | None:
        """A body of so many bytes was too large: what to try instead, from now on.

        None if its size can't have been the reason.
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
