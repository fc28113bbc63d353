"""One HTTP response, and what can be read from it without knowing the server's software.

A web page instead of an API response comes from a web server, a proxy or a bot wall.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from yarl import URL

from bot.log import redacted
from bot.net.bounds import Bounds

_DETAIL = 400
"""Characters of a response that are kept for the operator."""
_MOST_WAIT = 60.0
"""The longest wait in seconds that a header may ask of us."""
_TITLE = re.compile(rb"<(?:title|h1)[^>]*>\s*(.{1,200}?)\s*</", re.IGNORECASE | re.DOTALL)
_BLANK = b"\xef\xbb\xbf \t\r\n"
_PLAIN_TO_TLS = re.compile(rb"HTTPS port|HTTPS server|SSL-enabled server port", re.IGNORECASE)
"""Messages of nginx, Go and Apache."""

# ValueError: a value that no URL, header or body can hold (a 64-letter label, a lone surrogate).
NET = (aiohttp.ClientError, OSError, TimeoutError, EOFError, ValueError)


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP response, fully read."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_page(self) -> bool:
        """Whether the response is a web page."""
        return self.body.lstrip(_BLANK)[:1] == b"<" or self.is_wall

    @property
    def is_wall(self) -> bool:
        """Whether Cloudflare blocked the request."""
        return "cf-mitigated" in self.headers

    @property
    def wants_tls(self) -> bool:
        """Whether the server says that our address has `http` where it needs `https`."""
        return self.status == 400 and _PLAIN_TO_TLS.search(self.body) is not None

    def detail(self, words: str | None = None) -> str:
        """Return `words`, or the body's text, as one short line without secrets."""
        if words is None and self.is_page:
            words = self._page()
        if words is None:
            words = self.body[: 4 * _DETAIL].decode("utf-8", "replace")
        line = "".join(char if char.isprintable() else " " for char in words[: 4 * _DETAIL])
        return f"HTTP {self.status}: {redacted(line)[:_DETAIL]}"

    def elsewhere(self) -> str:
        """Return the target of a redirect, without the parts that may be secret."""
        try:
            target = URL(self.headers.get("Location", "")).with_query(None).with_fragment(None)
            to = str(target.with_user(None) if target.absolute else target)
        except ValueError:
            to = ""
        line = "".join(char for char in redacted(to) if char.isprintable())[:_DETAIL]
        return f"HTTP {self.status}: redirect " + (f"to {line}" if line else "without a target")

    def wait(self, header: str = "Retry-After", *, per_second: int = 1) -> float | None:
        """Return the seconds that a header asks us to wait; None for dates and invalid values."""
        value = self.headers.get(header, "").strip()
        if not (value.isascii() and value.isdigit()):
            return None
        return min(float(value) / per_second, _MOST_WAIT)

    def _page(self) -> str:
        """Describe the web page by its title and its `Server` header."""
        title = _TITLE.search(self.body[:20_000])
        named = title[1].decode("utf-8", "replace") if title else "no title"
        server = self.headers.get("Server", "").strip()[:60]
        return f"a web page, “{named}”" + (f", from {server}" if server else "")


async def read(response: aiohttp.ClientResponse, head: bytes = b"", *, most: int) -> Answer:
    """Read a response and at most `most` bytes of its body; `head` is what was read before."""
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
    """Open a session without cookies, in which a whole request takes at most `most` seconds."""
    return aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=most, sock_connect=bounds.connect),
        cookie_jar=aiohttp.DummyCookieJar(),
    )
