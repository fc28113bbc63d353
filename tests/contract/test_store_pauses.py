"""Paused gateways are known in memory, so that an answered poll needs no query."""

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
    """The store's pauses, with a count of their transactions."""

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


async def test_an_answered_poll_reads_the_pauses_once_and_later_from_memory(
    pauses: Watched,
) -> None:
    assert pauses.may_end_by_poll("main"), "the pauses were not read yet"
    assert not await pauses.answered()
    assert not pauses.may_end_by_poll("main")
    before = pauses.transactions
    for _ in range(5):
        assert not await pauses.answered()
    assert pauses.transactions == before


async def test_a_pause_that_a_poll_caused_ends_with_the_next_answered_poll(
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


async def test_an_answered_poll_reads_no_rows_during_a_pause_that_an_order_caused(
    pauses: Watched,
) -> None:
    """Such a pause may last for hours, with thousands of polls."""
    await pauses.begin(polls_only=False)
    await pauses.answered()
    assert not pauses.may_end_by_poll("main")
    before = pauses.transactions
    assert not await pauses.answered()
    assert pauses.transactions == before
    assert await pauses.answered(polled=False), "an order that is taken ends it"


async def test_a_pause_that_begins_while_the_pauses_are_read_is_not_forgotten(
    store: Store, pauses: Watched
) -> None:
    """Rows that were read before the pause began do not prove that there is none."""
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


async def test_of_orders_that_ask_at_the_same_moment_one_may_try_a_paused_gateway(
    pauses: Watched,
) -> None:
    await pauses.begin(polls_only=False)
    await pauses.let_one_try("main", now=NOON + 60)
    asking = [pauses.held("main", now=NOON + 60) for _ in range(5)]
    kept_back = [pause for pause in await asyncio.gather(*asking) if pause is not None]
    assert [pause.reason for pause in kept_back] == [Reason.BAD_KEY] * 4
