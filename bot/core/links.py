"""Signed links that expire: `/<purpose>/<id>/<expiry>/<signature>`.

The signature covers purpose, id and expiry with one of the known keys. So a link for one thing
opens no other, and an old key can be retired. This module uses the standard library only.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

LONGEST = 7 * 24 * 3600.0
"""The most seconds for which a link is valid."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs with the first key and accepts all keys. `keys` maps a short name to a secret."""

    keys: Mapping[str, bytes]

    def path(self, purpose: str, id_: str, *, expires_at: float) -> str:
        """Return the link's path, without host and file extension."""
        expiry = int(expires_at)
        name = next(iter(self.keys))
        return f"/{purpose}/{id_}/{expiry}/{name}{self._mac(name, purpose, id_, expiry)}"

    def verify(self, purpose: str, id_: str, expiry: str, signature: str, *, now: float) -> bool:
        """Whether we signed this link, and its expiry is in the future and within `LONGEST`."""
        if not self.has_signed(purpose, id_, expiry, signature):
            return False
        return now < int(expiry) <= now + LONGEST + 60

    def has_signed(self, purpose: str, id_: str, expiry: str, signature: str) -> bool:
        """Whether we signed this link, even if it has expired."""
        if not (expiry.isascii() and expiry.isdigit()) or len(expiry) > 12:
            return False
        until = int(expiry)
        # "007" and "7" are one number but not one link.
        if str(until) != expiry:
            return False
        good = False
        for name in self.keys:
            mine = f"{name}{self._mac(name, purpose, id_, until)}"
            good |= hmac.compare_digest(mine.encode(), signature.encode("utf-8", "replace"))
        return good

    def _mac(self, name: str, purpose: str, id_: str, expiry: int) -> str:
        # A URL may hold a lone surrogate, which we never signed.
        words = f"{purpose}\n{id_}\n{expiry}".encode("utf-8", "surrogatepass")
        return hmac.new(self.keys[name], words, hashlib.sha256).hexdigest()[:40]
