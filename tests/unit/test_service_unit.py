"""The systemd unit in docs/: systemd accepts it, and it allows enough time for a stop."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "docs" / "zoetrope.service"


def _set(name: str) -> str:
    found = re.search(rf"^{name}=(.*)$", UNIT.read_text("utf-8"), flags=re.MULTILINE)
    assert found, name
    return found[1]


def test_the_systemd_unit_allows_a_minute_to_stop_and_no_restart_after_a_mistake() -> None:
    assert int(_set("TimeoutStopSec")) > 60
    assert _set("RestartPreventExitStatus") == "78"
    assert int(_set("LimitNOFILE")) > 1536


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_analyze_finds_no_fault_in_the_unit(tmp_path: Path) -> None:
    """The program is not installed on every machine, so /bin/true replaces it."""
    unit = tmp_path / UNIT.name
    program = _set("ExecStart").partition(" ")[0]
    unit.write_text(UNIT.read_text("utf-8").replace(program, "/bin/true"), "utf-8")
    ended = subprocess.run(
        ["systemd-analyze", "verify", str(unit)],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
