#!/usr/bin/env bash
# aiohttp 3.14.5, client: `read()` returns a truncated gzip body as if it were whole, if the body is as
# long as its Content-Length says. It returns the first part of the content and raises no error. A
# truncated deflate body raises an error.
#
# Guess before running: an error for every encoding; a gzip stream has an end mark and a length.
# Seen: gzip gives 59,334 of 200,000 bytes and raises nothing; deflate raises ClientResponseError.
# Who is affected: a client that saves the body. If a proxy compresses what it got before its own upstream
# broke off (or a cache keeps that), it sends half a file with 200 and a matching Content-Length.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install -q aiohttp==3.14.5

"$place/venv/bin/python" - <<'PY'
import asyncio, gzip, zlib
import aiohttp
from aiohttp import web

CONTENT = bytes(number * 7 % 251 for number in range(200_000))
PACKED = {"gzip": gzip.compress(CONTENT), "deflate": zlib.compress(CONTENT)}


async def half(request):
    packed = PACKED[request.match_info["encoding"]]
    headers = {"Content-Encoding": request.match_info["encoding"]}
    return web.Response(body=packed[: len(packed) // 2], headers=headers)


async def main():
    app = web.Application()
    app.router.add_get("/{encoding}", half)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    seen = {}
    async with aiohttp.ClientSession() as session:
        for encoding in PACKED:
            try:
                async with session.get(f"http://127.0.0.1:{port}/{encoding}") as response:
                    got = await response.read()
                seen[encoding] = f"{len(got)} of {len(CONTENT)} bytes, no error"
                assert 0 < len(got) < len(CONTENT) and CONTENT.startswith(got)
            except aiohttp.ClientError as error:
                seen[encoding] = type(error).__name__
    await runner.cleanup()
    print(seen)
    is_same = seen["gzip"].endswith("no error") and seen["deflate"] == "ClientResponseError"
    raise SystemExit(0 if is_same else 1)


asyncio.run(main())
PY
