"""Translate the errors of discord.py and aiohttp into the core's. No other module does this.

Tables map Discord's error codes; for an unknown code the HTTP status decides. The outcome of a call
without an answer is unknown, so its error is `Temporary`.
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
"""The exceptions that a call of Discord's API can raise."""
UNCONNECTED = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientConnectorCertificateError,
    aiohttp.ConnectionTimeoutError,
)
"""The exceptions of a failed connection. They don't prove that nothing was sent: discord.py retries
by itself, and an earlier attempt may have arrived."""


class Unreachable(Temporary, code="discord_unreachable"):
    """Discord did not answer, or a proxy in between answered instead."""


class Unreadable(Temporary, code="discord_unreadable"):
    """Discord's answer lacks a field that is needed."""


NO_PERMISSION = 50013
UNKNOWN_INTERACTION = 10062
REFERENCE_REFUSED = frozenset({160002, 50035})
"""Codes of a refused reply: the right to read the history is missing, or the message replied to is
not an ordinary one."""
WORDS_BLOCKED = frozenset({200000, 240000})
"""Codes for text blocked by AutoMod or for a link: the message passes without the prompt."""

_REFUSED: Mapping[str, tuple[int, ...]] = {
    "channel_gone": (10003, 10004),
    "card_gone": (10008,),
    "person_gone": (10013,),
    "interaction_gone": (10015, UNKNOWN_INTERACTION, 50027),
    "content_forbidden": (20009,),
    "card_too_old": (30046,),
    "file_too_large": (40005, 50045),
    "channel_unfit": (40058,),
    "interaction_answered": (40060,),
    "forbidden": (50001, NO_PERMISSION),
    "card_not_ours": (50005,),
    "person_unreachable": (50007, 50009, 50278),
    "message_invalid": (50035,),
    "thread_closed": (50083, 160005),
    "no_history": (160002,),
    "words_blocked": tuple(WORDS_BLOCKED),
    "files_forbidden": (400001,),
}
REFUSED = {code: word for word, codes in _REFUSED.items() for code in codes}
"""Our codes of final refusals, by Discord's code."""

_LATER: Mapping[float, tuple[int, ...]] = {
    60.0: (20016, 20022, 20028, 20029, 130000),
    600.0: (40003, 40333, 110001),
    3600.0: (40004, 40006),
}
LATER = {code: seconds for seconds, codes in _LATER.items() for code in codes}
"""Discord's codes of limits and outages that pass, with the seconds to wait by default."""


@contextmanager
def translation(*, with_file: bool = False) -> Iterator[None]:
    """Translate the exceptions raised inside. `with_file`: a file was attached to the message."""
    try:
        yield
    except FOREIGN as error:
        raise translated(error, with_file=with_file) from error


def translated(error: Exception, *, with_file: bool = False) -> BotError:
    """Return the core's error for an exception of discord.py, aiohttp or the system."""
    if isinstance(error, discord.RateLimited):
        return Temporary("discord_busy", retry_after=error.retry_after)
    if isinstance(error, discord.HTTPException):
        return _answered(error, with_file=with_file)
    if isinstance(error, UNCONNECTED):
        return Unreachable(away=True)
    return Unreachable()


def lost(error: Exception) -> BotError:
    """Return the reason why the connection is lost; `Broken` if only the operator can fix it."""
    match error:
        case discord.LoginFailure() | discord.ConnectionClosed(code=4004):
            return Broken("discord_token_bad")
        case discord.ConnectionClosed(code=4013 | 4014):
            return Broken("discord_intents")
        case discord.ConnectionClosed() | ReconnectWebSocket():
            return Temporary("discord_closed")
        case _ if isinstance(error, FOREIGN):
            problem = translated(error)
            # The delay of a post's retry doesn't apply to the connection's.
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
        # Perhaps only the file is not allowed: the next attempt goes without it.
        return FilesForbidden()
    if error.code in REFUSED:
        return Refused.of(REFUSED[error.code])
    if error.status == 429:
        return Temporary("discord_busy", retry_after=_retry_after(error))
    if error.status == 413:
        return FileTooLarge()
    if error.code == 0:
        # Not an answer of Discord's API, but of a proxy in between.
        return Unreachable(retry_after=60.0)
    return Forbidden() if error.status == 403 else Refused("message_refused")


def _retry_after(error: discord.HTTPException) -> float | None:
    try:
        return float(error.response.headers["Retry-After"])
    except (KeyError, ValueError):
        return None
