"""How a failed step or message is logged."""

import pytest
from structlog.testing import capture_logs

from bot.core import failures
from bot.core.errors import Temporary, Unwritten
from bot.core.posts import PostKind
from bot.store import troubles
from tests.unit.core.orders import order
from tests.unit.core.workshop import Workshop


def test_a_step_that_failed_on_a_full_or_busy_database_is_logged_without_traceback() -> None:
    with capture_logs() as told:
        failures.record("step.failed", Unwritten(troubles.BUSY), job="j")
    line = {"event": "step.failed", "log_level": "warning", "code": troubles.BUSY, "job": "j"}
    assert told == [line]


@pytest.mark.parametrize("error", [ValueError("a fault of ours"), Temporary("busy")])
def test_a_step_that_failed_otherwise_is_logged_with_its_traceback(error: Exception) -> None:
    with capture_logs() as told:
        failures.record("step.failed", error)
    assert told == [{"event": "step.failed", "log_level": "error", "exc_info": error}]


async def test_a_burst_that_the_database_cannot_keep_up_with_logs_no_traceback(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This holds for steps and for messages."""

    async def busy(*_: object, **__: object) -> None:
        raise Unwritten(troubles.BUSY)

    with capture_logs() as told:
        job = await workshop.submit(order())
        monkeypatch.setattr(workshop.steps, "_take", busy)
        await workshop.work(1)
        monkeypatch.setattr(workshop.jobs, "get", busy)
        await workshop.speak()
    failed = {it["event"]: it for it in told if it["event"].endswith(".failed")}
    assert set(failed) == {"step.failed", "post.failed"}
    assert all(it["job"] == job.id and "exc_info" not in it for it in failed.values())
    assert await workshop.posts.get(job.id, PostKind.CARD) is not None
