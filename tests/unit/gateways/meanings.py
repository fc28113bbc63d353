"""Sample answers of gateways for the tests of the table of answers."""

import json
import re

from bot.core.jobs import Reason
from bot.gateways.meanings import Row
from bot.gateways.table import Said, Step

from .spoken import flat

EMPTY, KEY = ("Locked", Reason.NO_BALANCE), ("Locked", Reason.BAD_KEY)
MODERATED = ("Rejected", Reason.MODERATED)
LATER = ("Busy", None)


def raw(body: object) -> dict[str, object]:
    """Return a vendor's whole answer as new-api passes it on."""
    return flat("fail_to_fetch_task", json.dumps(body))


def openai(type_: str, code: str | None = None, message: str = "x") -> dict[str, object]:
    """Return an error in OpenAI's format."""
    return {"error": {"message": message, "type": type_, "param": None, "code": code}}


def examples(spelling: str) -> list[str]:
    """Return each alternative of a spelling once, with some text in its gaps."""
    choices = re.findall(r"\(([^()]*\|[^()]*)\)", spelling)
    found = []
    for number in range(max((len(each.split("|")) for each in choices), default=1)):
        text = spelling
        for each in choices:
            parts = each.split("|")
            text = text.replace(f"({each})", parts[number % len(parts)], 1)
        found.append(" ".join(text.replace("*", "x").replace("#", "1").split()))
    return found


def failed(**said: object) -> dict[str, object]:
    """Return a failed job with these further fields."""
    return {"id": "video_1", "status": "failed", **said}


LINK = "https://a.example/v.mp4?Expires=1"


def spoken(row: Row) -> list[tuple[Said, Step]]:
    """Return an example of each code, sentence and phrase of a row, with the step that reads it."""
    codes = [code for spelling in row.codes for code in examples(spelling)]
    texts = [text for spelling in row.sentences for text in examples(spelling)]
    phrases = [text for spelling in row.phrases for text in examples(spelling)]
    if row.together:
        return [(Said((code,), (text,)), Step.BOTH) for code in codes for text in texts]
    return [
        *((Said((code,)), Step.CODE) for code in codes),
        *((Said((), (text,)), Step.SENTENCE) for text in texts),
        *((Said((), (text,)), Step.PHRASE) for text in phrases),
    ]
