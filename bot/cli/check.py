"""`zoetrope check`: every mistake at once, or what can run and the worst day that this allows."""

from pathlib import Path

from rich.console import Console

from bot.cli.run import obstacles
from bot.cli.words import tell
from bot.config import Config, load
from bot.core.models import MICRO


def check_config(file: Path | None) -> None:
    """Print the outcome; where nothing can run at all, that ends in exit code 78."""
    config = load(file)
    console = Console(highlight=False, soft_wrap=True, markup=False)
    said = (*what_can_run(config), offered(config), *remarks(config), worst_day(config))
    for sentence in said:
        console.print(sentence)


def what_can_run(config: Config) -> list[str]:
    """Which commands have all they need, and what the others lack."""
    models = len(config.catalog.models)
    missing = [problem.sentence("en") for problem in obstacles(config)]
    if not missing:
        return [tell("check.good", count=models)]
    return [tell("check.only_generate", count=models), tell("check.no_run"), *missing]


def offered(config: Config) -> str:
    """Every family and what goes into it: what its gateway's dialect can't say is missing here."""
    kinds: dict[str, list[str]] = {}
    for model in config.catalog.models:
        kinds.setdefault(model.label, []).extend(model.kinds)
    families = [f"{label} ({', '.join(dict.fromkeys(each))})" for label, each in kinds.items()]
    return tell("check.offered", families=", ".join(families))


def remarks(config: Config) -> list[str]:
    """What nobody wrote down and the bot decides by itself."""
    gateways = config.settings.gateways
    said = []
    if len(gateways) > 1 and config.settings.default_gateway is None:
        said.append(tell("check.default_gateway", gateway=next(iter(gateways))))
    used = {model.gateway for model in config.catalog.models}
    refunding = [name for name in gateways if name in used and gateways[name].refunds_failed]
    if refunding:
        said.append(tell("check.refunds", gateways=", ".join(refunding)))
    return said


def paid(config: Config) -> str:
    """What to tell whoever may take a room over real gateways for a toy."""
    used = dict.fromkeys(model.gateway for model in config.catalog.models)
    return f"{tell('check.paid', gateways=', '.join(used))} {worst_day(config)}"


def worst_day(config: Config) -> str:
    """What a day can cost if everybody asks for the dearest there is."""
    limits, currency = config.limits, config.settings.currency
    dearest = [model.cost(model.longest) for model in config.catalog.models]
    priced = all(model.price is not None for model in config.catalog.models)
    if limits.purse_videos is None and limits.purse_money is None:
        return tell("check.worst_unlimited")
    ceilings = [] if limits.purse_money is None else [limits.purse_money]
    if priced and limits.purse_videos is not None and dearest:
        ceilings.append(limits.purse_videos * max(dearest))
    if not ceilings:
        return tell("check.worst_videos", count=limits.purse_videos)
    money = f"{min(ceilings) / MICRO:.2f} {currency}"
    return tell("check.worst_money", videos=limits.purse_videos, money=money)
