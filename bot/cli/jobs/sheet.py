"""Print all facts about one job, a line each, the most wanted first."""

from collections.abc import Iterator, Sequence

from bot.cli import drawing, terminal
from bot.cli.causes import in_words
from bot.cli.jobs import facts, wording
from bot.cli.words import tell
from bot.core import replies
from bot.core.jobs import UNNAMED, Job, Status
from bot.core.orders import Given, Picture, Sound
from bot.core.posts import Post
from bot.i18n import printable

Line = tuple[str, str]


def show(job: Job, posts: Sequence[Post], *, currency: str, prompt: bool, now: float) -> None:
    """Print all facts about a job; nothing is cut."""
    console = terminal.plain()
    why = wording.reason(job)
    head = f"{job.id}: {job.status}" + (f", {why}" if why else "")
    console.print(printable(head), style="bold", soft_wrap=True)
    for section in (
        _times(job, now=now),
        _order(job, prompt=prompt),
        _gateway(job, prompt=prompt),
        _costs(job, currency),
        _posts(posts, now=now),
    ):
        console.print()
        drawing.sheet(section)


def _times(job: Job, *, now: float) -> Iterator[Line]:
    for name, at in (
        ("ordered", job.created_at),
        ("submitted", job.submitted_at),
        ("completed", job.completed_at),
        ("delivered", job.delivered_at),
        ("due", job.due_at),
        ("claimed", job.claimed_until),
    ):
        if at is not None:
            yield tell(f"jobs.{name}"), wording.moment(at, now=now)
    if job.due_at is None:
        yield tell("jobs.due"), tell("jobs.never")


def _order(job: Job, *, prompt: bool) -> Iterator[Line]:
    order, request = job.order, job.request
    person, address = order.call.person, order.call.address
    yield tell("jobs.who"), f"{person.name} ({address.platform}:{person.id})"
    yield tell("jobs.place"), wording.place(address)
    yield tell("jobs.channel"), address.channel
    if job.silent:
        yield tell("jobs.posted"), tell("jobs.silent")
    elif job.private:
        yield tell("jobs.posted"), tell("jobs.to_person")
    yield tell("jobs.model"), f"{request.family}, {request.model} ({request.kind})"
    length = tell("jobs.up_to", seconds=request.seconds) if request.auto else f"{request.seconds} s"
    shape = (length, request.size, request.aspect, request.quality)
    yield tell("jobs.shape"), ", ".join(each for each in shape if each)
    for name, value in (("seed", request.seed), ("preset", order.wish.preset)):
        if value is not None:
            yield tell(f"jobs.{name}"), str(value)
    if asked := replies.positions(order.wish):
        yield tell("jobs.asked"), ", ".join(tell(each.id) for each in asked)
    for given in order.files:
        name = tell(f"jobs.given_{facts.kind_of(given)}")
        gone = job.inputs_gone_at
        yield name, tell("jobs.gone", when=wording.day(gone)) if gone else _given(given)
    if job.words_gone_at:
        yield tell("jobs.prompt"), tell("jobs.gone", when=wording.day(job.words_gone_at))
    elif prompt:
        written = order.wish.words.items()
        yield from ((tell(f"jobs.{field}"), text) for field, text in written if text)
    else:
        yield tell("jobs.prompt"), tell("jobs.prompt_hidden", characters=len(order.wish.prompt))


def _given(given: Given) -> str:
    known = [given.key or tell("jobs.not_fetched"), wording.size(given.size)]
    if not isinstance(given, Sound) and given.width and given.height:
        known.append(f"{given.width}×{given.height}")
    if not isinstance(given, Picture) and given.seconds:
        known.append(f"{given.seconds:g} s")
    return ", ".join(known)


def _gateway(job: Job, *, prompt: bool) -> Iterator[Line]:
    yield tell("jobs.gateway"), f"{job.gateway}, {facts.host(job.base_url)}"
    yield tell("jobs.gateway_id"), _id(job)
    yield tell("jobs.progress"), f"{job.progress} %"
    yield tell("jobs.attempts"), str(job.attempts)
    yield tell("jobs.crashes"), str(job.crashes)
    if job.reason is not None:
        yield tell("jobs.reason"), f"{job.reason}: {wording.reason(job)}"
    if job.is_closed_as_not_taken:
        yield tell("jobs.still"), tell("jobs.found_late", job=job.id)
    if said := facts.detail(job, prompt=prompt):
        yield tell("jobs.detail"), in_words(said)
    if job.sources:
        yield tell("jobs.sources"), str(len(job.sources))


def _id(job: Job) -> str:
    is_known = job.gateway_id not in (None, UNNAMED)
    return f"{job.gateway_id}" if is_known else tell("jobs.no_id")


def _costs(job: Job, currency: str) -> Iterator[Line]:
    yield tell("jobs.quota"), tell("jobs.videos", count=job.quota_cost)
    spend = "jobs.reserved" if job.status is Status.QUEUED else "jobs.spend"
    yield tell(spend), wording.spend(job, currency)
    if job.told_cost is not None:
        yield tell("jobs.told"), wording.told(job.told_cost)
    video = job.video or job.unconverted
    if video is not None:
        size = wording.size(video.size)
        shape = f"{video.width}×{video.height}, {video.seconds:g} s"
        yield tell("jobs.video"), f"{video.key}, {size}, {shape}"
        if video.converted is not None:
            size = wording.size(video.converted.size)
            yield tell("jobs.original"), f"{video.converted.key}, {size}"
        elif video.original_gone:
            yield tell("jobs.original"), tell("jobs.original_gone")
    elif job.video_gone_at:
        yield tell("jobs.video"), tell("jobs.gone", when=wording.day(job.video_gone_at))


def _posts(posts: Sequence[Post], *, now: float) -> Iterator[Line]:
    if not posts:
        yield tell("jobs.posts"), tell("jobs.no_posts")
    for post in posts:
        parts = [
            post.form.value if post.form else "",
            tell("jobs.message", id=post.message_id) if post.message_id else tell("jobs.unsent"),
            tell("jobs.in_channel", id=post.channel_id) if post.channel_id else "",
            tell("jobs.direct") if post.direct else "",
            tell("jobs.tries", count=post.attempts) if post.attempts else "",
            tell("jobs.post_due", when=wording.moment(post.due_at, now=now)) if post.due_at else "",
        ]
        if post.sending_at:
            parts.append(tell("jobs.sending", when=wording.moment(post.sending_at, now=now)))
        yield tell(f"posted.{post.kind}"), ", ".join(each for each in parts if each)
