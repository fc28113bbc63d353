"""Makes `room.gif`, the picture at the top of the README, with the real room in a real browser.

    python -m docs.room_gif [FILE]

The script starts `zoetrope demo`, posts a picture, animates it and plays the video. It needs the
development dependencies and a Chromium.
"""

import asyncio
import io
import math
import re
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, create_subprocess_exec
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter
from playwright.async_api import FilePayload, Page, async_playwright

from tests.browser.chromium import launch

SIZE = (760, 680)
"""Size of the window in CSS pixels, and of the GIF in pixels."""
FRAME = 0.2
"""Seconds between two screenshots."""
COLOURS = 240
PROMPT = "The boat drifts towards the moon"
SECONDS_OF_VIDEO = 4.0
WAIT = 60_000
"""Milliseconds after which a step has failed."""


async def main(target: Path) -> None:
    """Start the room, play the scenes, and write the GIF to `target`."""
    with tempfile.TemporaryDirectory() as data:
        async with room(Path(data)) as address, async_playwright() as playwright:
            page = await (await launch(playwright)).new_page(
                viewport={"width": SIZE[0], "height": SIZE[1]}, locale="en-GB", color_scheme="light"
            )
            await page.goto(address)
            await page.locator("body.ready").wait_for()
            shots = await filmed(page, act(page))
    save(shots, target)


async def act(page: Page) -> None:
    """Play the GIF's scenes: a picture in the room, a reply to it, a card, a video."""
    picture = FilePayload(name="boat.png", mimeType="image/png", buffer=boat())
    await page.get_by_role("button", name="/video").click()
    await page.locator("input[type=file]").set_input_files(picture)
    await page.locator("#words").press_sequentially("Look what I folded!", delay=30)
    await page.keyboard.press("Enter")
    await page.locator(".picture").wait_for()
    await asyncio.sleep(1.2)
    await page.get_by_role("button", name="Animate").click()
    await page.locator("#words").press_sequentially(PROMPT, delay=55)
    await asyncio.sleep(0.6)
    await page.keyboard.press("Enter")
    video = page.locator("video")
    await video.wait_for(timeout=WAIT)
    await asyncio.sleep(1.0)
    await page.mouse.move(5, 5)
    await video.evaluate("it => { it.muted = true; it.controls = false; return it.play() }")
    await asyncio.sleep(SECONDS_OF_VIDEO)


# --- filming --------------------------------------------------------------------------------------


async def filmed(
    page: Page, acting: Coroutine[None, None, None]
) -> list[tuple[float, Image.Image]]:
    """Take screenshots until `acting` ends; return each with its time."""
    actor = asyncio.create_task(acting)
    shots = []
    while not actor.done():
        began = time.monotonic()
        shots.append((began, await page.screenshot(animations="allow")))
        await asyncio.sleep(max(0.0, FRAME - (time.monotonic() - began)))
    await actor
    return [(at, Image.open(io.BytesIO(png)).convert("RGB")) for at, png in shots]


def save(shots: list[tuple[float, Image.Image]], target: Path) -> None:
    """Write the screenshots as a GIF with one palette, at the speed at which they were taken."""
    pictures = [picture for _, picture in shots]
    sample = Image.new("RGB", (SIZE[0] * 3, SIZE[1]))
    for place, share in enumerate((0.3, 0.6, 1.0)):
        sample.paste(pictures[int(share * (len(pictures) - 1))], (place * SIZE[0], 0))
    palette = sample.quantize(COLOURS, method=Image.Quantize.MEDIANCUT)
    frames = [each.quantize(palette=palette, dither=Image.Dither.NONE) for each in pictures]
    times = [at for at, _ in shots]
    lengths = [round((after - at) * 1000) for at, after in pairwise(times)]
    frames[0].save(
        target, save_all=True, append_images=frames[1:], duration=[*lengths, 2500], loop=0,
        optimize=True, disposal=1,
    )  # fmt: skip


# --- the picture ----------------------------------------------------------------------------------


def boat() -> bytes:
    """Draw a paper boat under the moon; return the PNG."""
    width, height = 960, 540
    image = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(image)
    for y in range(height):
        share = y / height
        sky = tuple(round(a + (b - a) * share) for a, b in ((24, 214), (28, 120), (68, 96)))
        draw.line((0, y, width, y), fill=sky)
    halo = Image.new("L", image.size)
    ImageDraw.Draw(halo).ellipse((530, 30, 790, 290), fill=110)
    image.paste((255, 226, 176), mask=halo.filter(ImageFilter.GaussianBlur(40)))
    draw.ellipse((590, 90, 730, 230), fill=(255, 236, 200))
    for row in range(9):
        y = 350 + row * 22
        points = [
            (x, y + math.sin(x / (50 + row * 6) + row * 1.7) * (3 + row)) for x in range(0, 970, 10)
        ]
        shade = (46 + 5 * row, 38 + 2 * row, 84 - 4 * row)
        draw.polygon([*points, (width, height), (0, height)], fill=shade)
    hull = [(250, 352), (590, 352), (522, 430), (318, 430)]
    draw.polygon([(420, 210), (342, 352), (498, 352)], fill=(255, 250, 240))
    draw.polygon([(420, 210), (420, 352), (498, 352)], fill=(232, 218, 202))
    draw.polygon(hull, fill=(250, 240, 226))
    draw.polygon([(590, 352), (522, 430), (420, 430), (420, 380)], fill=(222, 204, 188))
    written = io.BytesIO()
    image.filter(ImageFilter.SMOOTH).save(written, "PNG")
    return written.getvalue()


# --- the room -------------------------------------------------------------------------------------


@asynccontextmanager
async def room(data: Path) -> AsyncIterator[str]:
    """Run `zoetrope demo` in its own process, and yield its address."""
    process = await create_subprocess_exec(
        sys.executable, "-m", "bot", "demo", "--no-browser", "--port", "0", "--data", str(data),
        stdout=PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        said = (await process.stdout.readline()).decode()
        found = re.search(r"http://\S+", said)
        if found is None:
            raise SystemExit(f"the demo said: {said}")
        yield found[0]
    finally:
        process.terminate()
        await process.wait()


if __name__ == "__main__":
    default = Path(__file__).with_name("room.gif")
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else default))
