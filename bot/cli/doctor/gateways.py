"""What each gateway says of its key: whether it works, which models it has, what is left on it."""

from collections.abc import AsyncIterator, Iterable

from bot.cli.doctor import clock
from bot.cli.doctor.findings import Finding, Mark
from bot.cli.words import explain
from bot.config import Config
from bot.core.errors import BotError
from bot.gateways.meanings import PACKAGED
from bot.gateways.survey import Balance, is_exposed, survey


async def look(config: Config) -> AsyncIterator[Finding]:
    """The findings, gateway by gateway; none of the questions costs anything."""
    for name, table in config.settings.gateways.items():
        if is_exposed(table.base_url):
            yield Finding.problem("doctor.gateway_exposed", gateway=name, url=table.base_url)
        try:
            own = PACKAGED.under([answer.row(name) for answer in table.answers])
            seen = await survey(table.base_url, table.api_key.get_secret_value(), meanings=own)
        except BotError as error:
            trouble = explain(error)
            yield Finding.problem("doctor.gateway_trouble", gateway=name, trouble=trouble)
            continue
        yield Finding.ok("doctor.gateway", gateway=name)
        offered = (model for terms in config.all_terms for model in terms.catalog.models)
        wanted = dict.fromkeys(model.name for model in offered if model.gateway == name)
        yield models(name, wanted, seen.models)
        yield balance(name, seen.balance)
        drift = clock.compared(name, seen.date, now=seen.received)
        if drift and drift.mark is Mark.PROBLEM:
            yield drift


def models(gateway: str, wanted: Iterable[str], had: Iterable[str] | None) -> Finding:
    """Whether the key has all that people are offered."""
    if had is None:
        return Finding.note("doctor.models_unlisted", gateway=gateway)
    lacking = sorted(set(wanted) - set(had))
    if lacking:
        return Finding.problem(
            "doctor.models_lacking", gateway=gateway, models=", ".join(lacking), one=lacking[0]
        )
    return Finding.ok("doctor.models", gateway=gateway)


def balance(gateway: str, left: Balance | None) -> Finding:
    """Whether anything is left."""
    if left is None:
        return Finding.note("doctor.balance_untold", gateway=gateway)
    if left.is_spent:
        return Finding.problem("doctor.balance_spent", gateway=gateway)
    if left.available is None:
        return Finding.ok("doctor.balance_unlimited", gateway=gateway)
    return Finding.ok("doctor.balance", gateway=gateway, units=left.available)
