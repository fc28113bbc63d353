"""Answers to a POST as several modules of tests write them."""

from bot.core.jobs import Reason
from bot.core.outcomes import Creation
from bot.gateways.creations import read_creation

from .spoken import answer

EMPTY = ("Locked", Reason.NO_BALANCE)
MODERATED = ("Rejected", Reason.MODERATED)
LINK = "https://a.example/v.mp4"
CHAT = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1}


def said(content: str, prompt: str) -> Creation:
    body = {**CHAT, "choices": [{"message": {"content": content}}]}
    return read_creation(answer(200, body), trust_json_5xx=True, prompt=prompt)
