"""Turn replies into JSON that the page draws. Pure functions; no markup and no HTML.

A sentence is a list of pieces: plain text, people by id, and times as numbers, so that the page can
update them. Text from people stays plain text, so it can't inject anything.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from bot import i18n
from bot.core import replies
from bot.core.answers import Asked, Sure
from bot.core.catalog import Catalog
from bot.core.choosing import makes
from bot.core.commands import COMMANDS, Who
from bot.core.jobs import Job
from bot.core.kinds import MOST_PICTURES
from bot.core.models import Model
from bot.core.orders import PICTURE_BYTES, VIDEO_BYTES, Kind, Person
from bot.core.replies import Action, Button, Reply, Text
from bot.core.wishes import ASPECTS, AUTO, ON_OFF, OPTIONS, QUALITIES, SWITCHES, Shaping
from bot.platforms.playground.files import UPLOADS
from bot.platforms.playground.room import BOT

Json = dict[str, Any]
Piece = str | Json

MOST_VALUE = 200
MOST_LIST = 500
"""Most characters of a value: `MOST_VALUE` in a card, `MOST_LIST` in a notice, which may list
alternatives."""


@dataclass(frozen=True, slots=True)
class Persona:
    """A person as whom one can act in the room."""

    person: Person
    moderates: bool = False


PERSONAS = {
    "ann": Persona(Person(id="ann", name="Ann"), moderates=True),
    "bob": Persona(Person(id="bob", name="Bob")),
}
_ATTACH = {
    (False, False): "attach",
    (True, False): "attach_both",
    (False, True): "attach_video",
    (True, True): "attach_all",
}
"""The label of the button that attaches files: whether a model takes sounds, and takes videos."""
_WORDS = (
    "title", "subtitle", "welcome", "try_one", "try_two", "try_three", "you_are", "moderator",
    "bot", "says", "for_person", "composer", "say_video", "say_animate", "say_character",
    "say_edit", "say_extend", "say_plain", "send",
    "drop", "commands", "no_command", "leave_command", "auto", "more", "options", "reply",
    "replying", "animate", "remove_picture", "first_picture", "last_picture", "remove_sound",
    "sound_of", "remove_reply", "leave_it", "only_you", "dismiss", "soon", "now", "progress",
    "video_of", "picture_of", "offline", "unheard", "pending", "not_uploaded", "online",
    "too_large", "not_a_picture", "left_out", "needs_picture", "needs_video", "needs_words",
    "remove_video", "clip_of", "clip_too_large", "as_file", "history_label",
    "latest", "gone",
    *(f"any_{option}" for option in OPTIONS),
)  # fmt: skip


def look(reply: Reply, job: Job) -> Json:
    """Return a message of the bot about a job, in the language of the order."""
    locale = job.order.call.locale
    return _drawn(reply, locale, most=MOST_VALUE, at="soon") | {
        "progress": reply.progress,
        "link": reply.link,
        "job": job.id,
        "person": job.order.call.person.id,
    }


def notice(reply: Reply, locale: str, *, jump: str | None = None, at: str = "soon") -> Json:
    """Return a notice for one person. `jump` is the page anchor of the message it is about."""
    return _drawn(reply, locale, most=MOST_LIST, at=at) | {"jump": jump}


def _drawn(reply: Reply, locale: str, *, most: int, at: str) -> Json:
    return {
        "text": pieces(reply.text, locale, most=most, at=at),
        "tone": reply.tone,
        "prompt": reply.prompt,
        "facts": [pieces(fact, locale, most=most, at=at) for fact in reply.facts],
        "buttons": [_button(button, locale) for button in reply.buttons],
    }


def news(reply: Reply) -> Json:
    """Return a message of the bot that is about no job, in the default language."""
    return notice(reply, i18n.DEFAULT, at="relative")


def form(question: Asked | Sure, locale: str) -> Json:
    """Return a form for one person: a question, perhaps a field for the prompt, and a button."""
    match question:
        case Asked(job, action, words=words):
            goes_on = action is Action.CONTINUE
            button = Button(action=action, about=job.id)
            title = Text(id="form.continue" if goes_on else "form.remix")
            field: Json = {"words": words, "needed": not goes_on}
        case Sure(reply=reply):
            (button,), title, field = reply.buttons, reply.text, {}
    return {"title": i18n.say(title, locale), "button": _button(button, locale), **field}


def furniture(catalog: Catalog, locale: str) -> Json:
    """Return what the page needs besides messages: texts, people, commands and choices."""
    say = _speaker(locale)
    kinds = {kind for model in catalog.models for kind in model.kinds}
    hears, watches = Kind.SOUND in kinds, bool(kinds & {Kind.VIDEO, Kind.EXTEND})
    nothing: Json = {"types": [], "suffixes": [], "most_bytes": 0}
    return {
        "words": {word: say(f"room.{word}") for word in _WORDS}
        | {"attach": say(f"room.{_ATTACH[hears, watches]}")}
        | {name: say(f"option.{name}") for name in OPTIONS}
        | {
            f"{switch}_{name}": i18n.say(replies.position(switch, on=on), locale)
            for switch in SWITCHES
            for on, name in ON_OFF.items()
        }
        | {"jump": say("button.jump"), "draft": say("choice.draft")},
        "people": [
            {"id": key, "name": each.person.name, "moderates": each.moderates}
            for key, each in PERSONAS.items()
        ],
        "commands": _commands(catalog, locale),
        "most_pictures": _most_pictures(kinds),
        "catalog": [_model(catalog, model) for model in catalog.models],
        "preferred": catalog.default,
        "aspects": list(ASPECTS),
        "qualities": list(QUALITIES),
        "switches": list(SWITCHES),
        "texts": {name: option.most for name, option in OPTIONS.items() if option.most},
        "fits": {fit: say(f"choice.{fit}") for fit in Shaping},
        "presets": {name: preset.label for name, preset in catalog.presets.items()},
        **UPLOADS,
        **({} if hears else {"sounds": nothing}),
        **({} if watches else {"videos": nothing}),
        "bot": BOT,
    }


def _commands(catalog: Catalog, locale: str) -> list[Json]:
    """Return the commands that people can use here."""
    return [
        {
            "name": each.name,
            "says": i18n.say(each.says, locale),
            "options": [] if each.act else list(OPTIONS),
            "use": each.use,
            "arguments": [argument.name for argument in each.arguments],
        }
        for each in COMMANDS.values()
        if each.who is Who.EVERYBODY and each.is_possible(catalog)
    ]


def _most_pictures(kinds: Collection[Kind]) -> int:
    """Return the most pictures of one order."""
    if Kind.REFERENCES in kinds:
        return MOST_PICTURES
    return 2 if Kind.KEY_FRAMES in kinds else 1


def _model(catalog: Catalog, model: Model) -> Json:
    return {
        "family": model.family,
        "label": catalog.label(model.family),
        "kinds": list(model.kinds),
        # For each switch, the positions that the model supports.
        "switches": {
            word: [name for on, name in ON_OFF.items() if makes(model, extra, on=on)]
            for word, extra in SWITCHES.items()
        },
        "takes": [name for name, option in OPTIONS.items() if option.field in model.takes],
        "qualities": {quality: _quality(model, quality) for quality in model.sizes},
    }


def _quality(model: Model, quality: str) -> Json:
    """Return the kinds, lengths and shapes of one quality of a model.

    `shapes` are those of a video without a picture, `reshaped` those of a video from a picture. An
    empty list means any shape.
    """
    sizes = model.sizes[quality]
    given = isinstance(sizes, str) or (model.picture is not None and model.picture.follows)
    shapes = list(model.shapes if isinstance(sizes, str) else sizes)
    return {
        "kinds": list(model.differing(quality).kinds or model.kinds),
        "seconds": [*model.lengths(quality), *((AUTO,) if model.auto else ())],
        "shapes": shapes,
        "reshaped": [] if given else shapes,
    }


def pieces(text: Text, locale: str, *, most: int = MOST_VALUE, at: str = "soon") -> list[Piece]:
    """Return a sentence in pieces: text, and what the page draws itself (times and people).

    `at` says how a time is drawn; "soon" is for times in the future.
    """
    manners = {"at": at, "resets_at": "relative", "until": "date", "person": "person"}

    def drawn(manner: str, value: str) -> Json:
        return {manner: value if manner == "person" else float(value)}

    parts = i18n.cut(text, locale, manners, most=most)
    return [part if isinstance(part, str) else drawn(*part) for part in parts]


def _button(button: Button, locale: str) -> Json:
    return {
        "action": button.action,
        "about": button.about,
        "value": button.value,
        "label": i18n.say(button.label, locale),
        "chosen": button.is_chosen,
    }


def _speaker(locale: str) -> Callable[[str], str]:
    """Return a function that gives sentences with placeholders, which the page fills in."""
    names = ("name", "text", "person", "prompt", "percent", "command", "wanted")
    values: dict[str, object] = {name: f"{{{name}}}" for name in names}
    values["megabytes"] = PICTURE_BYTES / 1_000_000
    values["most_video"] = VIDEO_BYTES / 1_000_000
    return lambda id_: i18n.say(Text(id=id_, values=values), locale)
