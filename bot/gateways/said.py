"""Finds in a body what may be looked up in the table of answers, and what an operator is told.

It knows the places of codes and messages in many envelopes, and the meaning of none of them.
"""

import re
from collections.abc import Iterator, Sequence

from bot.gateways.envelopes import LONGEST, NAMES, Spot, Table, leaves
from bot.gateways.meanings import Said

_FAILURES = NAMES["failures"]
_CODES, _FILTERED = frozenset(NAMES["codes"]), frozenset(NAMES["filtered"])
_TEXTS = frozenset(NAMES["texts"] + _FAILURES)
_CONTAINERS = _TEXTS | frozenset(NAMES["containers"])
RAI = "raiMediaFiltered"
_MOST = 200
_MOST_TEXT = 4 * LONGEST
"""Characters of all codes and messages of one answer together that are read."""
_LIST = 10
_TOKEN = re.compile(r"([^\s:：,，]{2,80})(?:$|[:：])")
"""The code that a message may be or begin with: `DataInspectionFailed: Input data may …`."""


def said_in(spots: Sequence[Spot], prompt: str = "") -> Said:
    """The codes and messages in a body."""
    found: dict[str, list[str]] = {"code": [], "text": [], "head": []}
    room = _MOST_TEXT
    for kind, value in _said(spots):
        found[kind].append(value)
        room -= len(value)
        if sum(map(len, found.values())) > _MOST or room < 0:
            break
    codes, texts, heads = (tuple(dict.fromkeys(each)) for each in found.values())
    return Said(codes, texts, prompt, heads)


def _said(spots: Sequence[Spot]) -> Iterator[tuple[str, str]]:
    for spot in spots:
        if spot.row < _LIST and spot.is_under(_CONTAINERS):
            for name, value in spot.table.items():
                for each in leaves(value)[:_LIST]:
                    yield from _told(spot, name, each)


def _told(spot: Spot, name: str, value: object) -> Iterator[tuple[str, str]]:
    """A code, a message or the code at its head."""
    is_google = name == "status" and not _TEXTS.isdisjoint(spot.path[-1:])
    if isinstance(value, bool) or not isinstance(value, str | int):
        return
    text = str(value)[:LONGEST].strip()
    if name in _FILTERED and text not in ("", "0"):
        yield "code", RAI
    if name in _CODES or is_google:
        place = next((it for it in (*spot.path[-1:], name) if it in NAMES["numbered"]), None)
        yield "code", f"{place}.{text}" if place and text.lstrip("-").isdigit() else text
    if name in _TEXTS and isinstance(value, str):
        yield "text", text
        if (token := _TOKEN.match(text)) and not token[1].isdigit():
            yield "head", token[1]


# --- what is wrong, for the operator -------------------------------------------------------------

_NO_ERRORS = frozenset(NAMES["no_errors"])


def problems_in(body: Table) -> Iterator[tuple[str, bool]]:
    """The words of each error, and whether nothing else but an error has them in their place."""
    # An error in a response is Tencent's, if nothing stands beside it.
    is_alone = len(body) == 1
    inner = (body.get(it) for it in NAMES["wraps"] if it != "response" or is_alone)
    for table in (body, *(it for it in inner if isinstance(it, dict))):
        error = table.get("error")
        said = [error if isinstance(error, dict | str) else None, *map(table.get, _FAILURES)]
        for words in map(_words, said):
            if any(word not in _NO_ERRORS for word in words.casefold().split()):
                yield words, True
    if words := _words(body.get("detail")):
        yield words, isinstance(body["detail"], list)  # FastAPI's
    code, named = body.get("code"), [it for it in ("message", "msg", "errmsg") if it in body]
    told = _words(body[named[0]]) if named else ""
    is_known = _words(code).casefold() in _NO_ERRORS or (told or "x").casefold() in _NO_ERRORS
    if named and (not is_known or body.get("success") is False):
        # New-api's own has a code with a name, a message, and no data.
        is_named = isinstance(code, str) and any(map(str.isalpha, code))
        yield f"{_words(code)} {told}".strip(), is_named and body.get("data", 0) is None
    for name, key in (("baseresp", "statuscode"), ("output", "code")):
        vendors = body.get(name)
        if isinstance(vendors, dict) and _words(vendors.get(key)).casefold() not in _NO_ERRORS:
            yield _words([vendors.get(it) for it in (key, "statusmsg", "message")]), False


def _words(value: object, *, depth: int = 3) -> str:
    """The text in an error: `{code, type, param, message}`, FastAPI's list, or a word."""
    match value:
        case str():
            return value.strip()
        case bool():
            return ""
        case int() | float():
            return str(value)
        case dict() if depth:
            inner = [value.get(key) for key in ("code", "type", "param", "message", "msg")]
        case list() if depth:
            inner = value[:5]
        case _:
            return ""
    return " ".join(filter(None, (_words(part, depth=depth - 1) for part in inner)))
