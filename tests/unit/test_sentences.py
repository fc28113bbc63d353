"""Every message has a text: a bare message id never reaches a person."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

import bot
from bot.core import replies
from bot.core.decisions import IN_CHAT
from bot.core.errors import OverLimit, Refused
from bot.core.orders import Kind
from bot.core.quotas import Granted, Limits, allowed
from bot.core.shown import Shown
from bot.core.wishes import SWITCHES, WORDS, Extra, Use
from bot.i18n import say
from bot.platforms.discord.errors import REFUSED
from bot.platforms.telegram.errors import BAD_REQUESTS

PACKAGE = Path(bot.__file__).parent


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (Refused("prompt_too_long", length=60, limit=50, family="Wan"), "reads up to 50"),
        (OverLimit("limit_person_videos", limit=1, used=1, resets_at=0), "your one video"),
        (OverLimit("limit_person_videos", limit=3, used=3, resets_at=0), "your 3 videos"),
        (OverLimit("limit_zero"), "I make no videos here"),
        (OverLimit("limit_too_dear"), "This video costs more"),
    ],
)
def test_a_limit_text_is_in_the_plural_only_for_more_than_one(problem: Refused, words: str) -> None:
    assert words in say(replies.error(problem).text, "en")


# --- every code has a text ------------------------------------------------------------------------

TOLD = ("core", "platforms", "media", "store")
"""The packages whose `Refused` and `Temporary` errors may be told to a person."""
SWITCHED = [f"{way}_{extra}" for extra in SWITCHES.values() for way in ("no", "always")]
HAD_ELSEWHERE = {*SWITCHED, *(f"no_{extra}" for extra in Extra), "auto_unavailable"}
WORKED_OUT: dict[str, tuple[str, ...]] = {
    # Where no model remixes, "Remix" makes a new video of the same prompt.
    "f'family_lacks_{kind}'": tuple(f"family_lacks_{k}" for k in Kind if k is not Kind.REMIX),
    "f'none_takes_{kind}'": tuple(f"none_takes_{k}" for k in Kind if k is not Kind.REMIX),
    "f'{use}_alone'": tuple(f"{use}_alone" for use in Use),
    "f'limit_{name}'": tuple(f"limit_{name}" for name in allowed(Limits(), Granted())),
    "f'shows_{each}'": tuple(f"shows_{each}" for each in Shown),
    "f'{what}_unavailable'": ("seconds_unavailable", "quality_unavailable", "aspect_unavailable"),
    "f'{first.code}_but'": tuple(f"{code}_but" for code in HAD_ELSEWHERE),
    "_why(error.message)": tuple(code for _, code in BAD_REQUESTS),
    "REFUSED[error.code]": tuple(REFUSED.values()),
    "in_chat": tuple(IN_CHAT.values()),
    "error.code": (),  # the same error raised again
    "problem.code": (),
}
"""The codes that are not literals in the source, by the expression that computes them."""


def told() -> set[str]:
    """Return every code that may be told to a person."""
    codes = {*SWITCHED, *(f"{field}_too_long" for field in WORDS), "internal"}
    own = {each.__name__: each.code for each in Refused.__subclasses__()}
    codes |= {code for code in own.values() if code}
    for package in TOLD:
        for path in (PACKAGE / package).rglob("*.py"):
            for call in ast.walk(ast.parse(path.read_text("utf-8"))):
                match call:
                    case ast.Call(func=ast.Name(id=name), args=[code, *_]) if name in (
                        "Refused",
                        "Temporary",
                        *own,
                    ):
                        codes |= set(spelt(code))
                    case ast.Call(
                        func=ast.Attribute(value=ast.Name(id="Refused" | "Temporary"), attr="of"),
                        args=[code],
                    ):
                        codes |= set(spelt(code))
    return codes


def spelt(code: ast.expr) -> Iterator[str]:
    """Yield the codes that an expression in the source may have."""
    match code:
        case ast.Constant(value=str(word)):
            yield word
        case ast.IfExp(body=one, orelse=other):
            yield from (*spelt(one), *spelt(other))
        case ast.Name(id="code" | "gone"):
            pass  # a parameter, or one of two literals nearby
        case _:
            yield from WORKED_OUT[ast.unparse(code)]


def test_every_error_code_that_can_reach_a_person_has_a_text() -> None:
    with (PACKAGE / "locales" / "en.po").open("rb") as source:
        # The id of a text with a plural is a pair.
        ids = {each.id if isinstance(each.id, str) else each.id[0] for each in read_po(source)}
    assert {code for code in told() if f"error.{code}" not in ids} == set()


@pytest.mark.parametrize(
    "code",
    sorted(
        {*(code for _, code in BAD_REQUESTS), *REFUSED.values()}
        - {"picture_too_large"}  # raised only by the worker, which knows the size
    ),
)
def test_every_refusal_by_a_platform_has_a_text_that_needs_no_values(code: str) -> None:
    assert not say(replies.error(Refused(code)).text, "en").startswith("error.")
