"""Listings: help, models, what is left, jobs and earlier videos, as values that a platform draws.

Each is a `Reply`: a sentence, a line for each fact, and buttons that lead to the next one or back.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from bot.core.cards import Cards
from bot.core.catalog import Catalog
from bot.core.choosing import lengths, listed, switches
from bot.core.errors import Refused
from bot.core.jobs import ACTIVE, Job
from bot.core.menus import settings_menu
from bot.core.orders import Address, Call
from bot.core.platforms import place
from bot.core.ports import Jobs, Posts
from bot.core.posts import PostKind
from bot.core.prompts import shortened
from bot.core.replies import Action, Button, Reply, Text, label, quota, request_fact
from bot.core.service import Service
from bot.core.wishes import QUALITIES

ALONE = frozenset({"history", "settings"})
"""Lists that are nobody else's business."""
A_PAGE = 10
"""Earlier videos that are shown at once."""
MOST_DIGITS = 6
"""Of a page's number: a database counts no further than it has to."""
MOST_JOBS = 10
MOST_TITLE = 40
"""Characters of a prompt in a line, or on a button."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """The owners of this bot, and how to reach them."""

    owners: Callable[[str], Awaitable[Sequence[str]]]
    """The ids of those on this platform, the first one first."""
    words: str = ""
    """The operator's own words about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listings:
    """Gathers what each tells, for one person where they are."""

    service: Service
    cards: Cards
    jobs: Jobs
    posts: Posts
    contact: Contact
    seen: frozenset[str]
    """Platforms where others see an answer in a community."""

    def is_seen(self, call: Call) -> bool:
        """Whether others would read the answer."""
        return call.address.community is not None and call.address.platform in self.seen

    def check_alone(self, call: Call, name: str) -> None:
        """Raise `Refused` where others would read what this list tells its person alone."""
        if name in ALONE and self.is_seen(call):
            raise Refused("private_only")

    async def page(self, call: Call, name: str, value: str | None) -> Reply:
        """A list that a button leads to. Raises `Refused("button_unknown")`."""
        match name:
            case "jobs":
                return await self.standing(call)
            case "history" if value is None or (value.isdecimal() and len(value) <= MOST_DIGITS):
                return await self.history(call, number=int(value or 0))
            case "settings":
                return await self.settings(call)
        raise Refused("button_unknown")

    async def help(
        self, call: Call, commands: Iterable[tuple[str, Text]], *, closed: Text | None = None
    ) -> Reply:
        """Examples, what can be done here, the commands, and who to turn to.

        `closed`: why nothing can be made here for this person.
        """
        platform, alone = call.address.platform, call.address.community is None
        ways = [f"help_words.{platform}", f"help_picture.{platform}", f"help_options.{platform}"]
        terms = await self.service.accounts.terms(call.address)
        kinds = dict.fromkeys(kind for model in terms.catalog.models for kind in model.kinds)
        here = {"kinds": joined([Text(id=f"kind.{kind}") for kind in kinds])}
        named = [Text(id="help.command", values={"name": n, "says": s}) for n, s in commands]
        lines = [
            *(Text(id=id_) for id_ in ways),
            *([Text(id=f"help_alone.{platform}")] if alone and closed is None else []),
            closed or Text(id="help.here", values=here, count=len(terms.catalog.families)),
            *named,
            *await self._owner(platform),
        ]
        return Reply(text=Text(id="help.title"), facts=tuple(lines))

    async def _owner(self, platform: str) -> list[Text]:
        owners = await self.contact.owners(platform)
        lines = [Text(id="help.owner", values={"owner": owners[0]})] if owners else []
        if words := self.contact.words:
            lines.append(Text(id="help.contact", values={"contact": words}))
        return lines

    async def models(self, call: Call) -> Reply:
        """Every family, with what it makes."""
        catalog = (await self.service.accounts.terms(call.address)).catalog
        lines = tuple(_family(catalog, family) for family in catalog.families)
        return Reply(text=Text(id="ask.models"), facts=lines)

    async def quota(self, call: Call) -> Reply:
        """Today's videos, and those left."""
        left, usage = await self.service.left(call.address, call.person)
        terms = await self.service.accounts.terms(call.address)
        return Reply(text=Text(id="ask.quota"), facts=tuple(quota(left, usage, terms.limits)))

    async def settings(self, call: Call, which: str | None = None) -> Reply:
        """The lasting choices of this person, or those of one setting that there are."""
        liked = await self.service.preferring.of(call)
        return settings_menu(
            liked, (await self.service.accounts.terms(call.address)).catalog, which
        )

    async def prefer(self, call: Call, which: str, value: str | None) -> Reply:
        """Open a setting, or choose in it; then all of them."""
        if value is None:
            return await self.settings(call, which)
        await self.service.preferring.prefer(call, which, value)
        return await self.settings(call)

    async def under_way(self, call: Call) -> list[Job]:
        """This person's jobs that are not over, newest first; where others read along, those of
        this community alone."""
        here, is_seen = call.address, self.is_seen(call)
        recent = await self.jobs.recent(here.platform, call.person.id, most=25)
        active = (job for job in recent if job.status in ACTIVE)
        return [
            it for it in active if not is_seen or it.order.call.address.community == here.community
        ]

    async def standing(self, call: Call) -> Reply:
        """This person's jobs under way: how far each is, when it is due, a way to stop it."""
        under_way = (await self.under_way(call))[:MOST_JOBS]
        if not under_way:
            return Reply(text=Text(id="ask.no_jobs"))
        lines: list[Text] = []
        for number, job in enumerate(under_way, 1):
            lines += await self._lines(number, job)
        buttons = tuple(
            Button(action=Action.STOP, about=job.id, shown=str(number))
            for number, job in enumerate(under_way, 1)
            if not job.silent
        )
        return Reply(text=Text(id="ask.jobs"), facts=tuple(lines), buttons=buttons)

    async def _lines(self, number: int, job: Job) -> list[Text]:
        state, timing = await self.cards.standing(job)
        values = {"number": number, "prompt": title_of(job), "state": state}
        lines = [Text(id="list.job", values=values), request_fact(job.request), *timing]
        ahead = await self.jobs.ahead(job)
        return lines if ahead is None else [*lines, Text(id="list.ahead", count=ahead)]

    async def history(self, call: Call, *, number: int = 0) -> Reply:
        """The latest videos of this person, each a button; page `number` of them."""
        platform, person = call.address.platform, call.person.id
        first = number * A_PAGE
        found = await self.jobs.made(platform, person, most=A_PAGE + 1, skip=first)
        if number and not found:
            return await self.history(call)  # what stood on this page was deleted meanwhile
        shown = found[:A_PAGE]
        made = [job for job in shown if job.video is not None]
        gone = sum(job.days_kept is not None for job in shown)
        lines = (Text(id="ask.gone", count=gone),) if gone else ()
        pages = tuple(_pages(number, has_more=len(found) > A_PAGE))
        if not made:
            return Reply(text=lines[0] if lines else Text(id="ask.nothing"), buttons=pages)
        opened = [
            Button(action=Action.OPEN, about=job.id, value=str(number), shown=title_of(job))
            for job in made
        ]
        return Reply(text=Text(id="ask.history"), facts=lines, buttons=(*opened, *pages))

    async def entry(self, call: Call, job: Job, page: str | None) -> Reply:
        """One earlier video: what it was, where it stands, and what can be done with it."""
        if job.order.call.person.id != call.person.id:
            raise Refused("not_yours")
        ways: list[Button] = []
        if job.video is not None:
            word = "show_alone" if job.silent or job.private else None
            ways.append(Button(action=Action.SHOW, about=job.id, word=word))
            ways.append(Button(action=Action.DELETE, about=job.id))
        back = Button(action=Action.LIST, about="history", value=page, word="back")
        return Reply(
            text=Text(id="list.made", values={"until": job.created_at}),
            prompt=job.request.shown,
            facts=(request_fact(job.request), *_seed(job), label(job)),
            buttons=(*ways, back),
            jump=await self._jump(job),
        )

    async def _jump(self, job: Job) -> Address | None:
        """Where its video stands; None where it stands nowhere, or was taken away."""
        post = await self.posts.get(job.id, PostKind.RESULT)
        stands = post is not None and post.message_id is not None and job.has_result
        return place(post, job) if post and stands else None


def joined(texts: Sequence[Text]) -> Text:
    """One sentence of several, as a list in it."""
    first, *rest = texts
    if not rest:
        return first
    return Text(id="list.joined", values={"first": first, "rest": joined(rest)})


def _family(catalog: Catalog, family: str) -> Text:
    able = [model for model in catalog.models if model.family == family]
    values = {
        "family": catalog.label(family),
        "seconds": lengths(able),
        "shapes": listed(shape for model in able for shape in model.aspects),
        "qualities": listed(q for q in QUALITIES if any(q in model.qualities for model in able)),
        "kinds": joined(
            [Text(id=f"kind.{k}") for k in dict.fromkeys(k for m in able for k in m.kinds)]
        ),
    }
    if not (choices := switches(able)):
        return Text(id="list.model", values=values)
    named = joined([Text(id=f"room.any_{each}") for each in choices])
    return Text(id="list.model_switched", values={**values, "switches": named})


def _pages(number: int, *, has_more: bool) -> Iterable[Button]:
    if number:
        yield Button(action=Action.LIST, about="history", value=str(number - 1), word="newer")
    if has_more:
        yield Button(action=Action.LIST, about="history", value=str(number + 1), word="older")


def _seed(job: Job) -> Iterable[Text]:
    if job.request.seed is not None:
        yield Text(id="fact.seed", values={"seed": str(job.request.seed)})


def title_of(job: Job) -> str:
    """Its words in a line, or on a button."""
    words = job.request.shown or job.request.label
    return shortened(" ".join(words.split()), MOST_TITLE)
