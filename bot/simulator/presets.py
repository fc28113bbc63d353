"""Named faults, which real gateways have shown.

A name works in square brackets in a prompt, at `/simulator/faults`, and as a start option of the
simulator. In a prompt it applies to that video only; elsewhere to the next requests.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from bot.simulator import faults
from bot.simulator.faults import ALWAYS, BAD_GATEWAY, Fault, When

Trouble = Sequence[tuple[Fault, int]]
"""Faults, and the number of requests that each applies to."""

DONE = ("completed", "succeeded", "succeed", "success", "done")
FAILED = (
    "failed", "fail", "failure", "error", "canceled", "cancelled", "rejected", "expired",
)  # fmt: skip
PENDING = (
    "queued", "queueing", "in_queue", "pending", "submitted", "created", "preparing", "not_start",
    "in_progress", "processing", "running", "generating", "unknown", "suspended",
)  # fmt: skip
NGINX = {
    500: "500 Internal Server Error",
    502: "502 Bad Gateway",
    503: "503 Service Temporarily Unavailable",
    504: "504 Gateway Time-out",
}
DAY = 86400.0
PATIENCE = 300.0  # seconds; more than any client waits for an answer
ALL_BUT_ID = (
    "object", "model", "status", "progress", "created_at", "completed_at", "expires_at", "prompt",
    "size", "seconds", "quality", "remixed_from_video_id", "metadata", "url",
)  # fmt: skip
FULL = "当前分组上游负载已饱和，请稍后再试"


def _answer(status: int, body: str = "", retry_after: int | None = None) -> Trouble:
    """Return a fault: a create request gets this response and no video is made."""
    fault = Fault("create", "answer", status, body=body, retry_after=retry_after)
    return [(fault, 1)]


def _flat(code: str, message: str) -> str:
    return f'{{"code":"{code}","message":"{message}","data":null}}'


def _error(message: str, code: str = "") -> str:
    return f'{{"error":{{"message":"{message}","type":"new_api_error","code":"{code}"}}}}'


def _begun(code: str, message: str) -> Trouble:
    """Return a fault: a vendor accepted a create request, but its plugin can't read the answer."""
    return [(Fault("create", "begun", 502, body=_flat(code, message)), 1)]


def _said(when: When = "", without: Sequence[str] = (), **patch: object) -> Trouble:
    """Return a fault that changes every later response to a poll of the video."""
    return [(Fault("retrieve", when=when, patch=patch, without=tuple(without)), ALWAYS)]


def _ends_failed(trouble: Trouble) -> Trouble:
    return [(Fault("create", "fail"), 1), *trouble]


WORDS: Mapping[str, Trouble] = {
    **{f"is-{word}": _said("succeeded", status=word) for word in DONE},
    **{f"is-{word}": _ends_failed(_said("failed", status=word)) for word in FAILED},
    **{f"is-{word}": _said("processing", status=word) for word in PENDING},
    "is-empty": _said("processing", status=""),
    "is-null": _said("processing", status=None),
    "is-number": _said("processing", status=3),
    "is-missing": _said("processing", without=["status"]),
    "is-loud": _said("succeeded", status=" SUCCESS "),
}

REPLIES: Mapping[str, Trouble] = {
    "progress-text": _said(progress="30%"),
    "progress-float": _said(progress=33.3),
    "progress-null": _said(progress=None),
    "progress-full": _said("processing", progress=100),
    "progress-falls": [
        (Fault("retrieve", when="processing", patch={"progress": said}), 1) for said in (80, 20, 60)
    ],
    "created-ms": _said(created_at=1_640_995_200_000),
    "completed-early": _said("processing", completed_at=1_640_995_200),
    "url-empty": _said("succeeded", without=["url"], metadata={"url": ""}),
    "url-is-error": _ends_failed(_said("failed", metadata={"url": "InternalError: no video"})),
    "no-reason": _ends_failed(_said("failed", without=["error"])),
    "error-only": _said(without=ALL_BUT_ID, error={"message": "upstream is away", "code": ""}),
    "other-id": _said(id="video_" + "A" * 128 + "=="),
    "wrapped": _said("succeeded", without=["status"], data={"status": "SUCCESS"}),
    "not-yet": [(Fault("retrieve", "unknown"), 2)],
    "lost": [(Fault("retrieve", "unknown"), ALWAYS)],
    "swept": [(Fault("create", "stuck"), 1), *_said(status="in_progress", progress=100)],
    "poll-429": [(Fault("retrieve", "answer", 429, body=""), 2)],
    "poll-500": [(Fault("retrieve", "answer", 500), 2)],
    "poll-502": [(Fault("retrieve", "answer", 502, body=BAD_GATEWAY), 2)],
    "failed-400": _ends_failed([(Fault("retrieve", "status", 400, when="failed"), ALWAYS)]),
    "failed-500": _ends_failed([(Fault("retrieve", "status", 500, when="failed"), ALWAYS)]),
    "poll-late": [(Fault("retrieve", delay=PATIENCE), 1)],
    "poll-malformed": [(Fault("retrieve", "answer", 200, body="status: done"), 2)],
    "poll-truncated": [(Fault("retrieve", "answer", 200, body='{"id": "video_1", "sta'), 2)],
}

_UNNAMED = ("id", "task_id")

LIVES: Mapping[str, Trouble] = {
    "made-at-once": [(Fault("create", "at_once", takes=0.0, without=_UNNAMED), 1)],
    "made-at-once-unknown": [
        (Fault("create", "at_once", takes=0.0), 1),
        (Fault("retrieve", "unknown"), ALWAYS),
        (Fault("content", "unknown"), ALWAYS),
    ],
    "made-at-once-list": [(Fault("create", "listed", takes=0.0), 1)],
    "made-at-once-said": [(Fault("create", "said", takes=0.0), 1)],
    "made-at-once-video": [(Fault("create", "video", takes=0.0), 1)],
    "stuck": [(Fault("create", "stuck"), 1)],
    "late": [(Fault("create", takes=DAY + 3600), 1)],
    "moderated-late": [(Fault("create", "fail", takes=600), 1)],
    "moderated-charged": [(Fault("create", "withheld"), 1)],
    "moderated-silent": [(Fault("create", "withheld", code=""), 1)],
    "vendor-away": [(Fault("create", "away"), 1)],
    "begun-failed": _begun("plugin_submit_response_failed", "task_id is empty"),
    "begun-invalid": _begun("plugin_submit_response_invalid", "plugin returned an empty taskId"),
}

CREATES: Mapping[str, Trouble] = {
    "answer-lost": [(Fault("create", "drop"), 1)],
    "answer-late": [(Fault("create", delay=PATIENCE), 1)],
    "reset": [(Fault("create", "cut"), 1)],
    "create-429": _answer(429, _flat("fail_to_fetch_task", FULL)),
    "create-429-hint": _answer(429, _flat("fail_to_fetch_task", FULL), 7),
    "create-429-empty": _answer(429),
    **{
        f"create-{status}": _answer(status, BAD_GATEWAY.replace("502 Bad Gateway", title))
        for status, title in NGINX.items()
    },
    "bad-key": _answer(401, _error("无效的令牌 (request id: 20260101)")),
    "no-balance-a": _answer(403, _flat("quota_not_enough", "user quota is not enough")),
    "no-balance": _answer(403, _error("用户额度不足", "insufficient_user_quota")),
    "no-balance-token": _answer(403, _error("额度不足", "pre_consume_token_quota_failed")),
    "prompt-blocked": _answer(403, _error("forbidden phrase: 'credit card'", "prompt_blocked")),
    "quota-429": _answer(429, _error("You exceeded your current quota", "insufficient_quota")),
    "arrears": _answer(400, '{"code":"Arrearage","message":"Access denied","request_id":"1"}'),
    "suspended": _answer(412, _error("Account suspended", "account_suspended")),
    "plan-403": _answer(403, _error("see your plan and billing details", "invalid_token")),
    "html-429": _answer(429, BAD_GATEWAY.replace("502 Bad Gateway", "429 Too Many Requests")),
    "bot-wall": _answer(403, BAD_GATEWAY.replace("502 Bad Gateway", "Just a moment...")),
    "denied": _answer(403, _error("no access to this model", "access_denied")),
    "no-channel": _answer(503, _error("no channel for this model", "model_not_found")),
    "too-large": _answer(413, _error("request body too large", "read_request_body_failed")),
    "ok-but-error": _answer(200, _flat("ali_api_error", "InvalidParameter: prompt")),
    "moved": [(Fault("create", "redirect", 307), 1)],
    "price-missing": _answer(400, _flat("model_price_error", "model price is not configured")),
    "usage-invalid": _answer(400, _flat("plugin_usage_invalid", "usage fact seconds is missing")),
    "plugin-refuses": _answer(400, _flat("plugin_request_invalid", "size is not supported")),
}

CONTENTS: Mapping[str, Trouble] = {
    "content-400": [(Fault("content", "answer", 400), 2)],
    "content-404": [(Fault("content", "answer", 404), 2)],
    "content-403": [(Fault("content", "answer", 403), 2)],
    "content-502": [(Fault("content", "answer", 502), 3)],
    "url-expired": [
        (Fault("content", "answer", 502, "Upstream service returned status 403"), ALWAYS),
        (Fault("file", "answer", 403, body="<Error><Code>AccessDenied</Code></Error>"), ALWAYS),
    ],
    "content-moved": [(Fault("content", "redirect", 302), ALWAYS)],
    "content-drips": [(Fault("content", "drip", delay=1.0), 1)],
    "content-truncated": [(Fault("content", "truncate"), 2)],
    "content-typed": [(Fault("content", content_type="application/octet-stream"), ALWAYS)],
    "content-unmeasured": [(Fault("content", "unmeasured"), ALWAYS)],
    "content-html": [(Fault("content", "answer", 200, body=BAD_GATEWAY), 2)],
    "content-json": [(Fault("content", "answer", 200, body=_error("no video")), 2)],
    "content-gzip": [(Fault("content", "gzip"), ALWAYS)],
    "content-206": [(Fault("content", "part"), ALWAYS)],
    "content-url": [(Fault("content", "link"), ALWAYS)],
    "content-webm": [(Fault("content", "webm"), ALWAYS)],
    "content-tail": [(Fault("content", "tail"), ALWAYS)],
    "content-noise": [(Fault("content", "noise"), ALWAYS)],
    "content-endless": [(Fault("content", "endless"), ALWAYS)],
    "content-oversized": [(Fault("content", "oversized", size=1 << 40), ALWAYS)],
}

PRESETS: Mapping[str, Trouble] = {**LIVES, **CREATES, **REPLIES, **CONTENTS, **WORDS}


def asked(prompt: str) -> Iterator[tuple[Fault, int]]:
    """Yield the faults whose names a prompt has in brackets."""
    for name in re.findall(r"\[([a-z0-9_-]+)\]", prompt):
        yield from PRESETS.get(name, ())


def named(name: str, times: int | None = None) -> Trouble:
    """Return the faults of a name, `times` times each. Raises `ValueError` for an unknown name."""
    if name not in PRESETS:
        raise ValueError(f"unknown preset {name!r}; known are {', '.join(PRESETS)}")
    return [(fault, times or often) for fault, often in PRESETS[name]]


def parse(content: object) -> Trouble:
    """Read `{"preset": …, "times": 1}`, or one fault as JSON. Raises `ValueError`."""
    if not isinstance(content, dict) or "preset" not in content:
        return [faults.parse(content)]
    match content:
        case {"preset": str(name), "times": int(times)} if len(content) == 2:
            return named(name, times)
        case {"preset": str(name)} if len(content) == 1:
            return named(name)
        case _:
            raise ValueError("a preset has a name, and a whole number of times if anything")
