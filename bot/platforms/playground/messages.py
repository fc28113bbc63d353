"""Looks: a reply becomes JSON that the page draws. Pure functions; no markup, no HTML anywhere.

A sentence is a list of pieces: text as it is, people by id, and times as numbers, so that the page
can let them tick. Strangers' words are pieces of text, so nothing in them can have an effect.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from bot import i18n
from bot.core import replies
from bot.core.catalog import Catalog
from bot.core.choosing import lengths, listed, makes, switches
from bot.core.jobs import Job
from bot.core.models import Model
from bot.core.orders import Kind, Person
from bot.core.quotas import Limits, Usage
from bot.core.replies import Button, Left, Reply, Text
from bot.core.wishes import ASPECTS, AUTO, ON_OFF, OPTIONS, QUALITIES, SWITCHES
from bot.platforms.playground.files import MOST_BYTES, UPLOADS
from bot.platforms.playground.room import BOT

Json = dict[str, Any]
Piece = str | Json

MOST_VALUE = 200
MOST_LIST = 500
"""Characters of a value in a card, and in a notice, which may list what can be had instead."""


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody to be in the room."""

    person: Person
    moderates: bool = False


PERSONAS = {
    "ann": Persona(Person(id="ann", name="Ann"), moderates=True),
    "bob": Persona(Person(id="bob", name="Bob")),
}
COMMANDS = {
    "video": tuple(OPTIONS),
    "animate": tuple(OPTIONS),
    "jobs": (),
    "history": (),
    "quota": (),
    "models": (),
    "help": (),
}
"""Every command, and what can be chosen with it."""

_WORDS = (
    "title",
    "subtitle",
    "welcome",
    "try_one",
    "try_two",
    "try_three",
    "you_are",
    "moderator",
    "bot",
    "says",
    "for_person",
    "composer",
    "say_video",
    "say_animate",
    "say_plain",
    "send",
    "drop",
    "commands",
    "no_command",
    "leave_command",
    "any_model",
    "any_seconds",
    "any_aspect",
    "any_quality",
    "any_preset",
    "auto",
    *(f"any_{switch}" for switch in SWITCHES),
    "options",
    "reply",
    "replying",
    "animate",
    "remove_picture",
    "remove_sound",
    "sound_of",
    "remove_reply",
    "cancel",
    "only_you",
    "dismiss",
    "soon",
    "now",
    "progress",
    "video_of",
    "picture_of",
    "remix_title",
    "continue_title",
    "delete_title",
    "offline",
    "unheard",
    "pending",
    "not_uploaded",
    "online",
    "too_large",
    "not_a_picture",
    "left_out",
    "needs_picture",
    "show",
    "as_file",
    "history_label",
    "latest",
    "gone",
)
_MARK = re.compile("\x02([^\x03]*)\x03")
_HIDDEN = str.maketrans("", "", "\x02\x03")


def look(reply: Reply, job: Job) -> Json:
    """One of the bot's messages in the room, in the language of whoever asked."""
    locale = job.order.call.locale
    return {
        "text": pieces(reply.text, locale),
        "tone": reply.tone,
        "prompt": reply.prompt,
        "facts": [pieces(fact, locale) for fact in reply.facts],
        "progress": reply.progress,
        "link": reply.link,
        "job": job.id,
        "person": job.order.call.person.id,
        "buttons": [_button(button, locale) for button in reply.buttons],
    }


def notice(reply: Reply, locale: str, *, items: Iterable[Json] = ()) -> Json:
    """Something that one person alone is told."""
    text = pieces(reply.text, locale, most=MOST_LIST)
    return {"text": text, "tone": reply.tone, "items": list(items)}


def news(reply: Reply) -> Json:
    """One of the bot's messages that is about no job, in the language of nobody in particular."""
    return {
        "text": pieces(reply.text, i18n.DEFAULT, most=MOST_LIST, at="relative"),
        "tone": reply.tone,
        "facts": [pieces(fact, i18n.DEFAULT, at="relative") for fact in reply.facts],
        "buttons": [
            _button(button, i18n.DEFAULT) | {"job": button.job_id} for button in reply.buttons
        ],
    }


def job_item(job: Job, card: Reply, locale: str, *, shown: str | None) -> Json:
    """A job in a list; `shown` is the message that tells of it."""
    return {
        "prompt": job.request.prompt,
        "text": pieces(card.text, locale),
        "facts": [pieces(replies.request_fact(job.request), locale)],
        "at": job.created_at,
        "shown": shown,
    }


def model_items(catalog: Catalog, locale: str) -> list[Json]:
    """The models, family by family."""
    items = []
    for family in catalog.families:
        able = [model for model in catalog.models if model.family == family]
        values = {
            "seconds": lengths(able),
            "shapes": listed(shape for model in able for shape in model.aspects),
            "qualities": listed(
                each for each in QUALITIES if any(each in model.qualities for model in able)
            ),
        }
        kinds = dict.fromkeys(kind for model in able for kind in model.kinds)
        facts = [Text(id=f"kind.{kind}") for kind in kinds]
        facts.append(Text(id="kind.makes", values=values))
        if choices := switches(able):
            named = ", ".join(i18n.say(Text(id=f"room.any_{each}"), locale) for each in choices)
            facts.append(Text(id="kind.switches", values={"switches": named}))
        items.append(
            {
                "title": catalog.label(family),
                "facts": [pieces(fact, locale) for fact in facts],
            }
        )
    return items


def command_items(locale: str) -> list[Json]:
    """Every command, and what it does."""
    return [
        {"title": f"/{name}", "facts": [pieces(Text(id=f"command.{name}"), locale)]}
        for name in COMMANDS
    ]


def quota_items(left: Left | None, usage: Usage, limits: Limits, locale: str) -> list[Json]:
    """Today's videos, and those left."""
    facts = replies.quota(left, usage, limits)
    return [{"facts": [pieces(fact, locale) for fact in facts]}]


def furniture(catalog: Catalog, locale: str) -> Json:
    """All that the page needs besides messages: words, people, commands and what to choose from."""
    say = _speaker(locale)
    hears = any(Kind.SOUND in model.kinds for model in catalog.models)
    return {
        "words": {word: say(f"room.{word}") for word in _WORDS}
        | {"attach": say("room.attach_both" if hears else "room.attach")}
        | {name: say(f"option.{name}") for name in OPTIONS}
        | {each: say(f"button.{each}") for each in ("delete", "remix", "continue")}
        | _positions(locale)
        | {"delete_sure": say("delete.sure"), "draft": say("choice.draft")},
        "people": [
            {"id": key, "name": each.person.name, "moderates": each.moderates}
            for key, each in PERSONAS.items()
        ],
        "commands": [
            {"name": name, "says": say(f"command.{name}"), "options": list(options)}
            for name, options in COMMANDS.items()
        ],
        "models": [_model(catalog, model) for model in catalog.models],
        "preferred": catalog.default,
        "aspects": list(ASPECTS),
        "qualities": list(QUALITIES),
        "switches": list(SWITCHES),
        "presets": {name: preset.label for name, preset in catalog.presets.items()},
        **UPLOADS,
        **({} if hears else {"sounds": {"types": [], "suffixes": [], "most_bytes": 0}}),
        "bot": BOT,
    }


def _positions(locale: str) -> dict[str, str]:
    """The meaning of each switch, on and off."""
    return {
        f"{switch}_{name}": i18n.say(replies.position(switch, on=on), locale)
        for switch in SWITCHES
        for on, name in ON_OFF.items()
    }


def _model(catalog: Catalog, model: Model) -> Json:
    return {
        "family": model.family,
        "label": catalog.label(model.family),
        "kinds": list(model.kinds),
        "switches": _switches(model),
        "qualities": {quality: _quality(model, quality) for quality in model.sizes},
    }


def _quality(model: Model, quality: str) -> Json:
    """The kinds, lengths and shapes of one quality, by words and by picture; no shapes are any."""
    sizes = model.sizes[quality]
    given = isinstance(sizes, str) or (model.picture is not None and model.picture.follows)
    shapes = list(model.shapes if isinstance(sizes, str) else sizes)
    return {
        "kinds": list(model.differing(quality).kinds or model.kinds),
        "seconds": [*model.lengths(quality), *((AUTO,) if model.auto else ())],
        "shapes": shapes,
        "reshaped": [] if given else shapes,
    }


def _switches(model: Model) -> Json:
    """Each with the positions in which the model's videos can be had."""
    return {
        word: [name for on, name in ON_OFF.items() if makes(model, extra, on=on)]
        for word, extra in SWITCHES.items()
    }


def pieces(text: Text, locale: str, *, most: int = MOST_VALUE, at: str = "soon") -> list[Piece]:
    """The sentence, cut where something is to be drawn instead of written.

    `at`: how a time is drawn; "soon" is for what is still to come.
    """
    formats: dict[str, i18n.Format] = {
        "at": _marked(at),
        "resets_at": _marked("relative"),
        "until": _marked("date"),
        "person": _marked("person"),
    }
    sentence = i18n.say(
        text, locale, formats=formats, escape=lambda value: _plain(value, most=most)
    )
    cut = _MARK.split(sentence)
    found: list[Piece] = []
    for number, part in enumerate(cut):
        if number % 2:
            name, _, value = part.partition(":")
            found.append({name: value if name == "person" else float(value)})
        elif part:
            found.append(part)
    return found


def _marked(name: str) -> Callable[[object], str]:
    return lambda value: f"\x02{name}:{value}\x03"


def _plain(value: str, *, most: int) -> str:
    flat = " ".join(value.translate(_HIDDEN).split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"


def _button(button: Button, locale: str) -> Json:
    label = i18n.say(button.label, locale)
    return {"action": button.action, "label": label, "value": button.value}


def _speaker(locale: str) -> Callable[[str], str]:
    """Sentences for the page to fill in: each value stands for itself."""
    names = ("name", "text", "person", "prompt", "percent", "command", "wanted")
    values: dict[str, object] = {name: f"{{{name}}}" for name in names}
    values["megabytes"] = MOST_BYTES / 1_000_000
    return lambda id_: i18n.say(Text(id=id_, values=values), locale)
