"""The one place where what discord.py and aiohttp raise becomes an error of ours.

The table is data: Discord's code says who can mend it. The status decides an unknown code; a
call without an answer has an unknown end, hence `Temporary`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import aiohttp
import discord
from discord.gateway import ReconnectWebSocket

from bot.core.errors import (
    BotError,
    Broken,
    FilesForbidden,
    FileTooLarge,
    Forbidden,
    Refused,
    Temporary,
)
from bot.core.supervision import unforeseen

FOREIGN = (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError)
"""The errors of a call of Discord."""
UNCONNECTED = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientConnectorCertificateError,
    aiohttp.ConnectionTimeoutError,
)
"""There was not even a connection. That does not prove that nothing was sent: discord.py tries
again by itself, and an earlier try may have arrived."""


class Unreachable(Temporary, code="discord_unreachable"):
    """Discord did not answer, or something in between did."""


class Unreadable(Temporary, code="discord_unreadable"):
    """Discord's answer lacks what is needed."""


NO_ACCESS = 50001
NO_PERMISSION = 50013
UNKNOWN_INTERACTION = 10062
ALREADY_ANSWERED = 40060
REFERENCE_REFUSED = frozenset({160002, 50035})
"""A reply needs the right to read the history, and its target must be an ordinary message."""
WORDS_BLOCKED = frozenset({200000, 240000})
"""AutoMod or a forbidden link: the same message passes without the person's words."""

REFUSED: Mapping[int, str] = {
    10003: "channel_gone",
    10004: "channel_gone",
    10008: "card_gone",
    10013: "person_gone",
    10015: "interaction_gone",
    UNKNOWN_INTERACTION: "interaction_gone",
    20009: "content_forbidden",
    30046: "card_too_old",
    40005: "file_too_large",
    40058: "channel_unfit",
    ALREADY_ANSWERED: "interaction_answered",
    NO_ACCESS: "forbidden",
    50005: "card_not_ours",
    50007: "person_unreachable",
    50009: "person_unreachable",
    NO_PERMISSION: "forbidden",
    50027: "interaction_gone",
    50035: "message_invalid",
    50045: "file_too_large",
    50083: "thread_closed",
    50278: "person_unreachable",
    160002: "no_history",
    160005: "thread_closed",
    200000: "words_blocked",
    240000: "words_blocked",
    400001: "files_forbidden",
}
"""A definite no, by Discord's code."""

LATER: Mapping[int, float] = {
    20016: 60.0,
    20022: 60.0,
    20028: 60.0,
    20029: 60.0,
    40003: 600.0,
    40004: 3600.0,
    40006: 3600.0,
    40333: 600.0,
    110001: 600.0,
    130000: 60.0,
}
"""Limits and outages that pass, with the seconds to wait where Discord does not say."""


@contextmanager
def translation(*, with_file: bool = False) -> Iterator[None]:
    """Raise what happens inside as ours; `with_file`: a file was attached to the message."""
    try:
        yield
    except FOREIGN as error:
        raise translated(error, with_file=with_file) from error


def translated(error: Exception, *, with_file: bool = False) -> BotError:
    """Our word for a foreign exception."""
    if isinstance(error, discord.RateLimited):
        return Temporary("discord_busy", retry_after=error.retry_after)
    if isinstance(error, discord.HTTPException):
        return _answered(error, with_file=with_file)
    if isinstance(error, UNCONNECTED):
        return Unreachable(away=True)
    return Unreachable()


def lost(error: Exception) -> BotError:
    """Why there is no connection; `Broken` for what only the operator can mend."""
    match error:
        case discord.LoginFailure() | discord.ConnectionClosed(code=4004):
            return Broken("discord_token_bad")
        case discord.ConnectionClosed(code=4013 | 4014):
            return Broken("discord_intents")
        case discord.ConnectionClosed() | ReconnectWebSocket():
            return Temporary("discord_closed")
        case _ if isinstance(error, FOREIGN):
            problem = translated(error)
            # How long a post waits for a message of the API's is no measure for a connection.
            return Unreachable() if isinstance(problem, Unreachable) else problem
        case _:
            return unforeseen(error)


def _answered(error: discord.HTTPException, *, with_file: bool) -> BotError:
    if error.status == 401 or error.code == 40001:
        return Broken("discord_token_bad")
    if error.status >= 500:
        return Unreachable()
    if error.code in LATER:
        return Temporary("discord_busy", retry_after=_retry_after(error) or LATER[error.code])
    if error.code == NO_PERMISSION and with_file:
        # It may be the file alone that is not allowed: the next try goes without.
        return FilesForbidden()
    if error.code in REFUSED:
        return Refused.of(REFUSED[error.code])
    if error.status == 429:
        return Temporary("discord_busy", retry_after=_retry_after(error))
    if error.status == 413:
        return FileTooLarge()
    if error.code == 0:
        # No word of Discord's API: something in between spoke, and knows nothing of our message.
        return Unreachable(retry_after=60.0)
    return Forbidden() if error.status == 403 else Refused("message_refused")


def _retry_after(error: discord.HTTPException) -> float | None:
    try:
        return float(error.response.headers["Retry-After"])
    except (KeyError, ValueError):
        return None
