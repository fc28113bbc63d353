"""The table of answers: what a code, a whole sentence or a status word of a gateway means.

The rows stand in `answers.toml`, and in the operator's configuration for a gateway of their own.
Nothing here reads an envelope; nothing elsewhere knows a vendor's words.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from importlib.resources import files
from typing import final

from bot.core.jobs import Reason
from bot.core.quoting import Message, Written
from bot.gateways import spelling
from bot.gateways.meanings import ABOUT_ONE_ORDER, LOCKS, REASONS, VAGUE, Meaning, Place, Row


class Step(IntEnum):
    """By which part of a row an answer is told, in order of authority."""

    BOTH, CODE, HEAD, SENTENCE, PHRASE = range(5)
    """A code and a sentence; a code; one that a message begins with; a sentence; a phrase."""


@final
@dataclass(frozen=True, slots=True)
class Found:
    """A row that an answer may be told by, and by which part of it."""

    row: Row
    step: Step
    is_whole: bool = False
    """All of a message is spelt out."""
    length: int = 0
    """Characters of the message that are spelt out."""


def rank(found: Found) -> tuple[object, ...]:
    """The least decides. "No" or "later" alone may be told more exactly by what follows."""
    row, is_coded = found.row, found.step in (Step.CODE, Step.HEAD)
    is_vague = row.meaning in VAGUE and (is_coded or row.one_order)
    order = list(Meaning).index(row.meaning)
    return (is_vague, found.step, not found.is_whole, -found.length, order)


@dataclass(frozen=True, slots=True)
class Said:
    """The codes and texts of an answer in any envelope, and the prompt it may quote."""

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
        known = [_Known(row) for row in rows]
        self._layers: list[list[_Known]] = [known, *(beneath._layers if beneath else ())]
        self._codes = {code for layer in self._layers for each in layer for code in each.codes}
        self._stems = tuple(it for layer in self._layers for each in layer for it in each.stems)
        own = {spelling.word_of(word): row.meaning for row in rows for word in row.words}
        self._words: dict[str, Meaning] = {**(beneath._words if beneath else {}), **own}

    def under(self, rows: Sequence[Row]) -> "Meanings":
        """The same table with the operator's `rows`, which go first."""
        return Meanings(rows, beneath=self) if rows else self

    def find(self, said: Said, *, status: int, at: Place) -> Found | None:
        """The row that tells what it means."""
        keys = [spelling.key_of(it) for it in (*said.codes, *said.heads)]
        if not (said.texts or any(it in self._codes or it.startswith(self._stems) for it in keys)):
            return None  # as of nearly every answer: no row needs to be compared to it
        heard = _Heard(said)
        for layer in self._layers:
            held = [known for known in layer if known.holds(status, at)]
            if found := min(_found(held, heard, status, at), key=rank, default=None):
                return found
        return None

    def word(self, word: str) -> Meaning | None:
        return self._words.get(spelling.word_of(word))

    def unasked(self, code: str) -> Meaning | None:
        """The meaning if the gateway itself says so, before any vendor was asked."""
        key = spelling.key_of(code)
        rows = (known.row for layer in self._layers for known in layer if key in known.codes)
        return next((row.meaning for row in rows if row.unasked), None)


def lock_of(status: int, found: Found | None) -> Reason | None:
    """Whether this is key or balance trouble, which pauses the gateway and harms no job."""
    meaning = found and found.row.meaning
    if meaning in LOCKS:
        return Reason.NO_BALANCE if status == 402 else REASONS[meaning]
    # These two are about the account by themselves: a part of a message outweighs neither.
    by_status = {401: Reason.BAD_KEY, 402: Reason.NO_BALANCE}.get(status)
    if found is None or found.step is Step.PHRASE:
        return by_status
    is_ones = found.row.one_order or meaning in ABOUT_ONE_ORDER or meaning is Meaning.BUSY
    return None if is_ones else by_status


# --- comparing -----------------------------------------------------------------------------------

_JUDGED = (Place.CREATE, Place.FAILURE)
"""Where one order is judged."""
_NUMBER = re.compile(r"(baseresp|errcode)?\d+")
"""A code of digits alone, perhaps with the envelope that is one vendor's own."""
_AT_NUMBERS = frozenset({400, 401, 402, 403, 429})
"""Statuses at which a bare number may be a vendor's: beyond, proxies count their own errors."""


def _found(held: "list[_Known]", heard: "_Heard", status: int, at: Place) -> Iterator[Found]:
    """Each of these rows that the answer may be told by."""
    alone = [it for it in held if it.row.one_order]
    about_us = [it for it in heard.texts if not any(each.best([it], quoted=True) for each in alone)]
    coded = {it for it in held if not it.row.together and it.has_code(heard.codes, status, at)}
    # A store of pictures has codes of a key as well (`SignatureDoesNotMatch`): at the head of a
    # message about one order they tell nothing about the account.
    is_ours = not coded and about_us == heard.texts
    for known in held:
        row = known.row
        texts = about_us if row.meaning in LOCKS else heard.texts
        texts = [text for text in texts if not any(it.search(text.text) for it in known.unless)]
        best = known.best(texts)
        if row.together:
            if best and known.has_code(heard.codes + heard.heads, status, at):
                yield Found(row, Step.BOTH)
            continue
        if known in coded:
            yield Found(row, Step.CODE)
        is_told = row.meaning not in LOCKS or (is_ours and row.meaning is Meaning.NO_BALANCE)
        if is_told and known.has_code(heard.heads, status, at):
            yield Found(row, Step.HEAD)
        if best:
            yield Found(row, Step.SENTENCE, *best)
        # Only what ends one order may be told by a part of a message, or in a person's own words;
        # and 429 is "later" by itself: no part of a message outweighs that.
        is_quoted = row.meaning in ABOUT_ONE_ORDER and known.has_code(heard.quoted, status, at)
        if at in _JUDGED and (is_quoted or (status != 429 and known.has_phrase(texts))):
            yield Found(row, Step.PHRASE)


class _Heard:
    """The words of an answer, spelt as the table is, apart from what a person may have written."""

    def __init__(self, said: Said) -> None:
        written = Written(said.prompt, plain=spelling.plain)
        self.texts = [written.message(text) for text in said.texts]
        own = [code for code in said.codes if not written.has_code(code)]
        heads = [code for code in said.heads if not written.has(code)]
        told = (*said.codes, *said.heads)
        quoted = (code for code in told if code not in own and code not in heads)
        self.codes, self.heads, self.quoted = (
            [key for code in codes if (key := spelling.key_of(code))]
            for codes in (own, heads, quoted)
        )


class _Known:
    """A row, ready to be compared."""

    def __init__(self, row: Row) -> None:
        self.row = row
        keys = [spelling.key_of(it) for code in row.codes for it in spelling.spelt_out(code)]
        self.codes = frozenset(key for key in keys if not key.endswith("*"))
        self.stems = tuple(key[:-1] for key in keys if key.endswith("*"))
        self._sentences = [(spelling.sentence(it), "*" in it or "#" in it) for it in row.sentences]
        self._phrases = [spelling.phrase(it) for it in row.phrases]
        self.unless = [spelling.phrase(it) for it in row.unless]

    def holds(self, status: int, at: Place) -> bool:
        return status in (self.row.status or (status,)) and at in (self.row.at or (at,))

    def has_code(self, codes: Iterable[str], status: int, at: Place) -> bool:
        """Whether one is the row's: a number is too little where others may have put theirs."""
        known = [it for it in codes if it in self.codes or it.startswith(self.stems)]
        if self.row.status or at is Place.FAILURE:
            return bool(known)
        is_open, numbers = status in _AT_NUMBERS, map(_NUMBER.fullmatch, known)
        return any(it is None or is_open or (it[1] and status < 500) for it in numbers)

    def best(self, texts: Iterable[Message], *, quoted: bool = False) -> tuple[bool, int] | None:
        """How well a message is one of its sentences: without gaps, and how much is spelt out.

        A message that a person may have written is none, unless `quoted` counts too.
        """
        fits = []
        for text in texts:
            for pattern, has_gaps in self._sentences:
                if found := pattern.match(text.text, 0, spelling.MOST):
                    parts = tuple(filter(None, found.groups()))
                    if quoted or not text.quotes(parts):
                        fits.append((not has_gaps, sum(map(len, parts))))
        return max(fits, default=None)

    def has_phrase(self, texts: Iterable[Message]) -> bool:
        return any(
            not text.quotes((found[0].strip(),))
            for text in texts
            for pattern in self._phrases
            for found in pattern.finditer(text.text)
        )


_TABLE = tomllib.loads(files("bot.gateways").joinpath("answers.toml").read_text("utf-8"))
PACKAGED = Meanings([Row(**row) for row in _TABLE["answers"]])
