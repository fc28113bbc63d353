"""The checks behind `/readyz`: those that make the service unready, and those only shown."""

from collections.abc import Sequence
from functools import partial

from bot.config import Config
from bot.core.acts import EVERYTHING
from bot.core.jobs import Status
from bot.core.ports import Clock, Jobs, Posts
from bot.media.presence import Presence
from bot.media.storage import Storage, folder_of
from bot.parts import Parts
from bot.store.heartbeat import Heartbeat
from bot.store.parts import Store
from bot.web.health import Check, Health, can_write, has_room

BEHIND = 300.0
"""Seconds that a due row may wait for its claim. Normally a row is claimed within one second."""
_QUICK = ((Status.QUEUED,), (Status.SUBMITTING, Status.IN_PROGRESS, Status.COMPLETED))
"""States whose steps do not wait for a free slot. Each group has its own database index."""


def health_of(parts: Parts, presence: Presence) -> Health:
    """Return the health checks of all parts."""
    config, store, clock = parts.config, parts.store, parts.clock
    scratch, media = config.data_dir / "scratch", folder_of(config.storage_url)
    checks: dict[str, Check] = {
        "database: no answer": Heartbeat(store.database, clock).beats,
        "media: not writable": partial(_media, parts.studio.storage, presence, config),
        "scratch: not writable": partial(can_write, scratch),
        "disk: almost full": partial(has_room, config.data_dir),
        **({"media disk: almost full": partial(has_room, media)} if media else {}),
        **{f"{each.name}: not connected": each.is_connected for each in parts.platforms.values()},
    }
    notes: dict[str, Check] = {
        "backlog: not known": partial(
            backlog, store.jobs, store.posts, list(parts.platforms), clock
        ),
        "operators: not known": partial(_held, store),
        **{
            f"gateway {name}: not known": partial(_gateway, store, name)
            for name in config.settings.gateways
        },
    }
    return Health(checks, notes, clock=clock)


async def _media(storage: Storage, presence: Presence, config: Config) -> bool | str:
    """True if the media storage works; else a line that says what is wrong.

    A bucket's last known state is used (see `presence`), because each request to a bucket costs.
    """
    if trouble := storage.trouble() or presence.trouble:
        return f"media: {trouble}"
    folder = folder_of(config.storage_url)
    return await can_write(folder) if folder else True


async def backlog(jobs: Jobs, posts: Posts, platforms: Sequence[str], clock: Clock) -> bool | str:
    """True if due rows are claimed in time; else a line with the age of the oldest due row."""
    due = [await jobs.next_due(statuses) for statuses in _QUICK]
    due.append(await posts.next_due(platforms))
    age = clock.now() - min((at for at in due if at is not None), default=clock.now())
    return age < BEHIND or f"backlog: {age / 60:.0f} minutes"


async def _held(store: Store) -> bool | str:
    """True if operators hold nothing; else a line that names what they hold."""
    names = [hold.name for hold in await store.holds.all()]
    if EVERYTHING in names:
        return "operators: all stopped"
    return f"operators: {', '.join(names)} paused" if names else True


async def _gateway(store: Store, name: str) -> bool | str:
    return f"gateway {name}: refuses us" if await store.pauses.is_paused(name) else True
