"""Reads the cost of a video that a gateway's answer tells.

An amount is money only at a gateway whose costs have a known currency. So credits, quota units and
a vendor's costs that a reseller passes on are left out.
"""

import re
from dataclasses import replace
from typing import TypeVar

from bot.core.outcomes import Accepted, Creation, Done, Failed, Polled, Running
from bot.core.prices import Cost, micro_of
from bot.gateways import envelopes
from bot.gateways.envelopes import NAMES, TABLES, enveloped
from bot.net.answers import Answer
from bot.net.tables import Table

_CURRENCY = re.compile(r"[A-Z]{3}")
_HOLDERS = frozenset(NAMES["cost_holders"] + NAMES["wraps"])
_SIGNS = tuple(name.encode() for name in NAMES["costs"])
Outcome = TypeVar("Outcome", Creation, Polled)


def with_cost(read: Outcome, answer: Answer, gateway_id: str, *, currency: str) -> Outcome:
    """Return the outcome that was read from `answer`, with the cost that it tells of our job.

    `currency`: the currency of this gateway's costs; "" if its answers tell no money.
    """
    if not currency or not isinstance(read, Accepted | Running | Done | Failed):
        return read
    return replace(read, cost=_cost_in(answer, gateway_id, currency))


def may_tell_cost(answer: Answer, *, currency: str) -> bool:
    """Whether the answer may tell a cost, so that it must be read in full."""
    return bool(currency) and any(sign in answer.body.lower() for sign in _SIGNS)


def _cost_in(answer: Answer, gateway_id: str, currency: str) -> Cost | None:
    body = enveloped(TABLES.parsed(answer.body))
    part = body and envelopes.part_about(gateway_id, body)
    spots = TABLES.spots_in(part) if part else []
    ids = envelopes.ids_in(spots)
    if gateway_id not in ids and any(envelopes.is_like(each, gateway_id) for each in ids):
        return None  # another job's
    for spot in spots:
        is_one = all(it.of <= 1 for it in (spot, *spot.around))
        if is_one and spot.is_under(_HOLDERS) and (cost := _cost(spot.table, currency)):
            return cost
    return None


def _cost(table: Table, currency: str) -> Cost | None:
    said = next((table[name] for name in NAMES["cost_currencies"] if table.get(name)), currency)
    written = said.strip().upper() if isinstance(said, str) else ""
    if not _CURRENCY.fullmatch(written):
        return None  # credits or points
    amounts = (micro_of(table.get(name)) for name in NAMES["costs"])
    is_fee = any(table.get(name) is True for name in NAMES["own_keys"])
    found = (each for each in amounts if each is not None)
    return next((Cost(micro=it, currency=written, is_fee=is_fee) for it in found), None)
