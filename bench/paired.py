"""Measure variants side by side: each in its own process, in short slices, with a ratio per round.

On a busy machine the same code takes up to four times as long from one run to the next. Two
variants that take turns every quarter of a second are disturbed alike, so the ratio of one round is
reliable. Processor time is more reliable than wall time. The order is reversed each round.

A variant is a module's function that is an async context manager. It yields `work`, which works for
the given seconds and returns how many units it did. Between two slices the event loop of the
variant's process stands still, with all its tasks.
"""

import asyncio
import math
import multiprocessing
import resource
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from bench.figures import Spread

Work = Callable[[float], Awaitable[float | Sequence[float]]]
"""A function that works for the given seconds. It returns how many units it did, or one figure for
each unit."""
Variant = Callable[[], AbstractAsyncContextManager[Work]]
"""A function of a module, or a `functools.partial` of one."""

ROUNDS = 15
SLICE = 0.25
"""Seconds of a slice."""
CONTROL = (0.93, 1.07)
"""The lowest and highest ratio of a variant to itself at which a run is valid."""
PATIENCE = 120.0
"""Seconds that a child may take for anything."""

beside: list[int] = []
"""Ids of live processes that work for this child. Their processor time counts as the child's."""


class Failed(Exception):
    """A child process could not do its work. The message says why."""


@dataclass(frozen=True, slots=True)
class Slice:
    """One turn of one variant."""

    units: float
    seconds: float
    cpu: float
    """Seconds of processor time of all threads, of ended child processes and of those `beside`."""
    showed: tuple[float, ...] = ()
    """One figure for each unit, if `work` returns figures."""


Round = Mapping[str, Slice]


def cost(one: Slice) -> float:
    """Return the processor seconds per unit."""
    return one.cpu / one.units if one.units else math.inf


def rate(one: Slice) -> float:
    """Return the units per second."""
    return one.units / one.seconds


class Child:
    """A child process that runs one variant."""

    def __init__(self, process: BaseProcess, pipe: "Connection[float | None, Slice | str]") -> None:
        self._process, self._pipe = process, pipe

    def work(self, seconds: float) -> Slice:
        """Run one slice and wait for its result. Raises `Failed`."""
        self.begin(seconds)
        return self.heard()

    def begin(self, seconds: float) -> None:
        """Start a slice without waiting, so that other children may work at the same time."""
        self._pipe.send(seconds)

    def heard(self) -> Slice:
        """Wait for the child's next result. Raises `Failed`."""
        if not self._pipe.poll(PATIENCE):
            raise Failed("the child gave no result in time")
        try:
            answer = self._pipe.recv()
        except EOFError:
            raise Failed("the child's process ended") from None
        if isinstance(answer, str):
            raise Failed(answer)
        return answer

    def end(self) -> None:
        """Let the child close its variant and end. Kill it after 30 seconds."""
        with suppress(OSError):
            self._pipe.send(None)
        self._process.join(30)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


@contextmanager
def children(variants: Mapping[str, Variant]) -> Iterator[dict[str, Child]]:
    """Yield a child process for each variant, ready to work. Raises `Failed`."""
    with ExitStack() as stack:
        begun = {}
        for name, variant in variants.items():
            begun[name] = _begun(variant)
            stack.callback(begun[name].end)
            try:
                begun[name].heard()
            except Failed as failed:
                raise Failed(f"{name}: {failed}") from None
        yield begun


def rounds(
    variants: Mapping[str, Variant],
    *,
    most: int = ROUNDS,
    seconds: float = SLICE,
    warm: float = 1.0,
) -> list[Round]:
    """Run `most` rounds with one slice of each variant, after a slice of `warm` seconds that does
    not count."""
    with children(variants) as begun:
        if warm:
            for child in begun.values():
                child.work(warm)
        found: list[Round] = []
        for number in range(most):
            names = list(begun) if number % 2 else list(reversed(begun))
            found.append({name: begun[name].work(seconds) for name in names})
        return found


def ratio(
    found: Sequence[Round], one: str, other: str, of: Callable[[Slice], float] = cost
) -> Spread:
    """Return one variant's figure divided by the other's, within each round."""
    return Spread.of([of(each[one]) / of(each[other]) for each in found])


def disturbed(
    found: Sequence[Round], one: str, again: str, of: Callable[[Slice], float] = cost
) -> str:
    """Return why this run is void: the same variant differs from itself. Empty if it is valid."""
    control = ratio(found, one, again, of).median
    low, high = CONTROL
    return "" if low <= control <= high else f"the same twice differs by {control:.3f}"


# --- the child's side ----------------------------------------------------------------------------


def _begun(variant: Variant) -> Child:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, variant), daemon=False)
    process.start()
    theirs.close()
    return Child(process, ours)


def _serve(pipe: "Connection[Slice | str, float | None]", variant: Variant) -> None:
    """Run the variant in the child process: one slice for each message, until None comes."""
    try:
        with asyncio.Runner(loop_factory=_Loop) as runner:
            begun = _Begun(variant)
            work = runner.run(begun.open())
            pipe.send(Slice(0, 0, 0))
            while (seconds := _received(pipe, runner)) is not None:
                pipe.send(_slice(runner, work, seconds))
            runner.run(begun.close())
    except EOFError:
        pass
    except Exception as error:  # noqa: BLE001 - the parent reports it
        at = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(at.filename).name}:{at.lineno}"
        pipe.send(f"{type(error).__name__}: {error} ({where})")


class _Loop(asyncio.SelectorEventLoop):
    """An event loop whose clock stops between two slices, so that no timeout expires then."""

    stood = 0.0

    def time(self) -> float:
        return super().time() - self.stood


def _received(
    pipe: "Connection[Slice | str, float | None]", runner: asyncio.Runner
) -> float | None:
    """Wait for the next slice, and return its seconds, or None at the end."""
    begun = time.monotonic()
    note = pipe.recv()
    loop = runner.get_loop()
    assert isinstance(loop, _Loop)
    loop.stood += time.monotonic() - begun
    return note


class _Begun:
    """A variant that is opened and closed in one task of its own, as its task groups require."""

    def __init__(self, variant: Variant) -> None:
        self._variant = variant

    async def open(self) -> Work:
        self._ends = asyncio.Event()
        opened: asyncio.Future[Work] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._live(opened))
        self._task.add_done_callback(lambda task: _passed_on(task, opened))
        return await opened

    async def close(self) -> None:
        self._ends.set()
        await self._task

    async def _live(self, opened: "asyncio.Future[Work]") -> None:
        async with self._variant() as work:
            opened.set_result(work)
            await self._ends.wait()


def _passed_on(task: asyncio.Task[None], opened: "asyncio.Future[Work]") -> None:
    """Hand the error of a variant that can't be opened to the future that waits for it."""
    error = None if task.cancelled() else task.exception()
    if error and not opened.done():
        opened.set_exception(error)


def _slice(runner: asyncio.Runner, work: Work, seconds: float) -> Slice:
    async def whole() -> Slice:
        cpu, begun = processor_time(), time.perf_counter()
        done = await work(seconds)
        took, spent = time.perf_counter() - begun, processor_time() - cpu
        if isinstance(done, Sequence):
            return Slice(len(done), took, spent, tuple(done))
        return Slice(done, took, spent)

    return runner.run(whole())


def processor_time() -> float:
    """Return the processor seconds of this process, its ended children and those `beside`."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    live = sum(map(processor_time_of, beside))
    return time.process_time() + ended.ru_utime + ended.ru_stime + live


def processor_time_of(pid: int) -> float:
    """Return the processor seconds of another process's threads; see clock_getcpuclockid(3)."""
    return time.clock_gettime((~pid << 3) | 2)
