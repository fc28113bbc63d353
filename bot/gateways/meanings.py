"""The table of answers: what a code, a whole sentence or a status word of a gateway means.

The rows stand in `answers.toml`, and in the operator's configuration for a gateway of their own.
Nothing here reads an envelope; nothing elsewhere knows a vendor's words.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import Any

from bot.core.jobs import Reason


class Meaning(StrEnum):
    """All that an answer can mean; the first that is found in this order counts."""

    MODERATED = "moderated"
    NO_BALANCE = "no_balance"
    BAD_KEY = "bad_key"
    UNKNOWN_MODEL = "unknown_model"
    BAD_SIZE = "bad_size"
    TOO_LONG = "too_long"
    BUSY = "busy"
    BLOCKED = "blocked"
    """A proxy or a bot wall answered in place of the gateway."""
    REFUSED = "refused"
    NO_ROUTE = "no_route"
    """There is no such address: it says nothing about a job."""
    UNKNOWN_ID = "unknown_id"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"
    WAITING = "waiting"
    RUNNING = "running"


LOCKS = frozenset({Meaning.NO_BALANCE, Meaning.BAD_KEY})
"""About the account: the gateway pauses for everybody."""
ABOUT_ONE_ORDER = frozenset(
    {Meaning.MODERATED, Meaning.UNKNOWN_MODEL, Meaning.BAD_SIZE, Meaning.TOO_LONG}
)
"""About one order or one model: nobody else is touched, whatever the HTTP status."""
STATES = frozenset(
    {
        *(Meaning.DONE, Meaning.FAILED, Meaning.EXPIRED, Meaning.MODERATED),
        *(Meaning.WAITING, Meaning.RUNNING),
    }
)
"""What a status word can mean."""
REASONS = {meaning: Reason(meaning.value) for meaning in (*LOCKS, *ABOUT_ONE_ORDER)} | {
    Meaning.BLOCKED: Reason.BLOCKED,
    Meaning.NO_ROUTE: Reason.WRONG_ADDRESS,
}
"""Why a job ends; anything else is `Reason.REFUSED`."""


class Place(StrEnum):
    """Where an answer is read."""

    CREATE = "create"
    LOOK = "look"
    CONTENT = "content"
    FAILURE = "failure"
    """The words of a job that failed about itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the table; `answers.toml` says what the columns are."""

    by: str
    meaning: Meaning
    source: str = ""
    codes: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    status: frozenset[int] = frozenset()
    at: frozenset[Place] = frozenset()
    together: bool = False
    unasked: bool = False


class Step(StrEnum):
    """By which part of a row an answer is told, in order of authority."""

    BOTH = "code and sentence"
    CODE = "code"
    SENTENCE = "sentence"
    PHRASE = "phrase"


@dataclass(frozen=True, slots=True)
class Found:
    """The row that decided, and by which part of it."""

    row: Row
    step: Step

    @property
    def meaning(self) -> Meaning:
        """What the row says."""
        return self.row.meaning


@dataclass(frozen=True, slots=True)
class Said:
    """What an answer says, whichever envelope it came in, and what may be quoted in it."""

    codes: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    prompt: str = ""
    """The words of a person: they decide nothing."""


class Meanings:
    """The table of one gateway."""

    def __init__(self, rows: Sequence[Row], *, beneath: "Meanings | None" = None) -> None:
        """`beneath` is asked where these rows know nothing."""
        self.rows = tuple(rows)
        self._beneath = beneath
        self._known = tuple(_Known(row) for row in rows)
        self._words = {word_of(word): row.meaning for row in rows for word in row.words}
        unasked = [row for row in rows if row.unasked]
        self._unasked = {key_of(code): row.meaning for row in unasked for code in row.codes}

    def under(self, rows: Sequence[Row]) -> "Meanings":
        """The same table with the operator's `rows`, which go first."""
        return Meanings(rows, beneath=self) if rows else self

    def of(self, said: Said, *, status: int, at: Place) -> Meaning | None:
        """Its meaning; None: nothing that is known."""
        found = self.find(said, status=status, at=at)
        return found.meaning if found else None

    def find(self, said: Said, *, status: int, at: Place) -> Found | None:
        """The row that tells what it means."""
        found = self._find(_Heard.of(said), status=status, at=at)
        if found is None and self._beneath:
            return self._beneath.find(said, status=status, at=at)
        return found

    def word(self, word: str) -> Meaning | None:
        """The state that a status word stands for."""
        meaning = self._words.get(word_of(word))
        return self._beneath.word(word) if meaning is None and self._beneath else meaning

    def unasked(self, code: str) -> Meaning | None:
        """What it means if the gateway itself says so, before any vendor was asked."""
        meaning = self._unasked.get(key_of(code))
        return self._beneath.unasked(code) if meaning is None and self._beneath else meaning

    def words(self, *meanings: Meaning) -> frozenset[str]:
        """The status words of these meanings."""
        return frozenset(word for word, meaning in self._words.items() if meaning in meanings)

    def _find(self, heard: "_Heard", *, status: int, at: Place) -> Found | None:
        held = [known for known in self._known if known.holds(status, at)]
        own = [known for known in held if not known.row.together]
        coded = [known for known in held if known.has_code(heard, status, at)]
        both = _first(Step.BOTH, (it for it in coded if it.row.together and it.has_text(heard)))
        code = _first(Step.CODE, (it for it in coded if not it.row.together))
        whole = _first(Step.SENTENCE, (it for it in own if it.has_text(heard, gaps=False)))
        gapped = _first(Step.SENTENCE, (it for it in own if it.has_text(heard)))
        phrase = _first(Step.PHRASE, (it for it in own if it.has_phrase(heard)))
        steps = [both, code, whole or gapped]
        # Only what ends one order may be told by a part of a message.
        if at in (Place.CREATE, Place.FAILURE):
            steps.append(phrase)
        found = [step for step in steps if step]
        # A mere refusal or "later" may be told more exactly by what follows.
        exact = (it for it in found if it.meaning not in (Meaning.REFUSED, Meaning.BUSY))
        return next(exact, found[0] if found else None)


# --- spelling ------------------------------------------------------------------------------------

_PREFIX = re.compile(r"^(?:(?:task|job|video|generation|operation)_?)?(?:status|state)_")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_TAIL = re.compile(
    r"[\s,，]*[(（\[]?\s*(?:request|trace|req)[ _-]?id\s*[:：=]?\s*[\w.-]*\s*[)）\]]?[.。]?\s*$",
    re.IGNORECASE,
)
_HEAD = re.compile(r"^(?:status_code=\d+,\s*|(?:[\w.]*(?:error|exception))\s*[:-]\s*)+")
_GAP = re.compile(r"([*#])")
_NUMBER = re.compile(r"(baseresp|errcode)?\d+")
"""A code of digits alone, perhaps with the envelope that is one vendor's own."""
_AT_NUMBERS = frozenset({400, 401, 402, 403, 429})
"""Statuses at which a bare number may be a vendor's: beyond, proxies count their own errors."""
_LEAST_TEXT = 2
"""Letters of a code, a sentence or a phrase: "*" alone would mean every answer."""
_LEAST_QUOTE = 12
"""Letters of a prompt from which on a message that has all of them surely quotes it."""


def key_of(code: str) -> str:
    """A code or type without its case and its separators."""
    star = "*" if code.endswith("*") else ""
    return "".join(char for char in code.casefold() if char.isalnum()) + star


def word_of(word: str) -> str:
    """A status word as the table has it: `TaskStatus.InProgress` is `in_progress`."""
    parts = re.split(r"[^\w]|_", _HUMP.sub("_", word.strip()))
    return _PREFIX.sub("", "_".join(filter(None, parts)).casefold())


def plain(text: str) -> str:
    """A message without what varies: case, spacing, quotes, the id of the request."""
    text = unicodedata.normalize("NFKC", text).casefold()
    text = " ".join(re.sub(r"[\"'“”‘’`\\]", "", _TAIL.sub("", text)).split())
    return _HEAD.sub("", text).rstrip(" .。!！")


@dataclass(frozen=True, slots=True)
class _Text:
    """A message without the prompt; and the prompt, if it may still be quoted in part."""

    text: str
    suspect: str

    def has(self, phrase: str) -> bool:
        return phrase in self.text and phrase not in self.suspect


def _own(text: str, prompt: str) -> _Text:
    if len(prompt) >= _LEAST_QUOTE and prompt in text:
        return _Text(text.replace(prompt, "\0"), "")
    return _Text("" if prompt and text == prompt else text, prompt)


@dataclass(frozen=True, slots=True)
class _Heard:
    """The words of an answer, spelt as the table is."""

    codes: tuple[str, ...]
    texts: tuple[_Text, ...]

    @classmethod
    def of(cls, said: Said) -> "_Heard":
        prompt = plain(said.prompt)
        texts = tuple(_own(plain(text), prompt) for text in said.texts)
        return cls(tuple(key_of(code) for code in said.codes), texts)


def _first(step: Step, rows: "Iterable[_Known]") -> Found | None:
    order = list(Meaning)
    known = min(rows, key=lambda it: order.index(it.row.meaning), default=None)
    return Found(known.row, step) if known else None


class _Known:
    """A row, ready to be compared."""

    def __init__(self, row: Row) -> None:
        self.row = row
        keys = [key_of(code) for code in row.codes]
        self._codes = frozenset(key for key in keys if not key.endswith("*"))
        self._stems = tuple(key[:-1] for key in keys if key.endswith("*"))
        self._sentences = [_Sentence(sentence) for sentence in row.sentences]
        self._phrases = [plain(phrase) for phrase in row.phrases]

    def holds(self, status: int, at: Place) -> bool:
        return (not self.row.status or status in self.row.status) and (
            not self.row.at or at in self.row.at
        )

    def has_code(self, heard: "_Heard", status: int, at: Place) -> bool:
        return any(
            (code in self._codes or code.startswith(self._stems)) and self._counts(code, status, at)
            for code in heard.codes
        )

    def _counts(self, code: str, status: int, at: Place) -> bool:
        """A number is too little to go by where anybody else may have put theirs."""
        number = _NUMBER.fullmatch(code)
        if number is None or self.row.status or at is Place.FAILURE:
            return True
        return status < 500 if number[1] else status in _AT_NUMBERS

    def has_text(self, heard: "_Heard", *, gaps: bool = True) -> bool:
        """Whether it has one of the sentences; without `gaps`, of those that are spelt out."""
        return any(
            text.text.startswith(sentence.start) and sentence.is_whole(text)
            for sentence in self._sentences
            if gaps or not sentence.has_gaps
            for text in heard.texts
        )

    def has_phrase(self, heard: "_Heard") -> bool:
        return any(text.has(phrase) for phrase in self._phrases for text in heard.texts)


class _Sentence:
    """A whole message with gaps: `*` is anything, `#` a number."""

    def __init__(self, spelt: str) -> None:
        pieces = _GAP.split(spelt)
        parts = [plain(part).strip() for part in pieces[::2]]
        self.start = parts[0]
        self.has_gaps = len(parts) > 1
        self._parts = [part for part in parts if part]
        pattern = rf"\s*{re.escape(parts[0])}\s*"
        for gap, part in zip(pieces[1::2], parts[1:], strict=True):
            filled = r"(?:\d{1,6}|\#)" if gap == "#" else ".{0,300}?"
            pattern += rf"{filled}\s*{re.escape(part)}\s*"
        # "* not found" speaks of something: "Not Found" alone is another sentence.
        named = r"(?=\s*\S)(?!\s*" + re.escape(parts[1]) + ")" if spelt.startswith("* ") else ""
        self._pattern = re.compile(named + pattern, re.DOTALL)

    def is_whole(self, text: _Text) -> bool:
        """Whether `text` is this sentence, and none that a person may have written."""
        if self._pattern.fullmatch(text.text) is None:
            return False
        return not text.suspect or any(part not in text.suspect for part in self._parts)


def problem_with(row: Row) -> str | None:
    """Why a row can't be one, as a code; None if nothing is wrong with it."""
    told = (*row.codes, *row.sentences, *row.phrases)
    if not told and not row.words:
        return "answer_empty"
    if row.words and row.meaning not in STATES:
        return "answer_word"
    if row.phrases and row.meaning not in ABOUT_ONE_ORDER:
        return "answer_phrase"
    if any(len(_GAP.sub("", text).strip()) < _LEAST_TEXT for text in told):
        return "answer_short"
    return None


# --- the packaged table --------------------------------------------------------------------------


def row(table: dict[str, Any]) -> Row:
    """One table of TOML as a row. Raises what its constructors do."""
    lists = {name: tuple(table.get(name, ())) for name in _LISTS}
    return Row(
        by=str(table.get("by", "")),
        meaning=Meaning(table["meaning"]),
        source=str(table.get("source", "")),
        status=frozenset(table.get("status", ())),
        at=frozenset(Place(place) for place in table.get("at", ())),
        together=bool(table.get("together", False)),
        unasked=bool(table.get("unasked", False)),
        **lists,
    )


_LISTS = ("codes", "sentences", "phrases", "words")


def _packaged() -> Iterator[Row]:
    text = files("bot.gateways").joinpath("answers.toml").read_text("utf-8")
    return (row(table) for table in tomllib.loads(text)["answers"])


PACKAGED = Meanings(tuple(_packaged()))
