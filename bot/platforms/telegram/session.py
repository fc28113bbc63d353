"""aiogram's HTTP session, which does not stumble over answers that no Bot API gives."""

from typing import Any

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.exceptions import ClientDecodeError
from aiogram.methods import Response, TelegramMethod
from aiogram.methods.base import TelegramType


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
        return super().check_response(bot, method, status_code, content)
