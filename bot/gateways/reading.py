"""Everything that one response says, and its meaning by the table of answers.

`creations` and `polls` use a `Reading` to decide how an order or a job goes on.
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress

from bot.core.outcomes import Locked, Trouble
from bot.gateways import envelopes
from bot.gateways.envelopes import NAMES, TABLES, TEXTS, enveloped
from bot.gateways.meanings import OVER, UNDER_WAY, Stage
from bot.gateways.table import Found, Meanings, Said, lock_of
from bot.net.answers import Answer
from bot.net.tables import LONGEST, Spot, Table, leaves, shape_of


class Reading:
    """One response, read for an order or a job."""

    def __init__(
        self, answer: Answer, prompt: str, meanings: Meanings, *, part: Table | None = None
    ) -> None:
        """`part` is the part of the body that is about the job; None means the whole body."""
        self.answer, self.status = answer, answer.status
        self.prompt, self.meanings = prompt, meanings
        self.value = TABLES.parsed(answer.body)
        text = answer.body[: 4 * LONGEST].decode("utf-8", "replace").strip("\ufeff \t\r\n")
        # Some gateways answer with a bare address.
        whole = text if self.value is None and text.startswith("http") else self.value
        self.body = enveloped(whole) if part is None else part
        self.table = self.body or {}
        self.spots = TABLES.spots_in(self.table)
        self.words = envelopes.status_words(self.spots)
        """The status words; the job's come before the envelope's."""
        self.known_word = next(filter(meanings.word, self.words), "")
        # The envelope's "success" never stands for the job's own word, even if that is unknown.
        is_first = self.known_word in self.words[:1]
        is_envelopes = self.known_word.casefold() in NAMES["answered"]
        self.state = meanings.word(self.known_word) if is_first or not is_envelopes else None
        outer = {meanings.word(word) for word in envelopes.outer_words(self.spots)}
        self.has_failed = self.state in OVER and not outer & UNDER_WAY
        """Whether the job ended without a video. A failed part of a job that goes on is no end."""
        self.ids, self.links = envelopes.ids_in(self.spots), envelopes.links_in(self.spots)
        """The ids and the links, the likeliest first."""
        self.progress = envelopes.progress_in(self.spots)
        """The progress in percent, or None."""
        is_text = whole is None and text and not text.startswith("<")
        texts = (text[:LONGEST],) if is_text else ()
        self.said = said_in(self.spots, prompt) if self.body else Said((), texts, prompt)
        problems = [each for each in problems_in(self.table) if each[0]]
        self.problem = problems[0][0] if problems else None
        """Code and message of the response's error."""
        self.says_no = any(is_sure for _, is_sure in problems) or self.table.get("success") is False
        """Whether the response surely names an error; a code or message alone may mean success."""

    def about(self, part: Table) -> "Reading":
        """Return a reading of the same response in which only `part` counts."""
        return Reading(self.answer, self.prompt, self.meanings, part=part)

    @property
    def detail(self) -> str:
        """The error, or the start of the body, as one line for the operator."""
        return self.answer.detail(self.problem)

    @property
    def said_links(self) -> tuple[str, ...]:
        """Addresses of a video in a chat model's answer."""
        return envelopes.said_links(self.table, self.prompt)

    @property
    def shape(self) -> str:
        """The field names of the body, for the operator of a gateway that we can't read."""
        with suppress(RecursionError):  # The stack is deeper here than where the body was parsed.
            return shape_of(enveloped(json.loads(self.answer.body)), shown=_SHOWN)
        return "{…}"

    def find(self, at: Stage, *, status: int = 0, said: Said | None = None) -> Found | None:
        """Return the row that says what the response, or only `said`, means."""
        return self.meanings.find(said or self.said, status=status or self.status, at=at)

    def trouble(self, found: Found | None) -> Locked | Trouble:
        """Return `Locked` if a response about no job refuses our key or balance, else `Trouble`."""
        lock = lock_of(self.status, found) if self.status >= 400 else None
        return Locked(lock, self.detail) if lock else Trouble(self.detail, self.answer.wait())


# --- codes and messages for the table of answers -------------------------------------------------

RAI = "raiMediaFiltered"
_SHOWN = ("code", "type", "object", "status", "errorcode")
"""Field names of codes, whose values the operator may see."""
_CONTAINERS = TEXTS | frozenset(NAMES["containers"])
_MOST, _MOST_TEXT, _LIST = 200, 4 * LONGEST, 10
"""Limits of one response: codes and messages, their characters in all, items of a list."""
_TOKEN = re.compile(r"([^\s:：,，]{2,80})(?:$|[:：])")
"""A code that is a whole message or its beginning: `DataInspectionFailed: Input data may …`."""


def said_in(spots: Sequence[Spot], prompt: str = "") -> Said:
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
    is_google = name == "status" and not TEXTS.isdisjoint(spot.path[-1:])
    if isinstance(value, bool) or not isinstance(value, str | int):
        return
    text = str(value)[:LONGEST].strip()
    if name in NAMES["filtered"] and text not in ("", "0"):
        yield "code", RAI
    if name in NAMES["codes"] or is_google:
        part_name = next((it for it in (*spot.path[-1:], name) if it in NAMES["numbered"]), None)
        yield "code", f"{part_name}.{text}" if part_name and text.lstrip("-").isdigit() else text
    if name in TEXTS and isinstance(value, str):
        yield "text", text
        if (token := _TOKEN.match(text)) and not token[1].isdigit():
            yield "head", token[1]


# --- errors, for the operator --------------------------------------------------------------------

_NO_ERRORS = frozenset(NAMES["no_errors"])


def problems_in(body: Table) -> Iterator[tuple[str, bool]]:
    """Yield the text of each error, and whether only an error can have a text in that field."""
    # An error in `response` with nothing beside it is Tencent's.
    is_alone = len(body) == 1
    inner = (body.get(it) for it in NAMES["wraps"] if it != "response" or is_alone)
    for table in (body, *(it for it in inner if isinstance(it, dict))):
        error = table.get("error")
        said = [
            error if isinstance(error, dict | str) else None,
            *map(table.get, NAMES["failures"]),
        ]
        for words in map(_words, said):
            if any(word not in _NO_ERRORS for word in words.casefold().split()):
                yield words, True
    if words := _words(body.get("detail")):
        yield words, isinstance(body["detail"], list)  # FastAPI's
    code, named = body.get("code"), [it for it in ("message", "msg", "errmsg") if it in body]
    message = _words(body[named[0]]) if named else ""
    is_known = _words(code).casefold() in _NO_ERRORS or (message or "x").casefold() in _NO_ERRORS
    if named and (not is_known or body.get("success") is False):
        # New-api's own error has a named code, a message, and no data.
        is_named = isinstance(code, str) and any(map(str.isalpha, code))
        yield f"{_words(code)} {message}".strip(), is_named and body.get("data", 0) is None
    for name, key in (("baseresp", "statuscode"), ("output", "code")):
        vendors = body.get(name)
        if isinstance(vendors, dict) and _words(vendors.get(key)).casefold() not in _NO_ERRORS:
            yield _words([vendors.get(it) for it in (key, "statusmsg", "message")]), False


def _words(value: object, *, depth: int = 3) -> str:
    """Return the text of an error: `{code, type, param, message}`, FastAPI's list, or a word."""
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
