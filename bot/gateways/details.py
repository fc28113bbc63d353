"""One HTTP answer: what of its words is kept for the operator, and how long it makes us wait."""

from collections.abc import Mapping
from dataclasses import dataclass

from yarl import URL

from bot.gateways.pages import is_page, page_in_words
from bot.log import redacted

_DETAIL = 400
"""Characters of a gateway's own words that are kept for the operator."""
_POLL_AFTER = "openai-poll-after-ms"
_MOST_WAIT = 60.0
"""Seconds: no gateway makes us wait longer by a header."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, fully read."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def detail_of(answer: Answer, problem: str | None) -> str:
    """The gateway's own words as one short line that can be stored, without secrets."""
    words = problem or answer.body[: 4 * _DETAIL].decode("utf-8", "replace")
    if problem is None and is_page(answer.headers, answer.body):
        words = page_in_words(answer.headers, answer.body)
    line = "".join(char if char.isprintable() else " " for char in words[: 4 * _DETAIL])
    return f"HTTP {answer.status}: {redacted(line)[:_DETAIL]}"


def elsewhere(answer: Answer) -> str:
    """Where a redirect points, without what may be secret in it."""
    try:
        target = URL(answer.headers.get("Location", "")).with_query(None).with_fragment(None)
        target = target.with_user(None) if target.absolute else target
        to = str(target)
    except ValueError:
        to = ""
    line = "".join(char for char in redacted(to) if char.isprintable())[:_DETAIL]
    return f"HTTP {answer.status}: it points to {line or 'nowhere'}"


def poll_after(answer: Answer) -> float | None:
    """Seconds that it asks us to wait before the next look."""
    return _seconds(answer, _POLL_AFTER, 1000)


def retry_after(answer: Answer) -> float | None:
    """Seconds after which it wants to be asked again."""
    return _seconds(answer, "Retry-After", 1)


def _seconds(answer: Answer, name: str, unit: int) -> float | None:
    """Seconds from a header that counts units of 1/`unit` s; None for dates and nonsense."""
    value = answer.headers.get(name, "").strip()
    if not (value.isascii() and value.isdigit()):
        return None
    return min(float(value) / unit, _MOST_WAIT)
