"""Set up the gateway: address, key, software, models and their prices."""

import asyncio
from collections.abc import Sequence

from pydantic import TypeAdapter, ValidationError

from bot.cli import software
from bot.cli.init import prices
from bot.cli.init.answer import Wrong, good, secret
from bot.cli.init.draft import Draft
from bot.cli.init.talk import Skipped, Talk
from bot.cli.words import tell
from bot.config import Misconfigured
from bot.config.discoveries import keep
from bot.config.problems import problems_of
from bot.config.settings import (
    UNLIMITED,
    AnswerTable,
    Gateway,
    api_key,
    gateway_address,
    is_key,
    unquoted,
)
from bot.core.errors import GatewayMoved
from bot.core.models import Model
from bot.gateways.survey import Survey, find, survey
from bot.gateways.table import PACKAGED, Meanings
from bot.gateways.which import DIALECTS, UNKNOWN
from bot.net.guard import is_exposed

OPENAI = "api.openai.com"
CAN_BE = ("new-api", "documented", "openai")
"""Dialects, the default first."""
DEFAULT = ("default_model",)


def set_up(talk: Talk, draft: Draft) -> None:
    """Ask until a gateway accepts the key; then choose among its models."""
    name = draft.gateway
    talk.say("init.gateway")
    seen = _found(talk, draft, name)
    if seen.balance is not None and seen.balance <= 0:
        talk.say("doctor.balance_spent", gateway=name)
    _identify(talk, draft, name, seen)
    _models(talk, draft, name, seen)
    choose_default(talk, draft)


def _found(talk: Talk, draft: Draft, name: str) -> Survey:
    """Ask for address and key until a survey succeeds; the address can be corrected later.

    A wrong address may belong to a working gateway; only the key shows the mistake.
    """
    key = ("gateways", name, "base_url")
    url = _address(talk, draft, name, given=draft.get(*key))
    while True:
        try:
            return _key(talk, draft, name, url)
        except Skipped:
            draft.check_ours(*key)
            before, url = url, _address(talk, draft, name, given=None, present=url)
            respell(draft, name, before=before, url=url)


def _address(
    talk: Talk, draft: Draft, name: str, *, given: object, present: str | None = None
) -> str:
    key = ("gateways", name, "base_url")

    def ask(wrong: Wrong | None) -> str:
        near = present
        if isinstance(wrong, GatewayMoved):
            near = str(wrong.values["to"])
        return talk.ask_line("init.ask_address", default=near)

    url, _ = good(
        talk,
        draft,
        *key,
        given=given,
        ask=ask,
        read=lambda said: gateway_address(_with_scheme(said)),
        test=lambda url: asyncio.run(find(url)),
    )
    talk.say("init.gateway_found", url=url)
    if is_exposed(url):
        talk.say("doctor.gateway_exposed", gateway=name, url=url)
    draft.put(url, *key)
    if OPENAI in url and draft.get("gateways", name, "dialect") is None:
        draft.put("openai", "gateways", name, "dialect")
    return url


def respell(draft: Draft, name: str, *, before: str, url: str) -> None:
    """Reset the dialect `openai` if the address is no longer OpenAI's."""
    key = ("gateways", name, "dialect")
    if OPENAI in before and OPENAI not in url and draft.get(*key) == "openai":
        draft.put(str(Gateway.model_fields["dialect"].default), *key)


def _with_scheme(said: str) -> str:
    address = unquoted(said)
    if "://" in address or is_key(address):
        return address
    inward = address.startswith(("localhost", "127.", "[::1]"))
    return f"{'http' if inward else 'https'}://{address}"


def _key(talk: Talk, draft: Draft, name: str, url: str) -> Survey:
    key = ("gateways", name, "api_key")
    own = configured_meanings(draft, name)
    _, seen = secret(
        talk,
        draft,
        *key,
        ask=lambda: talk.ask_secret_or_skip("init.ask_key"),
        read=api_key,
        test=lambda given: asyncio.run(survey(url, given, meanings=own)),
    )
    talk.say("init.key_good")
    return seen


def configured_meanings(draft: Draft, name: str) -> Meanings:
    """Return the table of answers with the configured rows. Raises on invalid rows."""
    rows = draft.get("gateways", name, "answers") or ()
    try:
        tables = TypeAdapter(tuple[AnswerTable, ...]).validate_python(rows)
    except ValidationError as error:
        raise Misconfigured(list(problems_of(error, prefix=f"gateways.{name}.answers"))) from error
    return PACKAGED.under([table.row(name) for table in tables])


def _identify(talk: Talk, draft: Draft, gateway: str, seen: Survey) -> None:
    """Find out and store the software; set its dialect unless one is configured."""
    config = draft.usable()
    table = config.settings.gateways[gateway]
    given = table.api_key.get_secret_value()
    found = asyncio.run(software.find_out(table.base_url, given, seen))
    talk.say("init.software", software=software.name(found))
    key = ("gateways", gateway, "dialect")
    if draft.get(*key) is None:
        fitting = DIALECTS.get(found.software) or talk.ask_choice("init.ask_dialect", CAN_BE)
        if found.software == UNKNOWN or fitting != CAN_BE[0]:
            draft.put(fitting, *key)
    spoken = draft.usable().settings.gateways[gateway].dialect
    if said := software.unlike(gateway, found, spoken):
        talk.print(said)
    keep(config.data_dir, gateway, found)
    if said := software.repeats(gateway, found):
        talk.print(said)
    for said in software.held(draft.usable(), gateway):
        talk.print(said)


def _models(talk: Talk, draft: Draft, gateway: str, seen: Survey) -> None:
    """Print the models that the key has, and hide the others."""
    known = _offered(draft, gateway)
    if seen.models is not None and _show_again(talk, draft, gateway, seen.models):
        known = _offered(draft, gateway)
    if seen.models is None:
        talk.say("init.models_unlisted", models=_listed(known))
        return
    had = [model for model in known if model.name in seen.models]
    if not had:
        listed = ", ".join(seen.models[:10]) or tell("init.nothing")
        talk.say("init.models_none", models=_listed(known), listed=listed)
        return
    talk.say("init.models", models=_listed(had))
    lacking = [model for model in known if model.name not in seen.models]
    if lacking:
        talk.say("init.models_hidden", models=_listed(lacking), file=str(draft.file))
    for model in lacking:
        draft.put(True, "models", model.name, "hidden")


def _show_again(talk: Talk, draft: Draft, gateway: str, had: Sequence[str]) -> bool:
    """Show models again that an earlier key lacked: tables with only `hidden`, written by `init`.

    With a limit in money each model needs a price, so the price is asked for first.
    """
    if draft.get("default_gateway") not in (None, gateway):
        return False
    settings = draft.usable().settings
    ours = [name for name in had if settings.models.get(name) == {"hidden": True}]
    shown = ours
    if settings.limits.purse_money_per_day != UNLIMITED:
        shown = []
        for name, price in prices.ask(talk, ours, settings.currency):
            draft.put(price, "models", name, "price")
            shown.append(name)
        if unpriced := [name for name in ours if name not in shown]:
            talk.say("init.models_unpriced", models=", ".join(unpriced))
    for name in shown:
        draft.put(False, "models", name, "hidden")
    if shown:
        talk.say("init.models_shown", models=", ".join(shown), file=str(draft.file))
    return bool(shown)


def _offered(draft: Draft, gateway: str) -> list[Model]:
    return [model for model in draft.usable().catalog.models if model.gateway == gateway]


def _listed(models: Sequence[Model]) -> str:
    return ", ".join(f"{model.label} ({model.name})" for model in models)


def choose_default(talk: Talk, draft: Draft) -> None:
    """Ask for the default model if none is set. The catalog lists the best models first."""
    catalog = draft.usable().catalog
    given = draft.get(*DEFAULT)
    if given in catalog.families:
        return
    if given is not None:
        talk.say("init.default_gone", family=str(given))
        draft.check_ours(*DEFAULT)
    labels = {catalog.label(family): family for family in catalog.families}
    if len(labels) > 1:
        chosen = labels[talk.ask_choice("init.ask_default", list(labels))]
    else:
        chosen = next(iter(labels.values()))
    draft.put(chosen, *DEFAULT)
    talk.say("init.default", family=catalog.label(chosen))
