"""A job as values for `--json`, and the parts of foreign texts that may be shown.

The values hold no secrets and no signed links, and the prompt only on request.
"""

import re
from collections.abc import Mapping, Sequence

from bot.cli.drawing import stamp
from bot.cli.jobs.masking import masked
from bot.cli.words import FREE
from bot.core.jobs import Job, Status, Video
from bot.core.orders import Given, Picture, Sound
from bot.core.posts import Post
from bot.core.wishes import SWITCHES
from bot.log import redacted

Values = dict[str, object]

_TIMES = (
    *("submitted_at", "completed_at", "delivered_at", "ended_at"),
    *("inputs_gone_at", "words_gone_at", "due_at", "claimed_until"),
)
_ASKED = ("dialect", "size", "aspect", "quality", "seed", "auto")
_ADDRESS = re.compile(r"(?i)(https?:/*)(?:[^\s/?#@\"'<>]*@)?([^\s/?#\"'<>]+)[^\s\"'<>]*")
"""A URL. Only its host is shown, because the rest may be a key."""


def listed(jobs: Sequence[Job], counts: Mapping[Status, int]) -> Values:
    """Return a list of jobs, and the number of jobs in each state."""
    each = {status.value: count for status, count in counts.items()}
    return {"jobs": [of(job) for job in jobs], "counts": each}


def of(job: Job) -> Values:
    """Return the fields of a job that a list shows."""
    told = job.told_cost
    return {
        "id": job.id,
        "status": job.status.value,
        "reason": job.reason.value if job.reason else None,
        "model": job.request.model,
        "family": job.request.family,
        "kind": job.request.kind.value,
        "seconds": job.request.seconds,
        "platform": job.order.call.address.platform,
        "person": {"id": job.order.call.person.id, "name": job.order.call.person.name},
        "community": job.order.call.address.community,
        "gateway": job.gateway,
        "quota_cost": job.quota_cost,
        "spend_cost": None if job.spend_cost == FREE else job.spend_cost,
        "told_cost": told
        and {"micro": told.micro, "currency": told.currency, "is_fee": told.is_fee},
        "ordered_at": stamp(job.created_at),
        "video_gone_at": stamp(job.video_gone_at),
    }


def whole(job: Job, posts: Sequence[Post], *, prompt: bool) -> Values:
    """Return all fields of a job."""
    request, video = job.request, job.video
    more: Values = {
        **{name: stamp(getattr(job, name)) for name in _TIMES},
        "base_url": host(job.base_url),
        "gateway_id": job.gateway_id,
        "progress": job.progress,
        "attempts": job.attempts,
        "crashes": job.crashes,
        "detail": detail(job, prompt=prompt),
        "sources": len(job.sources),
        "channel": job.order.call.address.channel,
        "locale": job.order.call.locale,
        "silent": job.silent,
        "private": job.private,
        **{name: getattr(request, name) for name in _ASKED},
        **{word: getattr(job.order.wish, field) for word, field in SWITCHES.items()},
        "preset": job.order.wish.preset,
        "files": [_file(each) for each in job.order.files],
        "prompt_length": len(job.order.wish.prompt),
        "video": video and _video(video),
        "posts": [_post(each) for each in posts],
    }
    return of(job) | more | (job.order.wish.words if prompt else {})


def detail(job: Job, *, prompt: bool) -> str | None:
    """Return the gateway's text without URLs; prompts in the text are masked unless asked for."""
    if job.detail is None:
        return None
    said = _ADDRESS.sub(lambda found: f"{found[1]}{found[2]}/…", job.detail)
    if not prompt:
        said = masked(said, (job.request.prompt, *job.order.wish.words.values()))
    return redacted(said)


def host(url: str) -> str:
    """Return a URL without its query, and redacted."""
    return redacted(url.partition("?")[0])


def _file(given: Given) -> Values:
    shape: Values = {"kind": kind_of(given), "key": given.key, "size": given.size}
    if not isinstance(given, Sound):
        shape |= {"width": given.width, "height": given.height}
    return shape if isinstance(given, Picture) else shape | {"seconds": given.seconds}


def kind_of(given: Given) -> str:
    """Return `picture`, `video` or `sound`."""
    if isinstance(given, Picture):
        return "picture"
    return "sound" if isinstance(given, Sound) else "video"


def _video(video: Video) -> Values:
    return {
        "key": video.key,
        "size": video.size,
        "width": video.width,
        "height": video.height,
        "seconds": video.seconds,
        "plays": video.plays,
        "converted_from": video.converted.key if video.converted else None,
        "original_gone": video.original_gone,
    }


def _post(post: Post) -> Values:
    return {
        "kind": post.kind.value,
        "form": post.form.value if post.form else None,
        "message_id": post.message_id,
        "channel_id": post.channel_id,
        "direct": post.direct,
        "attempts": post.attempts,
        "due_at": stamp(post.due_at),
        "claimed_until": stamp(post.claimed_until),
        "sending_at": stamp(post.sending_at),
    }
