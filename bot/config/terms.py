"""The operator's limits, and the terms of communities that have their own.

A community pays for the gateway that it names. All its orders go to that gateway, whichever
gateway a model names, and no other orders go there. So the gateway of a row tells its purse.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from bot.config.catalog import resolve
from bot.config.money import UNLIMITED
from bot.config.offered import NOTHING, Offers
from bot.config.problems import Problem
from bot.config.settings import Community, Limits, Settings
from bot.core import quotas
from bot.core.accounts import Terms
from bot.core.catalog import Catalog
from bot.core.prices import MICRO
from bot.core.quotas import Purse

PURSE = ("purse_videos_per_day", "purse_money_per_day")
_NAME = re.compile(r"discord:[1-9]\d{16,19}|telegram:-[1-9]\d{0,18}")
"""Ids of Discord servers and Telegram groups. Private chats are not communities."""


def general(settings: Settings) -> quotas.Limits:
    """Return the general limits, with the operator's purse."""
    return _core(settings.limits, settings, Purse(others=settings.claimed))


def communities(
    settings: Settings, catalog: Catalog, offers: Offers = NOTHING
) -> tuple[dict[tuple[str, str], Terms], list[Problem]]:
    """Return the terms of each configured community, and all problems.

    `catalog` is the operator's.
    """
    found = [
        *(problem for name, it in settings.communities.items() for problem in _wrong(name, it)),
        *_torn(settings),
    ]
    terms: dict[tuple[str, str], Terms] = {}
    for name, community in settings.communities.items():
        given = _limits(community, settings)
        own, purse = catalog, Purse(others=settings.claimed)
        if community.gateway in settings.gateways:
            own, faults = _at(settings, community.gateway, given, offers)
            purse = Purse(gateway=community.gateway)
            found += faults
        elif community.gateway is not None:
            can = ", ".join(settings.gateways)
            named = {"given": community.gateway, "can": can}
            found.append(Problem(f"communities.{name}.gateway", "gateway_unknown", named))
        platform, _, id_ = name.partition(":")
        terms[platform, id_] = Terms(catalog=own, limits=_core(given, settings, purse))
    return terms, found


def alone(settings: Settings, gateway: str, limits: Limits, offers: Offers) -> Settings:
    """Return the settings as if `gateway` were the only one, whichever gateway models name.

    A table that only adds to another gateway's list says nothing of a gateway without such a list.
    """
    models: Mapping[str, dict[str, Any]] = {
        name: {key: value for key, value in table.items() if key != "gateway"}
        for name, table in settings.models.items()
        if gateway in offers or table.get("gateway", settings.own_gateway) not in offers
    }
    changed: dict[str, Any] = {
        "gateways": {gateway: settings.gateways[gateway]},
        "communities": {},
        "default_gateway": None,
        "default_model": None,
        "models": models,
        "limits": limits,
    }
    return settings.model_copy(update=changed)


def _at(
    settings: Settings, gateway: str, limits: Limits, offers: Offers
) -> tuple[Catalog, list[Problem]]:
    """Return the catalog as if `gateway` were the only one, whichever gateway models name."""
    catalog, found = resolve(alone(settings, gateway, limits, offers), offers)
    wanted = settings.default_model
    return replace(catalog, default=wanted if wanted in catalog.families else None), found


def _limits(community: Community, settings: Settings) -> Limits:
    named = community.model_fields_set & Limits.model_fields.keys()
    return settings.limits.model_copy(update={name: getattr(community, name) for name in named})


def _wrong(name: str, community: Community) -> Iterator[Problem]:
    if not _NAME.fullmatch(name):
        yield Problem(f"communities.{name}", "community_name", {"given": name})
    if community.gateway is None:
        for limit in PURSE:
            if limit in community.model_fields_set:
                yield Problem(f"communities.{name}.{limit}", "purse_without_gateway")


def _torn(settings: Settings) -> Iterator[Problem]:
    """Yield a problem where communities share a gateway, so one purse, with different limits."""
    first: dict[str, tuple[str, Limits]] = {}
    for name, community in settings.communities.items():
        if community.gateway is None:
            continue
        limits = _limits(community, settings)
        other, theirs = first.setdefault(community.gateway, (name, limits))
        for limit in PURSE:
            if getattr(limits, limit) != getattr(theirs, limit):
                named = {"other": other, "gateway": community.gateway}
                yield Problem(f"communities.{name}.{limit}", "purse_torn", named)


def _core(given: Limits, settings: Settings, purse: Purse) -> quotas.Limits:
    money = given.purse_money_per_day
    return quotas.Limits(
        person_videos=_limit(given.person_videos_per_day),
        person_at_once=_limit(given.person_at_once),
        community_videos=_limit(given.community_videos_per_day),
        purse_videos=_limit(given.purse_videos_per_day),
        purse_money=None if money == UNLIMITED else round(money * MICRO),
        time_zone=settings.time_zone,
        purse=purse,
    )


def _limit(value: int) -> int | None:
    return None if value == UNLIMITED else value
