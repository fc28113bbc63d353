"""Builds and sends responses: refusals in their envelope, files, and broken ones on demand."""

import asyncio
import json
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware
from yarl import URL

from bot.simulator import stills, wrapping
from bot.simulator.faults import Fault
from bot.simulator.profiles import Profile
from bot.simulator.refusals import Refused
from bot.simulator.scenes import Scene
from bot.simulator.videos import Failure

MP4 = "video/mp4"
INSTEAD = ("answer", "unknown", "redirect", "cut")
"""The faults for which the operation is not carried out."""
LINKS = ("url", "urls", "unsigned_urls", "metadata")
"""The fields of a response that contain links to the video."""
AT_ONCE = ("at_once", "listed", "said", "video")
"""The faults for which a create request is answered only when the video is made."""
DROP = 64  # bytes that a slow ("drip") response sends at a time
ZEROS = bytes(1 << 20)


def refused(refusal: Refused, profile: Profile) -> web.Response:
    """Return a refusal in the profile's envelope."""
    if refusal.bare:
        return web.Response(text=refusal.message, status=refusal.status)
    body = profile.envelope(refusal) if refusal.body is None else refusal.body
    return web.json_response(body, status=refusal.status)


def envelopes(profile: Profile) -> Middleware:
    """Return a middleware that puts every refusal, also aiohttp's own, into the envelope."""

    @web.middleware
    async def enveloped(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refused as refusal:
            return refused(refusal, profile)
        except ConnectionError:
            return cut(request)  # the client disconnected while it sent the body
        except web.HTTPException as refusal:
            if refusal.status in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED):
                return refused(profile.nowhere(request.method, request.path), profile)
            return refused(Refused(_phrase(refusal.status), refusal.status), profile)

    return enveloped


def patched(body: Mapping[str, object], fault: Fault, *, status: int = 200) -> web.Response:
    """Return a JSON response, changed as a fault says."""
    words = {**body, **fault.patch}
    for name in fault.without:
        words.pop(name, None)
    return web.json_response(words, status=status)


async def made(fault: Fault, fields: Mapping[str, object], url: str, path: Path) -> web.Response:
    """Return the response to a create request with the finished video, in the fault's shape."""
    match fault.kind:
        case "listed":
            return web.json_response([{"url": url}])
        case "said":
            message = {"role": "assistant", "content": f"Here it is: [video]({url})"}
            said = {"id": "chatcmpl-1", "object": "chat.completion"}
            return web.json_response({**said, "choices": [{"index": 0, "message": message}]})
        case "video":
            return web.Response(body=await asyncio.to_thread(path.read_bytes), content_type=MP4)
        case _:
            return patched({**fields, "status": "completed", "data": [{"url": url}]}, fault)


def withheld(body: Mapping[str, object], failure: Failure, profile: Profile) -> dict[str, object]:
    """Return the response to a poll of a video that is done but never delivered."""
    words = {name: value for name, value in body.items() if name not in LINKS}
    return {**words, "error": profile.error(failure)} if failure.code else words


def instead(request: web.Request, fault: Fault, profile: Profile, link: str) -> web.Response:
    """Return the response of a fault that replaces the operation (`INSTEAD`).

    `link` is the address of the video's file, or "".
    """
    match fault.kind:
        case "unknown":
            content = request.path.endswith("/content")
            return refused(profile.no_content() if content else profile.unknown(), profile)
        case "redirect":
            where = fault.location or _elsewhere(request, link)
            return web.Response(status=fault.status, headers={hdrs.LOCATION: where})
        case "cut":
            return web.Response()
        case _:
            return _faulty(fault, profile)


def _faulty(fault: Fault, profile: Profile) -> web.Response:
    if fault.body is None:
        words = fault.message or _phrase(fault.status)
        answer = refused(Refused(words, fault.status), profile)
    else:
        kind = "text/html" if fault.body.startswith("<") else "application/json"
        answer = web.Response(status=fault.status, text=fault.body, content_type=kind)
    if fault.retry_after is not None:
        answer.headers[hdrs.RETRY_AFTER] = str(fault.retry_after)
    return answer


def _elsewhere(request: web.Request, link: str) -> str:
    """Return the request's URL with another name of this machine, which is a foreign host.

    Content is redirected to its file.
    """
    name = "127.0.0.1" if request.url.host == "localhost" else "localhost"
    content = link and request.path.endswith("/content")
    where = URL(link) if content else request.url.with_path(request.path)
    return str(where.with_host(name))


# ------------------------------------------------------------------------------- files


async def file(path: Path, profile: Profile, headers: Mapping[str, str]) -> web.StreamResponse:
    """Return a response with a video; ranges work only if the profile supports them."""
    if profile.ranges:
        return web.FileResponse(path, headers=headers)
    data = await asyncio.to_thread(path.read_bytes)
    return web.Response(body=data, content_type=MP4, headers={"Accept-Ranges": "bytes", **headers})


async def still(scene: Scene, variant: str) -> web.Response:
    """Return a response with a thumbnail or sprite of a video."""
    if variant not in stills.PARTS:
        known = ", ".join(["video", *stills.PARTS])
        raise Refused(f"variant must be one of {known}", param="variant")
    data = await asyncio.to_thread(stills.draw, scene, variant)
    return web.Response(body=data, content_type=stills.PARTS[variant][1])


async def webm(scene: Scene) -> web.Response:
    """Return a response with a video as WebM, labelled as an MP4."""
    return web.Response(body=await asyncio.to_thread(wrapping.webm, scene), content_type=MP4)


async def sent(
    request: web.Request, fault: Fault, answer: web.StreamResponse, path: Path | None, link: str
) -> web.StreamResponse:
    """Send a response, delayed or broken as a fault says.

    `path` is the file that it contains, and `link` the file's address.
    """
    if fault.content_type:
        answer.content_type = fault.content_type
    if fault.kind == "drip" and path:
        return await _drip(request, path, fault)
    await asyncio.sleep(fault.delay)
    match fault.kind:
        case "cut" | "drop":
            return cut(request)
        case "truncate" if path:
            return await _truncated(request, path)
        case "unmeasured" if path:
            return await _unmeasured(request, path)
        case "oversized" if path:
            return await _oversized(request, path, fault.size)
        case "endless" if path:
            return await _endless(request, path)
        case "link" if path:
            return web.json_response({"url": link})
        case kind if path and kind in wrapping.WAYS:
            packed = wrapping.WAYS[kind](await asyncio.to_thread(path.read_bytes))
            headers = {hdrs.CONTENT_TYPE: MP4, **packed.headers}
            return web.Response(body=packed.body, status=packed.status, headers=headers)
        case _:
            return answer


def cut(request: web.Request) -> web.Response:
    """Cut the connection. The returned response is never sent."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _truncated(request: web.Request, path: Path) -> web.StreamResponse:
    data = await asyncio.to_thread(path.read_bytes)
    answer = await _promised(request, len(data))
    await answer.write(data[: len(data) // 2])
    if request.transport is not None:
        request.transport.close()  # unlike abort(), this still sends what was written
    return answer


async def _drip(request: web.Request, path: Path, fault: Fault) -> web.StreamResponse:
    data = await asyncio.to_thread(path.read_bytes)
    answer = await _promised(request, len(data))
    for start in range(0, len(data), DROP):
        await asyncio.sleep(fault.delay)
        await answer.write(data[start : start + DROP])
    return answer


async def _unmeasured(request: web.Request, path: Path) -> web.StreamResponse:
    answer = web.StreamResponse(headers={hdrs.CONTENT_TYPE: MP4})
    answer.enable_chunked_encoding()
    await answer.prepare(request)
    await answer.write(await asyncio.to_thread(path.read_bytes))
    return answer


async def _oversized(request: web.Request, path: Path, size: int) -> web.StreamResponse:
    data = await asyncio.to_thread(path.read_bytes)
    answer = await _promised(request, size)
    await answer.write(data[:size])
    left = size - len(data)
    while left > 0:
        await answer.write(ZEROS[:left])
        left -= len(ZEROS)
    return answer


async def _endless(request: web.Request, path: Path) -> web.StreamResponse:
    answer = web.StreamResponse(headers={hdrs.CONTENT_TYPE: MP4})
    answer.enable_chunked_encoding()
    await answer.prepare(request)
    await answer.write(await asyncio.to_thread(path.read_bytes))
    while True:  # until the client leaves
        await answer.write(ZEROS)


async def _promised(request: web.Request, length: int) -> web.StreamResponse:
    answer = web.StreamResponse(headers={hdrs.CONTENT_TYPE: MP4})
    answer.content_length = length
    await answer.prepare(request)
    return answer


def as_json(content: object) -> web.Response:
    """Return a response with indented JSON, for people."""
    text = json.dumps(content, ensure_ascii=False, indent=2)
    # A lone surrogate can arrive as a JSON escape; this sends it back as an escape.
    body = text.encode(errors="backslashreplace")
    return web.Response(body=body, content_type="application/json", charset="utf-8")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"
