"""`zoetrope simulator`: the simulated gateway on a port of its own, and how to configure one."""

import asyncio
import signal
from contextlib import AsyncExitStack

from rich.console import Console

from bot.cli.words import tell
from bot.simulator.server import Simulator
from bot.web.server import cannot_listen

KEY = "sk-sim"
"""What a simulated gateway takes where nobody chose another."""


def only_gateway(url: str, *, key: str, poll_step: float) -> dict[str, str]:
    """The environment of a configuration whose one gateway is the simulated one at `url`."""
    name = "ZOETROPE_GATEWAYS__SIMULATOR__"
    return {
        f"{name}BASE_URL": url,
        f"{name}API_KEY": key,
        f"{name}DIALECT": "documented",
        f"{name}POLL_STEP": str(poll_step),
    }


async def run_simulator(*, host: str, port: int, key: str, render_time: float) -> None:
    """Serve until interrupted. Raises `Broken` where it can't listen."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with AsyncExitStack() as stack:
        simulator = Simulator(key=key, render_time=render_time)
        try:
            url = await stack.enter_async_context(simulator.serve(host, port))
        except OSError as error:
            raise cannot_listen(error, host=host, port=port) from error
        console = Console(highlight=False, markup=False, soft_wrap=True)
        console.print(tell("cli.simulator", url=url, key=key))
        await stop.wait()
