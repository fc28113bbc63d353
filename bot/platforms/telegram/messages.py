"""Looks: a reply becomes text with entities, and a keyboard. Pure functions; nothing is sent here.

Nothing is ever parsed as markup: strangers' words are text, and what is bold or quoted is said so
in entities, which count in UTF-16. Times are entities too: every reader sees them in their own
zone, and they count down by themselves.
"""

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from aiogram.types import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    MessageEntity,
    User,
)
from aiogram.utils.formatting import BlockQuote, Bold, DateTime, TextMention
from aiogram.utils.formatting import Text as Formatted
from babel.dates import format_datetime, format_timedelta

from bot import i18n
from bot.core.prompts import shortened
from bot.core.replies import Action, Button, Reply, Text

MOST_TEXT = 4096
MOST_CAPTION = 1024
"""UTF-16 units: Telegram's limits."""
MOST_PROMPT = 900
MOST_VALUE = 100
IN_A_ROW = 3
"""Buttons whose words can be read on a phone."""
BAR = 12
"""Signs in a full progress bar."""

CALLBACK = re.compile(r"v1:(?P<act>[a-z]+):(?P<about>[0-9A-Za-z_-]{1,48})(?::(?P<value>\S{1,32}))?")
"""A button's action, job or draft, and value, in at most 64 bytes."""

CONFIRM, KEEP = "confirm", "keep"
"""Actions of the buttons that *Delete* turns into."""

_STYLES = {Action.CANCEL: "danger", Action.DELETE: "danger"}
_MARK = re.compile("\x02([^\x03]*)\x03")
_HIDDEN = str.maketrans("", "", "\x02\x03")

EXAMPLES = ("room.try_one", "room.try_two", "room.try_three")

Line = Formatted | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A message for aiogram."""

    text: str
    entities: list[MessageEntity]
    keyboard: InlineKeyboardMarkup | None
    link: str | None = None
    """Our own, which may be shown as a preview: never the page of a stranger."""

    @property
    def preview(self) -> LinkPreviewOptions:
        """Telegram's previews of pages that the text links to."""
        return LinkPreviewOptions(is_disabled=self.link is None, url=self.link)

    @property
    def mark(self) -> str:
        """The same for two that look the same."""
        keys = self.keyboard.model_dump_json() if self.keyboard else ""
        marked = (each.model_dump_json() for each in self.entities)
        whole = "\0".join([self.text, keys, self.link or "", *marked])
        return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()


def look(reply: Reply, locale: str, *, name: str, caption: bool = False) -> Look:
    """A message, or what stands under a video; `name` is what its person is called."""
    most = MOST_CAPTION if caption else MOST_TEXT
    room = most
    while True:
        text, entities = _written(reply, locale, name, prompt=min(MOST_PROMPT, room)).render()
        length = len(text.encode("utf-16-le")) // 2
        if length <= most or room <= 1:
            break
        room = max(1, room - max(length - most, 1))
    keys = keyboard(reply.buttons, locale)
    return Look(text=text, entities=entities, keyboard=keys, link=reply.link)


def notice(reply: Reply, locale: str, *, name: str = "") -> Look:
    """One plain sentence; it may list what can be had instead, and name a person.

    An owner's may have a list, and something to press.
    """
    parts = sentence(reply.text, locale, name=name, most=5 * MOST_VALUE)
    for fact in reply.facts:
        parts += ["\n• ", *sentence(fact, locale)]
    text, entities = Formatted(*parts).render()
    return Look(text=text, entities=entities, keyboard=keyboard(reply.buttons, locale))


def listing(title: Text, lines: Iterable[Text], locale: str) -> Look:
    """A title, and a line for each."""
    parts: list[Line] = [Bold(*sentence(title, locale))]
    for line in lines:
        more: list[Line] = ["\n", Formatted(*sentence(line, locale, most=3 * MOST_VALUE))]
        if len(Formatted(*parts, *more).render()[0]) * 2 > MOST_TEXT:
            parts.append("\n…")
            break
        parts += more
    text, entities = Formatted(*parts).render()
    return Look(text=text, entities=entities, keyboard=None)


def with_file_key(look: Look, job_id: str, locale: str) -> Look:
    """The same, with a button that asks for the very file."""
    key = InlineKeyboardButton(
        text=i18n.say(Text(id="telegram.as_file"), locale), callback_data=f"v1:file:{job_id}"
    )
    rows = look.keyboard.inline_keyboard if look.keyboard else []
    return replace(look, keyboard=InlineKeyboardMarkup(inline_keyboard=[*rows, [key]]))


def examples(locale: str) -> InlineKeyboardMarkup:
    """Something to begin with, each a button that makes a draft of it."""
    keys = [
        InlineKeyboardButton(text=i18n.say(Text(id=id_), locale), callback_data=f"v1:try:{number}")
        for number, id_ in enumerate(EXAMPLES)
    ]
    return InlineKeyboardMarkup(inline_keyboard=[[key] for key in keys])


def keyboard(buttons: Iterable[Button], locale: str) -> InlineKeyboardMarkup | None:
    """A few in each row; None where there is nothing to press."""
    keys = [
        InlineKeyboardButton(
            text=i18n.say(each.label, locale),
            callback_data=":".join(filter(None, ("v1", each.action, each.job_id, each.value))),
            style=_STYLES.get(each.action),
        )
        for each in buttons
    ]
    rows = [keys[at : at + IN_A_ROW] for at in range(0, len(keys), IN_A_ROW)]
    return InlineKeyboardMarkup(inline_keyboard=rows) if rows else None


def sure(job_id: str, locale: str) -> InlineKeyboardMarkup:
    """Buttons after *Delete*: the question, and the way back."""
    row = [
        InlineKeyboardButton(
            text=i18n.say(Text(id=id_), locale), callback_data=f"v1:{act}:{job_id}", style=style
        )
        for id_, act, style in (
            ("delete.really", CONFIRM, _STYLES[Action.DELETE]),
            ("delete.keep", KEEP, None),
        )
    ]
    return InlineKeyboardMarkup(inline_keyboard=[row])


def sentence(text: Text, locale: str, *, name: str = "", most: int = MOST_VALUE) -> list[Line]:
    """The sentence, cut where a time or a person stands."""
    formats: dict[str, i18n.Format] = {
        "at": _marked("r"),
        "resets_at": _marked("r"),
        "until": _marked("dt"),
        "person": _marked("person"),
    }
    said = i18n.say(text, locale, formats=formats, escape=partial(_plain, most=most))
    parts: list[Line] = []
    for number, part in enumerate(_MARK.split(said)):
        if number % 2:
            style, _, value = part.partition(":")
            person = style == "person"
            parts.append(_mention(value, name) if person else _time(float(value), style, locale))
        elif part:
            parts.append(part)
    return parts


def _written(reply: Reply, locale: str, name: str, *, prompt: int) -> Formatted:
    lines: list[Line] = [Formatted(*sentence(reply.text, locale, name=name))]
    if reply.prompt:
        lines.append(BlockQuote(shortened(_plain(reply.prompt, most=MOST_PROMPT), prompt)))
    if reply.progress is not None:
        full = reply.progress * BAR // 100
        lines.append(f"{'▰' * full}{'▱' * (BAR - full)}  {reply.progress} %")
    lines += [Formatted(*sentence(fact, locale)) for fact in reply.facts]
    if reply.link:
        lines.append(reply.link)
    joined: list[Line] = []
    for line in lines:
        joined += ["\n", line] if joined else [line]
    return Formatted(*joined)


def _mention(person_id: str, name: str) -> Line:
    """Rings for people; a chat that spoke for itself can only be named."""
    if not person_id.isdecimal():
        return name
    return TextMention(name, user=User(id=int(person_id), is_bot=False, first_name=name))


def _time(at: float, style: str, locale: str) -> DateTime:
    """Apps from before March 2026 show the words inside: those have to be true for a while."""
    moment = datetime.fromtimestamp(at, UTC)
    tongue = _tongue(locale)
    if style == "r":
        left = moment - datetime.now(UTC)
        words = format_timedelta(left, add_direction=True, threshold=1.2, locale=tongue)
    else:
        words = f"{format_datetime(moment, 'medium', locale=tongue)} UTC"
    return DateTime(words, unix_time=int(at), date_time_format=style)


def _tongue(locale: str) -> str:
    nearest = locale.replace("-", "_").partition("_")[0]
    return nearest if nearest in i18n.languages() else i18n.DEFAULT


def _marked(style: str) -> Callable[[object], str]:
    return lambda value: f"\x02{style}:{value}\x03"


def _plain(value: str, *, most: int) -> str:
    return shortened(" ".join(value.translate(_HIDDEN).split()), most)
