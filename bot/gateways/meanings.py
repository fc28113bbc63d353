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
    UNKNOWN_ID = "unknown_id"
    NO_ROUTE = "no_route"
    """There is no such address: it says nothing about a job."""
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
    """What a job that failed says of itself."""


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


@dataclass(frozen=True, slots=True)
class Said:
    """What an answer says, whichever envelope it came in, and what may be quoted in it."""

    codes: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    prompt: str = ""
    """What a person wrote: its own words decide nothing."""


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
        """What it means; None: nothing that is known."""
        meaning = self._find(_Heard.of(said), status=status, at=at)
        if meaning is None and self._beneath:
            return self._beneath.of(said, status=status, at=at)
        return meaning

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

    def _find(self, heard: "_Heard", *, status: int, at: Place) -> Meaning | None:
        held = [known for known in self._known if known.holds(status, at)]
        steps = [_Known.finds_both, _Known.finds_code, _Known.finds_sentence]
        # Only what ends one order may be told by a part of a message.
        if at in (Place.CREATE, Place.FAILURE):
            steps.append(_Known.finds_phrase)
        meaning = None
        for finds in steps:
            meaning = _first({it.row.meaning for it in held if finds(it, heard)}) or meaning
            # A mere refusal or "later" may be told more exactly by what follows.
            if meaning not in (None, Meaning.REFUSED, Meaning.BUSY):
                break
        return meaning


# --- spelling ------------------------------------------------------------------------------------

_PREFIX = re.compile(r"^(?:(?:task|job|video|generation|operation)_?)?(?:status|state)_")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_TAIL = re.compile(
    r"[\s,，]*[(（\[]?\s*(?:request|trace|req)[ _-]?id\s*[:：=]?\s*[\w.-]*\s*[)）\]]?[.。]?\s*$",
    re.IGNORECASE,
)
_HEAD = re.compile(r"^(?:status_code=\d+,\s*|(?:[\w.]*(?:error|exception))\s*[:-]\s*)+")
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
    """What was said, spelt as the table is."""

    codes: tuple[str, ...]
    texts: tuple[_Text, ...]

    @classmethod
    def of(cls, said: Said) -> "_Heard":
        prompt = plain(said.prompt)
        texts = tuple(_own(plain(text), prompt) for text in said.texts)
        return cls(tuple(key_of(code) for code in said.codes), texts)


def _first(found: Iterable[Meaning]) -> Meaning | None:
    return min(found, key=list(Meaning).index, default=None)


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

    def finds_both(self, heard: "_Heard") -> bool:
        return self.row.together and self._has_code(heard) and self._has_sentence(heard)

    def finds_code(self, heard: "_Heard") -> bool:
        return not self.row.together and self._has_code(heard)

    def finds_sentence(self, heard: "_Heard") -> bool:
        return not self.row.together and self._has_sentence(heard)

    def finds_phrase(self, heard: "_Heard") -> bool:
        return any(text.has(phrase) for phrase in self._phrases for text in heard.texts)

    def _has_code(self, heard: "_Heard") -> bool:
        return any(code in self._codes or code.startswith(self._stems) for code in heard.codes)

    def _has_sentence(self, heard: "_Heard") -> bool:
        return any(
            text.text.startswith(sentence.start) and sentence.is_whole(text)
            for sentence in self._sentences
            for text in heard.texts
        )


class _Sentence:
    """A whole message with gaps."""

    def __init__(self, spelt: str) -> None:
        parts = [plain(part).strip() for part in spelt.split("*")]
        self.start = parts[0]
        self._parts = [part for part in parts if part]
        gapped = ".{0,300}?".join(rf"\s*{re.escape(part)}\s*" for part in parts)
        self._pattern = re.compile(gapped, re.DOTALL)

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
    if any(len(text.replace("*", "").strip()) < _LEAST_TEXT for text in told):
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
