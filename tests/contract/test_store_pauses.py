"""Which gateways are paused is known in memory, so that a look that is answered asks nobody."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection

from bot.core.jobs import Reason
from bot.core.notices import Pause
from bot.store.pauses import Pauses
from tests.contract.rows import NOON, Store


class Watched(Pauses):
    """The store's pauses, and how many transactions they took."""

    transactions = 0

    @classmethod
    def of(cls, store: Store) -> "Watched":
        pauses, run = cls(store.database), store.database.run

        async def counted(work: Callable[[Connection], Any]) -> Any:
            pauses.transactions += 1
            return await run(work)

        store.database.run = counted  # type: ignore[method-assign]
        return pauses

    async def begin(self, *, polls_only: bool, now: float = NOON) -> None:
        pause = Pause(Reason.BAD_KEY, until=now + 50, polls_only=polls_only)
        await self.pause("main", pause, detail="HTTP 401", rooms=(), now=now)

    async def answered(self, *, polled: bool = True, at: float = NOON + 1) -> bool:
        return await self.works("main", polled=polled, asked_at=at, rooms=(), now=at + 1)


@pytest.fixture
def pauses(store: Store) -> Watched:
    return Watched.of(store)


async def test_a_look_that_is_answered_asks_the_rows_once_and_never_again(pauses: Watched) -> None:
    assert pauses.may_end_by_poll("main"), "nobody has read them yet"
    assert not await pauses.answered()
    assert not pauses.may_end_by_poll("main")
    before = pauses.transactions
    for _ in range(5):
        assert not await pauses.answered()
    assert pauses.transactions == before


async def test_a_pause_that_looks_began_ends_by_the_next_one_that_is_answered(
    pauses: Watched,
) -> None:
    await pauses.answered()
    await pauses.begin(polls_only=True)
    assert pauses.may_end_by_poll("main")
    assert not pauses.may_end_by_poll("other")
    assert not await pauses.answered(at=NOON - 1), "it was asked before the pause"
    assert pauses.may_end_by_poll("main")
    assert await pauses.answered()
    assert not pauses.may_end_by_poll("main")
    assert not await pauses.is_paused("main")


async def test_a_pause_of_orders_is_none_that_a_look_asks_about(pauses: Watched) -> None:
    """It may last for hours, with thousands of looks."""
    await pauses.begin(polls_only=False)
    await pauses.answered()
    assert not pauses.may_end_by_poll("main")
    before = pauses.transactions
    assert not await pauses.answered()
    assert pauses.transactions == before
    assert await pauses.answered(polled=False), "an order that is taken ends it"


async def test_a_pause_that_begins_while_the_rows_are_read_is_not_forgotten(
    store: Store, pauses: Watched
) -> None:
    """Rows that were read before it do not say that there is none."""
    run = store.database.run

    async def late(work: Callable[[Connection], Any]) -> Any:
        store.database.run = run  # type: ignore[method-assign]
        read = await run(work)
        await pauses.begin(polls_only=True)
        return read

    store.database.run = late  # type: ignore[method-assign]
    await pauses.answered()
    assert pauses.may_end_by_poll("main")
    assert await pauses.answered()


async def test_of_orders_that_ask_in_one_moment_one_may_try_whether_it_is_over(
    pauses: Watched,
) -> None:
    await pauses.begin(polls_only=False)
    await pauses.let_one_try("main", now=NOON + 60)
    asking = [pauses.held("main", now=NOON + 60) for _ in range(5)]
    kept_back = [pause for pause in await asyncio.gather(*asking) if pause is not None]
    assert [pause.reason for pause in kept_back] == [Reason.BAD_KEY] * 4
