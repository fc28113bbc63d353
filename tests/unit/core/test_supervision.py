"""One network's troubles: one line each, a next try in time, and an end only for its operator."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from bot.core.errors import BotError, Broken, Temporary
from bot.core.supervision import HOUR, LEAST, MOST, MOST_ASKED, STEADY, Outage, Supervisor
from tests.fakes.clock import FakeClock

REFUSED = Broken("discord_token_bad")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
async def test_no_wait_is_longer_than_the_outage_was_or_than_its_bound(
    clock: FakeClock, chance: float
) -> None:
    outage, began = Outage(clock, chance=lambda: chance), clock.now()
    assert outage.wait() == 0
    waits = []
    while clock.now() - began < HOUR:
        wait = outage.wait()
        assert wait <= min(MOST, max(LEAST, clock.now() - began))
        await clock.advance(wait)
        waits.append(wait)
    assert waits[-1] == MOST * (1 + chance) / 2


async def test_many_that_lost_the_same_network_do_not_come_back_as_one(clock: FakeClock) -> None:
    outages = [Outage(clock) for _ in range(20)]
    for outage in outages:
        outage.wait()
    assert len({outage.wait() for outage in outages}) == 20


async def test_after_an_outage_that_is_over_the_count_begins_anew(clock: FakeClock) -> None:
    outage = Outage(clock, chance=lambda: 1.0)
    outage.wait()
    await clock.advance(HOUR)
    assert outage.wait() == MOST
    outage.over()
    await clock.advance(STEADY)
    assert (outage.wait(), outage.wait()) == (0, LEAST)


async def test_a_connection_that_does_not_last_is_not_tried_as_fast_as_it_fails(
    clock: FakeClock,
) -> None:
    outage, waited = Outage(clock, chance=lambda: 1.0), 0.0
    for _ in range(30):
        outage.over()
        wait = outage.wait()
        assert wait <= max(LEAST, waited), "time that was connected is no outage"
        await clock.advance(wait)
        waited += wait
    assert waited > 10 * LEAST


async def test_a_clock_that_is_set_back_holds_nobody_up(clock: FakeClock) -> None:
    outage = Outage(clock, chance=lambda: 1.0)
    outage.over()
    clock._now -= 3 * 86_400
    outage.wait()
    assert outage.wait() == LEAST


class Network:
    """Fails as it is told, and counts."""

    def __init__(self, clock: FakeClock, *ends: Exception | None) -> None:
        self.supervisor = Supervisor("net", clock=clock, chance=lambda: 1.0)
        self.ends = list(ends)
        """None: it works, until `lose`."""
        self.tries = 0
        self.lose = asyncio.Event()

    async def connect(self) -> None:
        self.tries += 1
        end = self.ends.pop(0) if self.ends else None
        if end is None:
            self.supervisor.up()
            await self.lose.wait()
            self.lose.clear()
            end = ConnectionResetError("with somebody's words in it")
        raise end


@asynccontextmanager
async def kept(network: Network) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(network.supervisor.keep(network.connect))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("error", [AttributeError("x"), KeyError("x"), OSError(), Temporary("x")])
async def test_whatever_a_connection_raises_is_another_try_and_one_line_for_all_of_them(
    clock: FakeClock, error: Exception
) -> None:
    network = Network(clock, error, error)
    with capture_logs() as lines:
        async with kept(network):
            await clock.advance(LEAST)
            assert network.supervisor.is_up
    assert network.tries == 3
    assert [line["event"] for line in lines] == ["net.disconnected", "net.recovered"]
    assert all("exc_info" not in line for line in lines)


async def test_an_outage_is_a_line_as_it_begins_and_one_with_its_length_as_it_ends(
    clock: FakeClock,
) -> None:
    network = Network(clock)
    with capture_logs() as lines:
        async with kept(network):
            for _ in range(2):
                await clock.advance(STEADY)
                network.ends = [OSError()] * 60
                network.lose.set()
                await clock.advance(HOUR)
                assert network.supervisor.is_up
    assert network.tries > 100
    assert [line["event"] for line in lines] == ["net.disconnected", "net.recovered"] * 2
    assert all(line["seconds"] > 60 * LEAST for line in lines[1::2])


async def test_another_reason_within_an_outage_is_another_line(clock: FakeClock) -> None:
    reasons = [Temporary("busy"), Temporary("away"), Temporary("busy"), Temporary("away")]
    network = Network(clock, *reasons)
    with capture_logs() as lines:
        async with kept(network):
            await clock.advance(STEADY)
    assert [line.get("why") for line in lines] == ["busy", "away", None]


async def test_a_connection_that_nothing_was_wrong_with_is_no_line(clock: FakeClock) -> None:
    with capture_logs() as lines:
        async with kept(Network(clock)):
            await clock.advance(STEADY)
    assert lines == []


async def test_the_line_names_the_error_and_its_place_and_never_its_words(
    clock: FakeClock,
) -> None:
    network = Network(clock)
    with capture_logs() as lines:
        async with kept(network):
            await clock.advance(0)
            network.lose.set()
            await clock.advance(0)
    line, _recovered = lines
    assert line["error"] == "ConnectionResetError"
    assert line["at"].startswith("test_supervision.py:")
    assert "words" not in str(line)


async def test_it_is_up_from_when_it_hears_people_until_it_is_lost(clock: FakeClock) -> None:
    network = Network(clock)
    async with kept(network):
        assert not network.supervisor.is_up
        await clock.advance(0)
        assert network.supervisor.is_up
        network.ends = [OSError()] * 9
        network.lose.set()
        await clock.advance(0)
        assert not network.supervisor.is_up
        await clock.advance(HOUR)
        assert network.supervisor.is_up
    assert not network.supervisor.is_up


async def test_what_is_refused_at_the_start_ends_it(clock: FakeClock) -> None:
    network = Network(clock, OSError(), REFUSED)
    async with kept(network) as task:
        await clock.advance(LEAST)
        assert task.done()
        with pytest.raises(Broken, match="token_bad"):
            await task


async def test_what_is_refused_later_is_told_once_an_hour_and_ends_nothing(
    clock: FakeClock,
) -> None:
    network = Network(clock, None, *[REFUSED] * 150)
    with capture_logs() as lines:
        async with kept(network) as task:
            await clock.advance(STEADY)
            network.lose.set()
            await clock.advance(1.5 * HOUR)
            assert not task.done()
            assert not network.supervisor.is_up
            assert network.tries <= 2 + 1.5 * HOUR / MOST_ASKED
    told = [line for line in lines if line["event"] == "net.refused"]
    assert [line["why"] for line in told] == ["discord_token_bad"] * 2


async def test_a_wait_that_is_asked_for_is_kept_within_bounds(clock: FakeClock) -> None:
    network = Network(clock, Temporary("busy", retry_after=9_000.0))
    async with kept(network):
        await clock.advance(MOST_ASKED - 1)
        assert network.tries == 1
        await clock.advance(1)
        assert network.tries == 2


async def test_the_reason_is_the_network_s_own(clock: FakeClock) -> None:
    def reason(error: Exception) -> BotError:
        return REFUSED if isinstance(error, OSError) else Temporary("x")

    supervisor = Supervisor("net", clock=clock, reason=reason)
    connect: Callable[[], Awaitable[None]] = Network(clock, OSError()).connect
    with pytest.raises(Broken):
        await supervisor.keep(connect)
