"""Updates that a network delivers only once. They are stored unchanged until they are handled."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """One row of the `updates` table."""

    id: int
    """The network's own number for the update."""
    lane: str
    """A lane's updates are handled in the order they came."""
    data: dict[str, Any]
    """As it came over the wire."""
    received_at: float
    urgent: bool = False
    """Somebody is looking at a button that spins: ahead of what only has to be done."""
    wait: float = 0.0
    """Seconds before it may be handled: others may belong to it."""
    attempts: int = 0
