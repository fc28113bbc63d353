"""`zoetrope generate`: one video, from the terminal to a file; needs a gateway and nothing else.

The same catalogue, client and work on files as in the service; only the rows are missing, so who
interrupts it is told what the gateway has.
"""

import asyncio
import struct
import tempfile
import time
import warnings
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from bot.app import gateway_settings
from bot.cli import output
from bot.cli.causes import in_words
from bot.cli.output import Output
from bot.cli.simulator import KEY, only_gateway
from bot.cli.words import tell
from bot.config import Config, load
from bot.core import fetching, steps
from bot.core.errors import BotError, Broken, Refused, Temporary
from bot.core.jobs import UNNAMED, Reason, Video
from bot.core.orders import (
    PICTURE_BYTES,
    SWITCHES,
    Address,
    Order,
    Person,
    Picture,
    Sound,
    VideoRequest,
    shaping_of,
)
from bot.core.outcomes import (
    Accepted,
    Busy,
    Creation,
    Done,
    Failed,
    Locked,
    Look,
    Made,
    Missing,
    NotSent,
    Rejected,
    Running,
    Trouble,
    Uncertain,
    Unusable,
)
from bot.core.ports import Gateway
from bot.gateways.videos_api import open_gateways
from bot.media.pictures import MOST_PIXELS
from bot.media.studio import Studio
from bot.simulator.server import Simulator

PATIENCE = 600.0
"""Seconds without one usable answer after which nobody has to watch the bar any longer."""
_LYING = (5, 6, 7, 8)
"""EXIF orientations of pictures whose sides change places."""

Report = Callable[[int | None, str], None]
"""Takes percent, if known, and what is going on."""


@dataclass(slots=True)
class Ticket:
    """What a gateway has of us by now: what would be lost if we ended here."""

    gateway: str = ""
    sent: bool = False
    video: str | None = None

    async def send(self) -> None:
        """Called before the first byte: from here on it may cost something."""
        self.sent = True

    def claim(self) -> str:
        """What to tell somebody who interrupts us."""
        if self.video:
            return tell("generate.interrupted", gateway=self.gateway, video=self.video)
        return tell("generate.interrupted_unsure" if self.sent else "generate.interrupted_before")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was asked for on the command line."""

    prompt: str
    pictures: tuple[Path, ...] = ()
    sound: Path | None = None
    family: str | None = None
    seconds: int | None = None
    aspect: str | None = None
    quality: str | None = None
    fit: str | None = None
    preset: str | None = None
    negative: str = ""
    seed: int | None = None
    switches: Mapping[str, bool | None] = field(default_factory=dict)
    """By their words; None leaves one to the model."""


def make_video(
    wish: Wish, file: Path | None, *, overwrite: bool, simulate: bool, config: Path | None
) -> None:
    """Make one video into that file, or into a free one."""
    into = output.named(file, overwrite=overwrite) if file else output.free("video")
    asyncio.run(simulate_video(wish, into) if simulate else generate_video(wish, into, config))


async def generate_video(wish: Wish, into: Output, config: Path | None) -> None:
    """Make one video at a configured gateway. Raises `BotError` with the reason if it can't."""
    ticket = Ticket()
    try:
        await generate(wish, into=into, config=load(config), ticket=ticket)
    except asyncio.CancelledError:
        Console(highlight=False, soft_wrap=True, markup=False).print(ticket.claim())
        raise


async def simulate_video(wish: Wish, into: Output) -> None:
    """The same at a simulated gateway, which ends with us: nothing costs, nothing can be lost."""
    async with simulated() as config:
        await generate(wish, into=into, config=config, ticket=Ticket())


@asynccontextmanager
async def simulated(*, render_time: float = 4.0) -> AsyncIterator[Config]:
    """A configuration whose only gateway is a simulated one, running as long as the context."""
    async with Simulator(key=KEY, render_time=render_time).serve() as url:
        yield load(None, environment=only_gateway(url, key=KEY, poll_step=0.25))


async def generate(
    wish: Wish, *, into: Output, config: Config, ticket: Ticket, patience: float = PATIENCE
) -> None:
    """Make one video with a progress bar, at the gateway that its model names."""
    order = await asyncio.to_thread(order_for, wish)
    # Where the service may run, but here nobody does: no link would lead to these pictures.
    model, request = config.catalog.unlinked().choose(order)
    console = Console(highlight=False, soft_wrap=True, markup=False)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch, _bar(console) as bar:
        task = bar.add_task(tell("generate.working"), total=100)

        def report(percent: int | None, doing: str) -> None:
            bar.update(task, completed=percent, description=doing)

        async with (
            open_gateways(gateway_settings(config)) as gateways,
            Studio(Path(scratch)) as studio,
        ):
            gateway = gateways[model.gateway]
            request, files = await _fitted(studio, request, wish)
            console.print(_begun(request))
            made = await _create(gateway, studio, request, files, ticket, into)
            sources = await _watch(gateway, made, report, prompt=request.written, patience=patience)
            key = await _download(gateway, studio, made.gateway_id, sources, prompt=request.written)
            report(100, tell("generate.working"))
            async with studio.file(key) as file:
                size = await asyncio.to_thread(into.take, file)
    elapsed = time.monotonic() - begun
    console.print(tell("generate.done", file=str(into.path), megabytes=size / 1e6, elapsed=elapsed))


def _begun(request: VideoRequest) -> str:
    return tell(
        "generate.begun_auto" if request.auto else "generate.begun",
        family=request.label,
        model=request.model,
        seconds=request.seconds,
        size=request.size,
    )


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=console,
    )


async def _create(
    gateway: Gateway,
    studio: Studio,
    request: VideoRequest,
    files: Sequence[Path],
    ticket: Ticket,
    into: Output,
) -> Accepted:
    """Send it, once; the gateway's id of the video. Raises `Broken` with what it may have cost."""
    ticket.gateway = gateway.name
    async with studio.scratch() as folder:
        film = folder / "answer"
        created = await gateway.create(request, files, into=film, about_to_send=ticket.send)
        if isinstance(created, Made):
            created = await put_by(studio, film, into)
    if not isinstance(created, Accepted):
        raise _not_accepted(created, gateway.name, files=len(files))
    ticket.video = None if created.gateway_id == UNNAMED else created.gateway_id
    return created


async def put_by(studio: Studio, film: Path, into: Output) -> Accepted:
    """Keep a video that came as the answer: it comes only once.

    Raises `Broken` where there is no room to work on it: then it is written out as it came.
    """
    try:
        return await fetching.put_by(studio, film, name=film.name)
    except Temporary as full:
        kept = studio.received(film.name)
        await asyncio.to_thread(into.take, kept if kept.exists() else film)
        raise Broken("generate_as_it_came", file=str(into.path)) from full


def _not_accepted(created: Creation, gateway: str, *, files: int) -> BotError:
    match created:
        case NotSent(detail):
            return Broken("generate_not_sent", gateway=gateway, detail=in_words(detail))
        case Busy():
            return Broken("generate_busy", gateway=gateway)
        case Locked(reason, detail):
            return Broken("generate_locked", gateway=gateway, reason=_reason(reason), detail=detail)
        case Rejected(Reason.PICTURE_TOO_LARGE, detail):
            code = "generate_too_large" if files else "generate_words_too_large"
            return Broken(code, gateway=gateway, detail=detail)
        case Rejected(reason, detail, charged=charged):
            code = "generate_refused_charged" if charged else "generate_refused"
            return Broken(code, reason=_reason(reason), detail=detail)
        case Uncertain(detail, answered):
            code = "generate_unsure" if answered else "generate_uncertain"
            return Broken(code, gateway=gateway, detail=in_words(detail))
        case Accepted() | Made():
            raise ValueError("accepted is no refusal")


def _reason(reason: Reason) -> str:
    return tell(f"reason.{reason}")


async def _watch(
    gateway: Gateway, made: Accepted, report: Report, *, prompt: str, patience: float
) -> tuple[str, ...]:
    """Look until it is made; the addresses named for it. Raises `Broken` once that is hopeless."""
    answered, video = time.monotonic(), made.gateway_id
    pause = 0.0 if made.sources else gateway.poll_step
    while True:
        await asyncio.sleep(pause)
        look = await fetching.look(gateway, video, made.sources, prompt=prompt)
        pause = gateway.poll_step
        names: dict[str, object] = {"gateway": gateway.name, "video": video}
        match look:
            case Done(sources):
                return sources
            case Failed(reason, detail):
                raise Broken("generate_failed", reason=_reason(reason), detail=detail)
            case Locked(reason, detail):
                raise Broken("generate_locked_out", reason=_reason(reason), detail=detail, **names)
            case Running(progress, at_least):
                answered, pause = time.monotonic(), max(pause, at_least or 0.0)
                report(None if progress is None else min(progress, 99), tell("generate.working"))
            case Missing() | Trouble():
                detail, wait = _trouble(look)
                pause = max(pause, wait)
                if time.monotonic() - answered > patience:
                    raise Broken("generate_no_answer", detail=detail, **names)
                report(None, tell("generate.trouble", detail=detail))


def _trouble(look: Look) -> tuple[str, float]:
    """What is wrong, in words, and the seconds that the gateway asked us to wait."""
    if isinstance(look, Trouble):
        return in_words(look.detail), look.retry_after or 0.0
    return tell("generate.missing"), 0.0


async def _download(
    gateway: Gateway, studio: Studio, video: str, sources: Sequence[str], *, prompt: str
) -> str:
    """Fetch it and keep it; under which key. Raises `Broken` once that is hopeless."""
    begun, bad = time.monotonic(), 0
    while True:
        got = await fetching.fetch_video(gateway, studio, video, sources, prompt=prompt)
        if isinstance(got, Video):
            return got.key
        bad += isinstance(got, Unusable)
        is_over = bad == steps.CONTENT_TRIES or time.monotonic() - begun > PATIENCE
        if isinstance(got, Locked) or is_over:
            why = in_words(got.detail)
            raise Broken("generate_no_content", gateway=gateway.name, video=video, detail=why)
        await asyncio.sleep(min(gateway.poll_step, steps.CONTENT_PACE))


async def _fitted(
    studio: Studio, request: VideoRequest, wish: Wish
) -> tuple[VideoRequest, list[Path]]:
    """The files as they travel, and the request with the length of the sound, if there is one."""
    keys: list[str] = []
    if request.fit is not None:
        keys += [still.key for still in await studio.keep_pictures(wish.pictures, request.fit)]
    if wish.sound is not None and request.sound_fit is not None:
        recording = await studio.keep_sound(wish.sound, request.sound_fit)
        request = request.lasting(recording.seconds)
        if wish.seconds not in (None, request.seconds):
            raise Refused("sound_decides")
        keys.append(recording.key)
    fitted = []
    for key in keys:
        # The studio lives in our own scratch directory: the file stays until we are done.
        async with studio.file(key) as path:
            fitted.append(path)
    return request, fitted


def order_for(wish: Wish) -> Order:
    """The wish as the catalogue takes it. Raises `Refused` for a file that can't be taken."""
    switched: dict[str, Any] = {SWITCHES[word]: on for word, on in wish.switches.items()}
    return Order(
        event_id="terminal",
        address=Address(platform="terminal", channel="terminal"),
        person=Person(id="operator", name="operator"),
        locale="en",
        prompt=wish.prompt,
        pictures=tuple(_picture(path) for path in wish.pictures),
        sound=_sound(wish.sound) if wish.sound else None,
        family=wish.family,
        # A sound decides itself, once it is measured.
        seconds=None if wish.sound else wish.seconds,
        aspect=wish.aspect,
        quality=wish.quality,
        fit=shaping_of(wish.fit) if wish.fit else None,
        preset=wish.preset,
        negative_prompt=wish.negative,
        seed=wish.seed,
        **switched,
    )


def _picture(path: Path) -> Picture:
    try:
        size = path.stat().st_size
        with warnings.catch_warnings():
            # Pillow warns of what it takes for a bomb, and at twice that size it refuses.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path, formats=["PNG", "JPEG", "WEBP", "GIF"]) as image:
                width, height = _upright(image)
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(path) from error
    except OSError as error:
        if error.strerror:  # about the file; what Pillow says of its content has none
            raise Refused("file_unusable", file=str(path), why=error.strerror) from error
        raise Refused("picture_unreadable", file=str(path)) from error
    if width * height > MOST_PIXELS:
        raise _too_many_pixels(path)
    if size > PICTURE_BYTES:
        raise Refused("picture_too_large", megabytes=size / 1e6)
    return Picture(source=str(path), filename=path.name, size=size, width=width, height=height)


def _sound(path: Path) -> Sound:
    """Of unknown length: what it holds is for the studio to find out."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise Refused("sound_unreadable", file=str(path), why=error.strerror) from error
    return Sound(source=str(path), filename=path.name, size=size)


def _too_many_pixels(path: Path) -> Refused:
    return Refused("picture_too_many_pixels", file=str(path), most=MOST_PIXELS // 1_000_000)


def _upright(image: Image.Image) -> tuple[int, int]:
    """Width and height as people see it."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except (LookupError, OSError, SyntaxError, TypeError, ValueError, struct.error):
        orientation = None  # a broken EXIF block is no reason to refuse good pixels
    width, height = image.size
    return (height, width) if orientation in _LYING else (width, height)
