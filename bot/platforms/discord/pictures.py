"""Download pictures and sounds, only from Discord's own hosts."""

from pathlib import Path

import aiohttp
from yarl import URL

from bot.core.errors import Broken, PictureGone, Temporary
from bot.core.orders import Given, too_large
from bot.net.files import save

HOSTS = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
"""The hosts of Discord's attachments."""
CHUNK = 64 * 1024


class PictureDownloads:
    """Downloads given files from Discord's hosts, and from `origins` (a test server)."""

    def __init__(self, session: aiohttp.ClientSession, *, origins: frozenset[str]) -> None:
        self._session = session
        self._origins = origins

    async def fetch(self, given: Given, into: Path, *, most: int) -> None:
        """Download `given` to disk. Raises `Refused` if it is gone or too large, `Temporary` if it
        can't be downloaded now or is incomplete."""
        url = URL(given.source or "", encoded=True)
        self._check(url)
        try:
            async with self._session.get(url, allow_redirects=False) as answer:
                _check_answer(answer)
                if (answer.content_length or 0) > most:
                    raise too_large(given, answer.content_length or 0)
                size = await save(answer.content.iter_chunked(CHUNK), into, most=most)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Temporary("picture_unreachable") from error
        if size > most:
            raise too_large(given, size)
        if size != given.size:
            raise Temporary("picture_incomplete")

    def _check(self, url: URL) -> None:
        """Raise `Broken` for a URL that isn't Discord's: attachments always have Discord's."""
        ours = url.host is not None and str(url.origin()) in self._origins
        if not ours and (url.scheme != "https" or url.host not in HOSTS or url.port != 443):
            raise Broken("picture_elsewhere")


def _check_answer(answer: aiohttp.ClientResponse) -> None:
    if answer.status == 429 or answer.status >= 500:
        raise Temporary("picture_unreachable")
    if answer.status != 200:
        # The URLs are signed and expire. A redirect would lead to another host.
        raise PictureGone()
