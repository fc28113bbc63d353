"""How long we wait for a server and how much we take from it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The most of everything; seconds and bytes."""

    connect: float = 10.0
    post: float = 300.0
    """The whole POST: some gateways block for 215 of these seconds."""
    poll: float = 45.0
    """A whole look at a job; in a download, the wait for its first byte at first."""
    content: float = 900.0
    """A whole download from one address."""
    stall: float = 45.0
    """Within this time a download must bring `stride` more bytes."""
    stride: int = 64 * 1024
    answer: int = 1_000_000
    """Bytes that are read of an answer that is no video."""
    listing: int = 4_000_000
    """Bytes that are read of a page of videos."""
    video: int = 500_000_000
    room: float = 1.0
    """Seconds between two tries to write to a disk that takes nothing."""
