"""The CDN: signed links to files, and the ways in which a download can fail."""

from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

from .model import Attachment
from .world import World

CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Download:
    """One GET request for a file's link."""

    path: str
    status: int


class Cdn:
    """The server of all attachments; `downloads` lists every request."""

    def __init__(self, world: World) -> None:
        self.downloads: list[Download] = []
        self._world = world

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Send a file, or answer 404 if the link is wrong, old or expired."""
        attachment = self._world.attachments.get(int(request.match_info["number"]))
        if attachment is None or attachment.expired or not self._fresh(request, attachment):
            self.downloads.append(Download(request.path, HTTPStatus.NOT_FOUND))
            return web.Response(status=404, text="This content is no longer available.")
        self.downloads.append(Download(request.path, HTTPStatus.OK))
        return await _send(request, attachment)

    def _fresh(self, request: web.Request, attachment: Attachment) -> bool:
        until = request.query.get("ex", "0")
        ours = request.query.get("hm") == self._world.signature(attachment.id, until)
        return ours and int(until, 16) > self._world.clock()


async def _send(request: web.Request, attachment: Attachment) -> web.StreamResponse:
    response = web.StreamResponse()
    response.force_close()  # so that no byte stays for the next response
    response.content_type = attachment.content_type or "application/octet-stream"
    response.content_length = attachment.content_length
    await response.prepare(request)
    content = attachment.content
    first = len(content) if attachment.stall_after is None else attachment.stall_after
    try:
        await _write(response, content[:first])
        if attachment.stall_after is not None:
            await attachment.resumed()
        await _write(response, content[first:])
        await response.write_eof()
    except ConnectionError:
        pass  # The bot closed the connection, at a size limit or a timeout of its own.
    return response


async def _write(response: web.StreamResponse, content: bytes) -> None:
    for start in range(0, len(content), CHUNK):
        await response.write(content[start : start + CHUNK])
