"""The one place where what aiogram raises becomes an error of ours.

Telegram says why in words only; the parts of them that are matched come from its server's source.
A call without an answer has an unknown end. Texts of foreign errors hold the bot's token, so none
of them is ever passed on.
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
"""The errors of a call of Telegram."""

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
"""Parts of Telegram's 400s in lower case, the first that fits counts."""


class Busy(Temporary, code="telegram_busy"):
    """Telegram wants silence, or has too much to do."""


class WebhookSet(Temporary, code="telegram_webhook_set"):
    """Telegram sends updates to an address, so it lets nobody ask for them."""


class Moved(Exception):
    """The group became a supergroup: it has another id from now on."""

    def __init__(self, chat: int) -> None:
        super().__init__("moved")
        self.chat = chat


@contextmanager
def translation() -> Iterator[None]:
    """Raise what happens inside as ours; `Moved` where the chat has another id."""
    try:
        yield
    except exceptions.TelegramMigrateToChat as error:
        raise Moved(error.migrate_to_chat_id) from None
    except FOREIGN as error:
        raise translated(error) from None  # its cause would bring the token into a traceback


def lost(error: Exception) -> BotError:
    """Why there is no connection; `Broken` for what only the operator can mend."""
    return translated(error) if isinstance(error, FOREIGN) else unforeseen(error)


def translated(error: Exception) -> BotError:
    """Our word for a foreign exception."""
    match error:
        case exceptions.TelegramRetryAfter():
            return Busy(retry_after=error.retry_after + 1.0, unsent=True)
        # For a token that is none of theirs they know no method either.
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
    """No answer of Telegram's; what stands before it may have refused the size all the same."""
    said = error.data if isinstance(error, exceptions.ClientDecodeError) else ""
    if "too large" in str(said).casefold():
        return FileTooLarge()
    return Temporary("telegram_unreadable")


def _why(description: str) -> str:
    told = description.casefold()
    return next((code for part, code in BAD_REQUESTS if part in told), "message_refused")


def _never_left(error: BaseException) -> bool:
    """Whether there was not even a connection."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
