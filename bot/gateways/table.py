"""The table of answers: the meaning of a gateway's codes, sentences and status words.

The rows are in `answers.toml`; the operator's configuration may add rows for one gateway. This
module does not parse responses, and no other module knows a vendor's codes and sentences.
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
from bot.gateways.meanings import ABOUT_ONE_ORDER, LOCKS, REASONS, VAGUE, Meaning, Row, Stage


class Step(IntEnum):
    """The parts of a table row that can recognize a response, strongest first."""

    BOTH, CODE, HEAD, SENTENCE, PHRASE = range(5)
    """A code and a sentence; a code; a code at a message's start; a sentence; a phrase."""


@final
@dataclass(frozen=True, slots=True)
class Found:
    """A row that matches a response, and the part of the row that matched."""

    row: Row
    step: Step
    is_whole: bool = False
    """Whether the sentence that matched has no gaps."""
    length: int = 0
    """The number of characters of the message that match the sentence outside its gaps."""


def rank(found: Found) -> tuple[object, ...]:
    """Return the sort key of a match; the least wins. A vague code ("no", "later") goes last."""
    row, is_coded = found.row, found.step in (Step.CODE, Step.HEAD)
    is_vague = row.meaning in VAGUE and (is_coded or row.one_order)
    order = list(Meaning).index(row.meaning)
    return (is_vague, found.step, not found.is_whole, -found.length, order)


@dataclass(frozen=True, slots=True)
class Said:
    """The codes and texts of a response, from any envelope, and the prompt that it may quote."""

    codes: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    prompt: str = ""
    """The person's texts, one a line. A quote of them never says anything about the account."""
    heads: tuple[str, ...] = ()
    """Codes at the start of messages: a vendor's, or those of the server that has a picture."""


class Meanings:
    """The table of answers for one gateway."""

    def __init__(self, rows: Sequence[Row], *, beneath: "Meanings | None" = None) -> None:
        """`beneath` is used if none of `rows` matches."""
        self.rows = tuple(rows)
        known = [_Known(row) for row in rows]
        self._layers: list[list[_Known]] = [known, *(beneath._layers if beneath else ())]
        self._codes = {code for layer in self._layers for each in layer for code in each.codes}
        self._stems = tuple(it for layer in self._layers for each in layer for it in each.stems)
        own = {spelling.word_of(word): row.meaning for row in rows for word in row.words}
        self._words: dict[str, Meaning] = {**(beneath._words if beneath else {}), **own}

    def under(self, rows: Sequence[Row]) -> "Meanings":
        """Return this table with the operator's `rows` before its own."""
        return Meanings(rows, beneath=self) if rows else self

    def find(self, said: Said, *, status: int, at: Stage) -> Found | None:
        """Return the row that matches best, or None."""
        keys = [spelling.key_of(it) for it in (*said.codes, *said.heads)]
        if not (said.texts or any(it in self._codes or it.startswith(self._stems) for it in keys)):
            return None  # a fast path for nearly every response
        heard = _Heard(said)
        for layer in self._layers:
            held = [known for known in layer if known.holds(status, at)]
            if found := min(_found(held, heard, status, at), key=rank, default=None):
                return found
        return None

    def word(self, word: str) -> Meaning | None:
        return self._words.get(spelling.word_of(word))

    def unasked(self, code: str) -> Meaning | None:
        """Return what `code` means if the gateway itself gives it before it asks a vendor."""
        key = spelling.key_of(code)
        rows = (known.row for layer in self._layers for known in layer if key in known.codes)
        return next((row.meaning for row in rows if row.unasked), None)


def lock_of(status: int, found: Found | None) -> Reason | None:
    """Return the problem with key or balance, which pauses the gateway and ends no job; or None."""
    meaning = found and found.row.meaning
    if meaning in LOCKS:
        return Reason.NO_BALANCE if status == 402 else REASONS[meaning]
    # Statuses 401 and 402 are about the account: a part of a message does not outweigh them.
    by_status = {401: Reason.BAD_KEY, 402: Reason.NO_BALANCE}.get(status)
    if found is None or found.step is Step.PHRASE:
        return by_status
    is_ones = found.row.one_order or meaning in ABOUT_ONE_ORDER or meaning is Meaning.BUSY
    return None if is_ones else by_status


# --- comparing -----------------------------------------------------------------------------------

_JUDGED = (Stage.CREATE, Stage.FAILURE)
"""Responses that decide about one order."""
_NUMBER = re.compile(r"(baseresp|errcode)?\d+")
"""A code of digits only, perhaps with the name of one vendor's own envelope before it."""
_AT_NUMBERS = frozenset({400, 401, 402, 403, 429})
"""Statuses at which a bare number may be a vendor's code; at other statuses it may be a proxy's."""


def _found(held: "list[_Known]", heard: "_Heard", status: int, at: Stage) -> Iterator[Found]:
    """Yield each of the rows that matches the response."""
    alone = [it for it in held if it.row.one_order]
    about_us = [it for it in heard.texts if not any(each.best([it], quoted=True) for each in alone)]
    coded = {it for it in held if not it.row.together and it.has_code(heard.codes, status, at)}
    # A server of pictures has codes about keys too (`SignatureDoesNotMatch`): at the start of a
    # message about one order they say nothing about our account.
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
        # A part of a message, or a code that the prompt has too, can only end one order. Status
        # 429 alone means "later": no part of a message outweighs it.
        is_quoted = row.meaning in ABOUT_ONE_ORDER and known.has_code(heard.quoted, status, at)
        if at in _JUDGED and (is_quoted or (status != 429 and known.has_phrase(texts))):
            yield Found(row, Step.PHRASE)


class _Heard:
    """The normalized codes and texts of a response; `quoted`: codes that may be the prompt's."""

    def __init__(self, said: Said) -> None:
        written = Written(said.prompt, plain=spelling.plain)
        self.texts = [written.message(text) for text in said.texts]
        own = [code for code in said.codes if not written.has_code(code)]
        heads = [code for code in said.heads if not written.has(code)]
        given = (*said.codes, *said.heads)
        quoted = (code for code in given if code not in own and code not in heads)
        self.codes, self.heads, self.quoted = (
            [key for code in codes if (key := spelling.key_of(code))]
            for codes in (own, heads, quoted)
        )


class _Known:
    """A row with its spellings compiled."""

    def __init__(self, row: Row) -> None:
        self.row = row
        keys = [spelling.key_of(it) for code in row.codes for it in spelling.spelt_out(code)]
        self.codes = frozenset(key for key in keys if not key.endswith("*"))
        self.stems = tuple(key[:-1] for key in keys if key.endswith("*"))
        self._sentences = [(spelling.sentence(it), "*" in it or "#" in it) for it in row.sentences]
        self._phrases = [spelling.phrase(it) for it in row.phrases]
        self.unless = [spelling.phrase(it) for it in row.unless]

    def holds(self, status: int, at: Stage) -> bool:
        return status in (self.row.status or (status,)) and at in (self.row.at or (at,))

    def has_code(self, codes: Iterable[str], status: int, at: Stage) -> bool:
        """Whether a code is the row's. A bare number counts only where it must be a vendor's."""
        known = [it for it in codes if it in self.codes or it.startswith(self.stems)]
        if self.row.status or at is Stage.FAILURE:
            return bool(known)
        is_open, numbers = status in _AT_NUMBERS, map(_NUMBER.fullmatch, known)
        return any(it is None or is_open or (it[1] and status < 500) for it in numbers)

    def best(self, texts: Iterable[Message], *, quoted: bool = False) -> tuple[bool, int] | None:
        """Return the best match of a text with a sentence: whether it has no gaps, and its length.

        A text that may quote the prompt counts only if `quoted` is set.
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
