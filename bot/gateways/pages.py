"""Web pages in place of an answer: a server, a proxy or a bot wall said it, not the gateway."""

import re
from collections.abc import Mapping

from bot.gateways.meanings import Meaning

_TITLE = re.compile(rb"<(?:title|h1)[^>]*>\s*(.{1,200}?)\s*</", re.IGNORECASE | re.DOTALL)
_BLANK = b"\xef\xbb\xbf \t\r\n"
_NOWHERE = frozenset({404, 405, 410, 421})
"""Statuses of pages that servers show where nothing is."""
_PLAIN_TO_TLS = re.compile(rb"HTTPS port|HTTPS server|SSL-enabled server port", re.IGNORECASE)
"""Words of nginx, Go and Apache."""


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
