"""Large videos are streamed from the disk: ten uploads need no more memory than two."""

import sys
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from tests.fakes.telegram import FakeTelegram

MEGABYTES = 49
UPLOADS = 10
SLACK = 10_000
"""Kilobytes by which the process may grow from the second upload to the last."""


@pytest.mark.proof
@pytest.mark.filterwarnings("ignore:unread_data")  # from aiohttp's multipart reader, in the fake
async def test_ten_telegram_uploads_of_49_megabytes_do_not_raise_memory(tmp_path: Path) -> None:
    video = tmp_path / "video.mp4"
    with video.open("wb") as file:
        file.truncate(MEGABYTES * 1_000_000)
    async with FakeTelegram() as telegram:
        ann = telegram.person("ann", started=True)
        child = await create_subprocess_exec(
            sys.executable, "-m", "tests.e2e.uploads",
            telegram.api_url, telegram.token, str(ann.id), str(video), str(UPLOADS),
            stdout=PIPE, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        said, _ = await child.communicate()
        assert child.returncode == 0
        assert len(telegram.posts(ann.private)) == UPLOADS
    peaks = [int(line) for line in said.split()]
    sys.stdout.write(f"peaks in kB: {peaks}\n")
    assert peaks[-1] - peaks[1] < SLACK, peaks
