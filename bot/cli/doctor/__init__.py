"""`zoetrope doctor`: check everything and print, line by line, what works and what to fix.

All checks are free of charge. The only change is that findings about gateways are stored in the
data folder (`bot.config.discoveries`); they are used to judge the configuration. To add a network,
add a module beside `discord` and an entry in `CHECKS`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path

import typer
from rich.console import Console

from bot import log
from bot.cli.doctor import discord, gateways, machine, telegram, web
from bot.cli.doctor.findings import Finding, Mark
from bot.cli.errors import translated
from bot.cli.run import obstacles
from bot.cli.words import tell
from bot.config import Config, Misconfigured, Problem, completed, load
from bot.config.discoveries import DAMAGED

Check = Callable[[Config], AsyncIterator[Finding]]

FOUNDATIONS = (machine.check, gateways.check)
"""The checks before the configuration is judged, which depends on the gateways' present models."""
CHECKS = (discord.check, telegram.check, web.check)
WIDTH = 9
"""The width of the mark in characters, so that sentences are aligned."""
_STYLES = {Mark.OK: "green", Mark.NOTE: "cyan", Mark.PROBLEM: "bold red"}


def run_checks(file: Path | None) -> None:
    """Print one line per check. Exit code 1 if there is a problem."""
    console = Console(highlight=False, soft_wrap=True, markup=False, emoji=False)
    try:
        config = load(file)
    except Misconfigured as wrong:
        listed = [Finding(Mark.PROBLEM, problem.sentence("en")) for problem in wrong.problems]
        broken = sum(_print(finding, console) for finding in listed)
    else:
        log.configure(level="ERROR", secrets=config.secrets)
        broken = asyncio.run(_print_all(config, console))
    console.print()
    console.print(tell("doctor.broken", count=broken) if broken else tell("doctor.well"))
    if broken:
        raise typer.Exit(1)


async def findings(config: Config) -> AsyncIterator[Finding]:
    """Yield all findings, each as soon as it is known."""
    damaged = [
        remark for remark in config.remarks if remark.code == DAMAGED
    ]  # the check of gateways repairs it
    for check in FOUNDATIONS:
        async for finding in _seen(check, config):
            yield finding
    try:
        config = completed(config.written)
    except Misconfigured:
        pass  # the gateway's own check has reported it
    else:
        for finding in about(config, (*damaged, *config.remarks)):
            yield finding
    for check in CHECKS:
        async for finding in _seen(check, config):
            yield finding


async def _seen(check: Check, config: Config) -> AsyncIterator[Finding]:
    """Yield a check's findings. An error becomes a finding too, so other checks go on."""
    try:
        async for finding in check(config):
            yield finding
    except Exception as error:
        known = translated(error)
        if known is None:
            raise
        yield Finding.of(known)


def about(config: Config, remarks: Iterable[Problem]) -> Iterator[Finding]:
    """Yield the number of models, remarks, and the problems that stop `run`."""
    yield Finding.ok("check.good", count=len(config.catalog.models))
    for remark in remarks:
        yield Finding(Mark.PROBLEM, remark.sentence("en"))
    for obstacle in obstacles(config):
        if obstacle.key != "data_dir":  # the machine's own check says more about it
            yield Finding(Mark.PROBLEM, obstacle.sentence("en"))


async def _print_all(config: Config, console: Console) -> int:
    return sum([_print(finding, console) async for finding in findings(config)])


def _print(finding: Finding, console: Console) -> bool:
    """Print a finding. True if it is a problem."""
    mark = tell(f"doctor.{finding.mark}")
    console.print(f"{mark:{WIDTH}}", style=_STYLES[finding.mark], end="")
    console.print(finding.sentence)
    return finding.mark is Mark.PROBLEM
