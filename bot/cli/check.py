"""`zoetrope check`: every mistake at once, or the worst day that this configuration allows."""

from pathlib import Path

from rich.console import Console

from bot.cli.words import tell
from bot.config import Config, load

MICRO = 1_000_000


def check_config(file: Path | None) -> None:
    """Print the outcome; mistakes end in exit code 78."""
    config = load(file)
    console = Console(highlight=False, soft_wrap=True)
    console.print(tell("check.good", models=len(config.catalog.models)))
    if config.settings.discord.token is None:
        console.print(tell("problem.platform_missing"))
    console.print(worst_day(config))


def worst_day(config: Config) -> str:
    """What a day can cost if everybody asks for the dearest there is."""
    limits, currency = config.limits, config.settings.currency
    dearest = [model.cost(max(model.seconds)) for model in config.catalog.models]
    priced = all(model.price is not None for model in config.catalog.models)
    if limits.purse_videos is None and limits.purse_money is None:
        return tell("check.worst_unlimited")
    ceilings = [] if limits.purse_money is None else [limits.purse_money]
    if priced and limits.purse_videos is not None and dearest:
        ceilings.append(limits.purse_videos * max(dearest))
    if not ceilings:
        return tell("check.worst_videos", videos=limits.purse_videos)
    money = f"{min(ceilings) / MICRO:.2f} {currency}"
    return tell("check.worst_money", videos=limits.purse_videos, money=money)
