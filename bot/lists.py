"""Keep the models that people can order as the gateways' own lists tell them, in a running service.

Each list is read once a day, and when an operator asks. Only free GETs are sent. A list that was
stored by another command of this machine is taken over too.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.config import Config, Misconfigured, completed, discoveries
from bot.config.discoveries import Changes
from bot.config.listing import KEPT, listed
from bot.core.accounts import Accounts
from bot.core.acts import UseCase, Values
from bot.core.causes import Cause, Causes, Facts, Kind
from bot.core.errors import BotError, Broken, named
from bot.core.ports import Clock
from bot.gateways.offers import Offer
from bot.gateways.offers.asking import list_of
from bot.log import get_logger

DAY = 86_400.0
AGAIN = 3_600.0
"""Seconds until a list is read again that could not be read or believed."""
CHECK_EVERY = 30.0
"""Seconds between two looks at the clock and at the stored lists."""

Ask = Callable[[str], Awaitable[tuple[Offer, ...]]]
"""Returns what a gateway's list says. Raises `BotError`."""
log = get_logger()


def asking(config: Config) -> Ask:
    """Return the function that asks a gateway of this configuration for its list."""

    async def ask(gateway: str) -> tuple[Offer, ...]:
        table = config.settings.gateways[gateway]
        return await list_of(table.base_url, table.key, table.dialect)

    return ask


@dataclass(slots=True, kw_only=True)
class Lists:
    """Reads the gateways' lists, renews the models that people can order, and reports changes."""

    config: Config
    """The present configuration."""
    accounts: Accounts
    """The terms of all places, which this part renews."""
    ask: Ask
    causes: Causes
    rooms: Collection[str]
    clock: Clock
    changed: Callable[[], None]
    """Called when owners are to be told something."""
    _tried: dict[str, float] = field(default_factory=dict, init=False)
    _seen: int | None = field(default=None, init=False)
    """When the file of findings was written that was looked at last."""
    _told: set[str] = field(default_factory=set, init=False)
    _one: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def run(self) -> None:
        """Keep the lists up to date until cancelled."""
        failing = ""
        while True:
            try:
                await self.check()
            except Exception as error:  # noqa: BLE001 - full or away: it comes back, we go on
                if failing != named(error):
                    log.warning("lists.failed", why=named(error))
                failing = named(error)
            else:
                failing = ""
            await self.clock.sleep(CHECK_EVERY)

    async def check(self) -> None:
        """Take over stored lists, read the lists that are due, and report what changed."""
        async with self._one:
            await self._take_over()
        for gateway in self.config.settings.gateways:
            if self._is_due(gateway):
                try:
                    await self.refresh(gateway)
                except (BotError, Misconfigured) as error:
                    # Beside the operator's tables, a list may make a wrong catalog.
                    log.warning("list.unread", gateway=gateway, code=named(error))
        await self._tell()

    async def refresh(self, gateway: str) -> None:
        """Read a gateway's list and renew the models. Raises `BotError`: the old list stays."""
        async with self._one:
            self._tried[gateway] = self.clock.now()
            offers = await self.ask(gateway)
            at = datetime.fromtimestamp(self.clock.now(), UTC).replace(microsecond=0)
            self._renew(await asyncio.to_thread(listed, self.config, gateway, offers, at))
        log.info("list.read", gateway=gateway, models=len(offers))

    @property
    def use_cases(self) -> Mapping[str, UseCase]:
        return {"gateways.refresh": self.asked}

    async def asked(self, *, gateway: str) -> Values:
        """Read a gateway's list because an operator asks."""
        if gateway not in self.config.settings.gateways:
            raise Broken("control_unknown")
        await self.refresh(gateway)
        await self._tell()
        return {"gateway": gateway}

    def _is_due(self, gateway: str) -> bool:
        """Whether to read this list. Lists that do not build the catalog count if `init` or
        `doctor` found one."""
        now, found = self.clock.now(), self.config.found.get(gateway)
        if now - self._tried.get(gateway, -AGAIN) < AGAIN:
            return False
        is_known = found is not None and found.models is not None
        if not is_known or found is None:
            return gateway in self.config.offers
        last = max(filter(None, (found.listed_at, found.at))).timestamp()
        if gateway in self.config.offers and found.offers is None:
            return True
        return found.doubted or not 0 <= now - last < DAY

    async def _take_over(self) -> None:
        """Use the lists that another command stored."""
        file = self.config.data_dir / discoveries.FILE
        written = await asyncio.to_thread(lambda: file.stat().st_mtime_ns if file.exists() else 0)
        if written == self._seen:
            return
        self._seen = written
        stored, problems = await asyncio.to_thread(discoveries.read, self.config.data_dir)
        if problems or discoveries.valid(self.config.written, stored) == self.config.found:
            return
        self._renew(await asyncio.to_thread(completed, self.config.written))

    def _renew(self, config: Config) -> None:
        """Offer the models of this configuration from now on. Accepted jobs are not affected."""
        if self.config.only is not None:
            config = config.kept_to(self.config.only)
        self.config = config
        self.accounts.renew(config.terms, config.communities)

    async def _tell(self) -> None:
        """Report each change once, also over restarts."""
        oldest = self.clock.now() - KEPT.total_seconds()
        for gateway, found in self.config.found.items():
            for changes in found.changes:
                about = f"{gateway} {changes.at.isoformat()}"
                if about in self._told or changes.at.timestamp() < oldest:
                    continue
                facts = facts_of(gateway, changes, self.config.settings.currency)
                cause = Cause(kind=Kind.OFFERS, about=about, facts=facts)
                if await self.causes.once(cause, rooms=self.rooms, now=self.clock.now()):
                    self.changed()
                self._told.add(about)


def facts_of(gateway: str, changes: Changes, currency: str) -> Facts:
    """Return the facts of a report about changes, with prices as texts."""

    def shown(price: object) -> str:
        return f"{price:g} {currency}" if isinstance(price, int | float) else ""

    return {
        "gateway": gateway,
        "gone": [dict(row) for row in changes.gone],
        "prices": [
            {**row, "before": shown(row["before"]), "after": shown(row["after"])}
            for row in changes.prices
        ],
    }
