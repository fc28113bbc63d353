"""Limits on how long we wait for a server and how many bytes we accept from it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The limits; times are seconds, sizes are bytes."""

    connect: float = 10.0
    post: float = 300.0
    """Seconds for a whole POST: some gateways answer only after 215 seconds."""
    poll: float = 45.0
    """Seconds for a whole poll, and at first for the first byte of a download."""
    content: float = 900.0
    """Seconds for a whole download from one address."""
    stall: float = 45.0
    """Seconds within which a download must bring `stride` more bytes."""
    stride: int = 64 * 1024
    answer: int = 1_000_000
    """Bytes that are read of a response that is no video."""
    listing: int = 4_000_000
    """Bytes that are read of one page of a list of videos."""
    video: int = 500_000_000
    room: float = 1.0
    """Seconds between two tries to write to a full disk."""
