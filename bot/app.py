"""The composition root: builds every part, hands each what it needs, runs them, shuts them down.

Nothing else knows all the neighbours. Reads top to bottom: what exists, who talks to whom, in
which order it ends.
"""

import asyncio
import base64
import os
import secrets
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from bot import control, owners, site
from bot.backups.archive import last_made
from bot.backups.asked import backup_use_cases, nightly
from bot.chats import Needs, hearing, switched_on
from bot.config import Config
from bot.config.problems import variable
from bot.core.access import Access, Default
from bot.core.accounts import Accounts
from bot.core.acts import UseCase
from bot.core.cards import Cards
from bot.core.choosing import new_seed
from bot.core.clock import SystemClock
from bot.core.content import Content
from bot.core.conversions import Conversions
from bot.core.decisions import Decide
from bot.core.desk import Desk
from bot.core.door import Door
from bot.core.fronts import Fronts
from bot.core.listings import Contact, Listings
from bot.core.ports import Clock, Gateway, Platform
from bot.core.posting import Posting
from bot.core.probing import Probing
from bot.core.reporting import Reporting
from bot.core.service import Service
from bot.core.steps import Steps
from bot.core.submission import Submission
from bot.core.telling import Telling
from bot.core.timekeeping import SettableClock
from bot.core.wake import Wake
from bot.gateways import videos_api
from bot.keepers import Keepers, keepers_of
from bot.log import get_logger
from bot.media.studio import Studio
from bot.operators import use_cases
from bot.rows import Rows, open_rows
from bot.store.deletions import Deletions
from bot.store.identity import Home
from bot.store.restored import restored_jobs
from bot.web.pages import Pages
from bot.workers import Bells, Loop, job_loops, owner_loops, running, word_loops

log = get_logger()


async def run(
    config: Config,
    *,
    ready: Callable[[str], None],
    announce: Callable[[str], None],
    note: str = "",
    new_database: bool = False,
) -> None:
    """Run the service until SIGTERM, SIGINT or SIGHUP; then end what is under way and close.

    `ready` gets the web address once the house stands; `announce` the one-time code for the first
    owner, where the service is closed and has none, as soon as a chat network has let us in.
    `note` stands on top of the room.
    `new_database`: the database may be empty, or another one than before.
    """
    stop = asyncio.Event()

    def told() -> None:
        if stop.is_set():
            os._exit(1)  # told twice: at once; the rows know how to go on
        stop.set()

    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, told)
    # A terminal that goes tells it twice, shell and kernel; under nohup it is to go unheard.
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
    """The whole service while the context lasts; yields its address. The last part ends first."""
    clock, bells = clock or SystemClock(), Bells.new()
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        home = Home(config.data_dir, anew=new_database)
        rows = await enter(open_rows(config, home, clock, changed=bells.both.ring))
        studio = await enter(Studio(config.data_dir, storage_url=config.storage_url))
        gateways = await enter(videos_api.open_gateways(gateway_settings(config)))
        pages = await site.pages_of(config, rows, studio, clock)
        needs = _needs(config, rows, studio, pages, clock, note)
        chats = [await enter(open_(needs)) for open_ in switched_on(config)]
        platforms = {chat.platform.name: chat.platform for chat in chats}
        private = frozenset(chat.platform.name for chat in chats if chat.private)
        access, code = await _access(config, rows, platforms, private, clock)
        upkeep = await _upkeep(config, rows, gateways, studio, clock, bells)
        decide = owners.decisions(config, rows, upkeep.asked, private, clock, bells).decide
        service = _service(config, rows, gateways, platforms, studio, access, decide, clock, bells)
        desk = _desk(rows, gateways, private, clock, bells)
        line = Conversions(rows.line, rows.settings, clock)
        steps = _steps(config, rows, desk, platforms, studio, pages, line, clock)
        cards = _cards(config, rows, line, clock)
        posting = await _posting(config, rows, platforms, studio, pages, cards, clock, bells)
        door = _door(config, rows, service, access, cards, platforms)
        intakes = [chat.listen(door, cards.card) for chat in chats]
        address = await enter(site.serving(config, rows, studio, platforms, pages, intakes, clock))
        for intake in intakes:
            stack.push_async_callback(intake.finish)
        await enter(running(*_word_loops(rows, posting, platforms, clock, bells)))
        await enter(running(*_job_loops(rows, steps, gateways, private, clock, bells)))
        await enter(_kept_up(config, rows, upkeep, studio, platforms, private, clock, bells))
        await enter(running(*hearing(intakes, chats, code, announce, clock)))
        yield address + intakes[-1].path


@dataclass(frozen=True, slots=True)
class Upkeep:
    """The operator's side."""

    keepers: Keepers
    backups: owners.Backups
    asked: Mapping[str, UseCase]
    """All that operators can ask of the running service."""


async def _upkeep(
    config: Config,
    rows: Rows,
    gateways: Mapping[str, Gateway],
    studio: Studio,
    clock: Clock,
    bells: Bells,
) -> Upkeep:
    backups = owners.Backups(bells.watch)
    keepers = await keepers_of(config, rows, studio.storage, clock)
    asked = {
        **operators(config, rows, gateways, clock, bells.both, keepers),
        **backup_use_cases(config, rows, studio.storage, clock, told=backups.heard),
    }
    return Upkeep(keepers, backups, asked)


@asynccontextmanager
async def _kept_up(
    config: Config,
    rows: Rows,
    upkeep: Upkeep,
    studio: Studio,
    platforms: Mapping[str, Platform],
    private: frozenset[str],
    clock: Clock,
    bells: Bells,
) -> AsyncIterator[None]:
    """Backups, sweeps, what owners are told, commands over the socket."""
    sweeps, backups = upkeep.keepers.sweeps, upkeep.backups
    loops = (*nightly(config, rows, studio.storage, clock, told=backups.heard), sweeps.run())
    async with (
        running(*loops),
        owners.watching(config, rows, sweeps, backups, last_made, platforms, private, clock, bells),
        control.serving(config.data_dir, upkeep.asked),
    ):
        yield


def operators(
    config: Config,
    rows: Rows,
    gateways: Mapping[str, Gateway],
    clock: Clock,
    wake: Wake,
    keepers: Keepers | None = None,
) -> Mapping[str, UseCase]:
    """The operators' use cases, by the name that a command asks for.

    `keepers`: those of the service that runs; None without one.
    """
    return use_cases(config, rows, gateways, keepers, clock, wake, new_id, new_seed)


def _needs(
    config: Config, rows: Rows, studio: Studio, pages: Pages, clock: Clock, note: str
) -> Needs:
    return Needs(
        config=config,
        clock=clock,
        posts=rows.posts,
        facts=rows.settings,
        stored=studio.file,
        viewable=studio.viewable,
        link=pages.link,
        ways=_accounts(config, rows).ways,
        database=rows.database,
        note=note,
    )


async def _access(
    config: Config,
    rows: Rows,
    platforms: Mapping[str, Platform],
    private: frozenset[str],
    clock: Clock,
) -> tuple[Access, str | None]:
    """The access rules; where nobody owns the bot yet, with a code for the first owner."""
    default = config.settings.access
    access = Access(
        places=rows.places, facts=rows.settings, default=default, clock=clock, private=private
    )
    if default is Default.OPEN or len(private) == len(platforms):
        await access.forget_code()
        return access, None
    return access, await access.new_code()


def _accounts(config: Config, rows: Rows) -> Accounts:
    return Accounts(config.terms, config.communities, rows.communities.ids)


def _service(
    config: Config,
    rows: Rows,
    gateways: Mapping[str, Gateway],
    platforms: Mapping[str, Platform],
    studio: Studio,
    access: Access,
    decide: Decide,
    clock: Clock,
    bells: Bells,
) -> Service:
    return Service(
        accounts=_accounts(config, rows),
        animate_others=config.settings.animate_others,
        access=access,
        base_urls={name: gateway.base_url for name, gateway in gateways.items()},
        jobs=rows.jobs,
        media=studio,
        clock=clock,
        wake=bells.both,
        new_id=new_id,
        new_seed=new_seed,
        card_grace={name: platform.card_grace for name, platform in platforms.items()},
        deleting=Deletions(config.data_dir).note,
        decide=decide,
    )


def _door(
    config: Config,
    rows: Rows,
    service: Service,
    access: Access,
    cards: Cards,
    platforms: Mapping[str, Platform],
) -> Door:
    listings = Listings(
        service=service,
        cards=cards,
        jobs=rows.jobs,
        posts=rows.posts,
        contact=Contact(owners=rows.places.owners, words=config.settings.contact),
        seen=frozenset(name for name in platforms if name == "telegram"),
    )
    return Door(service, access, listings)


def _desk(
    rows: Rows,
    gateways: Mapping[str, Gateway],
    private: frozenset[str],
    clock: Clock,
    bells: Bells,
) -> Desk:
    return Desk(
        jobs=rows.jobs,
        pauses=rows.pauses,
        gateways=gateways,
        clock=clock,
        wake_jobs=bells.jobs,
        wake_posts=bells.posts,
        rooms=private,
        wake_watch=bells.watch,
    )


def _steps(
    config: Config,
    rows: Rows,
    desk: Desk,
    platforms: Mapping[str, Platform],
    studio: Studio,
    pages: Pages,
    line: Conversions,
    clock: Clock,
) -> Steps:
    submission = Submission(
        desk,
        fronts=Fronts(rows.settings, clock),
        spool=rows.spool,
        media=studio,
        links=pages.file_links,
        at_once=config.at_once,
    )
    content = Content(desk, media=studio, conversions=line)
    return Steps(desk, submission=submission, content=content, platforms=platforms, media=studio)


def _job_loops(
    rows: Rows,
    steps: Steps,
    gateways: Mapping[str, Gateway],
    private: frozenset[str],
    clock: Clock,
    bells: Bells,
) -> Iterator[Loop]:
    probing = Probing(
        pauses=rows.pauses, gateways=gateways, clock=clock, wake=bells.both, rooms=private
    )
    return job_loops(rows.jobs, steps, rows.pauses, probing, clock, bells)


def _cards(config: Config, rows: Rows, line: Conversions, clock: Clock) -> Cards:
    return Cards(
        jobs=rows.jobs,
        posts=rows.posts,
        accounts=_accounts(config, rows),
        conversions=line,
        at_once=config.at_once,
        currency=config.settings.currency,
        clock=clock,
    )


async def _posting(
    config: Config,
    rows: Rows,
    platforms: Mapping[str, Platform],
    studio: Studio,
    pages: Pages,
    cards: Cards,
    clock: Clock,
    bells: Bells,
) -> Posting:
    return Posting(
        jobs=rows.jobs,
        posts=rows.posts,
        platforms=platforms,
        media=studio,
        accounts=_accounts(config, rows),
        link=pages.link,
        cards=cards,
        clock=clock,
        wake=bells.posts,
        restored=await rows.database.run(restored_jobs),
    )


def _word_loops(
    rows: Rows, posting: Posting, platforms: Mapping[str, Platform], clock: Clock, bells: Bells
) -> Iterator[Loop]:
    names = list(platforms)
    yield from word_loops(rows.posts, posting, names, clock, bells)
    telling = Telling(notices=rows.notices, platforms=platforms, variable=variable, clock=clock)
    reporting = Reporting(reports=rows.causes, platforms=platforms, clock=clock)
    yield from owner_loops(rows.notices, telling, rows.causes, reporting, names, clock, bells)


def new_id() -> str:
    """A job's id: 80 random bits in 16 letters and digits, short enough for a nonce."""
    return base64.b32encode(secrets.token_bytes(10)).decode().lower()


def gateway_settings(config: Config) -> list[videos_api.Settings]:
    """The settings of the clients, from the configured gateways."""
    return [
        videos_api.Settings(
            name=name,
            base_url=table.base_url,
            api_key=table.api_key.get_secret_value(),
            dialect=table.dialect,
            poll_step=table.poll_step,
            media_origins=frozenset(table.media_origins),
            trust_json_5xx=(
                table.dialect == "new-api" if table.trust_json_5xx is None else table.trust_json_5xx
            ),
            refunds_failed=table.refunds_failed,
            answers=tuple(answer.row(name) for answer in table.answers),
        )
        for name, table in config.settings.gateways.items()
    ]
