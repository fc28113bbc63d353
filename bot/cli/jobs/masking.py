"""Mask a person's prompt in a gateway's text, in whatever form the gateway quotes the prompt.

Both texts are unescaped, then compared by letters, digits and pictograms only: gateways quote a
prompt as HTML, as JSON, in a URL, in capitals, or cut short.
"""

import html
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

MASK = "[…]"
ENOUGH = 12
"""The length in UTF-8 bytes of a part that is masked; a shorter prompt must match as a whole."""
BEGINNING = 4
"""The fewest letters of a prompt's beginning or end that are masked beside a mark of a cut."""
_DEPTH = 4
"""The most levels of nested escapes that are undone."""
_CUT = ("…", "...")


@dataclass(frozen=True, slots=True)
class _Letter:
    """An unescaped letter, and its start and end in the original text."""

    is_: str
    start: int
    end: int


def masked(said: str, prompts: Sequence[str]) -> str:
    """Return `said` with every quotation of `prompts` masked."""
    letters = _unescaped(said)
    hidden = [False] * len(said)
    for prompt in filter(None, prompts):
        for start, end in _quotations(said, letters, prompt):
            hidden[start:end] = [True] * (end - start)
    return _covered(said, hidden)


def _quotations(said: str, letters: list[_Letter], prompt: str) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each quotation of `prompt`, or of enough of it."""
    words = "".join(each.is_ for each in _compared(_unescaped(prompt)))
    if not words:
        for found in re.finditer(re.escape(prompt.strip()) or r"(?!)", said):
            yield found.span()
        return
    theirs = _compared(letters)
    text = "".join(each.is_ for each in theirs)
    for start, end in (*_parts(text, words), *_whole(text, words)):
        first, last = theirs[start], theirs[end - 1]
        if _stands_alone(said, first, last) or len(text[start:end].encode()) >= ENOUGH:
            yield first.start, last.end
    yield from _cut_short(said, theirs, words)  # longer ones are among the parts


def _whole(text: str, words: str) -> Iterator[tuple[int, int]]:
    at = text.find(words)
    while at >= 0:
        yield at, at + len(words)
        at = text.find(words, at + 1)


def _parts(text: str, words: str) -> Iterator[tuple[int, int]]:
    """Yield every shortest part of `text`, of at least `ENOUGH` bytes, that `words` holds too."""
    end = size = 0
    for start in range(len(text)):
        while size < ENOUGH and end < len(text):
            size += len(text[end].encode())
            end += 1
        if size < ENOUGH:
            return
        if text[start:end] in words:
            yield start, end
        size -= len(text[start].encode())


def _cut_short(said: str, theirs: list[_Letter], words: str) -> Iterator[tuple[int, int]]:
    """Yield quotations of the prompt's beginning before a cut, and of its end after a cut."""
    text = "".join(each.is_ for each in theirs)
    lengths = range(min(ENOUGH, len(words)), BEGINNING - 1, -1)
    borders = [0, *(each.end for each in theirs)]
    for at, start in enumerate([*(each.start for each in theirs), len(said)]):
        is_cut = any(sign in said[borders[at] : start] for sign in _CUT)
        if is_cut or at == len(theirs):
            before = next((n for n in lengths if text.endswith(words[:n], 0, at)), 0)
            if before:
                yield theirs[at - before].start, theirs[at - 1].end
        if is_cut:
            after = next((n for n in lengths if text.startswith(words[-n:], at)), 0)
            if after:
                yield theirs[at].start, theirs[at + after - 1].end


def _stands_alone(said: str, first: _Letter, last: _Letter) -> bool:
    """True if the quotation is not inside a longer word, as "cat" is one of "location"."""
    before, after = said[: first.start][-1:], said[last.end :][:1]
    return not (_is_latin(before) and _is_latin(said[first.start])) and not (
        _is_latin(after) and _is_latin(said[last.end - 1])
    )


def _is_latin(sign: str) -> bool:
    """True for a letter of a script that separates words by spaces (roughly: below U+2E80)."""
    return sign.isalnum() and sign < "\u2e80"


def _covered(said: str, hidden: Sequence[bool]) -> str:
    shown: list[str] = []
    for at, sign in enumerate(said):
        if not hidden[at]:
            shown.append(sign)
        elif at == 0 or not hidden[at - 1]:
            shown.append(MASK)
    return "".join(shown)


# --- what is compared -----------------------------------------------------------------------------


def _compared(letters: list[_Letter]) -> list[_Letter]:
    """Return only letters, digits and pictograms, in one case, without accents."""
    return [
        _Letter(sign, each.start, each.end)
        for each in letters
        for sign in unicodedata.normalize("NFKD", each.is_).casefold()
        if unicodedata.category(sign)[0] in "LN" or unicodedata.category(sign) == "So"
    ]


def _bytes(pattern: str) -> Callable[[re.Match[str]], str]:
    """Return a function that decodes pairs of hexadecimal digits as UTF-8."""

    def read(found: re.Match[str]) -> str:
        raw = bytes(int(each, 16) for each in re.findall(pattern, found[0]))
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return raw.decode("latin-1")

    return read


def _by_number(found: re.Match[str]) -> str:
    number = int(found[1], 16)
    return chr(number) if number <= 0x10FFFF else found[0]


def _pair(found: re.Match[str]) -> str:
    return found[0].encode("utf-16", "surrogatepass").decode("utf-16")


_HEX = "[0-9a-fA-F]"
_ESCAPES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"&#?\w{1,31};?"), lambda found: html.unescape(found[0])),
    (re.compile(rf"(?:\\+|%)u\{{?({_HEX}{{4}})\}}?"), _by_number),
    (re.compile(rf"\\+u\{{({_HEX}{{1,6}})\}}"), _by_number),
    (re.compile(rf"\\+U({_HEX}{{8}})"), _by_number),
    (re.compile(r"[\ud800-\udbff][\udc00-\udfff]"), _pair),
    (re.compile(rf"(?:%{_HEX}{{2}})+"), _bytes(rf"%({_HEX}{{2}})")),
    (re.compile(rf"(?:\\+x{_HEX}{{2}})+"), _bytes(rf"x({_HEX}{{2}})")),
    (re.compile(r"\\+[nrtbfv0]"), lambda _: " "),
)
"""Escapes of HTML; JSON, JavaScript and Python; surrogates; URLs; bytes; white space."""


def _unescaped(said: str) -> list[_Letter]:
    letters = [_Letter(sign, at, at + 1) for at, sign in enumerate(said)]
    for _ in range(_DEPTH):
        before = letters
        for pattern, read in _ESCAPES:
            letters = _undone(letters, pattern, read)
        if letters == before:
            break
    return letters


def _undone(
    letters: list[_Letter], pattern: re.Pattern[str], read: Callable[[re.Match[str]], str]
) -> list[_Letter]:
    text, done, undone = "".join(each.is_ for each in letters), 0, list[_Letter]()
    for found in pattern.finditer(text):
        if (meant := read(found)) == found[0]:
            continue
        start, end = letters[found.start()].start, letters[found.end() - 1].end
        undone += letters[done : found.start()]
        undone += [_Letter(sign, start, end) for sign in meant]
        done = found.end()
    return undone + letters[done:]
