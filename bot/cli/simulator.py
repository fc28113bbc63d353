"""`zoetrope simulator`: the simulated gateway on a port of its own."""

import asyncio
import signal

from rich.console import Console

from bot.cli.words import tell
from bot.simulator.server import Simulator


async def run_simulator(*, host: str, port: int, key: str, render_time: float) -> None:
    """Serve until interrupted."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with Simulator(key=key, render_time=render_time).serve(host, port) as url:
        Console().print(tell("cli.simulator", url=url, key=key), highlight=False)
        await stop.wait()
