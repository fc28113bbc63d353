"""Answers that are no video: errors in the document's envelope, and broken ones on demand."""

import asyncio
import json
from http import HTTPStatus
from pathlib import Path

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from bot.simulator.faults import Fault
from bot.simulator.requests import Refused


def error(status: int, message: str = "") -> web.Response:
    """Answer with the document's error envelope."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    words = message or _phrase(status)
    return web.json_response({"error": {"message": words, "type": kind}}, status=status)


@web.middleware
async def envelopes(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Put every refusal, and what aiohttp itself refuses, into the envelope."""
    try:
        return await handler(request)
    except Refused as refusal:
        return error(refusal.status, refusal.message)
    except ConnectionError:
        return cut(request)  # the client left in the middle of its body: nobody to answer
    except web.HTTPException as refusal:
        if refusal.status == HTTPStatus.NOT_FOUND:
            return error(404, f"there is nothing at {request.method} {request.path}")
        return error(refusal.status)


def faulty(fault: Fault) -> web.Response:
    """Answer as a fault of kind `answer` says."""
    if fault.body is None:
        answer = error(fault.status, fault.message)
    else:
        kind = "text/html" if fault.body.startswith("<") else "application/json"
        answer = web.Response(status=fault.status, text=fault.body, content_type=kind)
    if fault.retry_after is not None:
        answer.headers[hdrs.RETRY_AFTER] = str(fault.retry_after)
    return answer


def cut(request: web.Request) -> web.Response:
    """Break the connection; what is returned goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def truncated(request: web.Request, path: Path) -> web.StreamResponse:
    """Promise a whole file and end the connection in the middle of it."""
    data = await asyncio.to_thread(path.read_bytes)
    answer = web.StreamResponse(headers={hdrs.CONTENT_TYPE: "video/mp4"})
    answer.content_length = len(data)
    await answer.prepare(request)
    await answer.write(data[: len(data) // 2])
    if request.transport is not None:
        request.transport.close()  # unlike abort(), this still sends what was written
    return answer


def as_json(content: object) -> web.Response:
    """Answer with JSON for human eyes."""
    text = json.dumps(content, ensure_ascii=False, indent=2)
    # Half a surrogate pair can arrive by a JSON escape; this sends it back as one.
    body = text.encode(errors="backslashreplace")
    return web.Response(body=body, content_type="application/json", charset="utf-8")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"
