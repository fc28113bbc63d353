"""`zoetrope simulator`: run the simulated gateway on its own port, and build its configuration."""

import asyncio
import multiprocessing
import signal
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

from bot.cli import terminal
from bot.cli.words import tell
from bot.core.errors import Broken
from bot.simulator.presets import PRESETS, named
from bot.simulator.profiles import PROFILES, Profile, new_api_c, serving
from bot.simulator.server import Simulator
from bot.web.server import cannot_listen

KEY = "sk-sim"
"""The default key of a simulated gateway."""


def only_gateway(url: str, *, key: str, poll_step: float) -> dict[str, str]:
    """Return environment variables for a configuration with only the simulated gateway at `url`."""
    name = "ZOETROPE_GATEWAYS__SIMULATOR__"
    return {
        f"{name}BASE_URL": url,
        f"{name}API_KEY": key,
        f"{name}DIALECT": "documented",
        f"{name}POLL_STEP": str(poll_step),
    }


def build_simulator(
    *,
    key: str | None,
    other_keys: Sequence[str],
    render_time: float,
    profile: str,
    tick: float | None,
    at_once: int | None,
    troubles: Sequence[str],
) -> Simulator:
    """Return a simulator with these options. Raises `Broken` for an unknown name."""
    simulator = Simulator(
        key=key,
        other_keys=other_keys,
        render_time=render_time,
        profile=_profile(profile),
        tick=tick,
        at_once=at_once,
    )
    for name in troubles:
        if name not in PRESETS:
            raise Broken("unknown_trouble", name=name, known=", ".join(PRESETS))
        for fault, times in named(name):
            simulator.faults.add(fault, times)
    return simulator


def _profile(name: str) -> Profile:
    """Return the named profile.

    Plugins or the served model may follow: `new-api-c:kling=1.0.0,xai=none`, `vllm-omni:my/model`.
    """
    base, colon, rest = name.partition(":")
    if base not in PROFILES or (colon and base != "new-api-c" and not PROFILES[base].own):
        raise Broken("unknown_profile", name=name, known=", ".join(PROFILES))
    if not colon:
        return PROFILES[base]
    if PROFILES[base].own:
        return serving(base, rest)
    pairs = [each.partition("=") for each in rest.split(",")]
    try:
        return new_api_c(name, {key: version for key, _, version in pairs})
    except ValueError as error:
        raise Broken("bad_plugin", complaint=str(error)) from error


def check_locks(take: Callable[[], object] | None = None) -> None:
    """Create a lock of the kind that the rendering processes share.

    Raises `Broken("locks_forbidden")` if this user may not create locks. Without locks no video is
    ever ready.
    """
    try:
        (take or multiprocessing.get_context("spawn").Event)()
    except OSError as error:
        raise Broken("locks_forbidden", why=error.strerror) from error


async def run_simulator(simulator: Simulator, *, host: str, port: int) -> None:
    """Serve until interrupted. Raises `Broken` if the address can't be used."""
    check_locks()
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with AsyncExitStack() as stack:
        try:
            url = await stack.enter_async_context(simulator.serve(host, port))
        except OSError as error:
            raise cannot_listen(error, host=host, port=port) from error
        said = "cli.simulator" if simulator.key else "cli.simulator_without_key"
        terminal.plain(soft_wrap=True).print(tell(said, url=url, key=simulator.key))
        await stop.wait()
