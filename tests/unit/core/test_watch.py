"""The watch checks all sources again and again; one source says nothing about the others."""

import asyncio
from collections.abc import Collection, Mapping, Sequence

import pytest

from bot.core.causes import Cause, Kind
from bot.core.errors import Unwritten
from bot.core.wake import Wake
from bot.core.watch import CHECK_EVERY, LEAST, Watch
from tests.fakes.clock import FakeClock

FULL = Cause(kind=Kind.DISK, about="/data", facts={"folder": "/data", "gigabytes": 0.4})


class Post:
    """Sources that answer as scripted, and rows that record what was found."""

    def __init__(self) -> None:
        self.clock, self.bell = FakeClock(), Wake()
        self.disks: Sequence[Cause] | Exception | None = [FULL]
        self.found: list[dict[Kind, list[str]]] = []
        self.trouble: list[Exception] = []
        self.changed = 0
        self.watch = Watch(
            settle=self.settle,
            sources={Kind.DISK: self.check, Kind.BACKUP: self.nothing},
            rooms=["room"],
            clock=self.clock,
            wake=self.bell,
            changed=self.tell,
        )

    async def check(self) -> Sequence[Cause] | None:
        if isinstance(self.disks, Exception):
            raise self.disks
        return self.disks

    async def nothing(self) -> Sequence[Cause]:
        return []

    def tell(self) -> None:
        self.changed += 1

    async def settle(
        self, found: Mapping[Kind, Sequence[Cause]], rooms: Collection[str], now: float
    ) -> bool:
        if self.trouble:
            raise self.trouble.pop()
        assert rooms == ["room"]
        self.found.append({kind: [it.about for it in each] for kind, each in found.items()})
        return bool(found.get(Kind.DISK))


@pytest.mark.parametrize("blind", [None, OSError("no such folder"), Unwritten("database_away")])
async def test_a_source_of_causes_that_raises_ends_none_of_its_causes(
    blind: Exception | None,
) -> None:
    post = Post()
    await post.watch.check()
    post.disks = blind
    await post.watch.check()
    assert post.found == [{Kind.DISK: ["/data"], Kind.BACKUP: []}, {Kind.BACKUP: []}]
    assert post.changed == 1


async def test_the_watch_checks_twice_a_minute_and_soon_after_rings_but_not_after_each() -> None:
    post = Post()
    task = asyncio.create_task(post.watch.run())
    await post.clock.advance(3 * CHECK_EVERY)
    assert len(post.found) == 4
    for _ in range(20):
        post.bell.ring()
        await post.clock.advance(LEAST / 10)
    assert len(post.found) - 4 in (1, 2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_failed_write_does_not_end_the_watch() -> None:
    post = Post()
    post.trouble = [Unwritten("database_full")]
    task = asyncio.create_task(post.watch.run())
    await post.clock.advance(CHECK_EVERY)
    assert len(post.found) == 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_the_first_check_of_the_watch_is_over_only_once_its_causes_are_saved() -> None:
    post = Post()
    post.trouble = [Unwritten("database_full")]
    waits = asyncio.create_task(post.watch.checked())
    task = asyncio.create_task(post.watch.run())
    await post.clock.advance(0)
    assert not waits.done()
    await post.clock.advance(CHECK_EVERY)
    await waits
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
