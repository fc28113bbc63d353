"""Short functions that build an answer of a gateway and read it."""

import json

from bot.core.outcomes import Creation, Polled
from bot.gateways.creations import read_creation
from bot.gateways.polls import read_poll
from bot.net.answers import Answer

HTML = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
BUSY = "当前分组上游负载已饱和，请稍后再试"


def answer(status: int, body: object = b"", **headers: str) -> Answer:
    """Return an answer; a body that is neither bytes nor text is sent as JSON."""
    if not isinstance(body, bytes | str):
        body = json.dumps(body)
    raw = body.encode() if isinstance(body, str) else body
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def create(status: int, body: object = b"", *, trust: bool = True, **headers: str) -> Creation:
    """Read an answer to an order."""
    return read_creation(answer(status, body, **headers), trust_json_5xx=trust)


def poll(body: object, status: int = 200, **headers: str) -> Polled:
    """Read an answer to a poll of video_1."""
    return read_poll(answer(status, body, **headers), gateway_id="video_1")


def kind(outcome: object) -> tuple[str, object]:
    """Return the class of an outcome and its reason, by which the worker decides."""
    return type(outcome).__name__, getattr(outcome, "reason", None)


def envelope(message: str, code: object = "", type_: str = "new_api_error") -> dict[str, object]:
    """Return an error as new-api wraps it."""
    return {"error": {"message": message, "type": type_, "code": code}}


def flat(code: object, message: str = "") -> dict[str, object]:
    """Return an error without an envelope, as new-api's relays write it."""
    return {"code": code, "message": message, "data": None}
