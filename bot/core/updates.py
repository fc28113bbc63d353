"""Updates that a network delivers only once. They are stored unchanged until they are handled."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """A message or event from a network: one row of the `updates` table."""

    id: int
    """The network's own number for the update."""
    lane: str
    """The queue of the update. Updates of one lane are handled in the order they came."""
    data: dict[str, Any]
    """The JSON object that the network sent."""
    received_at: float
    urgent: bool = False
    """A person waits at a pressed button, so this update is handled before others."""
    wait: float = 0.0
    """Seconds before the update may be handled, because later updates may belong to it."""
    attempts: int = 0
