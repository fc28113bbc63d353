"""The script that records the GIF for the README still works with the present room."""

import asyncio
import sys
from pathlib import Path

import pytest
from PIL import Image

from docs.room_gif import SIZE

ROOT = Path(__file__).parents[2]


@pytest.mark.long
@pytest.mark.browser
@pytest.mark.usefixtures("browser")  # skipped, or failed, where there is no browser
async def test_the_script_for_the_readme_gif_records_the_room(tmp_path: Path) -> None:
    target = tmp_path / "room.gif"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "docs.room_gif", str(target), cwd=ROOT
    )
    assert await process.wait() == 0
    with Image.open(target) as made, Image.open(ROOT / "docs" / "room.gif") as shown:
        assert made.size == shown.size == SIZE
        assert getattr(made, "n_frames", 1) > 20
    assert target.stat().st_size < 2_000_000, "a README has to open quickly"
