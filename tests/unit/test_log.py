"""A log that can't be written does not disturb the work, and a log takes little memory."""

import io
import subprocess
import sys

import pytest

from bot import log


class Broken(io.StringIO):
    """A pipe that nobody reads any more, or a disk that is full."""

    def write(self, text: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


def test_a_log_that_cannot_be_written_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Broken())
    log.configure(json=True)
    log.get_logger().warning("job.queued", job="1")
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        log.get_logger().exception("step.failed")


def test_a_log_line_that_can_be_written_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(json=True)
    log.get_logger().warning("job.queued", job="1")
    assert '"event": "job.queued"' in capsys.readouterr().err


def test_the_log_does_not_import_rich_and_rich_can_be_imported_afterwards() -> None:
    lines = "import sys, bot.log", "print('rich' in sys.modules)", "import rich.traceback"
    found = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], check=True, capture_output=True, text=True
    )
    assert found.stdout == "False\n"


def test_after_the_last_line_the_log_prints_nothing_at_interpreter_exit() -> None:
    """Names of our modules may be gone by then; `-X dev` would report what that causes."""
    lines = "from bot import log", "log.configure(json=True)", "log.suppress = None"
    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-c", "\n".join(lines)], check=True, capture_output=True
    )
    assert ended.stderr == b""
