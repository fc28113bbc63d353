"""Pictures and sounds: downloaded from Discord's own hosts, and from nowhere else."""

from pathlib import Path

import aiohttp
from yarl import URL

from bot.core.errors import Broken, PictureGone, Temporary
from bot.core.orders import Picture, Sound, too_large
from bot.net.files import save

HOSTS = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
"""Where Discord keeps attachments."""
CHUNK = 64 * 1024


class PictureDownloads:
    """Fetches what people gave from Discord's own hosts, and from `origins` (a test server)."""

    def __init__(self, session: aiohttp.ClientSession, *, origins: frozenset[str]) -> None:
        self._session = session
        self._origins = origins

    async def fetch(self, given: Picture | Sound, into: Path, *, most: int) -> None:
        """Stream `given` to disk: whole, or `Refused` (gone, too large) or `Temporary`."""
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
        """Raise `Broken` for an address that is none of Discord's: no attachment ever has one."""
        ours = url.host is not None and str(url.origin()) in self._origins
        if not ours and (url.scheme != "https" or url.host not in HOSTS or url.port != 443):
            raise Broken("picture_elsewhere")


def _check_answer(answer: aiohttp.ClientResponse) -> None:
    if answer.status == 429 or answer.status >= 500:
        raise Temporary("picture_unreachable")
    if answer.status != 200:
        # Links are signed and expire; a redirect would lead away from the hosts we know.
        raise PictureGone()
