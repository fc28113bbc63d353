"""SGLang's own router, from the published package, beside the profile `sglang`.

Both get the same requests, and must answer alike. The package is installed into a temporary folder.
"""

import json
from collections.abc import AsyncIterator, Iterator
from io import BytesIO

import aiohttp
import pytest

from bot.simulator.profiles import SGLANG

from .beside import MEASURED, OWN, alike, asked, over, running, without
from .conftest import Clock, served
from .pictures import form
from .plugged import ONE, ONE_URI

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

Pair = tuple[aiohttp.ClientSession, aiohttp.ClientSession]


@pytest.fixture(scope="module")
def router(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the real router, and return its address."""
    folder = tmp_path_factory.mktemp("sglang")
    with running("sglang_router.py", "sglang==0.5.23", folder) as url:
        yield url


@pytest.fixture
async def pair(router: str, clock: Clock) -> AsyncIterator[Pair]:
    """Clients of the real router and of the simulator."""
    async with (
        aiohttp.ClientSession(router) as real,
        served(SGLANG, clock) as (_, ours),
    ):
        yield real, ours


FORMS: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "a prompt": ({"prompt": "a cat"}, ()),
    "a blank": ({"prompt": " "}, ()),
    "no prompt": ({"seconds": "5"}, ()),
    "an empty prompt": ({"prompt": ""}, ()),
    "everything": (
        {"prompt": "a cat", "seconds": "5", "size": "1280x720", "seed": "7", "fps": "24"},
        ("input_reference",),
    ),
    "a size in frames": ({"prompt": "a", "num_frames": "48", "width": "640", "height": "360"}, ()),
    "a capital size": ({"prompt": "a", "size": "1280 X 720"}, ()),
    "another model": ({"prompt": "a", "model": "any/model"}, ()),
    "unknown fields": ({"prompt": "a", "metadata": "{}", "image": ONE_URI}, ()),
    "a file in an unknown field": ({"prompt": "a"}, ("image",)),
    "a link": ({"prompt": "a", "reference_url": ONE_URI}, ()),
    "a link that is none": ({"prompt": "a", "reference_url": "cat.png"}, ()),
    "a picture as text": ({"prompt": "a", "input_reference": ONE_URI}, ()),
    "an empty picture as text": ({"prompt": "a", "input_reference": ""}, ()),
    "half a second": ({"prompt": "a", "seconds": "5.5"}, ()),
    "a whole number with a point": ({"prompt": "a", "seconds": "5.0"}, ()),
    "no second": ({"prompt": "a", "seconds": "0"}, ()),
    "words for numbers": ({"prompt": "a", "seed": "x", "guidance_scale": "y"}, ()),
    "a switch that is none": ({"prompt": "a", "enable_teacache": "maybe"}, ()),
    "a tier": ({"prompt": "a", "size": "720P"}, ()),
    "a star": ({"prompt": "a", "size": "1280*720"}, ()),
    "no side": ({"prompt": "a", "size": "0x720"}, ()),
    "no width": ({"prompt": "a", "width": "0"}, ()),
    "extras": ({"prompt": "a", "extra_params": '{"seed": 7}'}, ()),
    "broken extras": ({"prompt": "a", "extra_params": "{"}, ()),
}
JSONS: dict[str, object] = {
    "a prompt": {"prompt": "a cat"},
    "an empty prompt": {"prompt": ""},
    "everything": {"prompt": "a", "seconds": 5, "size": "1280x720", "seed": 7, "fps": 24},
    "numbers as text": {"prompt": "a", "seconds": "5", "seed": "7"},
    "unknown fields": {"prompt": "a", "metadata": {"a": 1}, "image": ONE_URI, "images": [ONE_URI]},
    "a link": {"prompt": "a", "reference_url": ONE_URI},
    "a link that is none": {"prompt": "a", "reference_url": "cat.png"},
    "a path": {"prompt": "a", "input_reference": "/home/cat.png"},
    "an object as a picture": {"prompt": "a", "input_reference": {"image_url": ONE_URI}},
    "no prompt": {"seconds": 5},
    "a number as a prompt": {"prompt": 5},
    "half a second": {"prompt": "a", "seconds": "5.5"},
    "half a second as a number": {"prompt": "a", "seconds": 5.5},
    "no second": {"prompt": "a", "seconds": 0},
    "a tier": {"prompt": "a", "size": "720P"},
    "extras": {"prompt": "a", "extra_body": {"seed": 7}},
    "a list": [],
}


@pytest.mark.parametrize("case", FORMS)
async def test_sglangs_router_and_the_profile_answer_a_form_alike(pair: Pair, case: str) -> None:
    fields, files = FORMS[case]
    answers = []
    for client in pair:
        body = form(fields)
        for name in files:
            body.add_field(name, BytesIO(ONE), filename="a.png", content_type="image/png")
        answers.append(await asked(client, "POST", "/v1/videos", data=body))
    alike(*answers)


@pytest.mark.parametrize("case", JSONS)
async def test_sglangs_router_and_the_profile_answer_json_alike(pair: Pair, case: str) -> None:
    body, headers = json.dumps(JSONS[case]), {"Content-Type": "application/json"}
    answers = [
        await asked(client, "POST", "/v1/videos", data=body, headers=headers) for client in pair
    ]
    alike(*answers)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/videos/nobody"),
        ("GET", "/v1/videos/nobody/content"),
        ("DELETE", "/v1/videos/nobody"),
        ("GET", "/v1/videos?limit=0"),
        ("GET", "/v1/videos?limit=101"),
        ("GET", "/v1/videos?limit=x"),
        ("GET", "/v1/videos?order=up"),
        ("GET", "/v1/videos?after=nobody"),
        ("GET", "/v1/nothing"),
    ],
)
async def test_sglangs_router_and_the_profile_answer_other_requests_alike(
    pair: Pair, method: str, path: str
) -> None:
    alike(*[await asked(client, method, path) for client in pair])


async def test_a_video_of_sglangs_router_and_of_the_profile_has_the_same_life(
    router: str, clock: Clock
) -> None:
    lives = []
    async with aiohttp.ClientSession(router) as real, served(SGLANG, clock) as (simulator, ours):
        for client in (real, ours):
            _, made = await asked(client, "POST", "/v1/videos", data=form({"prompt": "a cat"}))
            _, bad = await asked(client, "POST", "/v1/videos", data=form({"prompt": "a [fail]"}))
            path = f"/v1/videos/{made['id']}"
            life = [await asked(client, "GET", f"{path}/content")]
            if client is real:
                await asked(client, "POST", "/go")
            await simulator.rendered()
            clock.time += 8
            done = await over(client, path)
            failed = await over(client, f"/v1/videos/{bad['id']}")
            life += [done, failed, await asked(client, "GET", f"{path}/content?variant=1")]
            life.append(await asked(client, "GET", f"/v1/videos/{bad['id']}/content"))
            async with client.get(f"{path}/content") as content:
                kind, name = content.content_type, content.headers["Content-Disposition"]
            assert (kind, name) == ("video/mp4", f'attachment; filename="{made["id"]}.mp4"')
            life.append(await asked(client, "DELETE", path))
            own = (*OWN, *MEASURED)
            lives.append([(status, without(own, body)) for status, body in life])
    assert lives[0] == lives[1]
