"""The parts of a service, each made once: `app.py` builds them and hands them on as one value."""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.config import Config
from bot.core.accounts import Accounts
from bot.core.bells import Bells
from bot.core.learned import Learned
from bot.core.platforms import Fetches, Platform, Tells
from bot.core.ports import Clock, Gateway
from bot.media.studio import Studio
from bot.store.parts import Store
from bot.web.pages import Pages


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """The parts that a command without a service has as well."""

    config: Config
    clock: Clock
    bells: Bells
    store: Store
    gateways: Mapping[str, Gateway]

    @property
    def accounts(self) -> Accounts:
        """The terms of each community, and of everybody."""
        config = self.config
        return Accounts(config.terms, config.communities, self.store.communities.ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts(Basis):
    """All that a service is built of."""

    studio: Studio
    pages: Pages
    learned: Learned
    note: str = ""
    """The line on top of the room: that its videos are paid for, say."""
    platforms: Mapping[str, Platform] = field(default_factory=dict)
    """The networks that are open: none while they are being opened."""
    private: frozenset[str] = frozenset()
    """Those of them where whoever comes is the operator."""

    @property
    def telling(self) -> Mapping[str, Tells]:
        """The networks where one person can be written to."""
        return {name: it for name, it in self.platforms.items() if isinstance(it, Tells)}

    @property
    def fetching(self) -> Mapping[str, Fetches]:
        """The networks where people hand files in."""
        return {name: it for name, it in self.platforms.items() if isinstance(it, Fetches)}


def new_id() -> str:
    """A job's id: 80 random bits in 16 letters and digits, short enough for a nonce."""
    return base64.b32encode(secrets.token_bytes(10)).decode().lower()
