"""G8: a video download and a file upload, beside curl, with memory and stalls of the event loop.

A unit is a megabyte. curl is started for each file, as it is normally used, so its start counts.
"""

import asyncio
import contextlib
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from yarl import URL

from bench import paired
from bench.figures import Figure, Spread, at_most, folder, void
from bench.paired import Work
from bench.wire import sending, swallowing
from bot.core.outcomes import Fetched
from bot.net.answers import Answer, open_session
from bot.net.bounds import Bounds
from bot.net.downloads import Downloads
from bot.net.sending import Body, FilePart, connected

GOAL = "G8"
SIZES = (10, 50)
"""Megabytes."""
_HEAD = b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41"
_TICK = 0.001
"""Seconds between two checks whether the event loop runs."""


def figures() -> list[Figure]:
    """Measure downloads and uploads of both sizes ÷ curl, then memory and stalls at the larger."""
    if shutil.which("curl") is None:
        return [void(GOAL, "≤ 1.1", "there is no curl on this machine")]
    found: list[Figure] = []
    with folder() as scratch:
        for size in SIZES:
            video = scratch / f"{size}.mp4"
            video.write_bytes(_HEAD + secrets.token_bytes(size * 1_000_000 - len(_HEAD)))
            with sending(video) as url, swallowing() as gateway:
                ways = {
                    "down": (partial(download, url, scratch), partial(curl_down, url, scratch)),
                    "up": (partial(upload, gateway, video), partial(curl_up, gateway, video)),
                }
                for way, (ours, curl) in ways.items():
                    found.append(_beside_curl(f"{GOAL} {way} {size}", ours, curl))
        video = scratch / f"{SIZES[-1]}.mp4"
        with sending(video) as url, swallowing() as gateway:
            found += _meanwhile(partial(both_ways, url, gateway, video, scratch))
    return found


def _beside_curl(name: str, ours: paired.Variant, curl: paired.Variant) -> Figure:
    variants = {"ours": ours, "curl": curl, "again": ours}
    # A slice is at least one file, so a slice of any length has whole files.
    rounds = paired.rounds(variants)
    return at_most(
        name,
        paired.ratio(rounds, "ours", "curl"),
        1.1,
        what="CPU for a megabyte ÷ curl",
        void=paired.disturbed(rounds, "ours", "again"),
    )


def _meanwhile(variant: paired.Variant) -> list[Figure]:
    """Measure memory and stalls. The `units` of these slices are megabytes and milliseconds."""
    rounds = paired.rounds(
        {"memory": partial(_memory, variant), "stall": partial(_stall, variant)}, seconds=0.0
    )

    def spread(of: str) -> Spread:
        return Spread.of([each[of].units for each in rounds])

    return [
        at_most(
            f"{GOAL} memory", spread("memory"), 4.0, what="MB more than before, 50 MB both ways"
        ),
        at_most(
            f"{GOAL} stall", spread("stall"), 10.0, what="ms, the longest of the loop meanwhile"
        ),
    ]


@asynccontextmanager
async def download(url: str, scratch: Path) -> AsyncIterator[Work]:
    """Download with our client, to a new file each time, as the service does."""
    bounds, target = Bounds(), URL(url)
    origins = frozenset({str(target.origin())})
    async with open_session(bounds) as direct, open_session(bounds) as guarded:
        downloads = Downloads(direct, guarded, origins=origins, bounds=bounds)

        async def once() -> float:
            into = scratch / secrets.token_hex(8)
            fetched = await downloads.fetch(target, into, key={}, judge=_unforeseen)
            assert isinstance(fetched, Fetched), fetched
            await asyncio.to_thread(into.unlink)
            return fetched.size / 1e6

        yield _again_and_again(once)


@asynccontextmanager
async def upload(url: str, video: Path) -> AsyncIterator[Work]:
    """Send an order with this file, by our client."""
    part = FilePart("input_reference", video.name, "video/mp4", video)
    body = Body(fields=(("model", "sora-2"), ("prompt", "a cat on the moon")), files=(part,))
    size = video.stat().st_size / 1e6

    async def once() -> float:
        async with connected(URL(url), body, headers={}, bounds=Bounds()) as line:
            answer = await line.send()
            assert isinstance(answer, Answer), answer
            assert answer.status == 200
        return size

    yield _again_and_again(once)


@asynccontextmanager
async def curl_down(url: str, scratch: Path) -> AsyncIterator[Work]:
    """Download with curl, to a new file each time."""

    async def once() -> float:
        into = scratch / secrets.token_hex(8)
        await _curl("-o", str(into), url)
        size = into.stat().st_size
        await asyncio.to_thread(into.unlink)
        return size / 1e6

    yield _again_and_again(once)


@asynccontextmanager
async def curl_up(url: str, video: Path) -> AsyncIterator[Work]:
    """Send the same order by curl."""
    size = video.stat().st_size / 1e6
    form = ("-F", "model=sora-2", "-F", "prompt=a cat on the moon")
    file = ("-F", f"input_reference=@{video};type=video/mp4")

    async def once() -> float:
        await _curl("-o", "/dev/null", *form, *file, url)
        return size

    yield _again_and_again(once)


@asynccontextmanager
async def both_ways(url: str, gateway: str, video: Path, scratch: Path) -> AsyncIterator[Work]:
    """Download and then upload with our client."""
    async with download(url, scratch) as down, upload(gateway, video) as up:

        async def once() -> float:
            await down(0.0)
            await up(0.0)
            return 2 * video.stat().st_size / 1e6

        yield _again_and_again(once)


@asynccontextmanager
async def _memory(variant: paired.Variant) -> AsyncIterator[Work]:
    """Work that returns the megabytes by which the process grew at its peak."""
    async with variant() as work:

        async def grown(seconds: float) -> float:
            Path("/proc/self/clear_refs").write_text("5")  # reset the peak
            before = _status("VmRSS")
            await work(seconds)
            return (_status("VmHWM") - before) / 1e6

        yield grown


@asynccontextmanager
async def _stall(variant: paired.Variant) -> AsyncIterator[Work]:
    """Work that returns the longest time for which the event loop was blocked, in milliseconds."""
    async with variant() as work:

        async def stalled(seconds: float) -> float:
            longest = 0.0

            async def watch() -> None:
                nonlocal longest
                while True:
                    begun = time.perf_counter()
                    await asyncio.sleep(_TICK)
                    longest = max(longest, time.perf_counter() - begun - _TICK)

            watching = asyncio.create_task(watch())
            await work(seconds)
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
            return longest * 1000

        yield stalled


def _again_and_again(once: Callable[[], Awaitable[float]]) -> Work:
    """Return work that repeats `once` until the time is over, but at least once."""

    async def work(seconds: float) -> float:
        ends, done = time.perf_counter() + seconds, await once()
        while time.perf_counter() < ends:
            done += await once()
        return done

    return work


async def _curl(*arguments: str) -> None:
    process = await asyncio.create_subprocess_exec("curl", "-sS", *arguments)
    assert await process.wait() == 0


def _unforeseen(answer: Answer) -> tuple[str, ...]:
    raise AssertionError(answer.status)


def _status(name: str) -> int:
    """Return a value of `/proc/self/status` in bytes. Raises `LookupError` without that name."""
    for row in Path("/proc/self/status").read_text().splitlines():
        key, _, value = row.partition(":")
        if key == name:
            return int(value.split()[0]) * 1024
    raise LookupError(name)
