"""The files of a job that have to be fetched before its request can be sent."""

from bot.core.jobs import Job
from bot.core.orders import Kind


def pictures_missing(job: Job) -> bool:
    """Whether a picture that the request needs is not in our storage yet."""
    wanted = () if job.request.kind is Kind.REMIX else job.order.pictures
    return any(picture.key is None for picture in wanted)


def video_missing(job: Job) -> bool:
    """Whether the request needs the order's video, and we have no copy that fits the model."""
    wanted, fit = job.order.video, job.request.video_fit
    return wanted is not None and fit is not None and not wanted.meets(fit)


def sound_missing(job: Job) -> bool:
    """Whether the request needs a sound, and our storage has no copy that the model accepts."""
    wanted = None if job.request.kind is Kind.REMIX else job.order.sound
    fit = job.request.sound_fit
    return wanted is not None and not (wanted.key and (fit is None or fit.takes(wanted)))


def files_missing(job: Job) -> bool:
    """Whether our storage lacks a file that the request needs."""
    return pictures_missing(job) or video_missing(job) or sound_missing(job)
