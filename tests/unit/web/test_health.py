"""/readyz: each fault is a line, many requests cost no more than one, and it always answers."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from bot.web.health import FRESH, Check, Health, can_write, has_room
from bot.web.server import serve
from tests.fakes.clock import FakeClock

SECRET = "postgresql://ann:hunter2@10.0.0.7/zoetrope"


class Part:
    """A part that may be well, unwell, broken or silent; it counts its checks."""

    def __init__(self, state: object = True) -> None:
        self.state = state
        self.asked = 0

    async def __call__(self) -> bool | str:
        self.asked += 1
        await asyncio.sleep(0)
        match self.state:
            case Exception() as error:
                raise error
            case bool(well):
                return well
            case str(line) if line != "silent":
                return line
            case _:
                await asyncio.Event().wait()
                return True


@dataclass
class Prober:
    """A client of the health endpoints."""

    url: str
    session: aiohttp.ClientSession

    async def ask(self) -> tuple[int, str]:
        async with self.session.get(self.url) as response:
            assert response.headers["Cache-Control"] == "no-store"
            return response.status, await response.text()


@asynccontextmanager
async def probing(
    checks: Mapping[str, Check],
    clock: FakeClock,
    notes: Mapping[str, Check] | None = None,
    *,
    time_limit: float = 0.2,
) -> AsyncIterator[Prober]:
    health = Health(checks, notes, clock=clock, time_limit=time_limit)
    async with (
        serve(health.routes, host="127.0.0.1", port=0) as address,
        aiohttp.ClientSession() as session,
    ):
        yield Prober(f"{address}/readyz", session)


async def test_readyz_is_ok_if_every_check_passes() -> None:
    async with probing({"database: not writable": Part(), "disk: full": Part()}, FakeClock()) as it:
        assert await it.ask() == (200, "ok\n")


async def test_readyz_has_a_line_for_each_failed_check_and_no_details() -> None:
    checks = {
        "database: not writable": Part(OSError(SECRET)),
        "disk: almost full": Part(False),
        "discord: not connected": Part("silent"),
        "telegram: not connected": Part(),
        "files: no answer": Part("files: on strike"),
    }
    async with probing(checks, FakeClock()) as it:
        said = "database: not writable\ndisk: almost full\ndiscord: not connected\n"
        said += "files: on strike\n"
        assert await it.ask() == (503, said)


async def test_the_json_of_readyz_has_a_word_for_each_part() -> None:
    checks = {
        "database: no answer": Part("database: busy"),
        "disk: almost full": Part(),
        "media: not writable": Part(OSError(SECRET)),
    }
    notes = {
        "backlog: not known": Part(),
        "gateway main: not known": Part("gateway main: refuses us"),
    }
    async with probing(checks, FakeClock(), notes) as it, it.session.get(f"{it.url}.json") as told:
        assert (told.status, told.headers["Cache-Control"]) == (503, "no-store")
        assert await told.json() == {
            "ready": False,
            "parts": {
                "database": "busy",
                "disk": "ok",
                "media": "not writable",
                "backlog": "ok",
                "gateway main": "refuses us",
            },
        }


async def test_a_note_in_readyz_does_not_change_the_status() -> None:
    notes = {
        "gateway main: not known": Part("gateway main: refuses us"),
        "backlog: ?": Part("silent"),
    }
    async with probing({"disk: almost full": Part()}, FakeClock(), notes) as it:
        assert await it.ask() == (200, "ok\ngateway main: refuses us\nbacklog: ?\n")
        async with it.session.get(f"{it.url}.json") as told:
            assert (told.status, (await told.json())["ready"]) == (200, True)


async def test_can_write_tests_a_folder_by_creating_a_file(tmp_path: Path) -> None:
    assert await can_write(tmp_path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError, match="No such file"):
        await can_write(tmp_path / "gone")


async def test_readyz_is_ok_again_once_a_failed_part_works() -> None:
    part, clock = Part(False), FakeClock()
    async with probing({"disk: almost full": part}, clock) as it:
        assert (await it.ask())[0] == 503
        part.state = True
        await clock.advance(FRESH)
        assert (await it.ask())[0] == 200


async def test_many_readyz_requests_at_once_cost_one_check() -> None:
    part, clock = Part(), FakeClock()
    async with probing({"x": part}, clock) as it:
        answers = await asyncio.gather(*(it.ask() for _ in range(50)))
        assert answers == [(200, "ok\n")] * 50
        assert part.asked == 1
        await clock.advance(FRESH)
        await it.ask()
    assert part.asked == 2


async def test_negative_control_without_sharing_each_readyz_request_costs_a_check(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.web.health.FRESH", 0.0)
    part = Part()
    async with probing({"x": part}, FakeClock()) as it:
        await asyncio.gather(*(it.ask() for _ in range(50)))
    assert part.asked == 50


async def test_a_part_that_never_answers_delays_readyz_only_up_to_the_time_limit() -> None:
    """The checks run at the same time and are shared by all requests, so their time limits don't
    add up.
    """
    checks = {f"part {number}": Part("silent") for number in range(20)}
    async with probing(checks, FakeClock()) as it, asyncio.timeout(2):
        answers = await asyncio.gather(*(it.ask() for _ in range(20)))
    assert {status for status, _ in answers} == {503}
    assert {part.asked for part in checks.values()} == {1}


@pytest.mark.proof
async def test_negative_control_without_the_time_limit_readyz_hangs() -> None:
    async with probing({"x": Part("silent")}, FakeClock(), time_limit=60.0) as it:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await it.ask()


async def test_after_the_clock_is_set_back_readyz_does_not_keep_an_old_answer() -> None:
    part, clock = Part(), FakeClock()
    async with probing({"x": part}, clock) as it:
        await it.ask()
        clock.set(-3600)
        clock.adopt(-3600)
        await clock.advance(FRESH)
        part.state = False
        assert (await it.ask())[0] == 503


async def test_has_room_measures_the_disk_of_the_folder(tmp_path: Path) -> None:
    assert await has_room(tmp_path, least=1)
    assert not await has_room(tmp_path, least=10**18)
    with pytest.raises(FileNotFoundError):
        await has_room(tmp_path / "gone")


async def test_healthz_answers_while_every_check_hangs() -> None:
    async with (
        probing({"x": Part("silent")}, FakeClock()) as it,
        it.session.get(it.url.replace("readyz", "healthz")) as response,
    ):
        assert (response.status, await response.text()) == (200, "ok\n")
