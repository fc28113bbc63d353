"""The table of answers: what a code, a whole sentence or a status word of a gateway means.

The rows stand in `answers.toml`, and in the operator's configuration for a gateway of their own.
Nothing here reads an envelope; nothing elsewhere knows a vendor's words.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib.resources import files
from typing import Any

from bot.core.jobs import Reason
from bot.gateways.quoting import Message, Written
from bot.gateways.spelling import Phrase, Sentence, is_too_short, key_of, plain, spelt_out, word_of


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
    BEGUN = "begun"
    """No video is promised, and one may be under way and paid."""
    WITHHELD = "withheld"
    """Of a video that is done: there is none to be had."""
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


_VAGUE = frozenset({Meaning.REFUSED, Meaning.BUSY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the table; `answers.toml` says what the columns are."""

    by: str
    meaning: Meaning
    source: str = ""
    codes: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    status: frozenset[int] = frozenset()
    at: frozenset[Place] = frozenset()
    together: bool = False
    one_order: bool = False
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
    """The words of a person, a text a line: they decide nothing about an account."""
    heads: tuple[str, ...] = ()
    """Codes that messages begin with: a vendor's, or those of where a picture lies."""


class Meanings:
    """The table of one gateway."""

    def __init__(self, rows: Sequence[Row], *, beneath: "Meanings | None" = None) -> None:
        """`beneath` is asked where these rows know nothing."""
        self.rows = tuple(rows)
        self._beneath = beneath
        self._known = tuple(_Known(row) for row in rows)
        self._words = {word_of(word): row.meaning for row in rows for word in row.words}
        unasked = [row for row in rows if row.unasked]
        self._unasked = {
            key_of(code): row.meaning
            for row in unasked
            for spelling in row.codes
            for code in spelt_out(spelling)
        }

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
        account = heard.without(it for it in held if it.row.one_order)
        codes = (*heard.codes, *heard.heads)
        together = (it for it in held if it.row.together and it.has_code(codes, status, at))
        both = _first(Step.BOTH, (it for it in together if it.match(_for(it, heard, account))[1]))
        code = _first(Step.CODE, (it for it in own if it.has_code(heard.codes, status, at)))
        head = _first(Step.CODE, (it for it in own if it.has_code(heard.heads, status, at)))
        matched = [(it.match(_for(it, heard, account)), it.row) for it in own]
        (_, length), best = max(matched, key=lambda it: it[0], default=((False, 0), None))
        sentence = Found(best, Step.SENTENCE) if best and length else None
        steps = [both, code, self._headed(head, code, account, heard), sentence]
        # Only what ends one order may be told by a part of a message, or in a person's own words.
        if at in (Place.CREATE, Place.FAILURE):
            # 429 is "later" by itself: no part of a message outweighs that.
            phrased = own if status != 429 else []
            steps.append(_first(Step.PHRASE, (it for it in phrased if it.has_phrase(heard))))
            quoted = (it for it in own if it.has_code(heard.quoted, status, at))
            order = (it for it in quoted if it.row.meaning in ABOUT_ONE_ORDER)
            steps.append(_first(Step.PHRASE, order))
        found = [step for step in steps if step]
        # What says "no" or "later" alone may be told more exactly by what follows.
        exact = (it for it in found if not _is_vague(it))
        return next(exact, found[0] if found else None)

    @staticmethod
    def _headed(
        head: Found | None, code: Found | None, account: "_Heard", heard: "_Heard"
    ) -> Found | None:
        """The code that a message begins with, where it is no less than the answer's own.

        A store of pictures has codes of a key as well (`SignatureDoesNotMatch`): of a key, and of
        a message about one order, it tells nothing about the account.
        """
        if head is None or head.meaning not in LOCKS:
            return head if code is None or _is_vague(code) else None
        is_ours = head.meaning is Meaning.NO_BALANCE and account.texts == heard.texts
        return head if code is None and is_ours else None


def _is_vague(found: Found) -> bool:
    return found.meaning in _VAGUE and (found.step is Step.CODE or found.row.one_order)


def _for(known: "_Known", heard: "_Heard", account: "_Heard") -> "_Heard":
    return account if known.row.meaning in LOCKS else heard


# --- comparing -----------------------------------------------------------------------------------

_NUMBER = re.compile(r"(baseresp|errcode)?\d+")
"""A code of digits alone, perhaps with the envelope that is one vendor's own."""
_AT_NUMBERS = frozenset({400, 401, 402, 403, 429})
"""Statuses at which a bare number may be a vendor's: beyond, proxies count their own errors."""


@dataclass(frozen=True, slots=True)
class _Heard:
    """The words of an answer, spelt as the table is."""

    codes: tuple[str, ...]
    quoted: tuple[str, ...]
    """Codes that a person may have written."""
    texts: tuple[Message, ...]
    heads: tuple[str, ...] = ()

    def without(self, rows: "Iterable[_Known]") -> "_Heard":
        """The same without the messages that are one of these rows' sentences."""
        rows = tuple(rows)
        left = (it for it in self.texts if not any(row.is_said_in(it) for row in rows))
        return replace(self, texts=tuple(left))

    @classmethod
    def of(cls, said: Said) -> "_Heard":
        written = Written(said.prompt)
        own: list[str] = []
        quoted: list[str] = []
        for code in said.codes:
            place, _, number = code.rpartition(".")
            is_number = bool(place) and number.isdigit() and written.may_be_table()
            (quoted if written.has(number if is_number else code) else own).append(code)
        texts = tuple(written.message(text) for text in said.texts)
        heads = [code for code in said.heads if not written.has(code)]
        quoted += [code for code in said.heads if code not in heads]
        return cls(_keys(own), _keys(quoted), texts, _keys(heads))


def _keys(codes: Iterable[str]) -> tuple[str, ...]:
    return tuple(filter(None, map(key_of, codes)))


def _first(step: Step, rows: "Iterable[_Known]") -> Found | None:
    order = list(Meaning)
    known = min(rows, key=lambda it: order.index(it.row.meaning), default=None)
    return Found(known.row, step) if known else None


class _Known:
    """A row, ready to be compared."""

    def __init__(self, row: Row) -> None:
        self.row = row
        keys = [key_of(each) for code in row.codes for each in spelt_out(code)]
        self._codes = frozenset(key for key in keys if not key.endswith("*"))
        self._stems = tuple(key[:-1] for key in keys if key.endswith("*"))
        self._sentences = [Sentence(sentence) for sentence in row.sentences]
        self._phrases = [Phrase(phrase) for phrase in row.phrases]
        self._unless = [plain(other) for other in row.unless]

    def holds(self, status: int, at: Place) -> bool:
        return (not self.row.status or status in self.row.status) and (
            not self.row.at or at in self.row.at
        )

    def has_code(self, codes: Iterable[str], status: int, at: Place) -> bool:
        return any(
            (code in self._codes or code.startswith(self._stems)) and self._counts(code, status, at)
            for code in codes
        )

    def _counts(self, code: str, status: int, at: Place) -> bool:
        """A number is too little to go by where anybody else may have put theirs."""
        number = _NUMBER.fullmatch(code)
        if number is None or self.row.status or at is Place.FAILURE:
            return True
        return status < 500 if number[1] else status in _AT_NUMBERS

    def match(self, heard: "_Heard") -> tuple[bool, int]:
        """How well a message is one of its sentences: spelt out without gaps, and how much of it.

        A message that a person may have written is none.
        """
        best = (False, 0)
        for text in self._allowed(heard):
            for sentence in self._sentences:
                parts = sentence.said_in(text.text)
                if parts and not text.quotes(parts):
                    best = max(best, (not sentence.has_gaps, sum(map(len, parts))))
        return best

    def is_said_in(self, text: Message) -> bool:
        """Whether a message is one of its sentences, whoever wrote the words."""
        return any(sentence.said_in(text.text) for sentence in self._sentences)

    def has_phrase(self, heard: "_Heard") -> bool:
        return any(
            not text.quotes((said,))
            for text in self._allowed(heard)
            for phrase in self._phrases
            for said in phrase.all_in(text.text)
        )

    def _allowed(self, heard: "_Heard") -> list[Message]:
        return [it for it in heard.texts if not any(other in it.text for other in self._unless)]


def problem_with(row: Row) -> str | None:
    """Why a row can't be one, as a code; None if nothing is wrong with it."""
    told = (*row.codes, *row.sentences, *row.phrases)
    if not told and not row.words:
        return "answer_empty"
    if row.words and row.meaning not in STATES:
        return "answer_word"
    if row.phrases and row.meaning not in ABOUT_ONE_ORDER:
        return "answer_phrase"
    if any(map(is_too_short, (*told, *row.words))):
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
        one_order=bool(table.get("one_order", False)),
        unasked=bool(table.get("unasked", False)),
        **lists,
    )


_LISTS = ("codes", "sentences", "phrases", "unless", "words")


def _packaged() -> Iterator[Row]:
    text = files("bot.gateways").joinpath("answers.toml").read_text("utf-8")
    return (row(table) for table in tomllib.loads(text)["answers"])


PACKAGED = Meanings(tuple(_packaged()))
