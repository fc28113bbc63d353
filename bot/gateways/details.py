"""One HTTP answer: what of its words is kept for the operator, and how long it makes us wait.

A web page may come in its place: a server, a proxy or a bot wall said it, and not the gateway.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from yarl import URL

from bot.gateways.meanings import Meaning
from bot.log import redacted

_DETAIL = 400
"""Characters of a gateway's own words that are kept for the operator."""
_POLL_AFTER = "openai-poll-after-ms"
_MOST_WAIT = 60.0
"""Seconds: no gateway makes us wait longer by a header."""
_TITLE = re.compile(rb"<(?:title|h1)[^>]*>\s*(.{1,200}?)\s*</", re.IGNORECASE | re.DOTALL)
_BLANK = b"\xef\xbb\xbf \t\r\n"
_NOWHERE = frozenset({404, 405, 410, 421})
"""Statuses of pages that servers show where nothing is."""
_PLAIN_TO_TLS = re.compile(rb"HTTPS port|HTTPS server|SSL-enabled server port", re.IGNORECASE)
"""Words of nginx, Go and Apache."""


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


# --- web pages -----------------------------------------------------------------------------------


def is_page(headers: Mapping[str, str], body: bytes) -> bool:
    """Whether a web page came."""
    return body.lstrip(_BLANK)[:1] == b"<" or "cf-mitigated" in headers


def page_means(status: int, headers: Mapping[str, str], body: bytes) -> Meaning:
    """A page says that there is no such address, or that a wall turned us away."""
    is_lost = status in _NOWHERE or speaks_plainly_to_tls(status, body)
    return Meaning.NO_ROUTE if is_lost and "cf-mitigated" not in headers else Meaning.BLOCKED


def speaks_plainly_to_tls(status: int, body: bytes) -> bool:
    """Whether the address has `http` where `https` belongs."""
    return status == 400 and _PLAIN_TO_TLS.search(body) is not None


def page_in_words(headers: Mapping[str, str], body: bytes) -> str:
    """The page's owner, by its title and its server."""
    title = _TITLE.search(body[:20_000])
    named = title[1].decode("utf-8", "replace") if title else "no title"
    server = headers.get("Server", "").strip()[:60]
    return f"a web page, “{named}”" + (f", from {server}" if server else "")
