"""The options of `zoetrope simulator`."""

import aiohttp
import pytest

from bot.cli.simulator import build_simulator
from bot.core.errors import Broken
from bot.simulator.server import Simulator


def built(profile: str, *troubles: str) -> Simulator:
    return build_simulator(
        key="sk-sim", other_keys=["sk-other"], render_time=8, profile=profile, tick=None,
        at_once=1, troubles=troubles,
    )  # fmt: skip


async def test_it_starts_with_the_profile_and_the_troubles_that_were_named() -> None:
    simulator = built("new-api", "create-503", "not-yet")
    content = {"prompt": "a", "model": "kling-v1"}
    answers = []
    async with simulator.serve() as url, aiohttp.ClientSession(url) as client:
        for key in ("sk-sim", "sk-sim", "sk-sim", "sk-other", "sk-no"):
            headers = {"Authorization": f"Bearer {key}"}
            async with client.post("/v1/videos", json=content, headers=headers) as answer:
                answers.append(answer.status)
    assert (len(simulator.faults), answers) == (2, [503, 200, 429, 200, 401])


@pytest.mark.parametrize(
    ("options", "code"),
    [(("new-apy",), "unknown_profile"), (("openai", "explode"), "unknown_trouble")],
)
def test_a_name_that_nobody_has_is_an_operators_mistake(
    options: tuple[str, ...], code: str
) -> None:
    with pytest.raises(Broken) as caught:
        built(*options)
    assert (caught.value.code, caught.value.values["name"]) == (code, options[-1])
