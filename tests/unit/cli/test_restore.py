"""The sentences of `zoetrope db restore` about the jobs that it loses."""

from pathlib import Path

import pytest

from bot.backups.restoring import Later
from bot.cli.db.restore import tell_lost
from bot.config import load
from bot.core.jobs import UNNAMED


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        (["video_1"], ["The id at the gateway: video_1."]),
        ([None], ["1 job has no id at a gateway."]),
        (
            ["video_1", None, "video_2", UNNAMED],
            [
                "The ids at the gateways: video_1, video_2.",
                "2 jobs have no id at a gateway.",
            ],
        ),
    ],
)
def test_lost_jobs_are_told_with_their_ids_and_the_number_without_an_id(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], ids: list[str | None], said: list[str]
) -> None:
    gateway = {
        "ZOETROPE_GATEWAYS__MAIN__BASE_URL": "https://gateway.test",
        "ZOETROPE_GATEWAYS__MAIN__API_KEY": "sk-test",
        "ZOETROPE_DATA_DIR": str(tmp_path),
    }
    later = [Later(f"job-{n}", "completed", id_, 0.0) for n, id_ in enumerate(ids)]
    tell_lost(load(None, environment=gateway), later)
    lines = capsys.readouterr().out.splitlines()
    assert f"{len(ids)} job" in lines[1]
    assert lines[2:-1] == said
