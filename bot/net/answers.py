"""One HTTP answer, and what it says whatever software gave it.

A web page may come in place of an answer: a server, a proxy or a bot wall said it then.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from yarl import URL

from bot.log import redacted
from bot.net.bounds import Bounds

_DETAIL = 400
"""Characters of an answer's own words that are kept for the operator."""
_MOST_WAIT = 60.0
"""Seconds: no server makes us wait longer by a header."""
_TITLE = re.compile(rb"<(?:title|h1)[^>]*>\s*(.{1,200}?)\s*</", re.IGNORECASE | re.DOTALL)
_BLANK = b"\xef\xbb\xbf \t\r\n"
_PLAIN_TO_TLS = re.compile(rb"HTTPS port|HTTPS server|SSL-enabled server port", re.IGNORECASE)
"""Words of nginx, Go and Apache."""

# ValueError: what no URL, header or body can hold (a name of 64 letters, half a surrogate pair).
NET = (aiohttp.ClientError, OSError, TimeoutError, EOFError, ValueError)


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, fully read."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_page(self) -> bool:
        """Whether a web page came."""
        return self.body.lstrip(_BLANK)[:1] == b"<" or self.is_wall

    @property
    def is_wall(self) -> bool:
        """Whether Cloudflare turned us away."""
        return "cf-mitigated" in self.headers

    @property
    def wants_tls(self) -> bool:
        """Whether the address has `http` where `https` belongs."""
        return self.status == 400 and _PLAIN_TO_TLS.search(self.body) is not None

    def detail(self, words: str | None = None) -> str:
        """`words`, or its own, as one short line that can be stored, without secrets."""
        if words is None and self.is_page:
            words = self._page()
        if words is None:
            words = self.body[: 4 * _DETAIL].decode("utf-8", "replace")
        line = "".join(char if char.isprintable() else " " for char in words[: 4 * _DETAIL])
        return f"HTTP {self.status}: {redacted(line)[:_DETAIL]}"

    def elsewhere(self) -> str:
        """Where a redirect points, without what may be secret in it."""
        try:
            target = URL(self.headers.get("Location", "")).with_query(None).with_fragment(None)
            to = str(target.with_user(None) if target.absolute else target)
        except ValueError:
            to = ""
        line = "".join(char for char in redacted(to) if char.isprintable())[:_DETAIL]
        return f"HTTP {self.status}: it points to {line or 'nowhere'}"

    def wait(self, header: str = "Retry-After", *, per_second: int = 1) -> float | None:
        """Seconds that a header asks us to wait; None for dates and nonsense."""
        value = self.headers.get(header, "").strip()
        if not (value.isascii() and value.isdigit()):
            return None
        return min(float(value) / per_second, _MOST_WAIT)

    def _page(self) -> str:
        """The page's owner, by its title and its server."""
        title = _TITLE.search(self.body[:20_000])
        named = title[1].decode("utf-8", "replace") if title else "no title"
        server = self.headers.get("Server", "").strip()[:60]
        return f"a web page, “{named}”" + (f", from {server}" if server else "")


async def read(response: aiohttp.ClientResponse, head: bytes = b"", *, most: int) -> Answer:
    """The answer with the first `most` bytes of its body, of which `head` was read already."""
    length = response.content_length
    is_packed = "Content-Encoding" in response.headers
    if not head and length is not None and length <= most and not is_packed:
        return Answer(response.status, response.headers, await response.read())
    body = bytearray(head)
    async for chunk in response.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > most:
            break
    return Answer(response.status, response.headers, bytes(body[:most]))


def open_session(
    bounds: Bounds, connector: aiohttp.TCPConnector | None = None, *, most: float | None = None
) -> aiohttp.ClientSession:
    """A session without cookies, in which a whole request takes `most` seconds at most."""
    return aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=most, sock_connect=bounds.connect),
        cookie_jar=aiohttp.DummyCookieJar(),
    )
