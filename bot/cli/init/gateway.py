"""Set up the gateway: address, key, software, models and their prices."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from pydantic import TypeAdapter, ValidationError

from bot.cli import software
from bot.cli.init import prices
from bot.cli.init.answer import Wrong, good, secret
from bot.cli.init.setup import Setup
from bot.cli.init.talk import Skipped, Talk
from bot.cli.words import explain, tell
from bot.config import Misconfigured
from bot.config.discoveries import keep, now
from bot.config.listing import listed
from bot.config.money import UNLIMITED
from bot.config.pasted import api_key, gateway_address, is_key, unquoted
from bot.config.problems import problems_of
from bot.config.settings import (
    AnswerTable,
    Gateway,
)
from bot.core.errors import BotError, GatewayMoved
from bot.core.models import Model
from bot.gateways.dialects import DIALECTS
from bot.gateways.offers.asking import list_of
from bot.gateways.survey import Survey, find, survey
from bot.gateways.table import PACKAGED, Meanings
from bot.gateways.which import FITTING, UNKNOWN, software_of
from bot.net.guard import is_exposed

OPENAI = "api.openai.com"
CAN_BE = tuple(DIALECTS)
"""Dialects, the default first."""
DEFAULT = ("default_model",)


def set_up(talk: Talk, setup: Setup) -> None:
    """Ask until a gateway accepts the key; then choose among its models."""
    name = setup.gateway
    talk.say("init.gateway")
    seen = _found(talk, setup, name)
    if seen.balance is not None and seen.balance <= 0:
        talk.say("doctor.balance_spent", gateway=name)
    _identify(talk, setup, name, seen)
    seen = _listing(talk, setup, name, seen)
    _models(talk, setup, name, seen)
    choose_default(talk, setup)


def _found(talk: Talk, setup: Setup, name: str) -> Survey:
    """Ask for the gateway's address and key until both work; return the survey of the gateway.

    An operator who skips the question for the key is asked for the address again: the address may
    be that of another gateway, which only the refused key shows.
    """
    key = ("gateways", name, "base_url")
    url = _address(talk, setup, name, given=setup.get(*key))
    while True:
        if seen := _keyless(talk, setup, name, url):
            return seen
        try:
            return _key(talk, setup, name, url)
        except Skipped:
            setup.check_ours(*key)
            before, url = url, _address(talk, setup, name, given=None, present=url)
            respell(setup, name, before=before, url=url)


def _address(
    talk: Talk, setup: Setup, name: str, *, given: object, present: str | None = None
) -> str:
    key = ("gateways", name, "base_url")

    def ask(wrong: Wrong | None) -> str:
        near = present
        if isinstance(wrong, GatewayMoved):
            near = str(wrong.values["to"])
        return talk.ask_line("init.ask_address", default=near)

    url, _ = good(
        talk,
        setup,
        *key,
        given=given,
        ask=ask,
        read=lambda said: gateway_address(_with_scheme(said)),
        test=lambda url: asyncio.run(find(url)),
    )
    talk.say("init.gateway_found", url=url)
    if is_exposed(url):
        talk.say("doctor.gateway_exposed", gateway=name, url=url)
    setup.put(url, *key)
    if OPENAI in url and setup.get("gateways", name, "dialect") is None:
        setup.put("openai", "gateways", name, "dialect")
    return url


def respell(setup: Setup, name: str, *, before: str, url: str) -> None:
    """Reset the dialect `openai` if the address is no longer OpenAI's."""
    key = ("gateways", name, "dialect")
    if OPENAI in before and OPENAI not in url and setup.get(*key) == "openai":
        setup.put(str(Gateway.model_fields["dialect"].default), *key)


def _with_scheme(said: str) -> str:
    address = unquoted(said)
    if "://" in address or is_key(address):
        return address
    inward = address.startswith(("localhost", "127.", "[::1]"))
    return f"{'http' if inward else 'https'}://{address}"


def _keyless(talk: Talk, setup: Setup, name: str, url: str) -> Survey | None:
    """Return the survey of a server that needs no key, and set its dialect; None if it needs one.

    A server that has a key, or is configured with one, is asked as any gateway.
    """
    key = ("gateways", name, "dialect")
    if setup.get("gateways", name, "api_key") is not None:
        return None
    try:
        seen = asyncio.run(survey(url, ""))
    except BotError:
        return None
    fitting = FITTING.get(software_of(seen.answers).software, "")
    dialect = DIALECTS.get(setup.get(*key) or fitting)
    if dialect is None or not dialect.keyless:
        return None
    setup.put(dialect.name, *key)
    talk.say("init.keyless")
    return seen


def _key(talk: Talk, setup: Setup, name: str, url: str) -> Survey:
    key = ("gateways", name, "api_key")
    own = configured_meanings(setup, name)
    _, seen = secret(
        talk,
        setup,
        *key,
        ask=lambda: talk.ask_secret_or_skip("init.ask_key"),
        read=api_key,
        test=lambda given: asyncio.run(survey(url, given, meanings=own)),
    )
    talk.say("init.key_good")
    return seen


def configured_meanings(setup: Setup, name: str) -> Meanings:
    """Return the table of answers with the configured rows. Raises on invalid rows."""
    rows = setup.get("gateways", name, "answers") or ()
    try:
        tables = TypeAdapter(tuple[AnswerTable, ...]).validate_python(rows)
    except ValidationError as error:
        raise Misconfigured(list(problems_of(error, prefix=f"gateways.{name}.answers"))) from error
    return PACKAGED.under([table.row(name) for table in tables])


def _identify(talk: Talk, setup: Setup, gateway: str, seen: Survey) -> None:
    """Find out and store the software; set its dialect unless one is configured."""
    config = setup.usable()
    table = config.settings.gateways[gateway]
    given = table.key
    found = asyncio.run(software.find_out(table.base_url, given, seen))
    talk.say("init.software", software=software.name(found))
    key = ("gateways", gateway, "dialect")
    if setup.get(*key) is None:
        fitting = FITTING.get(found.software) or talk.ask_choice("init.ask_dialect", CAN_BE)
        if found.software == UNKNOWN or fitting != CAN_BE[0]:
            setup.put(fitting, *key)
    spoken = setup.usable().settings.gateways[gateway].dialect
    if said := software.unlike(gateway, found, spoken):
        talk.print(said)
    if gateway in setup.usable().offers:  # `/v1/models` is no list of videos here
        found = found.model_copy(update={"models": None})
    keep(config.data_dir, gateway, found)
    if said := software.repeats(gateway, found):
        talk.print(said)
    for said in software.held(setup.usable(), gateway):
        talk.print(said)


def _listing(talk: Talk, setup: Setup, gateway: str, seen: Survey) -> Survey:
    """Read and store the list that builds the catalog; return the survey with its models."""
    config = setup.usable()
    if gateway not in config.offers:
        return seen
    table = config.settings.gateways[gateway]
    key = table.key
    try:
        offers = asyncio.run(list_of(table.base_url, key, table.dialect))
    except BotError as error:
        talk.print(explain(error))
        return replace(seen, models=None)
    listed(config, gateway, offers, now())
    return replace(seen, models=tuple(offer.model for offer in offers))


def _models(talk: Talk, setup: Setup, gateway: str, seen: Survey) -> None:
    """Print the models that the key has, and hide the others."""
    known = _offered(setup, gateway)
    if seen.models is not None and _show_again(talk, setup, gateway, seen.models):
        known = _offered(setup, gateway)
    if seen.models is None:
        talk.say("init.models_unlisted", models=_listed(known))
        return
    had = [model for model in known if model.name in seen.models]
    if not had:
        listed = ", ".join(seen.models[:10]) or tell("init.nothing")
        if gateway in setup.usable().offers:
            talk.say("init.models_unready", listed=listed, gateway=gateway, file=str(setup.file))
        else:
            talk.say("init.models_none", models=_listed(known), listed=listed)
        return
    talk.say("init.models", models=_listed(had))
    lacking = [model for model in known if model.name not in seen.models]
    if lacking:
        talk.say("init.models_hidden", models=_listed(lacking), file=str(setup.file))
    for model in lacking:
        setup.put(True, "models", model.name, "hidden")


def _show_again(talk: Talk, setup: Setup, gateway: str, had: Sequence[str]) -> bool:
    """Show models again that an earlier key lacked: tables with only `hidden`, written by `init`.

    With a limit in money each model needs a price, so the price is asked for first.
    """
    if setup.get("default_gateway") not in (None, gateway):
        return False
    settings = setup.usable().settings
    ours = [name for name in had if settings.models.get(name) == {"hidden": True}]
    shown = ours
    if settings.limits.purse_money_per_day != UNLIMITED:
        shown = []
        for name, price in prices.ask(talk, ours, settings.currency):
            setup.put(price, "models", name, "price")
            shown.append(name)
        if unpriced := [name for name in ours if name not in shown]:
            talk.say("init.models_unpriced", models=", ".join(unpriced))
    for name in shown:
        setup.put(False, "models", name, "hidden")
    if shown:
        talk.say("init.models_shown", models=", ".join(shown), file=str(setup.file))
    return bool(shown)


def _offered(setup: Setup, gateway: str) -> list[Model]:
    return [model for model in setup.usable().catalog.models if model.gateway == gateway]


def _listed(models: Sequence[Model]) -> str:
    return ", ".join(f"{model.label} ({model.name})" for model in models)


def choose_default(talk: Talk, setup: Setup) -> None:
    """Ask for the default model if none is set. The catalog lists the best models first."""
    catalog = setup.usable().catalog
    given = setup.get(*DEFAULT)
    if given in catalog.families:
        return
    if given is not None:
        talk.say("init.default_gone", family=str(given))
        setup.check_ours(*DEFAULT)
    if not catalog.families:
        talk.say("models.none")
        return
    labels = {catalog.described(family): family for family in catalog.families}
    if len(labels) > 1:
        chosen = labels[talk.ask_choice("init.ask_default", list(labels))]
    else:
        chosen = next(iter(labels.values()))
    setup.put(chosen, *DEFAULT)
    talk.say("init.default", family=catalog.label(chosen))
