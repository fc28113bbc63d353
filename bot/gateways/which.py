"""Finds out from a server's responses which gateway software it runs, or that it is no gateway.

`which.toml` has the signs of each software. The functions here are pure: they send no request.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from bot.gateways.envelopes import is_usable
from bot.net.answers import Answer

UNKNOWN = "unknown"
NEW_API = "new-api"
LITELLM = "litellm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A sign of a gateway's software: one row of `which.toml`, which explains the columns."""

    software: str = ""
    shown: str = ""
    source: str = ""
    generation: str | None = None
    code: str = ""
    at: str = ""
    status: str = ""
    header: str = ""
    body: str = ""

    def matches(self, question: str, answer: Answer) -> list[re.Match[str]]:
        """Return the matches of all patterns, or an empty list if a pattern does not match."""
        lines = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        clues = (
            re.search(self.status, str(answer.status)),
            re.search(self.header, lines, re.IGNORECASE | re.MULTILINE),
            re.search(self.body, answer.body.decode("utf-8", "replace")),
        )
        found = [clue for clue in clues if clue and self.at in ("", question)]
        return found if len(found) == len(clues) else []


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    software: str = UNKNOWN
    generation: str | None = None
    version: str = ""


_TABLE = tomllib.loads(files("bot.gateways").joinpath("which.toml").read_text("utf-8"))
SIGNS = tuple(Sign(**row) for row in _TABLE["signs"])
STRANGE = tuple(Sign(**row) for row in _TABLE["strange"])
LABELS: Mapping[str, str] = {name: row["label"] for name, row in _TABLE["software"].items()}
FITTING: Mapping[str, str] = {name: row["dialect"] for name, row in _TABLE["software"].items()}
"""The dialect to use with each software."""
ALIKE: Mapping[str, str] = {"B": "A or B"}
"""A generation as recognized → the generations it can be; they are used in the same way."""


def software_of(answers: Mapping[str, Answer]) -> Which:
    """Return the software that gave these responses; the keys name the requests."""
    seen = [
        (sign, match.groupdict().get("version") or "")
        for sign in SIGNS
        for question, answer in answers.items()
        for match in sign.matches(question, answer)
    ]
    ours = [(sign, it) for sign, it in seen if sign.software == seen[0][0].software]
    return Which(
        software=ours[0][0].software if ours else UNKNOWN,
        generation=next((sign.generation for sign, _ in ours if sign.generation), None),
        version=next((version for _, version in ours if is_usable(version)), ""),
    )


def strange(answer: Answer) -> Sign | None:
    """Return the sign which shows that this response is not from a gateway for videos, or None."""
    return next((sign for sign in STRANGE if sign.matches("", answer)), None)
