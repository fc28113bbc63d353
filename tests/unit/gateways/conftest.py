"""The fixture that the tests of gateways share: a path for a video."""

from pathlib import Path

import pytest


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return tmp_path / "video.mp4"
