"""Build the web server from the configuration: player pages, health and routes of networks."""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from ipaddress import ip_network

from bot.chats import Receiver
from bot.config import Config
from bot.core.links import Signer
from bot.core.ports import Clock
from bot.healths import health_of
from bot.log import get_logger
from bot.media.presence import Presence
from bot.media.studio import Studio
from bot.parts import Parts
from bot.store.parts import Store
from bot.store.settings import StoredValues
from bot.web import descriptors, server
from bot.web.connections import LOCAL, ConnectionLimits
from bot.web.pages import Pages
from bot.workers import running

log = get_logger()


async def pages_of(config: Config, store: Store, studio: Studio, clock: Clock) -> Pages:
    """Return the pages of videos, and of pictures that gateways download."""
    web = config.settings.web
    return Pages(
        get_job=store.jobs.get,
        media=studio,
        signer=await _signer(store.settings),
        clock=clock,
        public_url=web.public_url,
        lifetime=web.link_days * 86_400,
        kept=config.kept.videos,
    )


@asynccontextmanager
async def serving(parts: Parts, intakes: Sequence[Receiver]) -> AsyncIterator[str]:
    """Serve the web port while the context lasts; yield the address.

    The routes are the pages of videos, the health of all parts, and the routes of networks
    (webhooks, the room). Meanwhile the storage is checked regularly, for `/readyz`.
    """
    web, presence = parts.config.settings.web, Presence(parts.studio.storage, parts.clock)
    health = health_of(parts, presence)
    rooms = [route for intake in intakes for route in intake.routes]
    routes = [*parts.pages.routes, *health.routes, *rooms]
    serve = server.serve(routes, host=web.host, port=web.port, limits=_web_limits(parts.config))
    async with aclosing(parts.pages), serve as address, running(presence.watch()):
        yield address


def _web_limits(config: Config) -> ConnectionLimits:
    """Return limits that leave enough file descriptors for networks and gateways."""
    allowed = descriptors.raised()
    most = descriptors.connections(allowed)
    if allowed < descriptors.WANTED:
        log.warning("web.limited", descriptors=allowed, wanted=descriptors.WANTED, connections=most)
    proxies = (ip_network(each, strict=False) for each in config.settings.web.trusted_proxies)
    return ConnectionLimits(most=most, trusted=(*LOCAL, *proxies))


async def _signer(settings: StoredValues) -> Signer:
    """Return the signer of links. Its key is made at the first start and kept in the database."""
    key = await settings.get("links.key")
    if key is None:
        key = secrets.token_hex(32)
        await settings.put("links.key", key)
    return Signer({"a": bytes.fromhex(key)})
