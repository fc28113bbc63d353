"""Translate aiogram's errors into the core's. No other module does this.

Telegram gives a reason only as text; the parts that are matched here come from the source of the
Bot API server. The outcome of a call without an answer is unknown. Texts of aiogram's errors may
contain the bot's token, so they are never passed on.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from aiogram import exceptions

from bot.core.errors import BotError, Broken, FileTooLarge, Forbidden, Refused, Temporary
from bot.core.supervision import unforeseen

FOREIGN = (
    *(exceptions.AiogramError, aiohttp.ClientError),
    *(OSError, TimeoutError, UnicodeDecodeError),
)
"""The exceptions that a call of the Bot API can raise."""

BAD_REQUESTS: tuple[tuple[str, str], ...] = (
    ("message is not modified", "unchanged"),
    ("message to edit not found", "card_gone"),
    ("message can't be edited", "card_gone"),
    ("there is no text in the message to edit", "card_gone"),
    ("message_id_invalid", "card_gone"),
    ("message to delete not found", "card_gone"),
    ("message can't be deleted", "card_stays"),
    ("message to be replied not found", "reply_gone"),
    ("replied message not found", "reply_gone"),
    ("message thread not found", "topic_gone"),
    ("topic_closed", "topic_gone"),
    ("topic_deleted", "topic_gone"),
    ("chat not found", "forbidden"),
    ("peer_id_invalid", "forbidden"),
    ("user_is_blocked", "forbidden"),
    ("chat_write_forbidden", "forbidden"),
    ("need administrator rights", "forbidden"),
    ("have no rights to send", "forbidden"),
    ("not enough rights to send videos", "files_forbidden"),
    ("not enough rights to send documents", "files_forbidden"),
    ("not enough rights", "forbidden"),
    ("query is too old", "query_old"),
    ("query_id_invalid", "query_old"),
    ("file is too big", "picture_too_large"),
    ("wrong file_id", "picture_gone"),
    ("invalid file_id", "picture_gone"),
    ("file_reference", "picture_gone"),
    ("file is temporarily unavailable", "picture_gone"),
    ("request entity too large", "file_too_large"),
)
"""Parts of Telegram's descriptions of 400 errors, in lower case, and our codes. The first match
counts."""


class Busy(Temporary, code="telegram_busy"):
    """A rate limit of Telegram's is reached, or too many uploads are running."""


class WebhookSet(Temporary, code="telegram_webhook_set"):
    """A webhook is set, so Telegram refuses long polling."""


class Moved(Exception):
    """A group became a supergroup, with the new id `chat`."""

    def __init__(self, chat: int) -> None:
        super().__init__("moved")
        self.chat = chat


@contextmanager
def translation() -> Iterator[None]:
    """Raise the core's error in place of an error of aiogram or the network from the `with` block.

    Raises `Moved` if the group got a new id.
    """
    try:
        yield
    except exceptions.TelegramMigrateToChat as error:
        raise Moved(error.migrate_to_chat_id) from None
    except FOREIGN as error:
        raise translated(error) from None  # the cause would put the token into a traceback


def lost(error: Exception) -> BotError:
    """Return the reason why the connection is lost; `Broken` if only the operator can fix it."""
    return translated(error) if isinstance(error, FOREIGN) else unforeseen(error)


def translated(error: Exception) -> BotError:
    """Return the core's error for an exception of aiogram, aiohttp or the system."""
    match error:
        case exceptions.TelegramRetryAfter():
            return Busy(retry_after=error.retry_after + 1.0, unsent=True)
        # Telegram answers 404 to every method if the token is malformed.
        case exceptions.TelegramUnauthorizedError() | exceptions.TelegramNotFound():
            return Broken("telegram_token_bad")
        case exceptions.TelegramConflictError():
            return Temporary("telegram_conflict", retry_after=30.0, unsent=True)
        case exceptions.TelegramEntityTooLarge():
            return FileTooLarge()
        case exceptions.TelegramForbiddenError():
            return Forbidden()
        case exceptions.TelegramBadRequest():
            return Refused.of(_why(error.message))
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError():
            return Temporary("telegram_unreachable", unsent=True, away=True)
        case exceptions.TelegramNetworkError() if _never_left(error):
            return Temporary("telegram_unreachable", unsent=True, away=True)
        case exceptions.ClientDecodeError() | UnicodeDecodeError():
            return _senseless(error)
        case _:
            return Temporary("telegram_unreachable")


def _senseless(error: exceptions.ClientDecodeError | UnicodeDecodeError) -> BotError:
    """Return the error for an unreadable answer. A proxy in front of the server may have sent it to
    refuse the upload's size."""
    said = error.data if isinstance(error, exceptions.ClientDecodeError) else ""
    if "too large" in str(said).casefold():
        return FileTooLarge()
    return Temporary("telegram_unreadable")


def _why(description: str) -> str:
    lowered = description.casefold()
    return next((code for part, code in BAD_REQUESTS if part in lowered), "message_refused")


def _never_left(error: BaseException) -> bool:
    """Whether the connection failed, so that the request was never sent."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
