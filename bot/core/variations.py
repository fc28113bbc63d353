"""Variations of an earlier video: the order that each button stands for.

Pure: from a job and the catalog as it is now to a new order, or to none where it can't be had, so
that nobody is offered what would be refused.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from bot.core.catalog import Catalog
from bot.core.errors import Refused, WordsExpired
from bot.core.jobs import UNNAMED, Job, Reason, Status
from bot.core.offers import takes
from bot.core.orders import ANYBODY, Kind, Made, Order, Picture
from bot.core.replies import MOST_CARRIED, Action, Button
from bot.core.wishes import AUTO, QUALITIES, Extra

WISHES = (*Extra, "quality", "seconds", "aspect")
"""The fields of a wish to give up where a model lacks them; the least missed first."""

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
    }
)
"""The same once more would end the same way."""
ASKING = frozenset({Action.REMIX, Action.EDIT, Action.CONTINUE})
"""Actions that ask for words of their own."""


def check_kept(job: Job, action: Action, order: Order | None) -> None:
    """Raise `Refused` where `order` begins from something that was kept for a while, and is gone.

    A remix at its gateway needs none of it.
    """
    if action is Action.CONTINUE and job.video is None:
        raise video_gone(job)
    if order is None or order.remix_of:
        return
    if job.words_gone_at and not order.wish.prompt and action not in ASKING:
        raise WordsExpired()
    if job.inputs_gone_at and any(each.key or each.copy_of for each in order.pictures):
        raise Refused("picture_expired")
    if job.inputs_gone_at and order.sound and order.sound.key:
        raise Refused("sound_expired")


def video_gone(job: Job) -> Refused:
    """Return the error for a job whose video no longer exists."""
    return Refused("video_expired", days=job.days_kept) if job.days_kept else Refused("video_gone")


def in_words(job: Job, catalog: Catalog) -> Job:
    """The same job; of a preset that is there no more with its words as if they were written."""
    wish = job.order.wish
    if wish.preset is None or wish.preset in catalog.presets:
        return job
    written = wish.having(prompt=job.request.prompt, preset=None)
    return replace(job, order=job.order.wishing(written))


def again(job: Job) -> Order:
    """The same wish. A remix that failed is made from scratch."""
    lost = job.status is Status.FAILED
    return replace(job.order, remix_of=None) if lost else job.order


def reworded(job: Job, prompt: str) -> Order:
    """Other words for the same video where its gateway offers that, else for the same picture."""
    wish = replace(job.order.wish, prompt=prompt)
    return replace(job.order, wish=wish, remix_of=_made(job))


def continued(job: Job, prompt: str, catalog: Catalog) -> Order | None:
    """Goes on from the last moment; without words, with the same ones."""
    order = _from_the_end(job, prompt, catalog)
    # A hopeless order is refused in words on submission: its words may be too long, say.
    return order and (_first(catalog, relaxed(order)) or order)


def _from_the_end(job: Job, prompt: str, catalog: Catalog) -> Order | None:
    """The order as it is wished for, whether or not it can be had."""
    if job.video is None:
        return None
    given = job.order.pictures
    last = Picture(
        source=None,
        filename="last.png",
        size=0,
        width=job.video.width,
        height=job.video.height,
        # The picture that it began with is in it still.
        author=given[0].author if given else ANYBODY,
        last_of=job.video.key,
    )
    family = job.request.family
    takes_one = any(m.family == family and Kind.PICTURE in m.kinds for m in catalog.models)
    said = job.order.wish
    wish = replace(
        said,
        prompt=prompt or said.prompt,
        preset=None if prompt else said.preset,
        family=family if takes_one else None,
        aspect=None,
        seed=None,
    )
    return replace(job.order, wish=wish, pictures=(last,), sound=None, remix_of=None)


def finer(job: Job, catalog: Catalog, quality: str | None = None) -> Order | None:
    """The same in this quality, by default the best; with the same seed, where one was sent."""
    request = job.request
    now = QUALITIES.get(request.quality or "")
    if request.kind is Kind.REMIX or now is None:
        return None
    made = {each for model in catalog.named(request.family) for each in model.sizes}
    better = [each for each, side in QUALITIES.items() if side > now and each in made]
    wanted = [each for each in better[::-1] if quality in (None, each)]
    order = replace(job.order, remix_of=None)
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
    """The same, so many seconds long, by default the next shorter length that there is."""
    request = job.request
    if request.kind is Kind.REMIX or job.order.sound:
        return None
    known = {length for model in catalog.models for length in model.seconds}
    # Of a length that the model was to choose only the longest is known: half of it is shorter.
    most = request.seconds / 2 if request.auto else request.seconds
    less = sorted((each for each in known if each < most), reverse=True)
    wanted = [each for each in less if seconds in (None, str(each))]
    order = replace(job.order, remix_of=None)
    wishes = (replace(order.wish, family=request.family, seconds=each) for each in wanted)
    return _first(catalog, map(order.wishing, wishes))


def elsewhere(job: Job, catalog: Catalog, family: str | None = None) -> Order | None:
    """The same by this other family, by default the first that can."""
    plain = replace(job.order, remix_of=None)
    others = [f for f in catalog.families if f != job.request.family and _can_be_carried(f)]
    wanted = [each for each in others if family in (None, each)]
    *_, bare = relaxed(plain)
    # Those that can't make it at all are asked once, and not again for every set of wishes.
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
    onward = _from_the_end(job, "", catalog)
    if onward and _first(catalog, relaxed(onward)):
        buttons.append(Button(action=Action.CONTINUE, about=job.id))
    return tuple(buttons)


def _out_of_failure(job: Job, catalog: Catalog) -> tuple[Button, ...]:
    """The most promising first."""
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
    """The order with as many of these fields of its wish as possible."""
    asked = [field for field in fields if field in order.wish.chosen]
    for many in range(len(asked) + 1):
        for given_up in combinations(asked, many):
            yield order.wishing(order.wish.without(given_up))


def _first(catalog: Catalog, orders: Iterable[Order]) -> Order | None:
    """The first that can be had."""
    return next((order for order in orders if takes(catalog, order)), None)
