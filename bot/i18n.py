"""Words: every sentence a person can read comes out of a gettext catalog in `locales/`.

The `.po` files are the only source; they are compiled in memory, so nothing has to be built and
nothing can be out of date. Message ids are codes; a language that lacks one falls back to English.
"""

import gettext
import io
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, partial
from importlib.resources import files

from babel.dates import format_skeleton
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from bot import installed
from bot.core.prompts import shortened
from bot.core.replies import Text

DEFAULT = "en"

Format = Callable[[object], str]
_COMMAND = re.compile(r"\bzoetrope (?=[a-z])")
"""Our command, where a sentence tells people to type it."""
_MARK = re.compile("\x02([^\x03]*)\x03")
"""A value that is to be drawn, in a sentence."""
_HIDDEN = str.maketrans("", "", "\x02\x03")


@cache
def languages() -> tuple[str, ...]:
    """The languages we speak, by catalog name."""
    found = (entry.name for entry in files("bot").joinpath("locales").iterdir())
    return tuple(sorted(name.removesuffix(".po") for name in found if name.endswith(".po")))


def say(
    text: Text,
    locale: str,
    *,
    formats: Mapping[str, Format] | None = None,
    escape: Callable[[str], str] = str,
    command: str = installed.NAME,
) -> str:
    """The sentence of `text` in the language nearest to `locale`.

    `formats` turns values of these names into a platform's own markup; other texts are escaped. A
    value may be a sentence itself. `command` is our command as this person types it.
    """
    catalog = _catalog(nearest(locale))
    if text.count is None:
        sentence = catalog.gettext(text.id)
    else:
        sentence = catalog.ngettext(text.id, text.id, text.count)
    if command != installed.NAME:
        typed = command.replace("{", "{{").replace("}", "}}")
        sentence = _COMMAND.sub(lambda _: f"{typed} ", sentence)
    values = {
        name: say(value, locale, formats=formats, escape=escape, command=command)
        if isinstance(value, Text)
        else _shown(name, value, formats or {}, escape)
        for name, value in {"count": text.count, **text.values}.items()
    }
    return sentence.format(**values)


def cut(
    text: Text, locale: str, manners: Mapping[str, str], *, most: int
) -> list[str | tuple[str, str]]:
    """The sentence, cut where a value stands that is drawn instead of written.

    `manners` says of each such value, by its name, in which manner it is drawn: its place is taken
    by both. Of any other text `most` characters are left.
    """
    formats = {name: partial("\x02{}:{}\x03".format, each) for name, each in manners.items()}
    said = say(text, locale, formats=formats, escape=partial(flat, most=most))
    parts: list[str | tuple[str, str]] = []
    for number, part in enumerate(_MARK.split(said)):
        if number % 2:
            manner, _, value = part.partition(":")
            parts.append((manner, value))
        elif part:
            parts.append(part)
    return parts


def flat(text: str, *, most: int) -> str:
    """Text of others in one line, of at most so many characters."""
    return shortened(" ".join(text.translate(_HIDDEN).split()), most)


def on_terminal(
    text: Text, locale: str = DEFAULT, *, formats: Mapping[str, Format] | None = None
) -> str:
    """The sentence for whoever started us there: what they are told to type works for them."""
    return say(text, locale, formats=formats, escape=printable, command=installed.command())


def nearest(locale: str) -> str:
    """The catalog that speaks to people of this locale."""
    wanted = locale.replace("-", "_")
    for name in (wanted, wanted.partition("_")[0]):
        if name in languages():
            return name
    return DEFAULT


def moment(seconds: float, locale: str) -> str:
    """A time since the epoch in words, for readers whose time zone is unknown."""
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{format_skeleton('yMMMd', at, locale=nearest(locale))}, {at:%H:%M} UTC"


def printable(text: str) -> str:
    """Text of others, for a terminal: nothing in it can move the cursor."""
    return "".join(char if char.isprintable() else "·" for char in text)


def _shown(
    name: str, value: object, formats: Mapping[str, Format], escape: Callable[[str], str]
) -> object:
    if name in formats and value is not None:
        return formats[name](value)
    return escape(value) if isinstance(value, str) else value


@cache
def _catalog(name: str) -> gettext.GNUTranslations:
    with files("bot").joinpath("locales", f"{name}.po").open("rb") as source:
        catalog = read_po(source, locale=name)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    translations = gettext.GNUTranslations(compiled)
    if name != DEFAULT:
        translations.add_fallback(_catalog(DEFAULT))
    return translations
