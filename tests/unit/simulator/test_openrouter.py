"""The profile `openrouter`: its addresses, answers, links and lists."""

import re

import aiohttp
import pytest

from bot.simulator.faults import Fault
from bot.simulator.profiles import OPENROUTER

from .conftest import BLANK, Clock, served
from .pictures import form
from .plugged import Json, Shop, shop

VEO = "google/veo-3.1"
OTHER = {"Authorization": "Bearer sk-other"}


async def polled(it: Shop, name: object, base: str = "/api/v1") -> Json:
    async with it.client.get(f"{base}/videos/{name}") as answer:
        assert answer.status == 200
        body = await answer.json()
    assert isinstance(body, dict)
    return body


async def test_a_video_of_openrouter_is_accepted_with_202_and_is_pending_then_completed() -> None:
    async with shop(OPENROUTER) as it:
        order = await it.order(VEO, duration=8, resolution="720p")
        name = str(order.body["id"])
        await it.simulator.rendered()
        words = []
        for _ in range(2):
            words.append((await polled(it, name))["status"])
            it.clock.time += 4
        done = await polled(it, name)

    assert re.fullmatch(r"gen-vid-\d{10}-[A-Za-z0-9]{20}", name)
    accepted = {"id": name, "polling_url": f"/api/v1/videos/{name}", "status": "pending"}
    assert (order.status, order.body) == (202, accepted)
    assert words == ["pending", "in_progress"]
    assert (done["status"], done["usage"]) == ("completed", {"cost": 3.2, "is_byok": False})
    assert done["generation_id"] == name.replace("gen-vid-", "gen-")
    assert done["expires_at"] == int(it.clock.time) - 8 + 86400
    assert "error" not in done


@pytest.mark.parametrize("base", ["/v1", "/api/v1"])
async def test_openrouter_answers_under_both_of_its_bases(base: str) -> None:
    async with shop(OPENROUTER) as it:
        async with it.client.post(
            f"{base}/videos", json={"model": VEO, "prompt": "a cat"}
        ) as answer:
            name = (await answer.json())["id"]
        await it.simulator.rendered()
        it.clock.time += 8
        status = (await polled(it, name, base))["status"]
        async with it.client.get(f"{base}/videos/{name}/content?index=0") as answer:
            content = await answer.read()
    assert (status, content) == ("completed", BLANK)


async def test_signed_links_of_openrouter_work_without_a_key_until_they_expire(
    clock: Clock,
) -> None:
    async with shop(OPENROUTER) as it:
        order = await it.order(VEO)
        done = await it.over(order)
        signed, unsigned = done["urls"][0], done["unsigned_urls"][0]  # type: ignore[index]
        changed = signed.replace("Signature=", "Signature=0")
        statuses = []
        async with aiohttp.ClientSession() as stranger:
            for url in (signed, signed.partition("?")[0], changed, unsigned):
                async with stranger.get(url) as answer:
                    statuses.append(answer.status)
            it.clock.time += 86400
            async with stranger.get(signed) as answer:
                statuses.append(answer.status)
        async with it.client.get(unsigned) as answer:
            assert (answer.status, await answer.read()) == (200, BLANK)
        late = await polled(it, order.body["id"])

    assert unsigned.endswith(f"/api/v1/videos/{order.body['id']}/content?index=0")
    assert statuses == [200, 403, 403, 401, 403]
    assert late.keys() & {"urls", "expires_at"} == set()
    assert late["unsigned_urls"] == [unsigned]


async def test_the_content_of_openrouter_has_one_output_and_comes_when_it_is_made() -> None:
    async with shop(OPENROUTER) as it:
        order, failed = await it.order(VEO), await it.order(VEO, prompt="a cat [fail]")
        where = f"/api/v1/videos/{order.body['id']}/content"
        statuses = []
        for wait, path in (
            (0, where),
            (15, where),
            (0, f"{where}?index=1"),
            (0, f"/api/v1/videos/{failed.body['id']}/content"),
            (0, "/api/v1/videos/gen-vid-1-none/content"),
        ):
            await it.simulator.rendered()
            it.clock.time += wait
            async with it.client.get(path) as answer:
                statuses.append(answer.status)
    assert statuses == [409, 200, 404, 404, 404]


@pytest.mark.parametrize(
    ("trouble", "status", "error"),
    [
        ("fail", "failed", "The prompt was rejected by the content policy."),
        ("is-cancelled", "cancelled", "The prompt was rejected by the content policy."),
        ("is-expired", "expired", "The prompt was rejected by the content policy."),
        ("no-reason", "failed", None),
    ],
)
async def test_a_failed_video_of_openrouter_has_its_error_as_text_and_no_cost(
    trouble: str, status: str, error: str | None
) -> None:
    async with shop(OPENROUTER) as it:
        order = await it.order(VEO, prompt=f"a cat [{trouble}]")
        body = await it.over(order)
        assert [entry.refunded for entry in it.simulator.journal[:1]] == [True]
    assert (body["status"], body.get("error")) == (status, error)
    assert body.keys() & {"usage", "urls", "unsigned_urls"} == set()


async def test_a_video_that_openrouter_withholds_has_an_error_as_text_and_no_link() -> None:
    async with shop(OPENROUTER) as it:
        body = await it.over(await it.order(VEO, prompt="a cat [moderated-charged]"))
    assert (body["status"], body["error"]) == (
        "completed",
        "The prompt was rejected by the content policy.",
    )
    assert body.keys() & {"urls", "unsigned_urls"} == set()


async def test_a_redirect_of_openrouters_content_leads_to_a_signed_file() -> None:
    async with shop(OPENROUTER) as it:
        order = await it.order(VEO, prompt="a cat [content-moved]")
        await it.over(order)
        async with it.client.get(f"/api/v1/videos/{order.body['id']}/content") as answer:
            assert (answer.status, await answer.read()) == (200, BLANK)
            assert answer.url.path.startswith("/files/")


# ------------------------------------------------------------------------------- lists


async def test_openrouter_lists_its_video_models_with_abilities_and_prices_without_a_key() -> None:
    async with shop(OPENROUTER) as it, aiohttp.ClientSession(it.client._base_url) as stranger:
        async with stranger.get("/api/v1/videos/models") as answer:
            models = {each["id"]: each for each in (await answer.json())["data"]}
        assert answer.status == 200
    veo, kling = models[VEO], models["kwaivgi/kling-v3"]
    assert veo["supported_durations"] == [4, 6, 8]
    assert veo["supported_frame_images"] == ["first_frame", "last_frame"]
    assert (veo["generate_audio"], kling["generate_audio"], kling["seed"]) == (True, False, None)
    assert veo["pricing_skus"] == {"per-video-second": "0.40", "per-video-second-1080p": "0.60"}
    assert veo["canonical_slug"] == f"{VEO}-20260601"
    assert kling["supported_resolutions"] is None
    assert models["amazon/nova-reel-1.1"]["supported_frame_images"] is None
    assert models["amazon/nova-reel-1.1"]["pricing_skus"] is None
    assert models["topaz/video-upscale"]["upscale_factor"] == {"min": 1, "max": 4}


async def test_openrouters_list_of_all_models_has_video_models_only_if_they_are_asked_for() -> None:
    async with shop(OPENROUTER) as it:
        found = {}
        for query in ("", "?output_modalities=video", "?output_modalities=all"):
            async with it.client.get(f"/api/v1/models{query}") as answer:
                page = await answer.json()
            found[query] = [each["id"] for each in page["data"]]
            assert all("canonical_slug" in each for each in page["data"])
    assert (VEO in found[""], "openai/gpt-5.2" in found[""]) == (False, True)
    assert found["?output_modalities=video"] == [*OPENROUTER.models]
    assert found["?output_modalities=all"] == found[""] + found["?output_modalities=video"]


# ---------------------------------------------------------------------------- refusals


async def test_every_refusal_of_openrouter_has_its_status_as_code(clock: Clock) -> None:
    order = {"model": VEO, "prompt": "a cat"}
    async with served(OPENROUTER, clock, at_once=1, other_keys=("sk-other",)) as (simulator, it):
        async with it.post("/v1/videos", json=order) as answer:
            mine = (await answer.json())["id"]
        simulator.faults.add(Fault("create", "answer", 402, "Insufficient credits"))
        asks = [
            it.post("/v1/videos", json=order),
            it.post("/v1/videos", json=order),
            it.post("/v1/videos", data=form(order)),
            it.post("/v1/videos", data=b"{", headers={"Content-Type": "application/json"}),
            it.post("/v1/videos", json=order, headers={"Authorization": "Bearer sk-no"}),
            it.get(f"/v1/videos/{mine}", headers=OTHER),
            it.get("/v1/credits"),
            it.delete(f"/v1/videos/{mine}"),
        ]
        errors = []
        for ask in asks:
            async with ask as answer:
                error = (await answer.json())["error"]
                assert error["code"] == answer.status
                errors.append((answer.status, error["message"]))
    assert errors == [
        (402, "Insufficient credits"),
        (429, "Rate limit exceeded"),
        (400, "Invalid JSON body"),
        (400, "Invalid JSON body"),
        (401, "User not found."),
        (404, "Video generation job not found"),
        (404, "Not Found"),
        (404, "Not Found"),
    ]
