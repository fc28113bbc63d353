"""Check each gateway: its key, models, balance and software.

The findings are stored for all commands that load the configuration.
"""

import math
from collections.abc import AsyncIterator, Collection, Iterable, Iterator

from bot.cli import software
from bot.cli.doctor import clock
from bot.cli.doctor.findings import Finding, Mark
from bot.cli.words import explain
from bot.cli.words import listed as named
from bot.config import Config, Misconfigured, completed
from bot.config.discoveries import Found, keep, now
from bot.config.held import known_models
from bot.config.listing import listed
from bot.config.standing import standings
from bot.core.errors import BotError
from bot.gateways.offers.asking import list_of
from bot.gateways.survey import Survey, survey
from bot.gateways.table import PACKAGED
from bot.net.guard import is_exposed


async def check(config: Config) -> AsyncIterator[Finding]:
    """Yield the findings, gateway by gateway. All requests are free of charge."""
    for name, table in config.settings.gateways.items():
        if is_exposed(table.base_url):
            yield Finding.problem("doctor.gateway_exposed", gateway=name, url=table.base_url)
        try:
            own = PACKAGED.under([answer.row(name) for answer in table.answers])
            seen = await survey(table.base_url, table.key, meanings=own)
        except BotError as error:
            trouble = explain(error)
            yield Finding.problem("doctor.gateway_trouble", gateway=name, trouble=trouble)
            continue
        yield Finding.ok("doctor.gateway" if table.key else "doctor.keyless", gateway=name)
        last = config.found.get(name)
        try:
            config, found = await identified(config, name, seen)
        except BotError as error:
            yield Finding.of(error)
        except Misconfigured as wrong:
            for problem in wrong.problems:
                yield Finding(Mark.PROBLEM, problem.sentence("en"))
        else:
            for finding in (*about_software(config, name, found, last), *listing(config, name)):
                yield finding
        offered = (model for terms in config.all_terms for model in terms.catalog.models)
        wanted = dict.fromkeys(model.name for model in offered if model.gateway == name)
        yield models(name, wanted, _names(config, name, seen))
        yield balance(name, seen.balance)
        drift = clock.compared(name, seen.date, now=seen.received)
        if drift and drift.mark is Mark.PROBLEM:
            yield drift


async def identified(config: Config, name: str, seen: Survey) -> tuple[Config, Found]:
    """Find out and store the gateway's software; return the new configuration and the finding."""
    table = config.settings.gateways[name]
    found = await software.find_out(table.base_url, table.key, seen)
    last = config.found.get(name)
    if name not in config.offers:
        found = keep(config.data_dir, name, found)
        return completed(config.written), found
    # What is asked at `/v1/models` is no list of videos here.
    keep(config.data_dir, name, found.model_copy(update={"models": last and last.models}))
    offers = await list_of(table.base_url, table.key, table.dialect)
    config = listed(config, name, offers, now())
    return config, config.found[name]


def _names(config: Config, name: str, seen: Survey) -> tuple[str, ...] | None:
    """Return the names of the gateway's models for videos; None if it does not list them."""
    if name not in config.offers:
        return seen.models
    stored = config.found.get(name)
    return stored.models if stored else None


def listing(config: Config, name: str) -> Iterator[Finding]:
    """Yield what the gateway's own list adds to the catalog, and whether it is believed."""
    if name not in config.offers:
        return
    models = standings(config, name)
    offered = sum(each.is_offered for each in models)
    others = sum(not each.is_offered and not each.is_hidden for each in models)
    yield Finding.note("doctor.list", gateway=name, offered=offered, others=others)
    if config.found[name].doubted:
        yield Finding.problem("offers.doubted", gateway=name)


def about_software(
    config: Config, gateway: str, found: Found, last: Found | None
) -> Iterator[Finding]:
    """Yield the gateway's software and since when, its changes, and the held-back kinds."""
    runs, since = software.name(found), f"{found.since:%Y-%m-%d}"
    yield Finding.note("which.found", gateway=gateway, software=runs, since=since)
    if last is not None:
        yield from _changes(gateway, found, last, known_models(config.settings))
    if said := software.unlike(gateway, found, config.settings.gateways[gateway].dialect):
        yield Finding(Mark.PROBLEM, said)
    if relay := software.old(gateway, found, config):
        yield Finding(Mark.NOTE, relay)
    if said := software.repeats(gateway, found):
        yield Finding(Mark.NOTE, said)
    if held := software.held(config, gateway):
        yield from (Finding(Mark.NOTE, each) for each in held)
        if not relay:
            yield Finding.note("which.how", gateway=gateway)


def _changes(gateway: str, found: Found, last: Found, ours: Collection[str]) -> Iterator[Finding]:
    at = f"{last.at:%Y-%m-%d}"
    if found.kind != last.kind:
        yield Finding.note("which.changed", gateway=gateway, before=software.name(last), at=at)
    if found.models is None or last.models is None:
        return
    came, went = set(found.models) - set(last.models), set(last.models) - set(found.models)
    for id_, names in (("which.came", came), ("which.went", went)):
        if changed := sorted(names.intersection(ours)):
            yield Finding.note(id_, gateway=gateway, at=at, models=named(changed))


def models(gateway: str, wanted: Iterable[str], had: Iterable[str] | None) -> Finding:
    """Check whether the key has all models that people are offered."""
    if had is None:
        return Finding.note("doctor.models_unlisted", gateway=gateway)
    lacking = sorted(set(wanted) - set(had))
    if lacking:
        return Finding.problem(
            "doctor.models_lacking", gateway=gateway, models=", ".join(lacking), one=lacking[0]
        )
    return Finding.ok("doctor.models", gateway=gateway)


def balance(gateway: str, left: float | None) -> Finding:
    """Check whether the balance has money left."""
    if left is None:
        return Finding.note("doctor.balance_untold", gateway=gateway)
    if left <= 0:
        return Finding.problem("doctor.balance_spent", gateway=gateway)
    if left == math.inf:
        return Finding.ok("doctor.balance_unlimited", gateway=gateway)
    return Finding.ok("doctor.balance", gateway=gateway, units=left)
