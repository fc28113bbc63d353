"""`zoetrope check`: print all mistakes, or what can run and the highest cost of a day."""

from pathlib import Path

from bot.cli import software, terminal
from bot.cli.run import obstacles
from bot.cli.words import tell
from bot.config import Config, load
from bot.config.money import UNLIMITED
from bot.core.accounts import Terms
from bot.core.prices import MICRO, money
from bot.core.quotas import Limits
from bot.net.guard import is_exposed


def check_config(file: Path | None) -> None:
    """Print the result. Raises `Misconfigured` (exit code 78) if nothing can run."""
    config = load(file)
    console = terminal.plain(soft_wrap=True)
    able = [offered(config)] if config.catalog.models else []
    said = (
        *(*what_can_run(config), *able, *remarks(config), worst_day(config)),
        *(*too_dear(config.terms, config.settings.currency), *accounts(config)),
    )
    for sentence in said:
        console.print(sentence)


def what_can_run(config: Config) -> list[str]:
    """Return sentences on whether `run` and `generate` can run, and what is missing."""
    models = len(config.catalog.models)
    missing = [problem.sentence("en") for problem in obstacles(config)]
    if not models:
        return [tell("check.no_model"), *missing]
    if not missing:
        return [tell("check.good", count=models)]
    return [tell("check.only_generate", count=models), tell("check.no_run"), *missing]


def offered(config: Config) -> str:
    """Return a sentence with all families and kinds that can be ordered at their gateways."""
    kinds: dict[str, list[str]] = {}
    for model in config.catalog.models:
        kinds.setdefault(model.label, []).extend(model.kinds)
    families = [
        f"{label} ({', '.join(tell(f'kind.{kind}') for kind in dict.fromkeys(each))})"
        for label, each in kinds.items()
    ]
    return tell("check.offered", families=", ".join(families))


def remarks(config: Config) -> list[str]:
    """Return sentences on defaults that the bot chose itself, and remarks on gateways."""
    gateways = config.settings.gateways
    said = []
    free = [name for name in gateways if name not in config.settings.claimed]
    if len(free) > 1 and config.settings.default_gateway is None:
        said.append(tell("check.default_gateway", gateway=free[0]))
    used = {model.gateway for terms in config.all_terms for model in terms.catalog.models}
    refunding = [name for name in gateways if name in used and gateways[name].refunds_failed]
    if refunding:
        said.append(tell("check.refunds", gateways=", ".join(refunding)))
    said += [
        tell("doctor.gateway_exposed", gateway=name, url=table.base_url)
        for name, table in gateways.items()
        if is_exposed(table.base_url)
    ]
    aside = [remark.sentence("en") for remark in config.remarks]
    return [*said, *software.unlikes(config), *aside]


def paid(config: Config) -> str:
    """Return the warning that videos in a room with real gateways cost money."""
    used = dict.fromkeys(model.gateway for model in config.catalog.models)
    return f"{tell('check.paid', gateways=', '.join(used))} {worst_day(config)}"


def accounts(config: Config) -> list[str]:
    """Return each community's limits, then the highest daily cost of each of their purses."""
    said, purses = [], dict[str, list[tuple[str, Terms]]]()
    for (platform, id_), terms in config.communities.items():
        name, gateway = f"{platform}:{id_}", terms.limits.purse.gateway
        said.append(tell("check.community", community=name, limits=_shown(terms.limits)))
        if gateway is not None:
            purses.setdefault(gateway, []).append((name, terms))
    for gateway, theirs in purses.items():
        named = ", ".join(name for name, _ in theirs)
        purse = tell("check.purse", gateway=gateway, communities=named)
        said.append(f"{purse} {_worst(theirs[0][1], config.settings.currency)}")
        said += too_dear(theirs[0][1], config.settings.currency)
    return said


def _shown(limits: Limits) -> str:
    """Return limits as the file spells them; a purse's limits only for a community's own purse."""
    money = limits.purse_money
    each: dict[str, float | None] = {
        "person_videos_per_day": limits.person_videos,
        "person_at_once": limits.person_at_once,
        "community_videos_per_day": limits.community_videos,
    }
    if limits.purse.gateway is not None:
        each["purse_videos_per_day"] = limits.purse_videos
        each["purse_money_per_day"] = None if money is None else money / MICRO
    written = {name: UNLIMITED if most is None else most for name, most in each.items()}
    return ", ".join(f"{name} = {most:.12g}" for name, most in written.items())


def worst_day(config: Config) -> str:
    """Return the operator's cost of a day if all orders are for the most expensive video."""
    return _worst(config.terms, config.settings.currency)


def too_dear(terms: Terms, currency: str) -> list[str]:
    """Return a warning about models whose video can cost more than the money per day, or []."""
    most, priced = terms.limits.purse_money, [m for m in terms.catalog.models if m.prices]
    dear = [model for model in priced if most is not None and model.dearest > most]
    if most is None or not dear:
        return []
    each = [
        tell(
            "check.between",
            model=model.name,
            least=f"{model.cheapest / MICRO:g}",
            most=money(model.dearest, currency),
        )
        for model in dear
    ]
    return [tell("check.too_dear", money=money(most, currency), models=", ".join(each))]


def _worst(terms: Terms, currency: str) -> str:
    limits, models = terms.limits, terms.catalog.models
    if 0 in (limits.person_videos, limits.person_at_once, limits.purse_videos, limits.purse_money):
        return tell("check.worst_nothing")
    dearest = [model.dearest for model in models]
    priced = all(model.prices for model in models)
    if limits.purse_videos is None and limits.purse_money is None:
        return tell("check.worst_unlimited")
    ceilings = [] if limits.purse_money is None else [limits.purse_money]
    if priced and limits.purse_videos is not None and dearest:
        ceilings.append(limits.purse_videos * max(dearest))
    if not ceilings:
        return tell("check.worst_videos", count=limits.purse_videos)
    worst = money(min(ceilings), currency)
    return tell("check.worst_money", videos=limits.purse_videos, money=worst)
