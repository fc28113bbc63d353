"""A picture too large for the request: sent by link if there is a public URL, else made smaller."""

import json
import time
from io import BytesIO
from pathlib import Path

import pytest
from aiohttp import ClientSession
from PIL import Image

from bot.core.clock import SystemClock
from bot.core.jobs import HARD_DEADLINE
from bot.simulator.journal import Entry
from tests.e2e.world import World

PUBLIC = "https://videos.example"
SMALL = 50_000
"""The most bytes of a picture that is sent inside the request."""
MODELS = json.dumps({"wan2.5-i2v-preview": {"picture": {"url_above": SMALL}}})


class Ahead(SystemClock):
    """The system's clock, plus the time that a test has let pass."""

    def __init__(self) -> None:
        self.seconds = 0.0
        super().__init__(
            wall=lambda: time.time() + self.seconds,
            steady=lambda: time.monotonic() + self.seconds,
        )


@pytest.mark.proof
async def test_the_picture_link_given_to_the_gateway_works_until_it_expires(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    world.clock = clock = Ahead()
    async with world.app(MODELS=MODELS, WEB__PUBLIC_URL=PUBLIC) as address:
        link = (await animated(world)).metadata["img_url"]
        assert isinstance(link, str)
        assert link.startswith(f"{PUBLIC}/i/")
        async with ClientSession() as session:
            async with session.get(address + link.removeprefix(PUBLIC)) as answer:
                assert (answer.status, answer.content_type) == (200, "image/jpeg")
                assert await answer.read() == stored(world.folder)
            clock.seconds += HARD_DEADLINE
            async with session.get(address + link.removeprefix(PUBLIC)) as answer:
                assert answer.status == 404
    signature = link.rpartition("/")[2].removesuffix(".jpg")
    kept = [file.read_bytes() for file in world.folder.rglob("*") if file.is_file()]
    assert not any(signature.encode() in data for data in kept), "no row holds it"
    assert not any(signature in message.content for message in world.discord.posts())
    assert signature not in "".join(capfd.readouterr()), "nor does a log"


@pytest.mark.proof
async def test_without_a_public_url_a_large_picture_is_shrunk_to_fit_the_request(
    world: World,
) -> None:
    async with world.app(MODELS=MODELS):
        sent = (await animated(world)).metadata["img_url"]
    assert isinstance(sent, dict)
    assert sent["data_uri"]["bytes"] == len(stored(world.folder)) <= SMALL


async def animated(world: World) -> Entry:
    """Order a video of Ann's picture, and return the gateway's journal entry after the video is
    posted.
    """
    cat = world.discord.attachment(grainy(), "cat.png", ephemeral=True)
    await world.discord.person("ann").slash("video", prompt="it waves", image=cat, model="wan-2.5")
    await world.result()
    (post,) = [entry for entry in world.simulator.journal if entry.operation == "create"]
    return post


def grainy() -> bytes:
    """Return a picture whose encoded size depends on the quality."""
    into = BytesIO()
    Image.effect_noise((400, 400), 20).save(into, "PNG")
    return into.getvalue()


def stored(folder: Path) -> bytes:
    """Return the content of our own copy of the picture."""
    (file,) = folder.rglob("pictures/**/*.jpg")
    return file.read_bytes()
