"""Finds in a gateway's answer what may be looked up: codes and messages.

It knows the places of many envelopes and the meaning of none of them.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from bot.gateways.meanings import Said

LONGEST = 4096
"""Characters of an id, an address or a message that are read."""
_MOST = 200
"""Values of one answer that are read."""
_DEEPEST = 6

_CODES = frozenset(
    {
        *("code", "type", "err_code", "error_code", "errcode", "errorcode", "error_type"),
        *("fail_code", "failure_code", "failurecode", "reason", "finish_reason", "finishreason"),
        *("block_reason", "blockreason", "status_code", "task_status_code"),
    }
)
_FAILURES = (
    *("fail_reason", "failure_reason", "failreason", "failurereason", "failed_reason", "failure"),
    *("error_message", "errormessage", "error_msg", "errormsg", "err_msg", "errmsg"),
    *("task_status_msg", "status_msg", "error_description", "error_detail"),
)
"""Where a job says why it failed, besides `error`."""
_TEXTS = frozenset(
    {
        *_FAILURES,
        *("message", "msg", "detail", "error", "errors", "reason", "description", "title", "raw"),
        *("reasons", "raimediafilteredreasons", "rai_media_filtered_reasons", "raierrormessage"),
    }
)
_CONTAINERS = frozenset(
    {
        *("error", "errors", "data", "output", "base_resp", "task", "result", "response", "detail"),
        *("message", "metadata", "details", "promptfeedback", "prompt_feedback", "resp", "failure"),
        *("raw", "fail_reason", "error_message", "video", "task_info"),
    }
)
_NUMBERED = {"base_resp": "base_resp", "errcode": "errcode"}
"""Where a bare number is one vendor's own."""
_TOKEN = re.compile(r"[^\s:：,，]{2,80}")


def parsed(body: bytes) -> object:
    """The parsed body, or None. Hostile bodies raise more than JSONDecodeError (fact F10)."""
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value


def said_in(data: object, prompt: str = "", *, body: bytes = b"") -> Said:
    """Codes and messages in `data`; of what is no JSON, the text itself."""
    if data is None:
        text = body[: 4 * LONGEST].decode("utf-8", "replace").strip()
        return Said((), (text[:LONGEST],) if text and not text.startswith("<") else (), prompt)
    codes: list[str] = []
    texts: list[str] = []
    for kind, value in _said(data, prompt):
        (codes if kind == "code" else texts).append(value)
        if len(codes) + len(texts) > _MOST:
            break
    return Said(tuple(dict.fromkeys(codes)), tuple(dict.fromkeys(texts)), prompt)


def _said(
    value: object, prompt: str, *, key: str = "", above: str = "", depth: int = _DEEPEST
) -> Iterator[tuple[str, str]]:
    """A code or a message, one by one."""
    if depth < 0:
        return
    match value:
        case dict():
            for name, inner in list(value.items())[:_MOST]:
                low = str(name).casefold()
                is_state = low == "status" and key == "error"  # Google's
                if is_state or low in _CODES | _TEXTS | _CONTAINERS:
                    yield from _said(
                        inner,
                        prompt,
                        key="code" if is_state else low,
                        above=key,
                        depth=depth - 1,
                    )
        case list():
            for inner in value[:10]:
                yield from _said(inner, prompt, key=key, above=above, depth=depth - 1)
        case bool():
            return
        case int() if key in _CODES:
            yield "code", _numbered(str(value), key, above)
        case str():
            yield from _spoken(value[:LONGEST], prompt, key=key, above=above, depth=depth)


def _spoken(
    text: str, prompt: str, *, key: str, above: str, depth: int
) -> Iterator[tuple[str, str]]:
    if key in _CODES:
        yield "code", _numbered(text.strip(), key, above)
    if key not in _TEXTS:
        return
    yield "text", text
    own = text.replace(prompt, " ") if prompt else text
    # New-api passes a vendor's whole answer in a message; litellm puts words before it.
    if (start := own.find("{")) >= 0:
        try:
            inner, _ = json.JSONDecoder().raw_decode(own[start:])
        except (ValueError, RecursionError):
            inner = None
        if isinstance(inner, dict) and not _is_quoted(own[start:], prompt):
            yield from _said(inner, prompt, key="error", depth=depth - 2)
    # Or only its code: `DataInspectionFailed: Input data may …`.
    if (found := _TOKEN.match(own.strip())) and not _is_quoted(found[0], prompt):
        rest = own.strip()[found.end() :]
        if (not rest or rest[0] in ":：") and not found[0].isdigit():
            yield "code", found[0]


def _is_quoted(text: str, prompt: str) -> bool:
    """Whether a person may have written it: letters alone are compared, for gateways escape."""
    letters = "".join(char for char in text.casefold() if char.isalnum())
    written = "".join(char for char in prompt.casefold() if char.isalnum())
    return bool(letters) and bool(written) and (letters in written or written in letters)


def _numbered(code: str, key: str, above: str) -> str:
    place = _NUMBERED.get(above) or _NUMBERED.get(key)
    return f"{place}.{code}" if place and code.lstrip("-").isdigit() else code


# --- what is wrong, for the operator -------------------------------------------------------------

_NO_ERROR = frozenset(
    {
        *("", "0", "00", "000", "0000", "00000", "000000", "200", "201", "202", "20000"),
        *("ok", "okay", "success", "succeed", "succeeded", "successful", "none", "null", "true"),
        *("accepted", "created", "queued", "submitted", "pending", "processing", "completed"),
    }
)


def problem_in(data: object) -> str | None:
    """Code and message of the error in `data`, in whichever envelope; None if there is none."""
    if not isinstance(data, dict):
        return None
    code = _words(data.get("code"))
    if words := _error(data):
        return words
    if words := _words(data.get("detail")):
        return words
    told = next((_words(data[name]) for name in ("message", "msg", "errmsg") if name in data), None)
    is_bad = code.casefold() not in _NO_ERROR and (told or "x").casefold() not in _NO_ERROR
    if (is_bad or data.get("success") is False) and told is not None:
        return f"{code} {told}".strip() or None
    base = data.get("base_resp")
    if isinstance(base, dict) and _words(base.get("status_code")) not in _NO_ERROR:
        return f"{_words(base.get('status_code'))} {_words(base.get('status_msg'))}"
    return _failure(data)


def says_no(data: dict[str, Any]) -> bool:
    """Whether it names an error: a code or a message alone may be those of a success."""
    faults = data.get("detail")
    is_faulty = isinstance(faults, list) and bool(_words(faults))  # FastAPI's
    refuses = data.get("success") is False or is_faulty or _is_task_error(data)
    return refuses or _error(data) is not None or _named_failure(data) is not None


def _is_task_error(data: dict[str, Any]) -> bool:
    """new-api's own: a code with a name, a message, and no data."""
    code = data.get("code")
    is_named = isinstance(code, str) and any(map(str.isalpha, code))
    nothing = "data" in data and data["data"] is None and "message" in data
    return is_named and nothing and str(code).casefold() not in _NO_ERROR


def _error(data: dict[str, Any]) -> str | None:
    words = _words(data["error"]) if isinstance(data.get("error"), dict | str) else ""
    return words if any(word not in _NO_ERROR for word in words.casefold().split()) else None


def own_in(data: object, prompt: str = "") -> Said:
    """What the envelope says by itself, without what a message quotes of a vendor."""
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


def _failure(data: dict[str, Any]) -> str | None:
    """Why a job failed."""
    if words := _named_failure(data):
        return words
    output = data.get("output")
    if isinstance(output, dict) and output.get("code") and "message" in output:
        return _words(output)
    return None


def _named_failure(data: dict[str, Any]) -> str | None:
    """Why a job failed, by the names that only failures have."""
    inner = [data.get(name) for name in ("data", "output", "task", "result", "task_info")]
    for place in (data, *(each for each in inner if isinstance(each, dict))):
        for name, value in place.items():
            is_error = name == "error" and isinstance(value, dict | str)
            known = is_error or str(name).casefold() in _FAILURES
            if known and (words := _words(value)) and words.casefold() not in _NO_ERROR:
                return words
    return None


def _words(value: object, *, depth: int = 3) -> str:
    """The text in an error: `{code, type, param, message}`, FastAPI's list, or a word."""
    match value:
        case str():
            return value
        case bool():
            return ""
        case int() | float():
            return str(value)
        case dict() if depth:
            inner = [value.get(key) for key in ("code", "type", "param", "message", "msg")]
        case list() if depth:
            inner = value[:5]
        case _:
            return ""
    return " ".join(filter(None, (_words(part, depth=depth - 1) for part in inner)))
