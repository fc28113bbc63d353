"""Parse the flags in a command's text, such as `--seconds 8`, and separate them from the prompt.

Phone keyboards replace two hyphens with one long dash, add a space after it and curl quotation
marks, each in its own way. So all dashes are treated alike, and so are all quotation marks.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from difflib import get_close_matches

from bot.core.catalog import Catalog
from bot.core.errors import Refused
from bot.core.presets import preset_of
from bot.core.prompts import DASHES
from bot.core.wishes import OPTIONS, PAIR, Choice, Wish

DOUBLE = '"“”„‟«»〝〞〟＂″「」『』'
SINGLE = "'‘’‚‛‹›`´＇′"
"""Quotation marks. Any mark of a kind closes any other of that kind: keyboards mix the marks of
several languages."""

_OPENING = re.compile(
    rf"(?<!\S)(?P<dashes>[{DASHES}]+)(?P<gap>\s*)(?P<name>[A-Za-z][A-Za-z0-9_-]*)"
)
_SEPARATOR = re.compile(rf"\s*[=＝:：]\s*|\s+|(?=[{DOUBLE}{SINGLE}])")
_DASH = re.compile(rf"[{DASHES}](?!\d)")
_CLOSING = {
    **dict.fromkeys(DOUBLE, re.compile(f"[{DOUBLE}]")),
    # A single mark inside a word is an apostrophe.
    **dict.fromkeys(SINGLE, re.compile(rf"[{SINGLE}](?!\w)")),
}
_WORD = re.compile(r"\S+")
_SPACED = {
    "seconds": re.compile(r"\d+\s+(?:s|secs?|seconds?)(?!\w)", re.IGNORECASE),
    "aspect": PAIR,
    "quality": re.compile(r"\d+\s+[pP](?!\w)"),
}
"""Patterns of values that people write with a space inside."""
_LONG = {name for name, option in OPTIONS.items() if option.most}
"""Flags whose value may have any number of words."""
_ALIKE = 0.8
"""Similarity from which a word counts as a misspelt flag: `sond`, `secnds`, `mode`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Value:
    """The value of a flag, and the position where it ends."""

    text: str
    end: int
    is_quoted: bool = False
    is_open: bool = False
    """True if the closing quotation mark is missing, so that the value's end is unknown."""


def wish_of(rest: str, catalog: Catalog) -> Wish:
    """Parse a command's text into a wish: the prompt and the choices made by flags.

    A model's or preset's name in the catalog is one value, even with several words. Raises
    `Refused` for an unknown flag or a value that the flag can't have.
    """
    wish = Wish()
    words, at, loose = [], 0, None
    for found, value in _found(rest, catalog):
        name = found["name"].lower()
        words.append(rest[at : found.start()])
        wish = wish.having(**{OPTIONS[name].field: _read(name, value)})
        at = value.end
        if name in _LONG and not value.is_quoted and len(value.text.split()) > 1:
            loose = Refused("flag_unquoted", flag=name, given=value.text)
    prompt = " ".join(" ".join([*words, rest[at:]]).split())
    if loose and not prompt:
        raise loose  # some of these words may be the prompt
    return replace(wish, prompt=prompt)


def _found(rest: str, catalog: Catalog) -> Iterator[tuple[re.Match[str], _Value]]:
    """Yield the match and the value of each flag in the text. Raises `Refused` for a bad flag."""
    end = 0
    for found in _OPENING.finditer(rest):
        if found.start() < end:
            continue  # this dash is part of the previous value
        name = found["name"].lower()
        value = _value_at(rest, found.end(), name, catalog)
        if found["gap"] and not _fits(name, value, catalog, rest[value.end :]):
            continue  # this dash is punctuation
        if name not in OPTIONS:
            if len(found["dashes"]) == 1:
                _check_near(rest, found, catalog)
                continue
            raise Refused("flag_unknown", flag=name, can=[f"--{each}" for each in OPTIONS])
        end = value.end
        yield found, value


def _check_near(rest: str, found: re.Match[str], catalog: Catalog) -> None:
    """Raise `Refused` for a misspelt flag with a valid value of that flag: `—sounds off`.

    A dash with a space after it is punctuation, and so is the dash in `—sounds of rain`.
    """
    for near in get_close_matches(found["name"].lower(), OPTIONS, n=1, cutoff=_ALIKE):
        value = _value_at(rest, found.end(), near, catalog)
        if not found["gap"] and _fits(near, value, catalog, rest[value.end :]):
            raise Refused("flag_near", given=found["name"], near=near, value=value.text)


def _value_at(rest: str, at: int, name: str, catalog: Catalog) -> _Value:
    separator = _SEPARATOR.match(rest, at)
    begin = separator.end() if separator else len(rest)
    if begin == len(rest) or _DASH.match(rest, begin):
        return _Value(text="", end=at)
    if closing := _CLOSING.get(rest[begin]):
        closed = closing.search(rest, begin + 1)
        if closed is None:
            return _Value(text=rest[begin + 1 :], end=len(rest), is_quoted=True, is_open=True)
        text = rest[begin + 1 : closed.start()].strip()
        return _Value(text=text, end=closed.end(), is_quoted=True)
    if name in _LONG:
        end = _next_flag(rest, begin, catalog)
        return _Value(text=rest[begin:end].strip(), end=end)
    spaced = _SPACED[name].match(rest, begin) if name in _SPACED else None
    word = spaced or _WORD.match(rest, begin)
    end = _name_end(rest, begin, _names(name, catalog)) or (word.end() if word else begin)
    return _Value(text=rest[begin:end], end=end)


def _next_flag(rest: str, begin: int, catalog: Catalog) -> int:
    """Return the position where the next flag begins, else the end of the line."""
    end = (rest + "\n").index("\n", begin)
    opened = (it for it in _OPENING.finditer(rest, begin, end) if _is_flag(rest, it, catalog))
    return next((it.start() for it in opened), end)


def _is_flag(rest: str, found: re.Match[str], catalog: Catalog) -> bool:
    """Whether this match is a flag or an attempt at one, and not a dash of a sentence."""
    name = found["name"].lower()
    if not found["gap"]:
        return name in OPTIONS or len(found["dashes"]) > 1
    value = _value_at(rest, found.end(), name, catalog)
    return _fits(name, value, catalog, rest[value.end :])


def _names(name: str, catalog: Catalog) -> list[str]:
    """Return the catalog's names that this flag takes, casefolded. They may contain spaces."""
    if name == "model":
        models = catalog.models
        return [each.casefold() for m in models for each in (m.label, m.family, m.name)]
    presets = catalog.presets.items() if name == "preset" else ()
    return [each.casefold() for id_, preset in presets for each in (id_, preset.label)]


def _name_end(rest: str, begin: int, names: list[str]) -> int | None:
    """Return the end of the longest of these names at this position, else of the longest beginning
    of a name; None if there is neither."""
    whole = begun = None
    for word in _WORD.finditer(rest, begin):
        text = " ".join(rest[begin : word.end()].split()).casefold()
        if not any(name.startswith(text) for name in names):
            break
        begun = word.end()
        whole = begun if text in names else whole
    return whole or begun


def _fits(name: str, value: _Value, catalog: Catalog, after: str) -> bool:
    """Whether the text must be this flag's value, although a space follows the dash."""
    text = value.text.casefold()
    match name:
        case "aspect" | "quality":
            return OPTIONS[name].read(text) in OPTIONS[name].words
        case _ if name in _LONG:
            return value.is_quoted
        case "model" if not catalog.named(text):
            return False
        case "preset" if preset_of(text, catalog.presets) is None:
            return False
        case _ if name not in OPTIONS or value.is_open:
            return False
    with suppress(Refused):
        _read(name, value)
        # "A beach — sound on the rocks" is a sentence. So the value must end the text, or another
        # flag must follow.
        rest = after.strip()
        opened = _OPENING.match(rest)
        return not rest or (opened is not None and _is_flag(rest, opened, catalog))
    return False


def _read(name: str, value: _Value) -> Choice:
    if value.is_open:
        raise Refused("flag_unclosed", flag=name)
    if not value.text:
        raise Refused("flag_empty", flag=name)
    return OPTIONS[name].read(value.text)
