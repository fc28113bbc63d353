"""The interface of the place where a gateway's id goes when the database can't take it."""

from collections.abc import Sequence
from typing import Protocol


class Spool(Protocol):
    """Where a gateway's id goes when the database can't take it."""

    def add(self, job_id: str, gateway_id: str, sources: Sequence[str] = ()) -> None:
        """Write it down and wait until the disk has it. Raises `OSError`."""

    def forget(self, job_id: str) -> None:
        """The job's row has its id. Raises `OSError`."""
