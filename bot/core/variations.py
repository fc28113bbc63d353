"""Variations of an earlier video: the new order that each button under it makes.

Pure functions from a job and the current catalog to a new order. They return None for an order
that no model takes, so that no button is offered that would be refused.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from bot.core.catalog import Catalog
from bot.core.errors import Refused, WordsExpired
from bot.core.jobs import UNNAMED, Job, Reason, Status, Video
from bot.core.offers import takes
from bot.core.orders import ANYBODY, Clip, Kind, Made, Order, Picture
from bot.core.replies import MOST_CARRIED, Action, Button
from bot.core.wishes import AUTO, QUALITIES, Extra, Use, Wish

WISHES = (*Extra, "quality", "seconds", "aspect")
"""The fields of a wish that are given up if a model lacks them, the least important first."""

_WAYS_OUT: Mapping[tuple[Action, ...], frozenset[Reason]] = {
    (Action.EDIT, Action.TRY_ON): frozenset(
        {
            *(Reason.MODERATED, Reason.WITHHELD, Reason.REFUSED, Reason.REFUSED_ALONE),
            Reason.TOO_LONG,
        }
    ),
    (Action.SHORTER, Action.TRY_ON): frozenset({Reason.CONTENT_TOO_LARGE, Reason.TIMED_OUT}),
    (Action.TRY_ON,): frozenset(
        {
            *(Reason.BAD_SIZE, Reason.UNKNOWN_MODEL, Reason.PICTURE_TOO_LARGE, Reason.BUSY),
            *(Reason.WRONG_ADDRESS, Reason.BLOCKED, Reason.NO_BALANCE, Reason.BAD_KEY),
            *(Reason.LOST, Reason.CONTENT_GONE, Reason.CONTENT_BAD, Reason.EXPIRED),
        }
    ),
}
"""Actions that may help besides a retry, each with the reasons after which they may."""
_HOPELESS = frozenset(
    {
        *(Reason.PICTURE_BAD, Reason.PICTURE_UNKNOWN, Reason.PICTURE_HEAVY, Reason.PICTURE_VAST),
        *(Reason.PICTURE_DEMANDING, Reason.SOUND_BAD, Reason.SOUND_UNKNOWN, Reason.SOUND_HEAVY),
        *(Reason.SOUND_SHORT, Reason.SOUND_DEMANDING, Reason.TOO_LONG, Reason.BAD_SIZE),
        *(Reason.GIVEN_BAD, Reason.GIVEN_UNKNOWN, Reason.GIVEN_HEAVY, Reason.GIVEN_SHORT),
        *(Reason.GIVEN_LONG, Reason.GIVEN_DEMANDING),
    }
)
"""Reasons of failures that a retry of the same order would meet again."""
ASKING = frozenset({Action.REMIX, Action.EDIT, Action.CONTINUE})
"""Actions that ask the person for a new prompt."""


def check_kept(job: Job, action: Action, order: Order | None) -> None:
    """Raise `Refused` if `order` needs a video, text or file of `job` that was removed meanwhile.

    A remix needs none of them, because the gateway has the video and each remix has its own text.
    """
    if action is Action.CONTINUE and job.video is None:
        raise video_gone(job)
    if order is None or (order.remix_of and order.video is None):
        return
    if job.words_gone_at and not order.wish.prompt and action not in ASKING:
        raise WordsExpired()
    if job.inputs_gone_at and any(each.key or each.copy_of for each in order.pictures):
        raise Refused("picture_expired")
    if job.inputs_gone_at and order.sound and order.sound.key:
        raise Refused("sound_expired")
    if job.inputs_gone_at and order.video and order.video.key:
        raise Refused("given_expired")


def video_gone(job: Job) -> Refused:
    """Return the error for a job whose video no longer exists."""
    return Refused("video_expired", days=job.days_kept) if job.days_kept else Refused("video_gone")


def in_words(job: Job, catalog: Catalog) -> Job:
    """Return the job. If its preset no longer exists, the preset's text becomes its prompt."""
    wish = job.order.wish
    if wish.preset is None or wish.preset in catalog.presets:
        return job
    written = wish.having(prompt=job.request.prompt, preset=None)
    return replace(job, order=job.order.wishing(written))


def again(job: Job) -> Order:
    """Return the same order. A remix that failed becomes an order for a video from scratch."""
    return _anew(job) if job.status is Status.FAILED else job.order


def _anew(job: Job) -> Order:
    """Return the same order, but not as a remix. An order with a video goes on from that video."""
    return job.order if job.order.video else replace(job.order, remix_of=None)


def reworded(job: Job, prompt: str) -> Order:
    """Return the job's order with a new prompt.

    If the job has a video at its gateway, the order is a remix of the video.
    """
    order = job.order.wishing(replace(job.order.wish, prompt=prompt))
    return order if order.video else replace(order, remix_of=_made(job))


def continued(job: Job, prompt: str, catalog: Catalog) -> Order | None:
    """Return an order for a video that begins with the last frame of the job's video.

    Without a prompt, the job's own prompt is used. None if the job has no video.
    """
    asked = (way(job, prompt, catalog) for way in (_extended, _from_the_end))
    ways = [order for order in asked if order]
    able = (_first(catalog, relaxed(order)) for order in ways)
    # An order that no model takes is refused on submission with the reason, such as a long prompt.
    return next(filter(None, able), ways[-1] if ways else None)


def _extended(job: Job, prompt: str, catalog: Catalog) -> Order | None:
    """Return an order for a video that goes on from the job's video itself.

    It is for the job's family, else for another one at the job's gateway; None if none of them
    extends videos.
    """
    able = [model for model in catalog.models if Kind.EXTEND in model.kinds]
    own = [model for model in able if model.family == job.request.family]
    model = next(iter(own or [each for each in able if each.gateway == job.gateway]), None)
    if job.video is None or model is None:
        return None
    wish = replace(_onward(job, prompt), family=model.family, use=Use.EXTEND)
    order = replace(job.order, wish=wish, pictures=(), sound=None)
    return replace(order, video=clip_of(job, job.video), remix_of=_made(job))


def clip_of(job: Job, video: Video) -> Clip:
    """Return a video of ours as a file for another order."""
    return Clip(
        source=None,
        filename="video.mp4",
        size=video.size,
        seconds=video.seconds,
        width=video.width,
        height=video.height,
        author=_author(job),
        video_of=video.key,
    )


def _from_the_end(job: Job, prompt: str, catalog: Catalog) -> Order | None:
    """Return an order for a video that begins with the last frame of the job's video."""
    if job.video is None:
        return None
    last = Picture(
        source=None,
        filename="last.png",
        size=0,
        width=job.video.width,
        height=job.video.height,
        author=_author(job),
        last_of=job.video.key,
    )
    family = job.request.family
    takes_one = any(m.family == family and Kind.PICTURE in m.kinds for m in catalog.models)
    wish = replace(_onward(job, prompt), family=family if takes_one else None)
    order = replace(job.order, wish=wish, pictures=(last,), sound=None)
    return replace(order, video=None, remix_of=None)


def _author(job: Job) -> str | None:
    """Return the author of the picture or video that the job's video shows."""
    shown = (*job.order.pictures, *((job.order.video,) if job.order.video else ()))
    return shown[0].author if shown else ANYBODY


def _onward(job: Job, prompt: str) -> Wish:
    """Return the wish for the next video. Its shape is that of the job's video."""
    said = job.order.wish
    preset = None if prompt else said.preset
    return replace(
        said, prompt=prompt or said.prompt, preset=preset, aspect=None, seed=None, use=None
    )


def finer(job: Job, catalog: Catalog, quality: str | None = None) -> Order | None:
    """Return the same order in this better quality, by default the best that is possible.

    The seed stays the same if a model takes it. None if no better quality is possible.
    """
    request = job.request
    now = QUALITIES.get(request.quality or "")
    if request.kind is Kind.REMIX or now is None:
        return None
    made = {each for model in catalog.named(request.family) for each in model.sizes}
    better = [each for each, side in QUALITIES.items() if side > now and each in made]
    wanted = [each for each in better[::-1] if quality in (None, each)]
    order = _anew(job)
    same = replace(
        order.wish,
        family=request.family,
        seconds=None if order.sound else AUTO if request.auto else request.seconds,
        aspect=order.wish.aspect or (None if order.pictures else request.aspect),
    )
    seeds = dict.fromkeys((request.seed, order.wish.seed))
    wishes = (replace(same, quality=q, seed=s) for q in wanted for s in seeds)
    return _first(catalog, map(order.wishing, wishes))


def shorter(job: Job, catalog: Catalog, seconds: str | None = None) -> Order | None:
    """Return the same order with this shorter length, by default the longest of those.

    None if no shorter video is possible.
    """
    request = job.request
    if request.kind is Kind.REMIX or job.order.sound:
        return None
    known = {length for model in catalog.models for length in model.seconds}
    # Of a length that the model was to choose only the longest is known: half of it is shorter.
    most = request.seconds / 2 if request.auto else request.seconds
    less = sorted((each for each in known if each < most), reverse=True)
    wanted = [each for each in less if seconds in (None, str(each))]
    order = _anew(job)
    wishes = (replace(order.wish, family=request.family, seconds=each) for each in wanted)
    return _first(catalog, map(order.wishing, wishes))


def elsewhere(job: Job, catalog: Catalog, family: str | None = None) -> Order | None:
    """Return the same order for this other family, by default the first that can make it.

    None if no other family can make it.
    """
    plain = _anew(job)
    others = [f for f in catalog.families if f != job.request.family and _can_be_carried(f)]
    wanted = [each for each in others if family in (None, each)]
    *_, bare = relaxed(plain)
    # A family that can't make the order at all is tried once, and not for each set of wishes.
    able = [each for each in wanted if takes(catalog, _by(each, bare))]
    return _first(catalog, (_by(each, it) for it in relaxed(plain) for each in able))


def _by(family: str, order: Order) -> Order:
    return order.wishing(replace(order.wish, family=family))


def ways(job: Job, catalog: Catalog) -> tuple[Button, ...]:
    """Return the buttons under a video or a failure."""
    over = job.status in (Status.FAILED, Status.UNCONFIRMED)
    return _out_of_failure(job, catalog) if over else _on_from_result(job, catalog)


def _on_from_result(job: Job, catalog: Catalog) -> tuple[Button, ...]:
    buttons = []
    if order := finer(job, catalog):
        # Without the seed it is another video.
        word = "finer" if order.wish.seed else "finer_anew"
        buttons.append(
            Button(action=Action.FINER, about=job.id, value=order.wish.quality, word=word)
        )
    onward = continued(job, "", catalog)
    if onward and takes(catalog, onward):
        buttons.append(Button(action=Action.CONTINUE, about=job.id))
    return tuple(buttons)


def _out_of_failure(job: Job, catalog: Catalog) -> tuple[Button, ...]:
    """Return the buttons under a failed job, the most promising first."""
    if job.reason is None or job.status is not Status.FAILED:
        return ()
    ways_out = next((ways for ways, reasons in _WAYS_OUT.items() if job.reason in reasons), ())
    helpful = [_way(action, job, catalog) for action in ways_out]
    retry = [] if job.reason in _HOPELESS else [Button(action=Action.RETRY, about=job.id)]
    return tuple(each for each in [*helpful, *retry] if each)


def _way(action: Action, job: Job, catalog: Catalog) -> Button | None:
    if action is Action.TRY_ON and (order := elsewhere(job, catalog)):
        family = order.wish.family or ""
        return Button(action=action, about=job.id, value=family, shown=catalog.label(family))
    if action is Action.SHORTER and (order := shorter(job, catalog)):
        return Button(action=action, about=job.id, value=str(order.wish.seconds))
    return Button(action=action, about=job.id) if action is Action.EDIT else None


def _can_be_carried(value: str) -> bool:
    return len(value.encode()) <= MOST_CARRIED and not any(map(str.isspace, value))


def _made(job: Job) -> Made | None:
    """Return the job's video as its gateway knows it, or None if no video was made."""
    if job.gateway_id in (None, UNNAMED) or job.status not in (Status.COMPLETED, Status.DELIVERED):
        return None
    request = job.request
    return Made(
        gateway=job.gateway,
        base_url=job.base_url,
        gateway_id=job.gateway_id,
        model=request.model,
        seconds=request.seconds,
        size=request.size,
        aspect=request.aspect,
        quality=request.quality,
    )


def relaxed(order: Order, fields: Sequence[str] = WISHES) -> Iterable[Order]:
    """Yield the order with all these fields of its wish, then with fewer and fewer of them."""
    asked = [field for field in fields if field in order.wish.chosen]
    for many in range(len(asked) + 1):
        for given_up in combinations(asked, many):
            yield order.wishing(order.wish.without(given_up))


def _first(catalog: Catalog, orders: Iterable[Order]) -> Order | None:
    """Return the first order that some model takes, or None."""
    return next((order for order in orders if takes(catalog, order)), None)
