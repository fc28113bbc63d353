"""vLLM-Omni's own routes, from the published package, beside the profile `vllm-omni`.

Both get the same requests, and must answer alike. The package is installed into a temporary folder.
"""

import json
from collections.abc import AsyncIterator, Iterator
from io import BytesIO

import aiohttp
import pytest

from bot.simulator.profiles import VLLM_OMNI

from .beside import MEASURED, OWN, alike, asked, over, running, without
from .conftest import Clock, served
from .pictures import form
from .plugged import ONE, ONE_URI, TWO_URI

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

Pair = tuple[aiohttp.ClientSession, aiohttp.ClientSession]
WAN = "Wan-AI/Wan2.2-TI2V-5B-Diffusers"


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the real routes, and return their address."""
    folder = tmp_path_factory.mktemp("vllm")
    with running("vllm_omni_routes.py", "vllm-omni==0.30.0", folder) as url:
        yield url


@pytest.fixture
async def pair(routes: str, clock: Clock) -> AsyncIterator[Pair]:
    """Clients of the real routes and of the simulator."""
    async with (
        aiohttp.ClientSession(routes) as real,
        served(VLLM_OMNI, clock) as (_, ours),
    ):
        yield real, ours


def reference(*urls: str) -> str:
    entries = [{"image_url": url} for url in urls]
    return json.dumps(entries[0] if len(entries) == 1 else entries)


FORMS: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "a prompt": ({"prompt": "a cat"}, ()),
    "a blank": ({"prompt": " "}, ()),
    "no prompt": ({"seconds": "5"}, ()),
    "an empty prompt": ({"prompt": ""}, ()),
    "everything": (
        {"prompt": "a", "seconds": "5", "size": "1280x720", "seed": "7", "model": WAN},
        ("input_reference",),
    ),
    "frames": ({"prompt": "a", "num_frames": "48", "fps": "16", "width": "640"}, ()),
    "seconds and frames a second": ({"prompt": "a", "seconds": "5", "fps": "16"}, ()),
    "a quality": ({"prompt": "a", "quality": "lossless"}, ()),
    "another quality": ({"prompt": "a", "quality": "standard"}, ()),
    "another model": ({"prompt": "a", "model": "any/model"}, ()),
    "unknown fields": ({"prompt": "a", "metadata": "{}", "image": ONE_URI, "duration": "9"}, ()),
    "a file in an unknown field": ({"prompt": "a"}, ("image",)),
    "an address": ({"prompt": "a", "image_reference": reference(ONE_URI)}, ()),
    "two addresses": ({"prompt": "a", "image_reference": reference(ONE_URI, TWO_URI)}, ()),
    "an address that is none": ({"prompt": "a", "image_reference": reference("cat.png")}, ()),
    "an address that is no JSON": ({"prompt": "a", "image_reference": "{"}, ()),
    "an address and a file": (
        {"prompt": "a", "image_reference": reference(ONE_URI)},
        ("input_reference",),
    ),
    "references and a file": ({"prompt": "a"}, ("input_references", "input_reference")),
    "a picture as text": ({"prompt": "a", "input_reference": ONE_URI}, ()),
    "an empty picture as text": ({"prompt": "a", "input_reference": ""}, ()),
    "half a second": ({"prompt": "a", "seconds": "5.5"}, ()),
    "no second": ({"prompt": "a", "seconds": "0"}, ()),
    "words for numbers": ({"prompt": "a", "seed": "x", "guidance_scale": "y"}, ()),
    "a switch that is none": ({"prompt": "a", "generate_sound": "maybe"}, ()),
    "a tier": ({"prompt": "a", "size": "720P"}, ()),
    "a star": ({"prompt": "a", "size": "1280*720"}, ()),
    "too many videos": ({"prompt": "a", "num_outputs_per_prompt": "11"}, ()),
    "no videos": ({"prompt": "a", "num_outputs_per_prompt": "0"}, ()),
    "half a frame": ({"prompt": "a", "fps": "0.5"}, ()),
    "too many steps": ({"prompt": "a", "num_inference_steps": "201"}, ()),
    "no width": ({"prompt": "a", "width": "0"}, ()),
    "broken extras": ({"prompt": "a", "extra_params": "{"}, ()),
}
OWN_WORDS = ("an address and a file", "references and a file")
"""Cases in which the profile refuses with a shorter text."""


@pytest.mark.parametrize("case", FORMS)
async def test_vllm_omnis_route_and_the_profile_answer_a_form_alike(pair: Pair, case: str) -> None:
    fields, files = FORMS[case]
    answers = []
    for client in pair:
        body = form(fields)
        for name in files:
            body.add_field(name, BytesIO(ONE), filename="a.png", content_type="image/png")
        answers.append(await asked(client, "POST", "/v1/videos", data=body))
    alike(*answers, words=case not in OWN_WORDS)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/videos", {"prompt": "a cat", "model": WAN}),
        ("GET", "/v1/videos/nobody", None),
        ("GET", "/v1/videos/nobody/content", None),
        ("DELETE", "/v1/videos/nobody", None),
        ("GET", "/v1/videos?limit=-1", None),
        ("GET", "/v1/videos?limit=101", None),
        ("GET", "/v1/videos?limit=x", None),
        ("GET", "/v1/videos?order=up", None),
        ("GET", "/v1/videos?after=nobody", None),
        ("GET", "/v1/nothing", None),
    ],
)
async def test_vllm_omnis_routes_and_the_profile_answer_other_requests_alike(
    pair: Pair, method: str, path: str, body: object
) -> None:
    alike(*[await asked(client, method, path, json=body) for client in pair])


async def test_a_video_of_vllm_omnis_routes_and_of_the_profile_has_the_same_life(
    routes: str, clock: Clock
) -> None:
    lives = []
    async with aiohttp.ClientSession(routes) as real, served(VLLM_OMNI, clock) as (simulator, ours):
        for client in (real, ours):
            _, made = await asked(client, "POST", "/v1/videos", data=form({"prompt": "a cat"}))
            _, bad = await asked(client, "POST", "/v1/videos", data=form({"prompt": "a [fail]"}))
            _, gone = await asked(client, "POST", "/v1/videos", data=form({"prompt": "a dog"}))
            path, failed = f"/v1/videos/{made['id']}", f"/v1/videos/{bad['id']}"
            life = [await asked(client, "GET", f"{path}/content")]
            life.append(await asked(client, "DELETE", f"/v1/videos/{gone['id']}"))
            life.append(await asked(client, "GET", f"/v1/videos/{gone['id']}"))
            if client is real:
                await asked(client, "POST", "/go")
            await simulator.rendered()
            clock.time += 8
            life += [await over(client, path), await over(client, failed)]
            life.append(await asked(client, "GET", f"{failed}/content"))
            async with client.get(f"{path}/content") as content:
                kind, name = content.content_type, content.headers["Content-Disposition"]
            assert (kind, name) == ("video/mp4", f'attachment; filename="{made["id"]}.mp4"')
            life += [await asked(client, "DELETE", path), await asked(client, "DELETE", failed)]
            own = (*OWN, *MEASURED)
            lives.append([(status, without(own, body)) for status, body in life])
    assert lives[0] == lives[1]
