"""Finds in a gateway's answer what may be looked up: codes and messages.

It knows the places of many envelopes and the meaning of none of them.
"""

import json
from typing import Any

LONGEST = 4096
"""Characters of an id, an address or a message that are read."""
MOST = 200
"""Values of one answer that are read."""
DEEPEST = 6

FAILURES = (
    *("fail_reason", "failure_reason", "failreason", "failurereason", "failed_reason", "failure"),
    *("error_message", "errormessage", "error_msg", "errormsg", "err_msg", "errmsg"),
    *("task_status_msg", "status_msg", "error_description", "error_detail"),
)
"""Where a job says why it failed, besides `error`."""


def parsed(body: bytes) -> object:
    """The parsed body, or None. Hostile bodies raise more than JSONDecodeError (fact F10)."""
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value


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
    error = data.get("error")
    response = data.get("Response")
    if error is None and isinstance(response, dict) and isinstance(response.get("Error"), dict):
        error = {
            str(name).casefold(): value for name, value in response["Error"].items()
        }  # Tencent
    words = _words(error) if isinstance(error, dict | str) else ""
    return words if any(word not in _NO_ERROR for word in words.casefold().split()) else None


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
            known = is_error or str(name).casefold() in FAILURES
            if known and (words := _words(value)) and words.casefold() not in _NO_ERROR:
                return words
    return None


def _words(value: object, *, depth: int = 3) -> str:
    """The text in an error: `{code, type, param, message}`, FastAPI's list, or a word."""
    match value:
        case str():
            return value.strip()
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
