"""`zoetrope generate`: one video, from the terminal to a file; needs a gateway and nothing else.

The same catalogue, client and picture work as in the service; only the rows are missing, so what
is interrupted here is lost here.
"""

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from bot.app import gateway_settings
from bot.cli.words import tell
from bot.config import Config, load
from bot.core.errors import Broken, Refused
from bot.core.orders import Address, Order, Person, Picture, VideoRequest
from bot.core.outcomes import Accepted, Done, Failed, Fetched, Locked, Rejected, Running
from bot.core.ports import Gateway
from bot.core.steps import PICTURE_BYTES
from bot.gateways.videos_api import open_gateways
from bot.media.studio import Studio
from bot.simulator.server import Simulator

CONTENT_TRIES = 20

Report = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was asked for on the command line."""

    prompt: str
    pictures: tuple[Path, ...] = ()
    family: str | None = None
    seconds: int | None = None
    aspect: str | None = None
    quality: str | None = None


async def generate_video(wish: Wish, *, output: Path, simulate: bool, config: Path | None) -> None:
    """Make one video and write it to `output`. Raises `BotError` with the reason if it can't."""
    async with AsyncExitStack() as stack:
        loaded = await stack.enter_async_context(simulated()) if simulate else load(config)
        await generate(wish, output=output, config=loaded)


@asynccontextmanager
async def simulated(*, render_time: float = 4.0) -> AsyncIterator[Config]:
    """A configuration whose only gateway is a simulated one, running as long as the context."""
    async with Simulator(render_time=render_time).serve() as url:
        name = "ZOETROPE_GATEWAYS__SIMULATOR__"
        yield load(
            None,
            environment={
                f"{name}BASE_URL": url,
                f"{name}API_KEY": "sk-sim",
                f"{name}DIALECT": "documented",
                f"{name}POLL_STEP": "0.25",
            },
        )


async def generate(wish: Wish, *, output: Path, config: Config) -> None:
    """Make one video with a progress bar, at the gateway that its model names."""
    order = await asyncio.to_thread(_order, wish)
    model, request = config.catalog.choose(order)
    console = Console(highlight=False, soft_wrap=True)
    console.print(
        tell(
            "generate.begun",
            family=request.label,
            model=request.model,
            seconds=request.seconds,
            size=request.size,
        )
    )
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch, _bar(console) as bar:
        task = bar.add_task(tell("generate.working"), total=100)
        async with (
            open_gateways(gateway_settings(config)) as gateways,
            Studio(Path(scratch)) as studio,
        ):
            file = Path(scratch) / "video.mp4"
            pictures = await _fitted(studio, request, wish.pictures)
            await _make(
                gateways[model.gateway],
                request,
                pictures,
                file,
                lambda percent: bar.update(task, completed=percent),
            )
        size = await asyncio.to_thread(_put, file, output)
    elapsed = time.monotonic() - begun
    console.print(tell("generate.done", file=str(output), megabytes=size / 1e6, elapsed=elapsed))


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=console,
    )


async def _make(
    gateway: Gateway, request: VideoRequest, pictures: Sequence[Path], into: Path, report: Report
) -> None:
    created = await gateway.create(request, pictures, about_to_send=_nothing)
    match created:
        case Accepted(gateway_id):
            pass
        case Rejected(reason, detail) | Locked(reason, detail):
            raise Broken("generate_refused", reason=str(reason), detail=detail)
        case other:
            raise Broken("generate_not_accepted", outcome=type(other).__name__, detail=str(other))
    sources: tuple[str, ...] = ()
    while True:
        await asyncio.sleep(gateway.poll_step)
        look = await gateway.retrieve(gateway_id)
        if isinstance(look, Done):
            sources = look.sources
            break
        if isinstance(look, Failed):
            raise Broken("generate_failed", reason=str(look.reason), detail=look.detail)
        if isinstance(look, Running) and look.progress is not None:
            report(min(look.progress, 99))
    await _download(gateway, gateway_id, sources, into)
    report(100)


async def _download(gateway: Gateway, gateway_id: str, sources: Sequence[str], into: Path) -> None:
    last = ""
    for _ in range(CONTENT_TRIES):
        fetch = await gateway.content(gateway_id, sources, into)
        if isinstance(fetch, Fetched):
            return
        last = fetch.detail
        await asyncio.sleep(gateway.poll_step)
    raise Broken("generate_no_content", video=gateway_id, detail=last)


async def _nothing() -> None:
    """Nobody has to write anything down before the POST: there are no rows here."""


async def _fitted(studio: Studio, request: VideoRequest, pictures: Sequence[Path]) -> list[Path]:
    fitted = []
    for picture in pictures:
        if request.fit is None:
            raise Broken("no_fit", model=request.model)
        key = await studio.keep_picture(picture, request.fit)
        # The studio lives in our own scratch directory: the file stays until we are done.
        async with studio.file(key) as path:
            fitted.append(path)
    return fitted


def _order(wish: Wish) -> Order:
    return Order(
        event_id="terminal",
        address=Address(platform="terminal", channel="terminal"),
        person=Person(id="operator", name="operator"),
        locale="en",
        prompt=wish.prompt,
        pictures=tuple(_picture(path) for path in wish.pictures),
        family=wish.family,
        seconds=wish.seconds,
        aspect=wish.aspect,
        quality=wish.quality,
    )


def _picture(path: Path) -> Picture:
    try:
        size = path.stat().st_size
        with Image.open(path, formats=["PNG", "JPEG", "WEBP", "GIF"]) as image:
            width, height = image.size
    except (OSError, UnidentifiedImageError) as error:
        raise Refused("picture_unreadable", file=str(path)) from error
    if size > PICTURE_BYTES:
        raise Refused("picture_too_large", megabytes=size / 1e6)
    return Picture(source=str(path), filename=path.name, size=size, width=width, height=height)


def _put(file: Path, output: Path) -> int:
    try:
        return shutil.copyfile(file, output).stat().st_size
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise Refused("output_unwritable", file=str(output), why=why) from error
