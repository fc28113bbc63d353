"""Turn replies into looks: text with entities, and a keyboard. Pure functions; nothing is sent.

No markup is ever parsed, so text from people can't format anything: bold text and quotes are
entities, whose offsets count UTF-16 units. Times are entities too: each app shows them in its own
time zone and updates relative times by itself.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

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
from bot.core import presses
from bot.core.orders import Address
from bot.core.prompts import shortened
from bot.core.replies import Action, Button, Reply, Text
from bot.platforms.telegram.reading import chat_and_topic

MOST_TEXT = 4096
MOST_CAPTION = 1024
"""Telegram's limits, in UTF-16 units."""
MOST_PROMPT = 900
MOST_VALUE = 100
IN_A_ROW = 3
A_ROW = 48
"""Most characters in a row of buttons, so that a phone shows them. All buttons of a row are as wide
as the widest one."""

KEEP = "keep"
"""The action of the button that answers the question of *Delete* with no."""
SUPERGROUP = "-100"
"""The prefix of a supergroup's id, before the number that links use."""

_STYLES = {Action.CANCEL: "danger", Action.DELETE: "danger", Action.CONFIRM: "danger"}
_LEADING = frozenset({Action.LIST, Action.ORIGINAL})

_STYLED = {"at": "r", "resets_at": "r", "until": "dt", "person": "person", "owner": "owner"}
"""The values of a sentence that become entities: times, by Telegram's date format, and people."""

EXAMPLES = ("room.try_one", "room.try_two", "room.try_three")

Line = Formatted | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A message's content, in aiogram's types."""

    text: str
    entities: list[MessageEntity]
    keyboard: InlineKeyboardMarkup | None
    link: str | None = None
    """Our own link, which Telegram may preview. Links of other sites get no preview."""

    @property
    def words(self) -> dict[str, Any]:
        """Return aiogram's arguments for a text message."""
        return {
            "text": self.text,
            "entities": self.entities,
            "link_preview_options": LinkPreviewOptions(
                is_disabled=self.link is None, url=self.link
            ),
            "reply_markup": self.keyboard,
        }

    @property
    def mark(self) -> str:
        """Return a hash of the content: equal for looks that show the same."""
        keys = self.keyboard.model_dump_json() if self.keyboard else ""
        marked = (each.model_dump_json() for each in self.entities)
        whole = "\0".join([self.text, keys, self.link or "", *marked])
        return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()


def rendered(reply: Reply, locale: str, *, name: str, caption: bool = False) -> Rendered:
    """Return the look of a message, or of a video's caption. `name` is the person's name.

    The prompt is shortened until the text fits Telegram's limit.
    """
    most = MOST_CAPTION if caption else MOST_TEXT
    room = most
    while True:
        text, entities = _written(reply, locale, name, prompt=min(MOST_PROMPT, room)).render()
        length = len(text.encode("utf-16-le")) // 2
        if length <= most or room <= 1:
            break
        room = max(1, room - max(length - most, 1))
    keys = keyboard(reply.buttons, locale)
    return Rendered(text=text, entities=entities, keyboard=keys, link=reply.link)


def notice(reply: Reply, locale: str, *, name: str = "") -> Rendered:
    """Return the look of a plain sentence, which may mention a person called `name`.

    The reply's facts become a list, for example of alternatives; its buttons become a keyboard.
    """
    parts = sentence(reply.text, locale, name=name, most=5 * MOST_VALUE)
    for fact in reply.facts:
        parts += ["\n• ", *sentence(fact, locale)]
    text, entities = Formatted(*parts).render()
    return Rendered(text=text, entities=entities, keyboard=keyboard(reply.buttons, locale))


def listing(reply: Reply, locale: str, *, alone: bool = True) -> Rendered:
    """Return the look of a list or a menu: a title, and a line for each fact.

    A reply without facts and buttons becomes a plain sentence. Unless `alone`, owners are named
    without a mention, so that Telegram doesn't notify them.
    """
    title: list[Line] = sentence(reply.text, locale, most=5 * MOST_VALUE, alone=alone)
    parts: list[Line] = [Bold(*title)] if reply.facts or reply.buttons else title
    if reply.prompt:
        parts += ["\n", BlockQuote(i18n.flat(reply.prompt, most=MOST_PROMPT))]
    for fact in reply.facts:
        line = Formatted(*sentence(fact, locale, most=3 * MOST_VALUE, alone=alone))
        more: list[Line] = ["\n", line]
        if len(Formatted(*parts, *more).render()[0]) * 2 > MOST_TEXT:
            parts.append("\n…")
            break
        parts += more
    text, entities = Formatted(*parts).render()
    return Rendered(
        text=text, entities=entities, keyboard=keyboard(reply.buttons, locale, reply.jump)
    )


def examples(locale: str) -> InlineKeyboardMarkup:
    """Return a keyboard with example prompts. Each button makes a proposal of its prompt."""
    keys = [key(Text(id=id_), locale, "try", str(number)) for number, id_ in enumerate(EXAMPLES)]
    return InlineKeyboardMarkup(inline_keyboard=[[each] for each in keys])


def keyboard(
    buttons: Iterable[Button], locale: str, jump: Address | None = None
) -> InlineKeyboardMarkup | None:
    """Return a keyboard with a few buttons in each row, or None if there are no buttons."""
    rows: list[list[InlineKeyboardButton]] = []
    leads = False
    for button in buttons:
        # Buttons that open other lists or send the original stand in rows of their own.
        turns = (button.action in _LEADING) is not leads
        leads = button.action in _LEADING
        pressed = _key(button, locale)
        if rows and not turns and _fits([*rows[-1], pressed]):
            rows[-1].append(pressed)
        else:
            rows.append([pressed])
    if jump is not None and (url := link_to(jump)):
        rows.append([InlineKeyboardButton(text=i18n.say(Text(id="button.jump"), locale), url=url)])
    return InlineKeyboardMarkup(inline_keyboard=rows) if rows else None


def _fits(row: Sequence[InlineKeyboardButton]) -> bool:
    return len(row) <= IN_A_ROW and len(row) * max(len(each.text) for each in row) <= A_ROW


def _key(button: Button, locale: str) -> InlineKeyboardButton:
    label = i18n.say(button.label, locale)
    return InlineKeyboardButton(
        text=chosen(label) if button.is_chosen else label,
        callback_data=presses.written(button),
        style=_STYLES.get(button.action),
    )


def key(
    label: Text | str, locale: str, *carried: str, style: str | None = None
) -> InlineKeyboardButton:
    """Return a button that only Telegram has. `carried` (action, subject, value) becomes its data,
    in the form of all other buttons."""
    text = i18n.say(label, locale) if isinstance(label, Text) else label
    return InlineKeyboardButton(text=text, callback_data=":".join(("v1", *carried)), style=style)


def chosen(label: str) -> str:
    """Return the label of a value that is currently chosen."""
    return f"• {label}"


def sure(job_id: str, locale: str, *, back: Sequence[str]) -> InlineKeyboardMarkup:
    """Return the buttons after *Delete*: one confirms, one goes back with the data `back`."""
    really = Button(action=Action.CONFIRM, about=job_id, said=Text(id="delete.really"))
    row = [_key(really, locale), key(Text(id="delete.keep"), locale, *back)]
    return InlineKeyboardMarkup(inline_keyboard=[row])


def link_to(message: Address) -> str | None:
    """Return the link to a message, or None: only messages in supergroups have one, which works for
    the group's members."""
    chat, _ = chat_and_topic(message.channel)
    number = str(chat).removeprefix(SUPERGROUP)
    if number == str(chat) or message.message in (None, "", "0"):
        return None
    return f"https://t.me/c/{number}/{message.message}"


def sentence(
    text: Text, locale: str, *, name: str = "", most: int = MOST_VALUE, alone: bool = True
) -> list[Line]:
    """Return a sentence in parts, with entities for times and people.

    An owner is mentioned, and so notified, only if `alone`.
    """
    owner = i18n.say(Text(id="telegram.owner"), locale)

    def drawn(style: str, value: str) -> Line:
        match style:
            case "person":
                return _mention(value, name)
            case "owner":
                return _mention(value, owner) if alone else owner
            case _:
                return _time(float(value), style, locale)

    parts = i18n.cut(text, locale, _STYLED, most=most)
    return [part if isinstance(part, str) else drawn(*part) for part in parts]


def _written(reply: Reply, locale: str, name: str, *, prompt: int) -> Formatted:
    lines: list[Line] = [Formatted(*sentence(reply.text, locale, name=name))]
    if reply.prompt:
        lines.append(BlockQuote(shortened(i18n.flat(reply.prompt, most=MOST_PROMPT), prompt)))
    if reply.bar:
        lines.append(reply.bar)
    lines += [Formatted(*sentence(fact, locale)) for fact in reply.facts]
    if reply.link:
        lines.append(reply.link)
    joined: list[Line] = []
    for line in lines:
        joined += ["\n", line] if joined else [line]
    return Formatted(*joined)


def _mention(person_id: str, name: str) -> Line:
    """Return a mention, which notifies the person; only the name if the id is a chat's."""
    if not person_id.isdecimal():
        return name
    return TextMention(name, user=User(id=int(person_id), is_bot=False, first_name=name))


def _time(at: float, style: str, locale: str) -> DateTime:
    """Return a time as an entity. Apps from before March 2026 show only the text inside, which
    doesn't update itself."""
    moment = datetime.fromtimestamp(at, UTC)
    tongue = i18n.nearest(locale)
    if style == "r":
        left = moment - datetime.now(UTC)
        words = format_timedelta(left, add_direction=True, threshold=1.2, locale=tongue)
    else:
        words = f"{format_datetime(moment, 'medium', locale=tongue)} UTC"
    return DateTime(words, unix_time=int(at), date_time_format=style)
