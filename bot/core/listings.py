"""Lists for people: help, models, the remaining limit, jobs, earlier videos and settings.

Each list is a `Reply` that a platform draws: a sentence, a line for each fact, and buttons to the
next list or back.
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
from bot.core.wishes import QUALITIES, Use

ALONE = frozenset({"history", "settings"})
"""Lists that only their person may see."""
A_PAGE = 10
"""Earlier videos on one page."""
MOST_DIGITS = 6
"""The most digits of a page number, which keeps the database's offset small."""
MOST_JOBS = 10
MOST_TITLE = 40
"""The most characters of a prompt in a line or on a button."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """The owners of this bot, and how to reach them."""

    owners: Callable[[str], Awaitable[Sequence[str]]]
    """Returns the ids of the owners on this platform, the first owner first."""
    words: str = ""
    """The operator's own text about how to reach the owners."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listings:
    """Builds the lists for one person in the place of their call."""

    service: Service
    cards: Cards
    jobs: Jobs
    posts: Posts
    contact: Contact
    seen: frozenset[str]
    """Platforms where other people in a community see the answers."""

    def is_seen(self, call: Call) -> bool:
        """Whether other people would see the answer."""
        return call.address.community is not None and call.address.platform in self.seen

    def check_alone(self, call: Call, name: str) -> None:
        """Raise `Refused` if other people would see a list that only its person may see."""
        if name in ALONE and self.is_seen(call):
            raise Refused("private_only")

    async def page(self, call: Call, name: str, value: str | None) -> Reply:
        """Return the list that a button opens. Raises `Refused("button_unknown")`."""
        match name:
            case "jobs":
                return await self.standing(call)
            case "history" if value is None or (value.isdecimal() and len(value) <= MOST_DIGITS):
                return await self.history(call, number=int(value or 0))
            case "settings":
                return await self.settings(call)
        raise Refused("button_unknown")

    async def help(
        self,
        call: Call,
        commands: Iterable[tuple[str, Text]],
        *,
        uses: Iterable[Use] = (),
        closed: Text | None = None,
    ) -> Reply:
        """Return the help: examples, the kinds of videos here, the commands, and the owner.

        `uses`: the uses of files that have an example. `closed`: why this person can't order here,
        or None if they can.
        """
        platform, alone = call.address.platform, call.address.community is None
        examples = {
            Use.CHARACTER: f"help_character.{platform}",
            Use.EDIT: f"help_edit.{platform}",
            Use.EXTEND: f"help_extend.{platform}",
        }
        ways = [f"help_words.{platform}", f"help_picture.{platform}", f"help_options.{platform}"]
        ways[2:2] = [examples[use] for use in uses]
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
        """Return the list of all families, with the choices of each."""
        catalog = (await self.service.accounts.terms(call.address)).catalog
        lines = tuple(_family(catalog, family) for family in catalog.families)
        return Reply(text=Text(id="ask.models"), facts=lines)

    async def quota(self, call: Call) -> Reply:
        """Return the person's videos of today and the remaining limit."""
        left, usage = await self.service.left(call.address, call.person)
        terms = await self.service.accounts.terms(call.address)
        return Reply(text=Text(id="ask.quota"), facts=tuple(quota(left, usage, terms.limits)))

    async def settings(self, call: Call, which: str | None = None) -> Reply:
        """Return the person's settings, or the choices of one setting."""
        liked = await self.service.preferring.of(call)
        return settings_menu(
            liked, (await self.service.accounts.terms(call.address)).catalog, which
        )

    async def prefer(self, call: Call, which: str, value: str | None) -> Reply:
        """Open a setting; with a `value`, choose it and return all settings."""
        if value is None:
            return await self.settings(call, which)
        await self.service.preferring.prefer(call, which, value)
        return await self.settings(call)

    async def under_way(self, call: Call) -> list[Job]:
        """Return this person's active jobs, the newest first.

        If other people see the answer, only the jobs of this community are returned.
        """
        here, is_seen = call.address, self.is_seen(call)
        recent = await self.jobs.recent(here.platform, call.person.id, most=25)
        active = (job for job in recent if job.status in ACTIVE)
        return [
            it for it in active if not is_seen or it.order.call.address.community == here.community
        ]

    async def standing(self, call: Call) -> Reply:
        """Return the person's active jobs, with the state, expected time and *Stop* of each."""
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
        """Return page `number` of this person's earlier videos, each as a button."""
        platform, person = call.address.platform, call.person.id
        first = number * A_PAGE
        found = await self.jobs.made(platform, person, most=A_PAGE + 1, skip=first)
        if number and not found:
            return await self.history(call)  # the videos of this page were deleted meanwhile
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
        """Return one earlier video with its request, a link to its message, and buttons."""
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
        """Return the address of the message with the video; None if there is no such message."""
        post = await self.posts.get(job.id, PostKind.RESULT)
        stands = post is not None and post.message_id is not None and job.has_result
        return place(post, job) if post and stands else None


def joined(texts: Sequence[Text]) -> Text:
    """Return one text that lists the given texts."""
    first, *rest = texts
    if not rest:
        return first
    return Text(id="list.joined", values={"first": first, "rest": joined(rest)})


def _family(catalog: Catalog, family: str) -> Text:
    able = [model for model in catalog.models if model.family == family]
    values = {
        "family": catalog.described(family),
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
    """Return the prompt, or the label of the model, shortened for a line or a button."""
    words = job.request.shown or job.request.label
    return shortened(" ".join(words.split()), MOST_TITLE)
