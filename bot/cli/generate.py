"""`zoetrope generate`: make one video from the terminal into a file. It needs only a gateway.

It uses the service's catalog, client and media code, but no database. So an interrupted order is
lost; a message says which video the gateway has.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from bot.app import gateway_settings
from bot.cli import output, software, terminal
from bot.cli.causes import in_words
from bot.cli.first_lists import with_lists
from bot.cli.output import Output
from bot.cli.simulator import KEY, check_locks, only_gateway
from bot.cli.words import tell
from bot.config import Config, load
from bot.core import fetching
from bot.core.choosing import new_seed
from bot.core.errors import BotError, Broken, PromptMissing, Refused, Temporary
from bot.core.jobs import UNNAMED, Reason, Video
from bot.core.models import Model
from bot.core.orders import Order, VideoRequest
from bot.core.outcomes import (
    Accepted,
    Busy,
    Creation,
    Done,
    Failed,
    Locked,
    Made,
    Missing,
    NotSent,
    Polled,
    Rejected,
    Running,
    Trouble,
    Uncertain,
    Unusable,
)
from bot.core.ports import Gateway, Ready
from bot.core.prompts import clean
from bot.core.replies import cost_fact, request_fact, switched
from bot.core.steps import content
from bot.gateways.videos_api import open_gateways
from bot.i18n import on_terminal
from bot.media.studio import Studio
from bot.simulator.server import Simulator

PATIENCE = 600.0
"""Seconds without a usable answer after which the command gives up."""

Report = Callable[[int | None, str], None]
"""A function that shows progress: the percent, if known, and a description."""


@dataclass(slots=True)
class Ticket:
    """The state of the order at its gateway, as far as known. The end of the command loses it."""

    gateway: str = ""
    sent: bool = False
    video: str | None = None

    async def send(self, ready: Ready) -> Creation:
        """Send the request. From here on the order may cost money."""
        self.sent = True
        return await ready.send()

    def claim(self) -> str:
        """Return the message that is printed when a person interrupts the command.

        The message says whether the order may be charged, and the video's id if that is known.
        """
        if self.video:
            return tell("generate.interrupted", gateway=self.gateway, video=self.video)
        return tell("generate.interrupted_unsure" if self.sent else "generate.interrupted_before")


def make_video(
    order: Order, file: Path | None, *, overwrite: bool, simulate: bool, config: Path | None
) -> None:
    """Make one video into `file`, or into a new file if `file` is None."""
    into = output.named(file, overwrite=overwrite) if file else output.free("video")
    asyncio.run(simulate_video(order, into) if simulate else generate_video(order, into, config))


async def generate_video(order: Order, into: Output, config: Path | None) -> None:
    """Make one video at a configured gateway. Raises `BotError` with the reason if it can't."""
    ticket = Ticket()
    try:
        await generate(order, into=into, config=await with_lists(load(config)), ticket=ticket)
    except asyncio.CancelledError:
        terminal.plain(soft_wrap=True).print(ticket.claim())
        raise


async def simulate_video(order: Order, into: Output) -> None:
    """Make one video at a simulated gateway, which ends with the command and costs nothing."""
    async with simulated() as config:
        await generate(order, into=into, config=config, ticket=Ticket())


@asynccontextmanager
async def simulated(*, render_time: float = 4.0) -> AsyncIterator[Config]:
    """Yield a configuration with a simulated gateway, which runs while the context lasts."""
    check_locks()
    async with Simulator(key=KEY, render_time=render_time).serve() as url:
        yield load(None, environment=only_gateway(url, key=KEY, poll_step=0.25))


async def generate(
    order: Order, *, into: Output, config: Config, ticket: Ticket, patience: float = PATIENCE
) -> None:
    """Make one video with a progress bar, at the gateway that its model names."""
    model, request = _chosen(config, order)
    console = terminal.plain(soft_wrap=True)
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
            request, files = await _fitted(studio, request, order)
            cost = config.catalog.cost(request, config.settings.currency)
            console.print(ordered(order, request, cost))
            made = await _create(gateway, studio, request, files, ticket, into)
            done = await _watch(gateway, made, report, prompt=request.written, patience=patience)
            video = await _download(gateway, studio, made.gateway_id, done, prompt=request.written)
            if not video.plays:
                report(None, tell("generate.converting"))
                video = await studio.convert(video)
            report(100, tell("generate.working"))
            remarks = await hand_over(studio, video, into)
    elapsed, megabytes = time.monotonic() - begun, video.size / 1e6
    console.print(tell("generate.done", file=str(into.path), megabytes=megabytes, elapsed=elapsed))
    for remark in remarks:
        console.print(remark)


def _chosen(config: Config, order: Order) -> tuple[Model, VideoRequest]:
    """Return the model and the request for an order. Raises `Refused` if no model takes the order.

    If the model is held back because its gateway's plugin is unknown, the error says so. With a
    sound, the length is left open until the sound is measured. Models that need links to pictures
    are left out, because this command serves no links.
    """
    if not config.catalog.models and config.offers:
        raise Refused("generate_no_models", gateways=", ".join(config.offers))
    wish = replace(order.wish, seconds=None) if order.sound else order.wish
    try:
        return config.catalog.unlinked().choose(order.wishing(wish), spare_seed=new_seed())
    except PromptMissing as missing:
        raise Refused("generate_prompt_missing") from missing
    except Refused as refused:
        raise software.held_for(config, order.wish.family, refused) or refused from refused


async def hand_over(studio: Studio, video: Video, into: Output) -> list[str]:
    """Write the video, and the original if it was converted. Return remarks for the person."""
    async with studio.file(video.key) as file:
        await asyncio.to_thread(into.take, file)
    remarks = []
    if into.path.suffix.lower() not in ("", file.suffix):
        kind = file.suffix.lstrip(".").upper()
        remarks.append(tell("generate.other_kind", file=str(into.path), kind=kind))
    if not video.plays:
        return [*remarks, tell("generate.not_converted")]
    if video.converted is None:
        return remarks
    async with studio.file(video.converted.key) as file:
        beside = into.beside(file.suffix)
        await asyncio.to_thread(beside.take, file)
    done = "generate.reencoded" if video.reencoded else "generate.remuxed"
    return [*remarks, tell(done, original=str(beside.path))]


def ordered(order: Order, request: VideoRequest, cost: str | None) -> str:
    """Return the order as text, with all chosen options and their consequences."""
    clip = replace(request, label=f"{request.label} ({request.model})")
    wish = order.wish
    sounding = replace(wish, audio=wish.audio if request.audio is None else request.audio)
    facts = [on_terminal(fact) for fact in (request_fact(clip), *switched(sounding))]
    if wish.fit:
        facts.append(tell("generate.fit", fit=wish.fit))
    if request.seed is not None:
        facts.append(tell("generate.seed", seed=request.seed))
    if request.prompt != clean(wish.prompt):
        facts.append(tell("generate.words", words=request.prompt))
    if cost:
        facts.append(on_terminal(cost_fact(request, cost)))
    return "\n".join(facts)


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
    """Send the order once. Raises `Broken`, which says whether the order may cost money."""
    ticket.gateway = gateway.name
    async with studio.scratch() as folder:
        clip = folder / "answer"
        async with gateway.ready(request, files, into=clip) as ready:
            created: Creation = ready if isinstance(ready, NotSent) else await ticket.send(ready)
        if isinstance(created, Made):
            created = await receive(studio, clip, into)
    if not isinstance(created, Accepted):
        raise _not_accepted(created, gateway.name, files=len(files))
    ticket.video = None if created.gateway_id == UNNAMED else created.gateway_id
    return created


async def receive(studio: Studio, clip: Path, into: Output) -> Accepted:
    """Keep a video that the gateway sent as its answer. It is sent only once.

    If there is no disk space to process the video, write it out unchanged and raise `Broken`.
    """
    try:
        return await fetching.receive(studio, clip, name=clip.name)
    except Temporary as full:
        kept = studio.receiving(clip.name)
        await asyncio.to_thread(into.take, kept if kept.exists() else clip)
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
) -> Done:
    """Poll until the video is made. Raises `Broken` if it failed or the gateway stays silent."""
    answered, video = time.monotonic(), made.gateway_id
    pause = 0.0 if made.sources else gateway.poll_step
    while True:
        await asyncio.sleep(pause)
        poll = await fetching.poll(gateway, video, made.sources, prompt=prompt)
        pause = gateway.poll_step
        names: dict[str, object] = {"gateway": gateway.name, "video": video}
        match poll:
            case Done():
                return poll
            case Failed(Reason.WITHHELD, detail):
                raise Broken("generate_withheld", gateway=gateway.name, detail=detail)
            case Failed(reason, detail):
                raise Broken("generate_failed", reason=_reason(reason), detail=detail)
            case Locked(reason, detail):
                raise Broken("generate_locked_out", reason=_reason(reason), detail=detail, **names)
            case Running(progress, at_least):
                answered, pause = time.monotonic(), max(pause, at_least or 0.0)
                report(None if progress is None else min(progress, 99), tell("generate.working"))
            case Missing() | Trouble():
                detail, wait = _trouble(poll)
                pause = max(pause, wait)
                if time.monotonic() - answered > patience:
                    raise Broken("generate_no_answer", detail=detail, **names)
                report(None, tell("generate.trouble", detail=detail))


def _trouble(poll: Polled) -> tuple[str, float]:
    """Return the trouble as text, and the seconds that the gateway asked us to wait."""
    if isinstance(poll, Trouble):
        return in_words(poll.detail), poll.retry_after or 0.0
    return tell("generate.missing"), 0.0


async def _download(
    gateway: Gateway, studio: Studio, video: str, done: Done, *, prompt: str
) -> Video:
    """Download the video into the studio. Raises `Broken` after too many tries or too long."""
    begun, bad = time.monotonic(), 0
    while True:
        got = await fetching.fetch_video(gateway, studio, video, done.sources, prompt=prompt)
        if isinstance(got, Video):
            return got
        is_withheld = _is_withheld(got, done)
        bad += is_withheld or isinstance(got, Unusable)
        is_over = bad == content.CONTENT_TRIES or time.monotonic() - begun > PATIENCE
        if isinstance(got, Locked) or is_over:
            why = in_words(got.detail)
            if is_withheld:
                raise Broken("generate_withheld", gateway=gateway.name, detail=why)
            raise Broken("generate_no_content", gateway=gateway.name, video=video, detail=why)
        await asyncio.sleep(min(gateway.poll_step, content.CONTENT_PACE))


def _is_withheld(got: Locked | Trouble | Unusable, done: Done) -> bool:
    """Whether the gateway's content rules withhold the video, as it says now or said before."""
    if isinstance(got, Trouble):
        return done.withheld and got.definite
    return isinstance(got, Unusable) and got.reason is Reason.WITHHELD


async def _fitted(
    studio: Studio, request: VideoRequest, order: Order
) -> tuple[VideoRequest, list[Path]]:
    """Return the request, with the length of the sound if there is one, and the files to send."""
    keys: list[str] = []
    if request.fit is not None:
        pictures = [Path(each.source or "") for each in order.pictures]
        keys += [still.key for still in await studio.keep_pictures(pictures, request.fit)]
    if order.sound is not None and request.sound_fit is not None:
        recording = await studio.keep_sound(Path(order.sound.source or ""), request.sound_fit)
        request = request.lasting(recording.seconds)
        if order.wish.seconds not in (None, request.seconds):
            raise Refused("sound_decides")
        keys.append(recording.key)
    if order.video is not None and request.video_fit is not None:
        given = await studio.keep_given(Path(order.video.source or ""), request.video_fit)
        keys.append(given.key)
    fitted = []
    for key in keys:
        # The studio works in our own temporary directory, so the file stays until the end.
        async with studio.file(key) as path:
            fitted.append(path)
    return request, fitted
