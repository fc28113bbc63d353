"""Each kind of scripted trouble, as a client sees it, and whether the order was charged."""

import asyncio
from urllib.parse import urlsplit

import aiohttp
import pytest

from bot.simulator.faults import BAD_GATEWAY, Fault
from bot.simulator.server import Simulator

from .conftest import BLANK, Clock
from .pictures import form

CUT = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)


async def create(client: aiohttp.ClientSession) -> tuple[int, dict[str, object]]:
    async with client.post("/v1/videos", data=form({"prompt": "a cat"})) as answer:
        return answer.status, await answer.json()


async def made(client: aiohttp.ClientSession, simulator: Simulator, clock: Clock) -> str:
    """Return the path of a video that is done."""
    _, body = await create(client)
    await simulator.rendered()
    clock.time += 8
    return f"/v1/videos/{body['id']}"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(status, "invalid_request_error") for status in (400, 401, 403, 404, 429)]
    + [(status, "server_error") for status in (500, 503)],
)
async def test_a_scripted_error_status_comes_in_the_error_envelope_and_only_once(
    client: aiohttp.ClientSession, simulator: Simulator, status: int, kind: str
) -> None:
    simulator.faults.add(Fault("create", "answer", status=status, message="not now"))

    answers = [await create(client), await create(client)]

    assert answers[0] == (status, {"error": {"message": "not now", "type": kind}})
    assert (answers[1][0], simulator.charges) == (201, 1)


async def test_a_scripted_error_can_last_and_be_cleared(
    client: aiohttp.ClientSession, simulator: Simulator
) -> None:
    simulator.faults.add(Fault("create", "answer"), times=9)
    assert [(await create(client))[0] for _ in range(3)] == [500, 500, 500]
    simulator.faults.clear()
    assert (await create(client))[0] == 201


async def test_a_scripted_429_comes_with_or_without_retry_after(
    client: aiohttp.ClientSession, simulator: Simulator
) -> None:
    simulator.faults.add(Fault("retrieve", "answer", status=429, retry_after=7))
    simulator.faults.add(Fault("retrieve", "answer", status=429, body=""))
    async with client.get("/v1/videos/video_1") as answer:
        assert (answer.status, answer.headers.get("Retry-After")) == (429, "7")
    async with client.get("/v1/videos/video_1") as answer:
        assert (answer.status, answer.headers.get("Retry-After")) == (429, None)
        assert await answer.read() == b""


async def test_a_scripted_web_page_replaces_the_content(
    client: aiohttp.ClientSession, simulator: Simulator, clock: Clock
) -> None:
    path = await made(client, simulator, clock)
    for status in (200, 502):
        simulator.faults.add(Fault("content", "answer", status=status, body=BAD_GATEWAY))
        async with client.get(f"{path}/content") as answer:
            assert (answer.status, answer.content_type) == (status, "text/html")


async def test_an_order_whose_answer_is_dropped_was_charged(
    client: aiohttp.ClientSession, simulator: Simulator
) -> None:
    simulator.faults.add(Fault("create", "drop"))
    with pytest.raises(CUT):
        await create(client)
    [entry] = simulator.journal
    assert (entry.status, entry.charged, entry.video is not None) == (None, True, True)


async def test_an_order_whose_connection_is_cut_was_not_charged(
    client: aiohttp.ClientSession, simulator: Simulator
) -> None:
    simulator.faults.add(Fault("create", "cut"))
    with pytest.raises(CUT):
        await create(client)
    assert simulator.journal == []


async def test_an_order_that_breaks_off_in_its_body_was_not_charged(
    client: aiohttp.ClientSession, simulator: Simulator
) -> None:
    """A client that goes away in the middle of its body has ordered nothing."""
    async with client.get("/") as answer:
        address = urlsplit(str(answer.url))
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(
        b"POST /v1/videos HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk-sim\r\n"
        b'Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{"prompt": "a cat"}'
    )
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await create(client))[0] == 201
    assert len(simulator.journal) == 1


async def test_scripted_truncation_cuts_the_content_in_half(
    client: aiohttp.ClientSession, simulator: Simulator, clock: Clock
) -> None:
    path = await made(client, simulator, clock)
    simulator.faults.add(Fault("content", "truncate"))
    async with client.get(f"{path}/content") as answer:
        promised = int(answer.headers["Content-Length"])
        half = await answer.content.readexactly(promised // 2)
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.content.read()
    assert (promised, half) == (len(BLANK), BLANK[: len(BLANK) // 2])


async def test_a_video_can_be_scripted_to_fail_with_a_message_and_a_code(
    client: aiohttp.ClientSession, simulator: Simulator, clock: Clock
) -> None:
    simulator.faults.add(Fault("create", "fail", message="no balance upstream", code="Arrearage"))
    path = await made(client, simulator, clock)
    async with client.get(path) as answer:
        body = await answer.json()
    assert body["status"] == "failed"
    assert body["error"] == {"message": "no balance upstream", "code": "Arrearage"}


async def test_a_video_can_be_scripted_to_be_stuck_for_ever(
    client: aiohttp.ClientSession, simulator: Simulator, clock: Clock
) -> None:
    simulator.faults.add(Fault("create", "stuck"))
    path = await made(client, simulator, clock)
    clock.time += 1e6
    async with client.get(path) as answer:
        body = await answer.json()
    assert (body["status"], body["progress"]) == ("processing", 99)


async def test_an_order_whose_answer_is_delayed_beyond_the_timeout_was_charged(
    client: aiohttp.ClientSession, simulator: Simulator
) -> None:
    simulator.faults.add(Fault("create", "pass", delay=30))
    impatient = asyncio.timeout(0.2)
    with pytest.raises(TimeoutError):
        async with impatient:
            await create(client)
    assert simulator.charges == 1


async def test_a_held_answer_is_sent_when_it_is_released(
    client: aiohttp.ClientSession, simulator: Simulator
) -> None:
    async with asyncio.timeout(5), asyncio.TaskGroup() as group, simulator.holding("create"):
        asked = group.create_task(create(client))
        entry = await simulator.next("create")
        assert (entry.charged, asked.done()) == (True, False)
    assert asked.result()[1]["id"] == entry.video


async def test_simulator_next_returns_every_request_once_and_in_order(
    client: aiohttp.ClientSession, simulator: Simulator
) -> None:
    async with asyncio.timeout(5):
        for _ in range(2):
            await create(client)
        first, second = [await simulator.next("create") for _ in range(2)]
        waiting = asyncio.ensure_future(simulator.next("create"))
        await create(client)
        third = await waiting
    assert [first, second, third] == simulator.journal


async def test_faults_can_be_added_and_cleared_over_http(
    client: aiohttp.ClientSession, simulator: Simulator
) -> None:
    words = {"operation": "create", "kind": "answer", "status": 403, "times": 2}
    async with client.post("/simulator/faults", json=words) as answer:
        assert (answer.status, await answer.json()) == (201, {"waiting": 2})
    assert (await create(client))[0] == 403
    async with client.delete("/simulator/faults") as answer:
        assert await answer.json() == {"waiting": 0}
    assert (await create(client))[0] == 201


@pytest.mark.parametrize(
    "words",
    [
        [],
        {"operation": "create"},
        {"operation": "dance", "kind": "cut"},
        {"operation": "create", "kind": "pass", "when": "soon"},
        {"operation": "retrieve", "kind": "pass", "patch": []},
        {"preset": "no such thing"},
        {"preset": 7},
        {"preset": "reset", "times": "2"},
        {"preset": "reset", "colour": "red"},
        {"operation": "create", "kind": "explode"},
        {"operation": "create", "kind": "answer", "status": 99},
        {"operation": "create", "kind": "answer", "status": "500"},
        {"operation": "create", "kind": "cut", "colour": "red"},
    ],
)
async def test_an_invalid_fault_is_refused(
    client: aiohttp.ClientSession, simulator: Simulator, words: object
) -> None:
    async with client.post("/simulator/faults", json=words) as answer:
        assert answer.status == 400
    assert len(simulator.faults) == 0
