"""Translation: every sentence that people read comes from a gettext file in `locales/`.

The `.po` files are the only source. They are compiled in memory, so there is no build step and no
outdated build. Message ids are codes. A message that a language lacks is shown in English.
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
"""Our command in a sentence that tells people to type it."""
_MARK = re.compile("\x02([^\x03]*)\x03")
"""The markers around a value that the platform draws, in a sentence."""
_HIDDEN = str.maketrans("", "", "\x02\x03")


@cache
def languages() -> tuple[str, ...]:
    """Return the names of the languages that have a `.po` file."""
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
    """Return the sentence of `text` in the language nearest to `locale`.

    `formats` holds a function for some values, by name, that turns the value into the platform's
    markup; all other strings go through `escape`. A value may itself be a `Text`, or a list of
    alternatives. `command` is our command as this person types it.
    """

    def shown(name: str, value: object) -> object:
        if isinstance(value, Text):
            return say(value, locale, formats=formats, escape=escape, command=command)
        if isinstance(value, list | tuple):
            return _either([str(shown(name, each)) for each in value], locale)
        return _shown(name, value, formats or {}, escape)

    catalog = _catalog(nearest(locale))
    if text.count is None:
        sentence = catalog.gettext(text.id)
    else:
        sentence = catalog.ngettext(text.id, text.id, text.count)
    if command != installed.NAME:
        typed = command.replace("{", "{{").replace("}", "}}")
        sentence = _COMMAND.sub(lambda _: f"{typed} ", sentence)
    values = {"count": text.count, **text.values}
    return sentence.format(**{name: shown(name, value) for name, value in values.items()})


def _either(choices: list[str], locale: str) -> str:
    """Return the alternatives in one phrase, such as "3, 4 or 5"."""
    *others, last = choices or [""]
    if not others:
        return last
    return say(Text(id="list.either", values={"others": ", ".join(others), "last": last}), locale)


def cut(
    text: Text, locale: str, manners: Mapping[str, str], *, most: int
) -> list[str | tuple[str, str]]:
    """Return the sentence in pieces, split at the values that the platform draws itself.

    `manners` holds, for each such value by its name, the manner of drawing. Such a value becomes a
    pair (manner, value) in the list; the text between is plain. Any other string value is
    shortened to `most` characters.
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
    """Return text from outside as one line of at most `most` characters."""
    return shortened(" ".join(text.translate(_HIDDEN).split()), most)


def on_terminal(
    text: Text, locale: str = DEFAULT, *, formats: Mapping[str, Format] | None = None
) -> str:
    """Return the sentence for the terminal, with commands as the operator types them."""
    return say(text, locale, formats=formats, escape=printable, command=installed.command())


def nearest(locale: str) -> str:
    """Return the language to use for this locale; English if no language fits."""
    wanted = locale.replace("-", "_")
    for name in (wanted, wanted.partition("_")[0]):
        if name in languages():
            return name
    return DEFAULT


def moment(seconds: float, locale: str) -> str:
    """Return a time (seconds since the epoch) as date and time in UTC, for any reader."""
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{format_skeleton('yMMMd', at, locale=nearest(locale))}, {at:%H:%M} UTC"


def printable(text: str) -> str:
    """Return text from outside, safe for a terminal: no control character is left."""
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
