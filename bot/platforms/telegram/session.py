"""aiogram's HTTP session, made robust against answers that the Bot API doesn't document.

If aiogram can't parse the answer to a send, the message may be posted all the same, and a retry
would post it twice. So an answer with a message id counts as success.
"""

from typing import Any

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.exceptions import ClientDecodeError
from aiogram.methods import Response, TelegramMethod
from aiogram.methods.base import TelegramType

from bot.log import get_logger

log = get_logger()


class Session(AiohttpSession):
    """An aiohttp session that also accepts answers that aiogram can only partly parse."""

    def check_response(
        self, bot: Bot, method: TelegramMethod[TelegramType], status_code: int, content: str
    ) -> Response[TelegramType]:
        """Parse an answer. Raises `ClientDecodeError` if the answer has neither a result nor the
        description of an error, or if no message id can be read."""
        try:
            answer: Any = self.json_loads(content)
        except ValueError as error:
            raise ClientDecodeError("unreadable", error, content) from error
        match answer:
            case {"ok": True, "result": result} if result is not None:
                pass
            case {"ok": False, "description": str()}:
                pass
            case _:
                raise ClientDecodeError("unreadable", ValueError("no answer"), answer)
        try:
            return super().check_response(bot, method, status_code, content)
        except ClientDecodeError:
            stands = _standing(answer, getattr(method, "chat_id", None))
            if stands is None:
                raise
            log.warning("telegram.answer_unreadable", method=method.__api_method__)
            response_type = Response[method.__returning__]  # type: ignore[name-defined]
            return response_type.model_validate(stands, context={"bot": bot})


def _standing(answer: Any, chat: object) -> dict[str, Any] | None:
    """Return a minimal answer with the id of the posted message, or None if there is no id."""
    match answer:
        case {"ok": True, "result": {"message_id": int(number), **more}} if isinstance(chat, int):
            file = _file(more)
            there = {"id": chat, "type": "private" if chat > 0 else "supergroup"}
            return {"ok": True, "result": {"message_id": number, "date": 0, "chat": there, **file}}
        case _:
            return None


def _file(result: dict[Any, Any]) -> dict[str, Any]:
    """Return the file id of the posted video, by which it can be sent again, else {}."""
    for kind in ("video", "animation", "document"):
        match result.get(kind):
            case {"file_id": str(file_id), "file_unique_id": str(unique)}:
                return {"document": {"file_id": file_id, "file_unique_id": unique}}
    return {}
