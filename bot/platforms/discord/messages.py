"""Turn replies into looks: text, an embed and buttons. Pure functions; nothing is sent here.

A card is an embed: it has a colour and notifies nobody. Other messages are plain text, so that
links get a preview and the mention notifies the person. Text from people (prompts, names) passes
through `plain` before it is shown.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import Any

import discord
from discord.ui import View

from bot import i18n
from bot.core import presses
from bot.core.orders import Address
from bot.core.posts import PostKind
from bot.core.prompts import shortened
from bot.core.replies import Action, Button, Reply, Text, Tone

MOST_CONTENT = 2000
MOST_PROMPT = 300
MOST_VALUE = 100
MOST_LABEL = 80
MOST_CHOICE = 100
"""Limits in characters. Discord's, except `MOST_PROMPT` and `MOST_VALUE`, which are ours."""
NOTE = "note"
"""The kind of message in buttons below a notice, which isn't a post."""
FEW = 5
"""Most choices that are shown as buttons; more become a menu."""
MOST_CHOICES = 25
"""Discord's limit of choices in a menu."""

COLOURS = {
    Tone.WAITING: discord.Colour(0x99A1AA),
    Tone.WORKING: discord.Colour(0xE8A33D),
    Tone.DONE: discord.Colour(0x3BA55D),
    Tone.FAILED: discord.Colour(0xD9534F),
    Tone.NEUTRAL: discord.Colour(0x6B7280),
}

_STYLES = {
    Action.CANCEL: discord.ButtonStyle.danger,
    Action.CONFIRM: discord.ButtonStyle.danger,
    Action.TRY_ON: discord.ButtonStyle.primary,
}
_UNFURLS = re.compile(r":(?=//)|\.[^\s./]+(?=/)")
"""The positions that break a URL: after its scheme, and after each domain before a slash. Invites
get a preview even without a scheme, and their short domains change."""
_ZERO_WIDTH = "\u200b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A message's content, in discord.py's types."""

    content: str | None
    embeds: list[discord.Embed]
    view: View
    mentions: discord.AllowedMentions

    @property
    def words(self) -> dict[str, Any]:
        """Return discord.py's arguments for a message without an embed."""
        return {"content": self.content, "view": self.view, "allowed_mentions": self.mentions}

    @property
    def whole(self) -> dict[str, Any]:
        """Return discord.py's arguments for any message."""
        return self.words | {"embeds": self.embeds}


def card(reply: Reply, locale: str, *, job_id: str) -> Rendered:
    """Return the card of a job. `is_about` recognizes the card by its footer."""
    bar = (reply.bar,) if reply.bar else ()
    lines = (_sentence(reply.text, locale), *_quoted(reply), *bar, *_facts(reply, locale))
    embed = discord.Embed(colour=COLOURS[reply.tone], description="\n".join(lines))
    embed.set_footer(text=job_id)
    view = _view(reply, locale, PostKind.CARD)
    return Rendered(content=None, embeds=[embed], view=view, mentions=_mentions(None))


def post(reply: Reply, locale: str, *, kind: PostKind) -> Rendered:
    """Return the look of a result or a failure, which may mention its person."""
    words = "\n".join((_sentence(reply.text, locale), *_quoted(reply), *_facts(reply, locale)))
    link = f"\n{reply.link}" if reply.link else ""
    return Rendered(
        content=shortened(words, MOST_CONTENT - len(link)) + link,
        embeds=[],
        view=_view(reply, locale, kind),
        mentions=_mentions(reply.ping),
    )


def notice(reply: Reply, locale: str) -> Rendered:
    """Return the look of a plain sentence for one person. Facts become a list, buttons a view."""
    # The sentence may contain a long list of alternatives.
    lines = [_sentence(reply.text, locale, most=5 * MOST_VALUE), *_quoted(reply)]
    lines += [f"• {_sentence(fact, locale)}" for fact in reply.facts]
    content = shortened("\n".join(lines), MOST_CONTENT)
    view = _view(reply, locale, NOTE)
    return Rendered(content=content, embeds=[], view=view, mentions=_mentions(None))


def with_original(rendered: Rendered, job_id: str, locale: str) -> Rendered:
    """Add a button that asks for the original of the job's video."""
    button = Button(action=Action.ORIGINAL, about=job_id)
    rendered.view.add_item(_button(button, locale, PostKind.RESULT))
    return rendered


def is_about(message: discord.Message, job_id: str, kind: PostKind) -> bool:
    """Whether a message of ours is this kind of post about this job."""
    if kind is PostKind.CARD:
        return any(embed.footer.text == job_id for embed in message.embeds)
    rows = [row for row in message.components if isinstance(row, discord.ActionRow)]
    ids = [getattr(button, "custom_id", None) for row in rows for button in row.children]
    carried = [presses.CODE.fullmatch(custom_id or "") for custom_id in ids]
    return any(each and (each["about"], each["under"]) == (job_id, kind) for each in carried)


def job_in(message: discord.Message) -> str | None:
    """Return the id of the job whose video a message of ours shows, or None."""
    rows = [row for row in message.components if isinstance(row, discord.ActionRow)]
    ids = [getattr(button, "custom_id", None) for row in rows for button in row.children]
    carried = (presses.CODE.fullmatch(custom_id or "") for custom_id in ids)
    return next((it["about"] for it in carried if it and it["under"] == PostKind.RESULT), None)


def returning(rendered: Rendered, words: str) -> Rendered:
    """Add a person's words to a refusal, as a block that the person can copy whole."""
    block = words.replace("```", "'''")
    room = MOST_CONTENT - len(block) - len("\n```\n\n```")
    said = shortened(rendered.content or "", room)
    return replace(rendered, content=f"{said}\n```\n{block}\n```")


def link_to(message: Address) -> str:
    """Return the link to a message, as *Copy Message Link* gives it."""
    path = (message.community or "@me", message.channel, message.message)
    return "/".join(("https://discord.com/channels", *map(str, path)))


def plain(text: str, *, most: int = MOST_VALUE) -> str:
    """Return a person's text so that Discord shows it as typed: no markup, mention or preview."""
    flat = shortened(" ".join(text.split()), most)
    flat = discord.utils.escape_markdown(flat, ignore_links=False)
    flat = _UNFURLS.sub(lambda found: found[0] + _ZERO_WIDTH, flat)
    # Every mention, channel, command, time and custom emoji begins with one of these two.
    return flat.replace("@", "@" + _ZERO_WIDTH).replace("<", "<" + _ZERO_WIDTH)


def _sentence(text: Text, locale: str, *, most: int = MOST_VALUE) -> str:
    formats: dict[str, i18n.Format] = {
        "at": _moment("R"),
        "resets_at": _moment("R"),
        "until": _moment("f"),
        "person": lambda person: f"<@{person}>",
        "owner": lambda person: f"<@{person}>",
        "contact": str,  # the operator's own text, which may contain a link
        "to": str,
        "permission": lambda name: i18n.say(Text(id=f"permission.{name}"), locale),
    }
    return i18n.say(text, locale, formats=formats, escape=partial(plain, most=most))


def _moment(style: str) -> Callable[[object], str]:
    """Return a formatter of times in Discord's markup: each app shows its own time zone and updates
    relative times by itself."""

    def shown(seconds: object) -> str:
        assert isinstance(seconds, int | float)
        return f"<t:{int(seconds)}:{style}>"

    return shown


def _quoted(reply: Reply) -> tuple[str, ...]:
    return (f"> {plain(reply.prompt, most=MOST_PROMPT)}",) if reply.prompt else ()


def _facts(reply: Reply, locale: str) -> tuple[str, ...]:
    return tuple(f"-# {_sentence(fact, locale)}" for fact in reply.facts)


def _view(reply: Reply, locale: str, kind: str) -> View:
    """Return the buttons. More than `FEW` buttons of one action become one menu or several."""
    view = View(timeout=None)
    for action, alike in groupby(reply.buttons, key=lambda button: button.action):
        buttons = list(alike)
        if len(buttons) <= FEW or action is Action.LIST:
            for button in buttons:
                view.add_item(_button(button, locale, kind))
            continue
        for first in range(0, len(buttons), MOST_CHOICES):
            few = buttons[first : first + MOST_CHOICES]
            view.add_item(_menu(few, locale, kind, name=f"v1:menu:{first}"))
    if reply.jump is not None:
        label = i18n.say(Text(id="button.jump"), locale)
        view.add_item(discord.ui.Button(label=label, url=link_to(reply.jump)))
    # discord.py keeps each view that it sends in memory until the view is stopped. Our buttons are
    # found by their custom id alone, even by a process that didn't send them.
    view.stop()
    return view


def _button(button: Button, locale: str, kind: str) -> discord.ui.Button[View]:
    style = _STYLES.get(button.action, discord.ButtonStyle.secondary)
    return discord.ui.Button(
        label=i18n.say(button.label, locale)[:MOST_LABEL],
        style=discord.ButtonStyle.primary if button.is_chosen else style,
        custom_id=presses.written(button, under=kind),
    )


def _menu(
    buttons: Sequence[Button], locale: str, kind: str, *, name: str
) -> discord.ui.Select[View]:
    """Return a menu whose values are the custom ids that buttons would have."""
    options = [
        discord.SelectOption(
            label=i18n.say(each.label, locale)[:MOST_CHOICE],
            value=presses.written(each, under=kind),
            default=each.is_chosen,
        )
        for each in buttons
    ]
    return discord.ui.Select(custom_id=name, options=options)


def _mentions(person: str | None) -> discord.AllowedMentions:
    return discord.AllowedMentions(
        everyone=False,
        roles=False,
        replied_user=False,
        users=[discord.Object(int(person))] if person else False,
    )
