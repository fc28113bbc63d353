"""Flags: what people choose with dashes behind a command, told apart from what they only write.

Phones make one long dash of two short ones, put a space behind it and turn quotation marks, each in
its own way. So there is one rule for every dash and every quotation mark that a keyboard has.
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
"""Quotation marks. Each ends with any of its kind: keyboards mix the marks of many languages."""

_OPENING = re.compile(
    rf"(?<!\S)(?P<dashes>[{DASHES}]+)(?P<gap>\s*)(?P<name>[A-Za-z][A-Za-z0-9_-]*)"
)
_SEPARATOR = re.compile(rf"\s*[=＝:：]\s*|\s+|(?=[{DOUBLE}{SINGLE}])")
_DASH = re.compile(rf"[{DASHES}](?!\d)")
_CLOSING = {
    **dict.fromkeys(DOUBLE, re.compile(f"[{DOUBLE}]")),
    # One inside a word is an apostrophe.
    **dict.fromkeys(SINGLE, re.compile(rf"[{SINGLE}](?!\w)")),
}
_WORD = re.compile(r"\S+")
_SPACED = {
    "seconds": re.compile(r"\d+\s+(?:s|secs?|seconds?)(?!\w)", re.IGNORECASE),
    "aspect": PAIR,
    "quality": re.compile(r"\d+\s+[pP](?!\w)"),
}
"""Values that people write with a space in them."""
_LONG = {name for name, option in OPTIONS.items() if option.most}
"""Flags behind which people write as many words as they like."""
_ALIKE = 0.8
"""From here on a word is taken for a flag that was misspelt: `sond`, `secnds`, `mode`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Value:
    """The value behind a flag, and where it ends."""

    text: str
    end: int
    is_quoted: bool = False
    is_open: bool = False
    """Its quotation mark has no partner: nobody knows how far it was meant to go."""


def wish_of(rest: str, catalog: Catalog) -> Wish:
    """Words and flags apart. Raises `Refused` for a flag that is none, or makes no sense.

    A name of the catalog is one value, however many words it has.
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
        raise loose  # some of these words may be the wish itself
    return replace(wish, prompt=prompt)


def _found(rest: str, catalog: Catalog) -> Iterator[tuple[re.Match[str], _Value]]:
    """Each flag with its value."""
    end = 0
    for found in _OPENING.finditer(rest):
        if found.start() < end:
            continue  # it is part of what was quoted
        name = found["name"].lower()
        value = _value_at(rest, found.end(), name, catalog)
        if found["gap"] and not _fits(name, value, catalog, rest[value.end :]):
            continue  # a dash of a sentence
        if name not in OPTIONS:
            if len(found["dashes"]) == 1:
                _check_near(rest, found, catalog)
                continue
            raise Refused("flag_unknown", flag=name, can=", ".join(f"--{each}" for each in OPTIONS))
        end = value.end
        yield found, value


def _check_near(rest: str, found: re.Match[str], catalog: Catalog) -> None:
    """Raise `Refused` for a misspelt flag with a value of that flag: `—sounds off`.

    A dash with a space behind it is one of a sentence, and so are `—sounds of rain`.
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
    """Where the next flag opens, else the end of the line."""
    end = (rest + "\n").index("\n", begin)
    opened = (it for it in _OPENING.finditer(rest, begin, end) if _is_flag(rest, it, catalog))
    return next((it.start() for it in opened), end)


def _is_flag(rest: str, found: re.Match[str], catalog: Catalog) -> bool:
    """Whether this is one, or meant to be one: a dash may stand in any sentence."""
    name = found["name"].lower()
    if not found["gap"]:
        return name in OPTIONS or len(found["dashes"]) > 1
    value = _value_at(rest, found.end(), name, catalog)
    return _fits(name, value, catalog, rest[value.end :])


def _names(name: str, catalog: Catalog) -> list[str]:
    """Those of the catalog that this flag may have: they may have spaces in them."""
    if name == "model":
        models = catalog.models
        return [each.casefold() for m in models for each in (m.label, m.family, m.name)]
    presets = catalog.presets.items() if name == "preset" else ()
    return [each.casefold() for id_, preset in presets for each in (id_, preset.label)]


def _name_end(rest: str, begin: int, names: list[str]) -> int | None:
    """Where the longest of these names ends that stands there, else one that only begins so."""
    whole = begun = None
    for word in _WORD.finditer(rest, begin):
        text = " ".join(rest[begin : word.end()].split()).casefold()
        if not any(name.startswith(text) for name in names):
            break
        begun = word.end()
        whole = begun if text in names else whole
    return whole or begun


def _fits(name: str, value: _Value, catalog: Catalog, after: str) -> bool:
    """Whether it can only be meant as this flag's value, though a space follows the dash."""
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
        # "A beach — sound on the rocks": such words end a wish, or another flag follows.
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
