"""`zoetrope models --gateway NAME`: what is known of each model of a gateway, and from where."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bot import control, log
from bot.cli import drawing, terminal
from bot.cli.models import NONE
from bot.cli.words import tell
from bot.config import Config, completed, load
from bot.config.discoveries import Found, now
from bot.config.listing import listed as stored
from bot.config.standing import Standing, standings
from bot.core.choosing import listed
from bot.core.errors import Refused
from bot.core.models import Origin
from bot.gateways.dialects import DIALECTS
from bot.gateways.offers.asking import list_of
from bot.i18n import printable

_SOURCES = {
    Origin.YOURS: "offers.from_yours",
    Origin.CATALOG: "offers.from_catalog",
    Origin.LIST: "offers.from_list",
    Origin.GUESS: "offers.from_guess",
}
MOST = 200
"""The most models that are shown one by one."""
_PIXELS = '{ 720p = { "16:9" = "1280x720", "9:16" = "720x1280" } }'
_QUALITIES = '{ 720p = { "16:9" = "720p", "9:16" = "720p" } }'
_EXAMPLES = {
    "family": '"my-family"',
    "kinds": '["t2v"]',
    "seconds": "[5, 10]",
    "prompt_limit": "2000",
    "price": "0.1",
    "picture": '{ transport = "upload" }',
}
"""A value for each fact that can be missing, as the configuration file spells it."""


def show_gateway(
    file: Path | None, gateway: str, *, refresh: bool = False, as_json: bool = False
) -> None:
    """Print the models of a gateway. `refresh`: read the gateway's own list first, free of charge.

    Raises `Refused("gateway_unknown")` and `BotError` if the list can't be read.
    """
    config = load(file)
    log.configure(level="ERROR", secrets=config.secrets)
    if gateway not in config.settings.gateways:
        known = ", ".join(config.settings.gateways)
        raise Refused("gateway_unnamed", gateway=gateway, can=known)
    if refresh:
        config = asyncio.run(refreshed(config, gateway))
    found, models = config.found.get(gateway), standings(config, gateway)
    if as_json:
        drawing.as_json(_facts(config, gateway, models))
        return
    console = terminal.plain(soft_wrap=True)
    for line in _lines(config, gateway, found, models):
        console.print(line)


async def refreshed(config: Config, gateway: str) -> Config:
    """Read the gateway's list: by the running service, or here without one."""
    values = {"gateway": gateway}
    if await control.ask(config.data_dir, "gateways.refresh", values) is not None:
        return completed(config.written)
    table = config.settings.gateways[gateway]
    offers = await list_of(table.base_url, table.key, table.dialect)
    return stored(config, gateway, offers, now())


# --- the text ------------------------------------------------------------------------------------


def _lines(
    config: Config, gateway: str, found: Found | None, models: Sequence[Standing]
) -> Iterator[str]:
    offered = [each for each in models if each.is_offered]
    others = [each for each in models if not each.is_offered and not each.is_hidden]
    dialect = config.settings.gateways[gateway].dialect
    yield tell("offers.heading", gateway=gateway, dialect=dialect, count=len(offered))
    yield from _about_list(gateway, found)
    for each in offered[:MOST]:
        yield ""
        yield printable(f"{each.label} ({each.model})")
        yield from _known(config, each, found)
    if others:
        yield ""
        yield tell("offers.others", count=len(others))
    for each in others[:MOST]:
        yield ""
        yield printable(f"{each.label} ({each.model})" if each.label else each.model)
        yield from _known(config, each, found)
        yield from _why(gateway, each)
    if len(offered) > MOST or len(others) > MOST:
        yield tell("offers.more", count=max(len(offered), len(others)) - MOST)
    yield from _example(others, dialect)


def _about_list(gateway: str, found: Found | None) -> Iterator[str]:
    at = _date(found)
    yield tell("offers.list", at=at) if at else tell("offers.unread", gateway=gateway)
    if found and found.doubted:
        yield tell("offers.doubted", gateway=gateway)


def _date(found: Found | None) -> str:
    if found is None or found.models is None:
        return ""
    return f"{found.listed_at or found.at:%Y-%m-%d}"


def _known(config: Config, each: Standing, found: Found | None) -> Iterator[str]:
    """Yield a line for each known fact: its name, its value, and where it comes from."""
    for fact, value in each.facts.items():
        name = tell(f"offers.{fact}")
        origin = each.origins.get(fact, Origin.CATALOG)
        source = tell(_SOURCES[origin], at=_date(found))
        shown = _shown(fact, value, config.settings.currency)
        yield printable(f"  {name:10} {shown:34} {source}")


def _shown(fact: str, value: object, currency: str) -> str:
    if fact == "price":
        return _price(value, currency)
    if fact == "seconds" and isinstance(value, list | tuple):
        return listed(sorted(value, key=str) if _is_mixed(value) else sorted(value))
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or NONE
    return str(value)


def _is_mixed(values: Sequence[object]) -> bool:
    return any(not isinstance(each, int) for each in values)


def _price(value: object, currency: str) -> str:
    """Return the range of the prices of a second."""
    each = list(value.values()) if isinstance(value, Mapping) else [value]
    known = sorted({price for price in each if isinstance(price, int | float)})
    shown = dict.fromkeys(f"{price:g}" for price in known[:1] + known[-1:])
    return f"{f' {NONE} '.join(shown)} {currency}"


def _why(gateway: str, each: Standing) -> Iterator[str]:
    """Yield why a model is not offered, and what to do."""
    if each.missing:
        yield "  " + tell("offers.missing", facts=", ".join(each.missing))
    if each.guesses:
        facts = ", ".join(each.guesses)
        yield "  " + tell("offers.guessed", facts=facts, gateway=gateway)
    for problem in each.wrong:
        yield "  " + problem.sentence("en")


def _example(others: Sequence[Standing], dialect: str) -> Iterator[str]:
    """Yield a table for the configuration that adds the missing facts of the first such model."""
    lacking = next((each for each in others if each.missing), None)
    if lacking is None:
        return
    yield ""
    yield tell("offers.add")
    yield f"  [models.{json.dumps(lacking.model)}]"
    sizes = DIALECTS[dialect].base.get("places", {}).get("size", ["size"])
    examples = {**_EXAMPLES, "sizes": _PIXELS if sizes == ["size"] else _QUALITIES}
    yield from (f"  {key} = {examples[key]}" for key in lacking.missing)


# --- for programs --------------------------------------------------------------------------------


def _facts(config: Config, gateway: str, models: Sequence[Standing]) -> Mapping[str, object]:
    found, offers = config.found.get(gateway), config.offers.get(gateway, {})
    at = (found.listed_at or found.at) if found and found.models is not None else None
    return {
        "gateway": gateway,
        "dialect": config.settings.gateways[gateway].dialect,
        "base_url": config.settings.gateways[gateway].base_url,
        "list_of": at.isoformat() if at else None,
        "list_doubted": bool(found and found.doubted),
        "currency": config.settings.currency,
        "models": [
            {
                "model": each.model,
                "label": each.label,
                "offered": each.is_offered,
                "hidden": each.is_hidden,
                "listed": each.model in offers or each.model in ((found and found.models) or ()),
                "facts": {
                    fact: {"value": value, "from": each.origins.get(fact, "catalog")}
                    for fact, value in each.facts.items()
                },
                "passthrough": offers[each.model].passthrough if each.model in offers else (),
                "missing": each.missing,
                "guesses": each.guesses,
                "wrong": [problem.sentence("en") for problem in each.wrong],
            }
            for each in models
        ],
    }
