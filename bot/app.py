"""The composition root: build every part, pass each part what it needs, run and close the parts.

This is the only module that imports all packages around the core. `open_app` shows, from top to
bottom, which parts exist, how they are connected, and in which order they end.
"""

import asyncio
import gc
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace

from bot import control, owners, site
from bot.backups.archive import last_made
from bot.backups.asked import backup_use_cases, nightly
from bot.chats import Chat, hearing, switched_on
from bot.config import Config
from bot.config.problems import variable
from bot.core.access import Access, Default
from bot.core.acts import UseCase
from bot.core.bells import Bells
from bot.core.cards import Cards
from bot.core.choosing import new_seed
from bot.core.clock import SystemClock
from bot.core.context import StepContext
from bot.core.conversions import Conversions
from bot.core.decisions import Decide
from bot.core.entry import Entry
from bot.core.fronts import Fronts
from bot.core.jobs import Status
from bot.core.learned import Learned
from bot.core.listings import Contact, Listings
from bot.core.people import People
from bot.core.posting import Posting
from bot.core.preferences import Preferring
from bot.core.service import Service
from bot.core.steps.clearing import Clearing
from bot.core.steps.content import Content
from bot.core.steps.jobs import Steps
from bot.core.steps.polling import Polling
from bot.core.steps.probing import Probing
from bot.core.steps.reporting import Reporting
from bot.core.steps.submission import Submission
from bot.core.steps.telling import Telling
from bot.core.timekeeping import SettableClock
from bot.gateways import videos_api
from bot.gateways.dialects import DIALECTS
from bot.keepers import Keepers, keepers_of
from bot.lists import Lists, asking
from bot.log import get_logger
from bot.media.studio import Studio
from bot.opening import open_store
from bot.operators import use_cases
from bot.parts import Parts, accounts_of, new_id
from bot.store.deletions import Deletions
from bot.store.identity import Home
from bot.store.restored import restored_jobs
from bot.workers import Loop, job_loops, owner_loops, running, word_loops

log = get_logger()


async def run(
    config: Config,
    *,
    ready: Callable[[str], None],
    announce: Callable[[str], None],
    note: str = "",
    new_database: bool = False,
) -> None:
    """Run the service until SIGTERM, SIGINT or SIGHUP; then finish running steps and close.

    `ready` is called with the web address once all parts are open. `announce` is called with the
    one-time code for the first owner, as soon as a network has accepted our login; there is a code
    only if access is closed and the bot has no owner. `note` is shown at the top of the room.
    `new_database`: the database may be empty, or a different one than before.
    """
    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():
            os._exit(1)  # a second signal: exit at once; the rows allow to resume
        stop.set()

    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, on_signal)
    # A closing terminal sends SIGHUP twice (shell and kernel), so SIGHUP never exits at once.
    # Under nohup, SIGHUP stays ignored.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, stop.set)
    app = open_app(config, announce=announce, note=note, new_database=new_database)
    async with app as address:
        ready(address)
        await stop.wait()
        log.info("service.stopping")
    log.info("service.stopped")


@asynccontextmanager
async def open_app(
    config: Config,
    *,
    clock: SettableClock | None = None,
    announce: Callable[[str], None] = lambda _code: None,
    note: str = "",
    new_database: bool = False,
) -> AsyncIterator[str]:
    """Run the whole service while the context lasts; yield its web address.

    The parts end in reverse order.
    """
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        parts, chats = await enter(_opened(config, clock, note, new_database=new_database))
        access, code = await _access(parts)
        upkeep = await _upkeep(parts)
        service = _service(parts, access, owners.decisions(parts, upkeep.asked).decide)
        line = Conversions(parts.store.line, parts.store.settings, clock)
        context = _context(parts)
        steps, cards = _steps(parts, context, line), _cards(parts, line)
        polling = _polling(parts, context, steps, service.people)
        posting = await _posting(parts, cards)
        entry = _entry(parts, service, access, cards)
        intakes = [chat.listen(entry) for chat in chats]
        address = await enter(site.serving(parts, intakes))
        for intake in intakes:
            if intake.finish is not None:
                stack.push_async_callback(intake.finish)
        await enter(running(*_word_loops(parts, posting)))
        await enter(running(*_job_loops(parts, steps, polling)))
        await enter(_kept_up(parts, upkeep))
        await enter(running(*hearing(intakes, chats, code, announce, clock)))
        stack.enter_context(kept_from_collector())
        yield address + intakes[-1].path


@contextmanager
def kept_from_collector() -> Iterator[None]:
    """Exclude all objects that exist now (modules, statements, parts) from garbage collection.

    These objects live as long as the service. Scanning them blocks the event loop for a tenth of a
    second.
    """
    if gc.get_freeze_count():  # frozen by other code already; `unfreeze` would thaw its objects too
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@asynccontextmanager
async def _opened(
    config: Config, clock: SettableClock, note: str, *, new_database: bool
) -> AsyncIterator[tuple[Parts, Sequence[Chat]]]:
    """Open the basic parts of the service and its networks; yield both."""
    bells, home = Bells.new(), Home(config.data_dir, anew=new_database)
    async with (
        open_store(config, home, clock, changed=bells.both.ring) as store,
        Studio(config.data_dir, storage_url=config.storage_url) as studio,
        videos_api.open_gateways(gateway_settings(config)) as gateways,
        AsyncExitStack() as stack,
    ):
        parts = Parts(
            config=config,
            clock=clock,
            bells=bells,
            store=store,
            gateways=gateways,
            accounts=accounts_of(config, store),
            studio=studio,
            pages=await site.pages_of(config, store, studio, clock),
            learned=Learned(store.jobs),
            note=note,
        )
        chats = [await stack.enter_async_context(open_(parts)) for open_ in switched_on(config)]
        private = frozenset(chat.platform.name for chat in chats if chat.private)
        platforms = {chat.platform.name: chat.platform for chat in chats}
        yield replace(parts, platforms=platforms, private=private), chats


@dataclass(frozen=True, slots=True)
class Upkeep:
    """The parts that serve the operator: storage sweeps, backups and use cases."""

    keepers: Keepers
    backups: owners.Backups
    lists: Lists
    asked: Mapping[str, UseCase]
    """All use cases that operators can call in the running service, by name."""


async def _upkeep(parts: Parts) -> Upkeep:
    storage, backups = parts.studio.storage, owners.Backups(parts.bells.watch)
    keepers = await keepers_of(parts, storage)
    lists = Lists(
        config=parts.config,
        accounts=parts.accounts,
        ask=asking(parts.config),
        causes=parts.store.causes,
        rooms=parts.private,
        clock=parts.clock,
        changed=parts.bells.reports.ring,
    )
    asked = {
        **use_cases(parts, keepers),
        **lists.use_cases,
        **backup_use_cases(parts, storage, report_outcome=backups.heard),
    }
    return Upkeep(keepers, backups, lists, asked)


@asynccontextmanager
async def _kept_up(parts: Parts, upkeep: Upkeep) -> AsyncIterator[None]:
    """Run backups, sweeps, reports to owners and the control socket while the context lasts."""
    sweeps, backups = upkeep.keepers.sweeps, upkeep.backups
    nights = nightly(parts, parts.studio.storage, report_outcome=backups.heard)
    async with (
        running(*nights, sweeps.run(), upkeep.lists.run()),
        owners.watching(parts, sweeps, backups, last_made),
        control.serving(parts.config.data_dir, upkeep.asked),
    ):
        yield


async def _access(parts: Parts) -> tuple[Access, str | None]:
    """Return the access rules, and the first owner's code, or None if no code is needed."""
    default = parts.config.settings.access
    access = Access(
        places=parts.store.places,
        facts=parts.store.settings,
        default=default,
        clock=parts.clock,
        private=parts.private,
    )
    if default is Default.OPEN or len(parts.private) == len(parts.platforms):
        await access.forget_code()
        return access, None
    return access, await access.new_code()


def _service(parts: Parts, access: Access, decide: Decide) -> Service:
    return Service(
        accounts=parts.accounts,
        preferring=Preferring(parts.store.preferences, parts.accounts),
        animate_others=parts.config.settings.animate_others,
        access=access,
        base_urls={name: gateway.base_url for name, gateway in parts.gateways.items()},
        jobs=parts.store.jobs,
        media=parts.studio,
        clock=parts.clock,
        bells=parts.bells,
        new_id=new_id,
        new_seed=new_seed,
        card_grace={name: each.can.card_grace for name, each in parts.platforms.items()},
        deleting=Deletions(parts.config.data_dir).note,
        decide=decide,
    )


def _entry(parts: Parts, service: Service, access: Access, cards: Cards) -> Entry:
    contact = Contact(owners=parts.store.places.owners, words=parts.config.settings.contact)
    listings = Listings(
        service=service,
        cards=cards,
        jobs=parts.store.jobs,
        posts=parts.store.posts,
        contact=contact,
        seen=frozenset(
            name for name, each in parts.platforms.items() if not each.can.private_answers
        ),
    )
    return Entry(service, access, listings)


def _context(parts: Parts) -> StepContext:
    return StepContext(
        jobs=parts.store.jobs,
        learned=parts.learned,
        pauses=parts.store.pauses,
        gateways=parts.gateways,
        clock=parts.clock,
        bells=parts.bells,
        rooms=parts.private,
        said_on=parts.platforms,
    )


def _steps(parts: Parts, context: StepContext, line: Conversions) -> Steps:
    store = parts.store
    submission = Submission(
        context,
        fronts=Fronts(store.settings, parts.clock),
        spool=store.spool,
        media=parts.studio,
        links=parts.pages.file_links,
        at_once=parts.accounts.at_once,
    )
    return Steps(
        context,
        submission=submission,
        content=Content(context, media=parts.studio, conversions=line),
        platforms=parts.fetching,
        media=parts.studio,
    )


def _polling(parts: Parts, context: StepContext, steps: Steps, people: People) -> Polling:
    bell = parts.bells.each_job[Status.IN_PROGRESS,]
    return Polling(context=context, polls=parts.store.polls, steps=steps, wake=bell, people=people)


def _job_loops(parts: Parts, steps: Steps, polling: Polling) -> Iterator[Loop]:
    probing = Probing(
        pauses=parts.store.pauses,
        gateways=parts.gateways,
        clock=parts.clock,
        wake=parts.bells.both,
        rooms=parts.private,
    )
    yield from job_loops(parts.store, steps, polling, probing, parts.clock, parts.bells)
    yield Clearing(copies=parts.store.copies, gateways=parts.gateways, clock=parts.clock).run()


def _cards(parts: Parts, line: Conversions) -> Cards:
    return Cards(
        jobs=parts.store.jobs,
        learned=parts.learned,
        posts=parts.store.posts,
        accounts=parts.accounts,
        conversions=line,
        at_once=parts.accounts.at_once,
        currency=parts.config.settings.currency,
        clock=parts.clock,
    )


async def _posting(parts: Parts, cards: Cards) -> Posting:
    return Posting(
        jobs=parts.store.jobs,
        posts=parts.store.posts,
        platforms=parts.platforms,
        media=parts.studio,
        accounts=parts.accounts,
        link=parts.pages.link,
        cards=cards,
        clock=parts.clock,
        wake=parts.bells.cards,
        cards_on=parts.bells.cards_on,
        restored=await parts.store.database.run(restored_jobs),
    )


def _word_loops(parts: Parts, posting: Posting) -> Iterator[Loop]:
    store, clock, report_outcome = parts.store, parts.clock, parts.telling
    yield from word_loops(store, posting, list(parts.platforms), clock, parts.bells)
    telling = Telling(
        notices=store.notices, platforms=report_outcome, variable=variable, clock=clock
    )
    reporting = Reporting(causes=store.causes, platforms=report_outcome, clock=clock)
    yield from owner_loops(parts, telling, reporting)


def gateway_settings(config: Config) -> list[videos_api.GatewayOptions]:
    """Return the client settings of each configured gateway."""
    return [
        videos_api.GatewayOptions(
            name=name,
            base_url=table.base_url,
            api_key=table.key,
            dialect=table.dialect,
            poll_step=table.poll_step,
            media_origins=frozenset(table.media_origins),
            trust_json_5xx=(
                DIALECTS[table.dialect].refuses_by_5xx
                if table.trust_json_5xx is None
                else table.trust_json_5xx
            ),
            own=table.own,
            refunds_failed=table.refunds_failed,
            answers=tuple(answer.row(name) for answer in table.answers),
            cost_currency=table.cost_currency or "",
        )
        for name, table in config.settings.gateways.items()
    ]
