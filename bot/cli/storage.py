"""Open the media storage for a command."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.media.storage import Storage


@contextmanager
def storage_at(url: str) -> Iterator[Storage]:
    """Yield the storage, with a scratch folder that is removed afterwards."""
    with tempfile.TemporaryDirectory() as scratch:
        yield Storage(url, scratch=Path(scratch))
