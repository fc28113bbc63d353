"""The parts of a service, each made once. `app.py` builds them and passes them on as one value."""

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
    """The parts that a service has, and also a command that runs without a service."""

    config: Config
    clock: Clock
    bells: Bells
    store: Store
    gateways: Mapping[str, Gateway]
    accounts: Accounts
    """The terms of all places. Everything that asks for models or limits asks this object."""


def accounts_of(config: Config, store: Store) -> Accounts:
    """Return the accounts, with the terms of each community and the general terms."""
    return Accounts(config.terms, config.communities, store.communities.ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts(Basis):
    """All parts of a running service."""

    studio: Studio
    pages: Pages
    learned: Learned
    note: str = ""
    """A line at the top of the room, for example a warning that videos cost money."""
    platforms: Mapping[str, Platform] = field(default_factory=dict)
    """The open networks, by name; empty while they are being opened."""
    private: frozenset[str] = frozenset()
    """Names of the networks where everyone is the operator."""

    @property
    def telling(self) -> Mapping[str, Tells]:
        """The networks that can send a message to one person."""
        return {name: it for name, it in self.platforms.items() if isinstance(it, Tells)}

    @property
    def fetching(self) -> Mapping[str, Fetches]:
        """The networks where people send files with their orders."""
        return {name: it for name, it in self.platforms.items() if isinstance(it, Fetches)}


def new_id() -> str:
    """Return a new job id: 80 random bits in 16 letters and digits, short enough for a nonce."""
    return base64.b32encode(secrets.token_bytes(10)).decode().lower()
