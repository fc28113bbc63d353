"""A small server that speaks the part of S3 that the storage uses: files by name in one bucket.

It can be missing, refuse requests, refuse writes, fail, or not answer at all.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from xml.sax.saxutils import escape

from aiohttp import web

NAME = "videos"
URL = f"s3://{NAME}"
_ERROR = '<?xml version="1.0"?><Error><Code>{code}</Code><Message>{code}</Message></Error>'
_LIST = """<?xml version="1.0"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>videos</Name>
<IsTruncated>false</IsTruncated>{files}</ListBucketResult>"""
_FILE = """<Contents><Key>{key}</Key><LastModified>2026-01-15T12:00:00.000Z</LastModified>
<ETag>"1"</ETag><Size>{size}</Size></Contents>"""
_STAMP = {"ETag": '"1"', "Last-Modified": "Thu, 15 Jan 2026 12:00:00 GMT"}


class FakeBucket:
    """The bucket; `requests` are the methods and keys of all requests, in order."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.requests: list[tuple[str, str]] = []
        self.trouble: tuple[int, str] | None = None
        """Status and code of every answer; None to work normally."""
        self.full: tuple[int, str] | None = None
        """Status and code of the answer to every write; None to work normally."""
        self.silent = asyncio.Event()
        """While this event is not set, no request is answered."""
        self.silent.set()

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[Mapping[str, str]]:
        """Run the server; yield the environment variables by which the storage finds it."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            port = runner.addresses[0][1]
            yield {
                "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
                "AWS_ALLOW_HTTP": "true",
                "AWS_REGION": "eu-central-1",
                "AWS_ACCESS_KEY_ID": "ann",
                "AWS_SECRET_ACCESS_KEY": "hunter2",
            }
        finally:
            self.silent.set()
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        name, _, key = request.match_info["path"].partition("/")
        self.requests.append((request.method, key))
        body = await request.read()
        await self.silent.wait()
        if self.trouble:
            return _refused(*self.trouble)
        if name != NAME:
            return _refused(404, "NoSuchBucket")
        match request.method:
            case "PUT" if self.full:
                return _refused(*self.full)
            case "PUT":
                self.files[key] = body
                return web.Response(headers=_STAMP)
            case "DELETE":
                self.files.pop(key, None)
                return web.Response(status=204)
            case "GET" if not key:
                return self._list(request.query.get("prefix", ""))
        if key not in self.files:
            return _refused(404, "NoSuchKey")
        size = {"Content-Length": str(len(self.files[key]))}  # aiohttp leaves a length of 0 out
        return web.Response(body=self.files[key], headers=_STAMP | size)

    def _list(self, prefix: str) -> web.Response:
        files = "".join(
            _FILE.format(key=escape(key), size=len(body))
            for key, body in sorted(self.files.items())
            if key.startswith(prefix)
        )
        return web.Response(text=_LIST.format(files=files), content_type="application/xml")


def _refused(status: int, code: str) -> web.Response:
    return web.Response(
        status=status, text=_ERROR.format(code=code), content_type="application/xml"
    )
