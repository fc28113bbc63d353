"""Supervising a network's connection: log lines, retries, and an end at the start only."""

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
async def test_no_wait_to_reconnect_is_longer_than_the_outage_or_than_its_bound(
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


async def test_many_connections_lost_at_once_reconnect_at_different_times(clock: FakeClock) -> None:
    outages = [Outage(clock) for _ in range(20)]
    for outage in outages:
        outage.wait()
    assert len({outage.wait() for outage in outages}) == 20


async def test_after_an_outage_has_ended_the_waits_begin_anew(clock: FakeClock) -> None:
    outage = Outage(clock, chance=lambda: 1.0)
    outage.wait()
    await clock.advance(HOUR)
    assert outage.wait() == MOST
    outage.over()
    await clock.advance(STEADY)
    assert (outage.wait(), outage.wait()) == (0, LEAST)


async def test_a_connection_that_fails_again_quickly_is_retried_with_growing_waits(
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


async def test_a_clock_that_is_set_back_does_not_lengthen_the_wait_to_reconnect(
    clock: FakeClock,
) -> None:
    outage = Outage(clock, chance=lambda: 1.0)
    outage.over()
    clock._now -= 3 * 86_400
    outage.wait()
    assert outage.wait() == LEAST


class Network:
    """A connection that fails as scripted and counts its tries."""

    def __init__(self, clock: FakeClock, *ends: Exception | None) -> None:
        self.supervisor = Supervisor("net", clock=clock, chance=lambda: 1.0)
        self.ends = list(ends)
        """The scripted ends; None is a connection that lasts until `lose` is set."""
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
    """Run the supervision of a network's connection."""
    task = asyncio.create_task(network.supervisor.keep(network.connect))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("error", [AttributeError("x"), KeyError("x"), OSError(), Temporary("x")])
async def test_any_error_of_a_connection_is_retried_and_logged_once(
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


async def test_an_outage_is_logged_when_it_begins_and_with_its_length_when_it_ends(
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


async def test_each_new_reason_during_an_outage_is_logged_once(clock: FakeClock) -> None:
    reasons = [Temporary("busy"), Temporary("away"), Temporary("busy"), Temporary("away")]
    network = Network(clock, *reasons)
    with capture_logs() as lines:
        async with kept(network):
            await clock.advance(STEADY)
    assert [line.get("why") for line in lines] == ["busy", "away", None]


async def test_a_connection_without_errors_logs_nothing(clock: FakeClock) -> None:
    with capture_logs() as lines:
        async with kept(Network(clock)):
            await clock.advance(STEADY)
    assert lines == []


async def test_the_log_names_the_error_and_its_place_in_the_code_but_not_its_message(
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


async def test_a_connection_is_up_from_its_first_event_until_it_is_lost(clock: FakeClock) -> None:
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


async def test_a_token_refused_at_the_start_ends_the_service(clock: FakeClock) -> None:
    network = Network(clock, OSError(), REFUSED)
    async with kept(network) as task:
        await clock.advance(LEAST)
        assert task.done()
        with pytest.raises(Broken, match="token_bad"):
            await task


async def test_a_token_refused_later_is_logged_once_an_hour_and_ends_nothing(
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


async def test_a_wait_that_the_network_asks_for_is_kept_within_bounds(clock: FakeClock) -> None:
    network = Network(clock, Temporary("busy", retry_after=9_000.0))
    async with kept(network):
        await clock.advance(MOST_ASKED - 1)
        assert network.tries == 1
        await clock.advance(1)
        assert network.tries == 2


async def test_the_reason_of_an_outage_is_given_by_the_network_itself(clock: FakeClock) -> None:
    def reason(error: Exception) -> BotError:
        return REFUSED if isinstance(error, OSError) else Temporary("x")

    supervisor = Supervisor("net", clock=clock, reason=reason)
    connect: Callable[[], Awaitable[None]] = Network(clock, OSError()).connect
    with pytest.raises(Broken):
        await supervisor.keep(connect)
