"""Short ways to say what a gateway answered, and to read it."""

import json

from bot.core.outcomes import Creation, Polled
from bot.gateways.creations import read_creation
from bot.gateways.polls import read_poll
from bot.net.answers import Answer

HTML = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
BUSY = "当前分组上游负载已饱和，请稍后再试"


def answer(status: int, body: object = b"", **headers: str) -> Answer:
    """An answer; what is neither bytes nor text is sent as JSON."""
    if not isinstance(body, bytes | str):
        body = json.dumps(body)
    raw = body.encode() if isinstance(body, str) else body
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def create(status: int, body: object = b"", *, trust: bool = True, **headers: str) -> Creation:
    return read_creation(answer(status, body, **headers), trust_json_5xx=trust)


def poll(body: object, status: int = 200, **headers: str) -> Polled:
    return read_poll(answer(status, body, **headers), gateway_id="video_1")


def kind(outcome: object) -> tuple[str, object]:
    """The class of an outcome and its reason: what the worker decides by."""
    return type(outcome).__name__, getattr(outcome, "reason", None)


def envelope(message: str, code: object = "", type_: str = "new_api_error") -> dict[str, object]:
    return {"error": {"message": message, "type": type_, "code": code}}


def flat(code: object, message: str = "") -> dict[str, object]:
    return {"code": code, "message": message, "data": None}
