"""Each trouble with content that has a name, as a client sees it."""

import asyncio
import json
from urllib.parse import urlsplit

import aiohttp
import pytest

from bot.simulator import wrapping
from bot.simulator.faults import Fault
from bot.simulator.presets import CONTENTS, PRESETS
from bot.simulator.server import Simulator
from tests.unit.simulator.life import life, status

from .conftest import BLANK, Clock
from .pictures import form
from .test_life import create, poll

# ----------------------------------------------------------------------------- content


FILES: dict[str, list[int]] = {
    "content-400": [400, 400, 200, 200],
    "content-404": [404, 404, 200, 200],
    "content-403": [403, 403, 200, 200],
    "content-502": [502, 502, 502, 200],
    "url-expired": [502, 502, 502, 502],
    "content-moved": [302, 302, 302, 302],
    "content-html": [200, 200, 200, 200],
    "content-json": [200, 200, 200, 200],
}


@pytest.mark.parametrize("name", FILES)
async def test_a_download_trouble_answers_each_request_with_its_status(
    client: aiohttp.ClientSession, simulator: Simulator, clock: Clock, name: str
) -> None:
    _, _, path = await life(client, simulator, clock, name)
    assert [await status(client, f"{path}/content") for _ in range(4)] == FILES[name]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("content-html", "text/html"),
        ("content-json", "application/json"),
        ("content-typed", "application/octet-stream"),
    ],
)
async def test_a_download_trouble_answers_with_another_content_type(
    client: aiohttp.ClientSession, simulator: Simulator, clock: Clock, name: str, kind: str
) -> None:
    _, _, path = await life(client, simulator, clock, name)
    async with client.get(f"{path}/content") as answer:
        assert answer.content_type == kind


async def test_the_moved_content_has_another_host_name_and_records_who_sent_the_key(
    client: aiohttp.ClientSession, simulator: Simulator, clock: Clock
) -> None:
    _, _, path = await life(client, simulator, clock, "content-moved")
    async with client.get(f"{path}/content", allow_redirects=False) as answer:
        where = answer.headers["Location"]
    assert urlsplit(where).hostname == "localhost"
    here = where.replace("localhost", "127.0.0.1")

    async with client.get(here) as answer, aiohttp.request("GET", here) as bare:
        assert [await answer.read(), await bare.read()] == [BLANK, BLANK]

    files = [entry.authorized for entry in simulator.journal if entry.operation == "file"]
    assert files == [True, False]


async def test_an_expired_video_link_answers_403(
    client: aiohttp.ClientSession, simulator: Simulator, clock: Clock
) -> None:
    _, over, _ = await life(client, simulator, clock, "url-expired")
    assert await status(client, str(over["url"])) == 403


async def test_unmeasured_content_has_no_content_length(
    client: aiohttp.ClientSession, simulator: Simulator, clock: Clock
) -> None:
    _, _, path = await life(client, simulator, clock, "content-unmeasured")
    async with client.get(f"{path}/content") as answer:
        assert ("Content-Length" in answer.headers, await answer.read()) == (False, BLANK)


async def test_truncated_content_breaks_off_before_its_declared_length(
    client: aiohttp.ClientSession, simulator: Simulator, clock: Clock
) -> None:
    _, _, path = await life(client, simulator, clock, "content-truncated")
    async with client.get(f"{path}/content") as answer:
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()


async def test_oversized_content_declares_a_terabyte_and_goes_on_with_zeros(
    client: aiohttp.ClientSession, simulator: Simulator, clock: Clock
) -> None:
    _, _, path = await life(client, simulator, clock, "content-oversized")
    async with client.get(f"{path}/content") as answer:
        start = await answer.content.readexactly(len(BLANK) + 3_000_000)
    assert answer.headers["Content-Length"] == str(1 << 40)
    assert start == BLANK + bytes(3_000_000)


async def test_oversized_content_ends_at_its_declared_size(
    client: aiohttp.ClientSession, simulator: Simulator, clock: Clock
) -> None:
    _, _, path = await life(client, simulator, clock, "nothing")
    simulator.faults.add(Fault("content", "oversized", size=2_000_000))
    async with client.get(f"{path}/content") as answer:
        assert await answer.read() == BLANK + bytes(2_000_000 - len(BLANK))


async def test_endless_content_has_no_length_and_goes_on_with_zeros(
    client: aiohttp.ClientSession, simulator: Simulator, clock: Clock
) -> None:
    _, _, path = await life(client, simulator, clock, "content-endless")
    async with client.get(f"{path}/content") as answer:
        start = await answer.content.readexactly(len(BLANK) + 3_000_000)
    assert ("Content-Length" in answer.headers, start) == (False, BLANK + bytes(3_000_000))


@pytest.mark.parametrize(
    ("name", "status", "header", "body"),
    [
        (
            "content-gzip",
            200,
            ("Content-Encoding", "gzip"),
            BLANK,
        ),  # aiohttp has decompressed the body
        (
            "content-206",
            206,
            ("Content-Range", f"bytes 0-{len(BLANK) - 1}/{len(BLANK)}"),
            BLANK,
        ),
        ("content-tail", 200, ("Content-Type", "video/mp4"), BLANK + b"\r\n" + bytes(512)),
    ],
)
async def test_wrapped_content_has_its_own_status_header_and_body(
    client: aiohttp.ClientSession,
    simulator: Simulator,
    clock: Clock,
    name: str,
    status: int,
    header: tuple[str, str],
    body: bytes,
) -> None:
    _, _, path = await life(client, simulator, clock, name)
    async with client.get(f"{path}/content") as answer:
        assert (answer.status, answer.headers[header[0]]) == (status, header[1])
        assert await answer.read() == body


async def test_content_given_as_a_link_can_be_downloaded_there(
    client: aiohttp.ClientSession, simulator: Simulator, clock: Clock
) -> None:
    _, _, path = await life(client, simulator, clock, "content-url")
    async with client.get(f"{path}/content") as answer:
        where = (await answer.json())["url"]
    async with client.get(where) as answer:
        assert await answer.read() == BLANK


@pytest.mark.proof
async def test_webm_content_is_served_as_mp4_but_starts_with_webm_bytes(
    client: aiohttp.ClientSession, simulator: Simulator, clock: Clock
) -> None:
    _, _, path = await life(client, simulator, clock, "content-webm")
    async with client.get(f"{path}/content") as answer:
        body = await answer.read()
    assert (answer.content_type, body[:4]) == ("video/mp4", b"\x1a\x45\xdf\xa3")


def test_noise_changes_only_the_second_half_of_the_media_data() -> None:
    scene = b"\0\0\0\x08ftyp" + b"\0\0\1\x08mdat" + bytes(256) + b"\0\0\0\x08moov"
    noisy = wrapping.WAYS["noise"](scene).body
    assert (len(noisy), noisy[:144], noisy[-8:]) == (len(scene), scene[:144], scene[-8:])
    assert noisy != scene


@pytest.mark.parametrize(
    ("name", "named"), [("made-at-once", False), ("made-at-once-unknown", True)]
)
async def test_a_video_made_at_once_comes_in_the_answer_to_the_order(
    client: aiohttp.ClientSession, simulator: Simulator, name: str, named: bool
) -> None:
    async with client.post("/v1/videos", data=form({"prompt": f"a cat [{name}]"})) as answer:
        told = await answer.json()
    assert (told["status"], "id" in told) == ("completed", named)
    async with client.get(told["data"][0]["url"]) as answer:
        assert await answer.read() == BLANK
    if named:
        assert await status(client, f"/v1/videos/{told['id']}") == 404
        assert await status(client, f"/v1/videos/{told['id']}/content") == 404


async def test_a_video_made_at_once_can_come_as_a_list_or_a_chat_message(
    client: aiohttp.ClientSession,
) -> None:
    async def told(name: str) -> bytes:
        body = form({"prompt": f"a cat [{name}]"})
        async with client.post("/v1/videos", data=body) as answer:
            return await answer.read()

    ((only,),) = [each.values() for each in json.loads(await told("made-at-once-list"))]
    said = json.loads(await told("made-at-once-said"))["choices"][0]["message"]["content"]
    for url in (only, said.partition("(")[2].rstrip(")")):
        async with client.get(url) as answer:
            assert await answer.read() == BLANK
    assert await told("made-at-once-video") == BLANK


async def test_dripping_content_is_slow_and_complete(
    client: aiohttp.ClientSession, simulator: Simulator, clock: Clock
) -> None:
    _, _, path = await life(client, simulator, clock, "content-drips")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1), client.get(f"{path}/content") as answer:
            await answer.read()
    simulator.faults.add(Fault("content", "drip"))
    async with client.get(f"{path}/content") as answer:
        assert await answer.read() == BLANK


def test_every_trouble_with_content_has_a_test_in_this_module() -> None:
    assert CONTENTS.keys() == {
        *FILES, "content-drips", "content-truncated", "content-typed", "content-unmeasured",
        "content-oversized", "content-endless", "content-gzip", "content-206", "content-tail",
        "content-url", "content-webm", "content-noise",
    }  # fmt: skip


# ---------------------------------------------------------------------------- by name


async def test_a_trouble_named_in_one_prompt_does_not_affect_another_order(
    client: aiohttp.ClientSession, simulator: Simulator
) -> None:
    troubled = await create(client, "a cat [lost]")
    fine = await create(client, "a cat")
    codes = [await status(client, f"/v1/videos/{name}") for name in (troubled, fine)]
    assert codes == [404, 200]


async def test_a_trouble_can_be_requested_by_name_over_http(client: aiohttp.ClientSession) -> None:
    words = {"preset": "create-503", "times": 2}
    async with client.post("/simulator/faults", json=words) as answer:
        assert (answer.status, await answer.json()) == (201, {"waiting": 2})
    async with client.post("/v1/videos", data=form({"prompt": "a cat"})) as answer:
        assert answer.status == 503


async def test_a_fault_for_a_state_waits_for_it_and_lets_other_faults_pass(
    client: aiohttp.ClientSession, simulator: Simulator, clock: Clock
) -> None:
    simulator.faults.add(Fault("retrieve", when="succeeded", patch={"status": "done"}))
    simulator.faults.add(Fault("retrieve", patch={"status": "first"}))
    _, over, path = await life(client, simulator, clock, "nothing")
    video = path.rpartition("/")[2]
    assert (over["status"], (await poll(client, video))["status"]) == ("done", "succeeded")


async def test_the_answer_to_an_order_can_be_patched_by_a_fault(
    client: aiohttp.ClientSession, simulator: Simulator
) -> None:
    change = {"operation": "create", "kind": "pass", "patch": {"status": None}, "without": ["id"]}
    async with client.post("/simulator/faults", json=change) as answer:
        assert answer.status == 201
    async with client.post("/v1/videos", data=form({"prompt": "a cat"})) as answer:
        body = await answer.json()
    assert (body["status"], "id" in body, simulator.charges) == (None, False, 1)


async def test_the_front_page_names_every_trouble(client: aiohttp.ClientSession) -> None:
    async with client.get("/") as answer:
        page = await answer.text()
    assert [name for name in PRESETS if f"[{name}]" not in page] == []
