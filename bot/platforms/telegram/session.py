"""aiogram's HTTP session, which does not stumble over answers that no Bot API gives.

What Telegram took is never taken for refused because of how its answer is spelt: it would be sent
again. A message that has a number stands.
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
    """Raises `ClientDecodeError` for whatever says neither what was asked for nor why not."""

    def check_response(
        self, bot: Bot, method: TelegramMethod[TelegramType], status_code: int, content: str
    ) -> Response[TelegramType]:
        """The answer, if it is one."""
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
    """As little of the answer as says that a message stands; None if it does not say that."""
    match answer:
        case {"ok": True, "result": {"message_id": int(number), **more}} if isinstance(chat, int):
            file = _file(more)
            there = {"id": chat, "type": "private" if chat > 0 else "supergroup"}
            return {"ok": True, "result": {"message_id": number, "date": 0, "chat": there, **file}}
        case _:
            return None


def _file(result: dict[Any, Any]) -> dict[str, Any]:
    """Telegram's name of the video: by that it can be sent again."""
    for kind in ("video", "animation", "document"):
        match result.get(kind):
            case {"file_id": str(file_id), "file_unique_id": str(unique)}:
                return {"document": {"file_id": file_id, "file_unique_id": unique}}
    return {}
