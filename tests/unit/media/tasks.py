"""Tasks that the tests give a worker, which imports them by name."""

import os
import resource
import signal
import sys
from pathlib import Path

from bot.core.errors import Refused, Temporary
from bot.media.checking import FullFacts, check
from bot.media.decoding import decode


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def hang() -> None:
    signal.pause()


def announce_and_hang(fifo: Path) -> None:
    fifo.write_text(str(os.getpid()))
    signal.pause()


def begin_and_hang(source: Path, target: Path) -> None:
    """A conversion that never ends."""
    _begin(source, target)
    signal.pause()


def begin_and_die(source: Path, target: Path) -> None:
    """One whose process is killed, as by a system that is short of memory."""
    _begin(source, target)
    die()


def begin_and_stumble(source: Path, target: Path) -> None:
    """One with a bug."""
    _begin(source, target)
    stumble()


def _begin(source: Path, target: Path) -> None:
    target.write_bytes(source.read_bytes()[:1000])


def hoard() -> int:
    return len(bytearray(2_000_000_000))


def decode_in(room: int, picture: Path) -> None:
    """Decode with so many more bytes of memory than are in use."""
    _leave(room)
    decode(picture, lambda size: size)


def look_in(room: int, video: Path) -> FullFacts:
    """Decode a video with so many more bytes of memory than are in use."""
    _leave(room)
    return check(video)


def _leave(room: int) -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + room, hard))


def refuse() -> None:
    raise Refused("sound_short", seconds=1.0)


def put_off() -> None:
    raise Temporary("busy", retry_after=3.0)


def stumble() -> None:
    raise KeyError("never translated")


def miss() -> str:
    return Path("/nowhere/at/all").read_text()


def chatter() -> str:
    os.write(1, b"a library that prints")
    sys.stdout.flush()
    return "answer"


def process() -> int:
    return os.getpid()


def surroundings() -> tuple[set[str], set[str], bool]:
    """Names in the environment, top-level modules, and whether Ctrl-C is ignored."""
    modules = {name.partition(".")[0] for name in sys.modules}
    return set(os.environ), modules, signal.getsignal(signal.SIGINT) is signal.SIG_IGN
