"""Render a video to an MP4 like those of real gateways, in a separate worker process.

The video is H.264 (yuv420p, 24 frames a second) with AAC if it has sound. The index is at the front
of the file, so that players can start at once.
"""

import asyncio
import contextlib
import math
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path

import av
from av.audio import AudioStream
from av.container import OutputContainer
from av.filter import Graph
from av.video import VideoStream

from bot.simulator import sounds
from bot.simulator.scenes import FPS, Scene, frames

SAMPLE_RATE = 44100
WORKERS = 2
SCALE = (0, 2, 4, 7, 9)  # a pentatonic scale: all notes sound well together


class Renderer:
    """A pool of worker processes that starts with the first video and ends with close()."""

    def __init__(self) -> None:
        self._pool: _Pool | None = None

    async def render(self, scene: Scene, path: Path) -> None:
        """Render the video to this path.

        Raises `ValueError` if a picture can't be read, and `OSError` for any other error. If the
        worker died, the next video starts a new one.
        """
        pool = self._pool or self._start()
        try:
            with _sheltered():
                loop = asyncio.get_running_loop()
                made = loop.run_in_executor(pool.executor, encode, scene, path)
            await made
        except BrokenProcessPool as error:
            pool.leash.close()  # ends a worker that is just starting, too
            if self._pool is pool:  # another video may have replaced it already
                self._pool = None
            raise OSError("the rendering process died") from error

    async def close(self) -> None:
        """Cancel unfinished videos and end the workers."""
        if self._pool is not None:
            self._pool.stop.set()
            await asyncio.to_thread(self._pool.executor.shutdown, cancel_futures=True)
            self._pool.leash.close()
        self._pool = None

    def _start(self) -> "_Pool":
        # Spawned, not forked: this process may run threads and an event loop.
        context = multiprocessing.get_context("spawn")
        stop, (held, leash) = context.Event(), context.Pipe(duplex=False)
        executor = ProcessPoolExecutor(WORKERS, context, initializer=_begin, initargs=(stop, held))
        self._pool = _Pool(executor, stop, leash)
        return self._pool


@dataclass(frozen=True, slots=True)
class _Pool:
    executor: ProcessPoolExecutor
    stop: Event
    leash: Connection
    """A pipe that ends the workers when it closes, also because our process died."""


@contextlib.contextmanager
def _sheltered() -> Iterator[None]:
    """Block SIGINT, so that a worker started inside never gets Ctrl-C, even before `_begin`."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def encode(scene: Scene, path: Path) -> None:
    """Draw, encode and write a video. The file gets its name only when it is complete."""
    partial = path.with_suffix(".part")
    with av.open(partial, "w", format="mp4", options={"movflags": "+faststart"}) as container:
        video = _video_stream(container, scene)
        audio = container.add_stream("aac", rate=SAMPLE_RATE) if scene.sound else None
        for image in frames(scene):
            if _stopped():
                return
            picture = av.VideoFrame.from_image(image)  # type: ignore[no-untyped-call]  # PyAV's gap
            container.mux(video.encode(picture))
        container.mux(video.encode())
        if audio is not None:
            _encode_sound(container, audio, scene)
    partial.rename(path)


def _video_stream(container: OutputContainer, scene: Scene) -> VideoStream:
    stream = container.add_stream("libx264", rate=FPS)
    stream.width, stream.height, stream.pix_fmt = scene.width, scene.height, "yuv420p"
    stream.options = {"preset": "superfast", "crf": "22"}
    stream.codec_context.thread_count = 1  # two workers share the machine with everything else
    return stream


# ------------------------------------------------------------------------------- sound


def _encode_sound(container: OutputContainer, stream: AudioStream, scene: Scene) -> None:
    heard = sounds.frames(scene.voice) if isinstance(scene.voice, bytes) else _sound(scene)
    for frame in heard:
        container.mux(stream.encode(frame))
    container.mux(stream.encode())


def _sound(scene: Scene) -> Iterator[av.AudioFrame]:
    """Yield the sound: a music box over a soft chord. FFmpeg computes it, as Python is too slow."""
    graph = Graph()
    expression = "|".join(_expression(scene.mood, side) for side in (0, 1))
    source = graph.add(
        "aevalsrc", f"exprs='{expression}':s={SAMPLE_RATE}:d={scene.seconds}:c=stereo"
    )
    fade = graph.add("afade", f"t=out:st={max(scene.seconds - 0.8, 0)}:d=0.8")
    shape = graph.add("aformat", f"sample_fmts=fltp:sample_rates={SAMPLE_RATE}")
    sink = graph.add("abuffersink")
    graph.link_nodes(source, fade, shape, sink).configure()
    with contextlib.suppress(EOFError, BlockingIOError):
        while True:
            frame = graph.pull()
            assert isinstance(frame, av.AudioFrame)
            yield frame


def _expression(mood: int, side: int) -> str:
    """Return the formula of one channel's sound over the time t, in FFmpeg's expressions."""
    root = 196 * 2 ** (mood % 5 / 12)
    chord = "+".join(
        f"sin({2 * math.pi * root * 2 ** (step / 12) / 2:.4f}*t+{side})" for step in (0, 7, 16)
    )
    pad = f"0.025*({chord})*(1+0.4*sin({1.1 + 0.3 * side}*t))*min(1,t/0.6)"
    notes = [SCALE[(mood >> shift) % 5] + 12 * (shift % 2) for shift in range(8)]
    pitches = "+".join(
        f"{2 * math.pi * root * 2 ** (step / 12):.4f}*eq(mod(floor(t/0.375),8),{beat})"
        for beat, step in enumerate(notes)
    )
    since = "mod(t,0.375)"
    pluck = f"min(1,{since}/0.006)*exp(-9*{since})*sin(({pitches})*t)"
    return f"{pad}+{0.11 + 0.03 * side}*{pluck}"


# -------------------------------------------------------------------------- the worker

_stop: Event | None = None  # set once per worker process; None where encode() is called directly


def _begin(stop: Event, leash: Connection) -> None:
    global _stop  # a pool can pass objects to its workers only through an initializer
    _stop = stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server: it ends the workers
    threading.Thread(target=_end_with, args=(leash,), daemon=True).start()


def _end_with(leash: Connection) -> None:
    """End this worker when its server dies: a killed server can't end its workers itself."""
    leash.poll(None)
    os._exit(1)


def _stopped() -> bool:
    return _stop is not None and _stop.is_set()
