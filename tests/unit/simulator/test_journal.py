"""The journal's record of a request: everything except bytes and keys."""

import hashlib
import json

import aiohttp

from bot.simulator.journal import File
from bot.simulator.server import Simulator

from .conftest import Clock
from .pictures import BLUE, RED, data_uri, form, png


def hashed(data: bytes) -> dict[str, object]:
    return {
        "media_type": "image/png",
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }


async def test_the_journal_keeps_an_uploaded_file_as_its_size_and_hash(
    client: aiohttp.ClientSession, simulator: Simulator, clock: Clock
) -> None:
    picture = png()
    fields = {"prompt": "猫", "seconds": "4", "metadata": '{"watermark":true}'}
    async with client.post("/v1/videos", data=form(fields, input_reference=picture)) as answer:
        name = (await answer.json())["id"]

    [entry] = simulator.journal

    assert (entry.at, entry.operation, entry.method, entry.path) == (
        clock.time,
        "create",
        "POST",
        "/v1/videos",
    )
    assert (entry.video, entry.model, entry.status, entry.charged) == (name, "sora-2", 201, True)
    assert entry.fields == {"prompt": "猫", "seconds": "4"}
    assert entry.metadata == {"watermark": True}
    sha256 = hashlib.sha256(picture).hexdigest()
    assert entry.files == {
        "input_reference": File("input_reference.png", "image/png", len(picture), sha256)
    }


async def test_the_journal_keeps_a_data_uri_as_its_size_and_hash(
    client: aiohttp.ClientSession, simulator: Simulator
) -> None:
    red, blue = png(RED), png(BLUE)
    extras = {"img_url": data_uri(blue), "input": {"img_url": data_uri(blue)}, "seed": 7}
    fields = {
        "prompt": "move",
        "model": "wan2.5-i2v-preview",
        "input_reference": data_uri(red),
        "metadata": json.dumps(extras),
    }
    async with client.post("/v1/videos", data=form(fields)) as answer:
        assert answer.status == 201

    [entry] = simulator.journal

    assert entry.fields["input_reference"] == {"data_uri": hashed(red)}
    assert entry.metadata == {
        "img_url": {"data_uri": hashed(blue)},
        "input": {"img_url": {"data_uri": hashed(blue)}},
        "seed": 7,
    }


async def test_the_journal_page_shows_every_request_in_order_and_the_totals(
    client: aiohttp.ClientSession, clock: Clock
) -> None:
    async with client.post("/v1/videos", data=form({"prompt": "a cat [fail]"})) as answer:
        name = (await answer.json())["id"]
    async with client.get(f"/v1/videos/{name}"):
        pass
    broken = aiohttp.FormData(default_to_multipart=True)
    for field in (("prompt", "b"), ("images", "1"), ("images", "2"), ("metadata", "{broken")):
        broken.add_field(*field)
    async with client.post("/v1/videos", data=broken):
        pass
    clock.time += 8

    async with client.get("/simulator/journal") as answer:
        page = await answer.json()

    assert page["totals"] == {"posts": 2, "charges": 1, "refunds": 1}
    assert page["journal"][0] == {
        "id": name,
        "at": 1640995200.0,
        "operation": "create",
        "method": "POST",
        "path": "/v1/videos",
        "model": "sora-2",
        "fields": {"prompt": "a cat [fail]"},
        "files": {},
        "metadata": {},
        "status": 201,
        "charged": True,
        "refunded": True,
        "authorized": True,
    }
    assert [(entry["id"], entry["operation"]) for entry in page["journal"][1:]] == [
        (name, "retrieve"),
        (None, "create"),
    ]
    assert page["journal"][2]["fields"] == {
        "prompt": "b",
        "images": "1",
        "images (2)": "2",
        "metadata": "{broken",
    }


async def test_half_a_surrogate_pair_in_a_prompt_does_not_break_the_journal_page(
    client: aiohttp.ClientSession,
) -> None:
    async with client.post("/v1/videos", json={"prompt": "a \ud800 cat"}) as answer:
        assert answer.status == 201
    async with client.get("/simulator/journal") as answer:
        page = await answer.json()
    assert page["journal"][0]["fields"] == {"prompt": "a \ud800 cat"}
