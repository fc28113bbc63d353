"""Sample jobs for the tests of variations."""

from bot.core.jobs import Job, Reason, Status, Video
from bot.core.orders import Call
from tests.unit.core.orders import (
    ANN,
    HALL,
    job,
    order,
)

MP4 = Video(key="videos/a.mp4", size=9, width=1280, height=720, seconds=5.0)
CALL = Call(event_id="press", address=HALL, person=ANN, locale="en")


def made(**wish: object) -> Job:
    """Return a job whose video is stored."""
    return job(order=order(**wish), status=Status.DELIVERED, gateway_id="v1", video=MP4)


def failed(reason: Reason, **wish: object) -> Job:
    """Return a job that failed for this reason."""
    return job(order=order(**wish), status=Status.FAILED, reason=reason)
