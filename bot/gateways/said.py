"""Finds in a gateway's answer what may be looked up in the table: codes and messages.

It knows their places in many envelopes and the meaning of none of them.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from bot.gateways.envelopes import DEEPEST, FAILURES, LONGEST, MOST
from bot.gateways.meanings import Said
from bot.gateways.quoting import Written

_CODES = frozenset(
    {
        *("code", "type", "err_code", "error_code", "errcode", "errorcode", "error_type"),
        *("fail_code", "failure_code", "failurecode", "reason", "finish_reason", "finishreason"),
        *("block_reason", "blockreason", "status_code", "task_status_code"),
    }
)
_TEXTS = frozenset(
    {
        *FAILURES,
        *("message", "msg", "detail", "error", "errors", "reason", "description", "title", "raw"),
        *("reasons", "raimediafilteredreasons", "rai_media_filtered_reasons", "raierrormessage"),
    }
)
_CONTAINERS = frozenset(
    {
        *("error", "errors", "data", "output", "base_resp", "task", "result", "response", "detail"),
        *("message", "metadata", "details", "promptfeedback", "prompt_feedback", "resp", "failure"),
        *("raw", "fail_reason", "error_message", "video", "task_info", "innererror", "inner_error"),
        *("responsemetadata", "generatevideoresponse", "generate_video_response"),
    }
)
_FILTERED = frozenset(
    {
        *("raimediafilteredcount", "rai_media_filtered_count"),
        *("raimediafilteredreasons", "rai_media_filtered_reasons"),
    }
)
"""Where Google says that it made videos and kept them back: how many, and why."""
_RAI = "raiMediaFiltered"
_NUMBERED = {"base_resp": "base_resp", "errcode": "errcode"}
"""Where a bare number is one vendor's own."""
_MOST_TEXT = 4 * LONGEST
"""Characters of all codes and messages of one answer together that are read."""
_TOKEN = re.compile(r"[^\s:：,，]{2,80}")


def said_in(data: object, prompt: str = "", *, body: bytes = b"") -> Said:
    """Codes and messages in `data`; of what is no JSON, the text itself."""
    if data is None:
        text = body[: 4 * LONGEST].decode("utf-8", "replace").strip()
        return Said((), (text[:LONGEST],) if text and not text.startswith("<") else (), prompt)
    found: dict[str, list[str]] = {"code": [], "text": [], "head": []}
    room = _MOST_TEXT
    for kind, value in _said(data, Written(prompt)):
        found[kind].append(value)
        room -= len(value)
        if sum(map(len, found.values())) > MOST or room < 0:
            break
    codes, texts, heads = (tuple(dict.fromkeys(each)) for each in found.values())
    return Said(codes, texts, prompt, heads)


def filtered_in(data: object) -> tuple[str, ...]:
    """The code of an answer that says that videos were made and kept back."""
    return tuple(code for code in said_in(data).codes if code == _RAI)


def _said(
    value: object, written: Written, *, key: str = "", above: str = "", depth: int = DEEPEST
) -> Iterator[tuple[str, str]]:
    """A code, a message or the code at its head, one by one."""
    if depth < 0:
        return
    match value:
        case dict():
            for name, inner in _told(value, key):
                yield from _said(inner, written, key=name, above=key, depth=depth - 1)
        case list():
            for inner in value[:10]:
                yield from _said(inner, written, key=key, above=above, depth=depth - 1)
        case bool():
            return
        case int() if key in _FILTERED and value > 0:
            yield "code", _RAI
        case int() if key in _CODES:
            yield "code", _numbered(str(value), key, above)
        case str():
            yield from _spoken(value[:LONGEST], written, key=key, above=above, depth=depth)


def _told(table: dict[Any, object], key: str) -> Iterator[tuple[str, object]]:
    """The values in `table` that may be a code or a message, or have one in them."""
    for name, inner in list(table.items())[:MOST]:
        low = str(name).casefold()
        if low == "status" and key == "error":  # Google's
            yield "code", inner
        elif low in _CODES | _TEXTS | _CONTAINERS | _FILTERED:
            yield low, inner


def _spoken(
    text: str, written: Written, *, key: str, above: str, depth: int
) -> Iterator[tuple[str, str]]:
    if key in _CODES:
        yield "code", _numbered(text.strip(), key, above)
    if key not in _TEXTS:
        return
    if key in _FILTERED and text:
        yield "code", _RAI
    yield "text", text
    own = written.without(text)
    # New-api passes a vendor's whole answer in a message; litellm puts words before it.
    if (start := own.find("{")) >= 0:
        try:
            inner, _ = json.JSONDecoder().raw_decode(own[start:])
        except (ValueError, RecursionError):
            inner = None
        if isinstance(inner, dict) and not written.has(own[start:]):
            yield from _said(inner, written, key="error", depth=depth - 2)
    # Or only its code: `DataInspectionFailed: Input data may …`.
    if found := _TOKEN.match(own.strip()):
        rest = own.strip()[found.end() :]
        if (not rest or rest[0] in ":：") and not found[0].isdigit():
            yield "head", found[0]


def _numbered(code: str, key: str, above: str) -> str:
    place = _NUMBERED.get(above) or _NUMBERED.get(key)
    return f"{place}.{code}" if place and code.lstrip("-").isdigit() else code


def own_in(data: object, prompt: str = "") -> Said:
    """The envelope's own words, without those that a message quotes of a vendor."""
    if not isinstance(data, dict):
        return Said()
    error = data.get("error")
    place = error if isinstance(error, dict) else data
    codes = [place.get(name) for name in ("code", "type")]
    texts = [place.get(name) for name in ("message", "msg", "detail", "error")]
    return Said(
        tuple(code.strip() for code in codes if isinstance(code, str)),
        tuple(text[:LONGEST] for text in texts if isinstance(text, str)),
        prompt,
    )
