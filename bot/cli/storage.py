"""The storage, as long as a command looks at it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.media.storage import Storage


@contextmanager
def storage_at(url: str) -> Iterator[Storage]:
    """With a scratch folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as scratch:
        yield Storage(url, scratch=Path(scratch))
