"""The use cases of people: each is one method that makes one transaction and returns one answer.

Networks pass in orders and button presses. This module checks what a person may do, against the
rows and never against the data in a button.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from bot.core import moves, variations
from bot.core.access import Access
from bot.core.accounts import Accounts
from bot.core.bells import Bells
from bot.core.decisions import Decide, nobody
from bot.core.errors import Refused, TooLate, in_turn
from bot.core.handed import check_author, parted
from bot.core.jobs import ACTIVE, CLAIM, Job, Reason, Status
from bot.core.orders import Address, Call, Clip, Given, Kind, Order, Person, VideoRequest
from bot.core.people import People
from bot.core.ports import Clock, Jobs, Media, Posts
from bot.core.posts import ANSWER_END
from bot.core.preferences import Preferring
from bot.core.presets import Words, words_of
from bot.core.quotas import Usage, refusal
from bot.core.replies import Action, Left
from bot.log import get_logger

DOUBLE = 10.0
"""Seconds in which a second press of the same button counts as a mistake."""

log = get_logger()


class AnimateOthers(StrEnum):
    """Whether people may animate a picture or a sound that another person posted."""

    ASK = "ask"
    OWN = "own"
    FREE = "free"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person who pressed a button.

    `moderates`: whether the network says that the person now moderates that channel.
    """

    person: Person
    moderates: bool = False


@dataclass(slots=True, kw_only=True)
class Service:
    """The use cases of people: order, change, cancel and delete videos.

    `new_seed` draws from the catalog's `SEEDS`. `card_grace` maps each network to the seconds in
    which a command's own answer may become the card. `deleting` records the id of a job and when
    its video was deleted, so that a restored backup does not bring the video back.
    """

    accounts: Accounts
    preferring: Preferring
    animate_others: AnimateOthers
    access: Access
    base_urls: Mapping[str, str]
    jobs: Jobs
    media: Media
    clock: Clock
    bells: Bells
    new_id: Callable[[], str]
    new_seed: Callable[[], int]
    card_grace: Mapping[str, float]
    deleting: Callable[[str, float], Awaitable[None]]
    decide: Decide = nobody
    people: People = field(init=False)
    _pressed: dict[tuple[object, ...], tuple[float, str]] = field(init=False, default_factory=dict)
    """Recent presses: (person, job, action, value, prompt) → time and id of the event."""

    def __post_init__(self) -> None:
        self.people = People(self.clock.steady)

    async def submit(self, order: Order) -> Job:
        """Admit `order` and return its job. Raises `Refused`, which says what the person can do.

        On networks whose commands have an answer, the POST waits until `answered` is called, or
        until it is too late for an answer. So an order whose answer fails can be cancelled unpaid.
        """
        self.people.came()
        person, address = order.call.person, order.call.address
        await self.access.check(person, address)
        self.check_authors(order.files, person)
        terms = await self.accounts.terms(address)
        if order.remix_of and self.base_urls.get(order.remix_of.gateway) != order.remix_of.base_url:
            order = replace(order, remix_of=None)
        order, private = await self.preferring.filled(order, terms.catalog)
        model, request = terms.catalog.choose(order, spare_seed=self.new_seed())
        now = self.clock.now()
        grace = self.card_grace[address.platform]
        job = Job(
            id=self.new_id(),
            order=_settled(order, request, words_of(order, terms.catalog.presets)),
            request=request,
            gateway=model.gateway,
            base_url=self.base_urls[model.gateway],
            created_at=now,
            due_at=now + ANSWER_END if grace else now,
            quota_cost=1,
            spend_cost=model.cost_of(request),
            private=private,
        )
        admitted = await self.jobs.admit(job, terms.limits, now=now, card_at=now + grace)
        if admitted.id == job.id:
            log.info("job.queued", job=job.id, platform=address.platform, model=model.name)
            self.bells.ordered(admitted, card_at=now + grace)
        return admitted

    async def check(self, address: Address, person: Person) -> None:
        """Raise `Refused` if any order of this person would be refused there now.

        Networks call it before they open a form.
        """
        await self.access.check(person, address)
        await self._check_welcome(address.platform, person, orders=True)
        now, limits = self.clock.now(), (await self.accounts.terms(address)).limits
        usage = await self.jobs.usage(address, person.id, limits, now=now)
        resets_at = limits.day(now)[1]
        problem = refusal(usage, limits, quota_cost=1, spend_cost=1, resets_at=resets_at)
        if problem is not None:
            raise problem

    async def again(
        self, job_id: str, action: Action, call: Call, *, value: str | None = None, prompt: str = ""
    ) -> Job:
        """Submit the order that a button makes of an earlier job, for the person who pressed it.

        Raises `Refused("pressed_twice")` for a second press a moment after the first.
        """
        order = await self.varied(job_id, action, call, value=value, prompt=prompt)
        press = (call.person.id, job_id, action, value, prompt)
        now = self.clock.steady()
        # Older presses are dropped, so the table holds only the last ten seconds.
        self._pressed = {it: each for it, each in self._pressed.items() if now - each[0] < DOUBLE}
        if press in self._pressed and self._pressed[press][1] != call.event_id:
            raise Refused("pressed_twice")
        self._pressed[press] = (now, call.event_id)
        try:
            return await self.submit(order)
        except BaseException:
            self._pressed.pop(press, None)
            raise

    async def varied(
        self, job_id: str, action: Action, call: Call, *, value: str | None = None, prompt: str = ""
    ) -> Order:
        """Return the order that a button makes of an earlier job.

        Raises `Refused`: `not_yours` for a video that was never shown there, `video_gone`, or
        `no_way` if the catalog no longer offers such an order.
        """
        job = await self.job(job_id)
        await self._check_welcome(call.address.platform, call.person)
        await self._check_seen(job, call)
        order = await self._variation(job, action, call.address, value, prompt)
        variations.check_kept(job, action, order)
        if order is None:
            raise Refused("no_way")
        self.check_authors(order.files, call.person)
        return replace(order, call=call, is_whole=True)

    async def clip_of(self, job_id: str, call: Call) -> Clip:
        """Return the video of a job as a file for another order. Raises `Refused`.

        The order reads it from our storage. As in *Continue*, the author of its first picture
        counts: the video shows that picture.
        """
        job = await self.job(job_id)
        await self._check_welcome(call.address.platform, call.person)
        await self._check_seen(job, call)
        if (video := job.video) is None:
            raise variations.video_gone(job)
        return variations.clip_of(job, video)

    async def _variation(
        self, job: Job, action: Action, address: Address, value: str | None, prompt: str
    ) -> Order | None:
        """Return the new order by the catalog of the place where the button was pressed."""
        catalog = (await self.accounts.terms(address)).catalog
        job = variations.in_words(job, catalog)
        match action:
            case Action.RETRY:
                return variations.again(job)
            case Action.REMIX | Action.EDIT:
                return variations.reworded(job, prompt)
            case Action.CONTINUE:
                return variations.continued(job, prompt, catalog)
            case Action.FINER:
                return variations.finer(job, catalog, value)
            case Action.SHORTER:
                return variations.shorter(job, catalog, value)
            case Action.TRY_ON:
                return variations.elsewhere(job, catalog, value)
            case _:
                return None

    async def _check_seen(self, job: Job, call: Call) -> None:
        """Raise `Refused` if the video was never shown to this person: job ids are not secret."""
        if call.person.id == job.order.call.person.id:
            return
        home, here = job.order.call.address, call.address
        if job.silent or job.private or home.community is None or home.platform != here.platform:
            raise Refused("not_yours")
        known = await self.accounts.ids(here.platform, here.community) if here.community else ()
        if home.community not in (here.community, *known):
            raise Refused("not_yours")

    async def check_delete(self, job_id: str, actor: Actor) -> None:
        """Raise `Refused` if this person can't delete the video. Called before "Are you sure?"."""
        job = await self._pressed_on(job_id, actor)
        if job.status is not Status.DELIVERED or not job.has_result:
            raise Refused("nothing_to_delete")

    async def delete(self, job_id: str, actor: Actor) -> Job:
        """Delete a finished video for good: files, links, message. Its costs still count."""
        job = await self._pressed_on(job_id, actor)
        if job.status is Status.DELIVERED and job.has_result:
            await self.deleting(job.id, self.clock.now())
            # First the files: after a crash in between, a second press can finish the deletion.
            for key in job.video.keys if job.video else ():
                await self.media.delete(key)

        def change(job: Job) -> Job:
            if job.status is not Status.DELIVERED:
                raise Refused("nothing_to_delete")
            return moves.deleted(job)

        return await self._change(job_id, actor, change)

    async def left(self, address: Address, person: Person) -> tuple[Left | None, Usage]:
        """Return the videos that this person has left today at this place, and their usage."""
        now, limits = self.clock.now(), (await self.accounts.terms(address)).limits
        usage = await self.jobs.usage(address, person.id, limits, now=now)
        return Left.of(usage, limits, now=now), usage

    async def cancel(self, job_id: str, actor: Actor) -> Job:
        """Cancel a job that no gateway has; nothing counts. Raises `Refused` if one may have it."""
        await self._pressed_on(job_id, actor)

        def change(job: Job) -> Job:
            if job.status is Status.CANCELLED:
                return job
            if job.status is not Status.QUEUED:
                raise _too_late(job)
            own = actor.person.id == job.order.call.person.id
            return moves.cancelled(job, Reason.BY_PERSON if own else Reason.BY_ADMIN)

        return await self._change(job_id, actor, change)

    async def silence(self, job_id: str, actor: Actor) -> Job:
        """Apply *Don't post*: the video is kept for its person only, and still counts."""
        await self._pressed_on(job_id, actor)

        def change(job: Job) -> Job:
            match job.status:
                case Status.SUBMITTING:
                    return replace(job, silent=True)
                case Status.IN_PROGRESS:
                    # A poll under way can't save, because the row changes: poll again at once.
                    now = self.clock.now()
                    return replace(job, silent=True, claimed_until=None, due_at=now)
                case _:
                    raise _too_late(job)

        return await self._change(job_id, actor, change)

    async def stop(self, job_id: str, actor: Actor) -> Job:
        """Cancel a job; if a gateway has it already, keep its video from being posted."""
        job = await self.job(job_id)
        queued = job.status in (Status.QUEUED, Status.CANCELLED)
        return await (self.cancel if queued else self.silence)(job_id, actor)

    async def withdraw(self, address: Address) -> None:
        """Cancel the queued jobs of a place that removed the bot: nobody would see their videos.

        A job at a gateway goes on: it is paid for, and its person gets the video elsewhere.
        """
        for job in await self.jobs.waiting(address):
            await self._withdrawn(job, Reason.SENT_AWAY)

    async def answered(self, posts: Posts, job: Job, message_id: str, channel_id: str) -> None:
        """Record that the person sees the job's card in this message, and let its POST be sent.

        Does not change a job that was cancelled or became due in the meantime.
        """
        now, on = self.clock.now(), self.bells.way_on(job)
        until = now + CLAIM if on else None
        left = await posts.posted(job, message_id, channel_id, now=now, until=until)
        if left is not None:
            self.bells.changed(job, left, now=now, on=on)

    async def unanswered(self, job: Job) -> None:
        """Cancel a queued job whose command could not be answered: its person can't know of it."""
        after = await self._withdrawn(job, Reason.UNANSWERED)
        if after.status is not Status.CANCELLED:
            log.info("job.unanswered", job=job.id)

    async def _withdrawn(self, job: Job, reason: Reason) -> Job:
        def change(job: Job) -> Job:
            queued = job.status is Status.QUEUED
            return moves.cancelled(job, reason) if queued else job

        return await self._change(job.id, Actor(person=job.order.call.person), change)

    async def job(self, job_id: str) -> Job:
        """Return the job with this id. Raises `Refused("job_unknown")`."""
        job = await self.jobs.get(job_id)
        if job is None:
            raise Refused("job_unknown")
        return job

    def check_authors(self, files: Sequence[Given], person: Person) -> None:
        """Raise `Refused` for a file that this person may not use.

        The codes begin with `not_your_`, or end with `_owner_unknown`.
        """
        if self.animate_others is AnimateOthers.FREE:
            return
        pictures, *others = parted(files)
        in_turn(lambda picture: check_author(picture, person), pictures)
        for each in others:
            if each is not None:
                check_author(each, person)

    async def _pressed_on(self, job_id: str, actor: Actor) -> Job:
        """Return the job if this person may press its buttons. Raises `Refused`."""
        job = await self.job(job_id)
        _check_owner(job, actor)
        await self._check_welcome(job.order.call.address.platform, actor.person)
        return job

    async def _check_welcome(self, platform: str, person: Person, *, orders: bool = False) -> None:
        now = self.clock.now()
        await self.jobs.check_welcome(platform, person.id, orders=orders, now=now)

    async def _change(self, job_id: str, actor: Actor, change: Callable[[Job], Job]) -> Job:
        """Apply `change` for the job's person or a moderator. Retry if the row has changed."""
        while True:
            job = await self.job(job_id)
            _check_owner(job, actor)
            after = change(job)
            if after == job:
                return job
            now = self.clock.now()
            saved = await self.jobs.save(job, after, now=now)
            if saved is not None:
                log.info("job.changed", job=job_id, status=saved.status, silent=saved.silent)
                self.bells.changed(job, saved, now=now)
                return saved


def _settled(order: Order, request: VideoRequest, words: Words) -> Order:
    """Return the order as its job keeps it, with the choices that its request has settled."""
    pictures = order.pictures
    if request.fit and any(each.fit != request.fit for each in pictures):
        pictures = tuple(each.anew() for each in pictures)
    return replace(
        order,
        pictures=pictures,
        wish=replace(order.wish, prompt=words.own, preset=words.preset),
        remix_of=order.remix_of if request.kind is Kind.REMIX or order.video else None,
    )


def _too_late(job: Job) -> Refused:
    return TooLate("too_late_to_cancel" if job.status in ACTIVE else "already_over")


def _check_owner(job: Job, actor: Actor) -> None:
    if actor.person.id != job.order.call.person.id and not actor.moderates:
        raise Refused("not_yours")
