"""The table of all commands that people can type, with the function of each.

A command that shows a list is a line here and a method of `Listings`; any other command is a line
and a function. Its name and its sentence (`command.NAME`) are the same on every network. Commands
that order a video have no function here: only a platform can read their files, so it builds an
`Order` and submits it to the service.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.core.answers import Answer, TextAnswer
from bot.core.catalog import Catalog
from bot.core.entry import Entry
from bot.core.errors import Refused
from bot.core.jobs import Job, Status
from bot.core.listings import ALONE, Listings, title_of
from bot.core.orders import Call, Kind
from bot.core.presses import Moderates, nobody
from bot.core.replies import Reply, Text, error
from bot.core.service import Actor
from bot.core.wishes import Use, Wish

KINDS: Mapping[Use | None, Kind] = {
    Use.CHARACTER: Kind.REFERENCES,
    Use.EDIT: Kind.VIDEO,
    Use.EXTEND: Kind.EXTEND,
}
"""The kind of the videos that the files of each use make, where the use decides it."""
Given = Mapping[str, str]
"""The values of a command's arguments by name, without the arguments that were left out."""


class Who(StrEnum):
    """The people who may use a command and see it in the list of commands."""

    EVERYBODY = "everybody"
    OWNERS = "owners"
    FIRST_OWNER = "first owner"
    """The person with the one-time code, as long as the code is valid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """A value typed after a command. The text `option.NAME` describes the argument."""

    name: str
    is_needed: bool = False
    is_person: bool = False
    """Whether the value is the id of a person on this network."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A command as somebody typed it."""

    call: Call
    given: Given
    moderates: Moderates
    """Whether the person may act on somebody else's job."""


Act = Callable[[Entry, Typed], Awaitable[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command without its slash."""

    name: str
    act: Act | None = None
    """The command's function; None for a command that orders a video."""
    use: Use | None = None
    """The purpose of such an order's files; None: their kinds and their number decide."""
    arguments: tuple[Argument, ...] = ()
    who: Who = Who.EVERYBODY
    is_local: bool = False
    """Whether the command is about a community, and has no meaning outside of one."""
    is_general: bool = False
    """Whether the answer is about no person, so that also a sender without an account (a channel)
    gets it."""

    @property
    def alone(self) -> bool:
        """Whether the answer is private, and must not appear where others would see it."""
        return self.name in ALONE

    @property
    def says(self) -> Text:
        """Return the command's sentence in the list of commands."""
        return Text(id=f"command.{self.name}")

    def wish(self, wish: Wish) -> Wish:
        """Return the wish of an order by this command: the command decides the use of its files."""
        return wish.having(use=self.use) if self.use else wish

    def is_possible(self, catalog: Catalog) -> bool:
        """Whether a model makes what this command orders."""
        kind = KINDS.get(self.use)
        return kind is None or any(kind in model.kinds for model in catalog.models)


async def run(
    entry: Entry, call: Call, name: str, given: Given, *, moderates: Moderates = nobody
) -> Answer:
    """Run the command `/name` and return its answer. Raises `Refused`."""
    entry.service.people.came()
    act = COMMANDS[name].act
    if act is None:
        raise Refused("internal")
    entry.listings.check_alone(call, name)
    return await act(entry, Typed(call, given, moderates))


def _list(read: Callable[[Listings, Call], Awaitable[Reply]]) -> Act:
    """Return a command's function that answers with the list from `read`."""

    async def act(entry: Entry, typed: Typed) -> Answer:
        return TextAnswer(await read(entry.listings, typed.call))

    return act


async def _help(entry: Entry, typed: Typed) -> Answer:
    """Answer with all commands for this person, or why they can do nothing here."""
    call, who, closed = typed.call, {Who.EVERYBODY}, None
    if await entry.access.owns(call.person, call.address):
        who.add(Who.OWNERS)
    try:
        await entry.access.check(call.person, call.address)
    except Refused as refused:
        closed = error(refused).text
    catalog = (await entry.service.accounts.terms(call.address)).catalog
    offered = [each for each in COMMANDS.values() if each.is_possible(catalog)]
    known = [(each.name, each.says) for each in offered if each.who in who]
    uses = [each.use for each in offered if each.use]
    return TextAnswer(await entry.listings.help(call, known, uses=uses, closed=closed))


async def _cancel(entry: Entry, typed: Typed) -> Answer:
    """Stop the given job, or else this person's latest active job here."""
    service, call, named = entry.service, typed.call, typed.given.get("job")
    job = await service.job(named) if named is not None else await _latest(entry, call)
    own = call.person.id == job.order.call.person.id
    actor = Actor(person=call.person, moderates=not own and await typed.moderates(job))
    stopped = await service.stop(job.id, actor)
    word = "cancel.cancelled" if stopped.status is Status.CANCELLED else "cancel.silenced"
    return TextAnswer(Reply(text=Text(id=word, values={"prompt": title_of(job)})), is_done=True)


async def _latest(entry: Entry, call: Call) -> Job:
    here = call.address.community
    for job in await entry.listings.under_way(call):
        if not job.silent and here in (None, job.order.call.address.community):
            return job
    raise Refused("nothing_to_cancel")


async def _claim(entry: Entry, typed: Typed) -> Answer:
    code, call = typed.given.get("code", ""), typed.call
    await entry.access.claim(code, call.person, call.address)
    return _done("access.claimed")


def _decide(*, allowed: bool, here: str, of_person: str) -> Act:
    """Return a command's function that opens or closes this place or a person's messages."""

    async def act(entry: Entry, typed: Typed) -> Answer:
        whom, call = typed.given.get("person"), typed.call
        await entry.access.decide(call.person, call.address, allowed=allowed, whom=whom)
        return _done(here if whom is None else of_person)

    return act


def _done(message_id: str) -> TextAnswer:
    return TextAnswer(Reply(text=Text(id=message_id)), is_done=True)


_PERSON = Argument(name="person", is_person=True)
_ALLOW = _decide(allowed=True, here="access.allowed", of_person="access.person_allowed")
_DISALLOW = _decide(allowed=False, here="access.disallowed", of_person="access.person_disallowed")

COMMANDS: Mapping[str, Command] = {
    each.name: each
    for each in (
        Command(name="video"),
        Command(name="animate"),
        Command(name="character", use=Use.CHARACTER),
        Command(name="edit", use=Use.EDIT),
        Command(name="extend", use=Use.EXTEND),
        Command(name="jobs", act=_list(Listings.standing)),
        Command(name="history", act=_list(Listings.history)),
        Command(name="cancel", act=_cancel, arguments=(Argument(name="job"),)),
        Command(name="quota", act=_list(Listings.quota)),
        Command(name="models", act=_list(Listings.models), is_general=True),
        Command(name="settings", act=_list(Listings.settings)),
        Command(name="help", act=_help, is_general=True),
        Command(
            name="claim",
            act=_claim,
            arguments=(Argument(name="code", is_needed=True),),
            who=Who.FIRST_OWNER,
        ),
        Command(name="allow", act=_ALLOW, arguments=(_PERSON,), who=Who.OWNERS, is_local=True),
        Command(
            name="disallow", act=_DISALLOW, arguments=(_PERSON,), who=Who.OWNERS, is_local=True
        ),
    )
}
"""Every command by its name, in the order in which people see them."""
