"""The software that a gateway runs, by what it answers to questions that cost nothing.

`which.toml` says what each answer tells; `read` is a pure function over it. `identify` asks what a
survey did not ask, and sends two POSTs at most, which lack a model and a prompt and can't even be
read as a request: only `init` and `doctor` call it.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files

import aiohttp

from bot.core.errors import Broken
from bot.gateways.details import Answer
from bot.gateways.sending import open_session
from bot.gateways.survey import BOUNDS, VIDEOS, ask

STATUS = "/api/status"
UNKNOWN = "unknown"
NEW_API = "new-api"
MALFORMED = ("application/json", b"{")
EMPTY_FORM = ("application/x-www-form-urlencoded", b"")
"""Type and body of the POSTs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """One row of the table."""

    software: str
    shown: str
    source: str
    generation: str | None = None
    at: str = ""
    status: int | None = None
    header: str = ""
    body: str = ""

    def matches(self, question: str, answer: Answer) -> list[re.Match[str]]:
        """The finds of its patterns; none where one of them finds nothing."""
        if self.at not in ("", question) or self.status not in (None, answer.status):
            return []
        lines = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        looks = [
            re.search(self.header, lines, re.IGNORECASE | re.MULTILINE) if self.header else None,
            re.search(self.body, answer.body.decode("utf-8", "replace")) if self.body else None,
        ]
        found = [look for look in looks if look]
        return found if len(found) == bool(self.header) + bool(self.body) else []


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """The facts that are known of the software."""

    software: str = UNKNOWN
    generation: str | None = None
    version: str = ""


_TABLE = tomllib.loads(files("bot.gateways").joinpath("which.toml").read_text("utf-8"))
SIGNS = tuple(Sign(**row) for row in _TABLE["signs"])
LABELS: Mapping[str, str] = {name: row["label"] for name, row in _TABLE["software"].items()}
DIALECTS: Mapping[str, str] = {name: row["dialect"] for name, row in _TABLE["software"].items()}
"""The dialect to speak with each; "" is one that is not spoken here."""


def read(answers: Mapping[str, Answer]) -> Which:
    """The software that gave these answers, which come by the question."""
    seen = [(sign, match) for sign in SIGNS for match in _seen(sign, answers)]
    if not seen:
        return Which()
    software = seen[0][0].software
    ours = [(sign, match) for sign, match in seen if sign.software == software]
    versions = (match.groupdict().get("version") for _, match in ours)
    return Which(
        software=software,
        generation=next((sign.generation for sign, _ in ours if sign.generation), None),
        version=next(filter(None, versions), ""),
    )


def _seen(sign: Sign, answers: Mapping[str, Answer]) -> Iterator[re.Match[str]]:
    for question, answer in answers.items():
        yield from sign.matches(question, answer)


async def identify(base_url: str, api_key: str, surveyed: Mapping[str, Answer]) -> Which:
    """The software, after a survey and at most three questions more; none begins a task."""
    answers = dict(surveyed)
    async with open_session(BOUNDS, most=BOUNDS.look) as session:
        with suppress(Broken):
            answers["status"] = await ask(session, base_url, STATUS)
        with suppress(Broken):
            await _knock(session, base_url, api_key, answers)
    return read(answers)


async def _knock(
    session: aiohttp.ClientSession, base_url: str, api_key: str, answers: dict[str, Answer]
) -> None:
    """Add the answers to two POSTs at most; other software gets none."""
    if read(answers).software not in (NEW_API, UNKNOWN):
        return
    said = answers["json"] = await ask(session, base_url, VIDEOS, api_key, post=MALFORMED)
    found = read(answers)
    # Who refuses even to read the first would say as little to a second.
    if found.software == NEW_API and found.generation is None and said.status == 400:
        answers["form"] = await ask(session, base_url, VIDEOS, api_key, post=EMPTY_FORM)
