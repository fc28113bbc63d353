"""Answers to a POST that several test modules use."""

from bot.core.jobs import Reason
from bot.core.outcomes import Creation
from bot.gateways.creations import read_creation

from .spoken import answer

EMPTY = ("Locked", Reason.NO_BALANCE)
MODERATED = ("Rejected", Reason.MODERATED)
LINK = "https://a.example/v.mp4"
CHAT = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1}


def said(content: str, prompt: str) -> Creation:
    """Read a chat completion with this content as the answer to an order."""
    body = {**CHAT, "choices": [{"message": {"content": content}}]}
    return read_creation(answer(200, body), trust_json_5xx=True, prompt=prompt)
