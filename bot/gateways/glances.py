"""A fast path for the most common poll response: a flat table of a job that is being made.

The result is the same as that of `polls`. `read_glance` only has to be sure that the response
holds nothing else; it leaves every other response to `polls`.
"""

import json
from functools import lru_cache

from bot.core.outcomes import Running
from bot.gateways.envelopes import NAMES, percent
from bot.gateways.meanings import UNDER_WAY
from bot.gateways.table import Meanings
from bot.net.answers import Answer
from bot.net.tables import name_of

_SHORT = 1200
"""Bytes. A body this short exceeds none of the limits on names and letters in `bot.net.tables`."""
_STATE, _PROGRESS, _WAIT = "status", "progress", "openai-poll-after-ms"


def read_glance(answer: Answer, gateway_id: str, *, meanings: Meanings) -> Running | None:
    """Return our job's progress if it is being made and the response says nothing else."""
    if answer.status != 200 or len(answer.body) > _SHORT:
        return None
    try:
        table = json.loads(answer.body.decode())
    except (ValueError, RecursionError):
        return None
    if type(table) is not dict or not _is_plain(tuple(table)):
        return None
    # A response with another id may be about another job.
    if table.get("id") != gateway_id and table.get("task_id") != gateway_id:
        return None
    word = table[_STATE]
    if (
        type(word) is not str
        or not _is_under_way(word, meanings)
        or not _is_flat(table, answer.body)
    ):
        return None
    is_told = _WAIT in answer.headers
    at_least = answer.wait(_WAIT, per_second=1000) if is_told else None
    return Running(percent(table.get(_PROGRESS)), at_least)


@lru_cache(maxsize=256)
def _is_plain(spelt: tuple[str, ...]) -> bool:
    """Whether the names are unambiguous: one field for the state, and no name spelt twice."""
    names = [name_of(each) for each in spelt]
    states = [each for each in names if each in NAMES["states"]]
    is_sure = _STATE in spelt and (_PROGRESS in spelt or _PROGRESS not in names)
    return is_sure and states == [_STATE] and len(set(names)) == len(names)


@lru_cache(maxsize=256)
def _is_under_way(word: str, meanings: Meanings) -> bool:
    is_envelopes = word.strip().casefold() in NAMES["answered"] or word.strip().isdecimal()
    return not is_envelopes and meanings.word(word.strip()) in UNDER_WAY


def _is_flat(table: dict[str, object], body: bytes) -> bool:
    """Whether `table` holds no other table, not even as JSON in a text."""
    if body.count(b"{") == 1 and b"[" not in body and b"\\" not in body:
        return True
    for value in table.values():
        if isinstance(value, str):
            if "{" in value:
                return False
        elif value and isinstance(value, dict | list):
            return False
    return True
