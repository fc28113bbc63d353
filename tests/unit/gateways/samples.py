"""Requests, pictures and clients that the tests of the gateway client share."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.core.orders import Kind, Transport, VideoRequest
from bot.core.outcomes import Creation, NotSent
from bot.core.ports import Gateway
from bot.gateways.videos_api import BOUNDS, GatewayOptions, VideosApi, open_gateways
from bot.net.bounds import Bounds

JPEG = b"\xff\xd8\xff\xe0 not much of a picture \xff\xd9"
MP4 = b"\0\0\0\x10ftypisom\0\0\0\0" + bytes(range(256)) * 64


def request(model: str = "sora-2", **changed: Any) -> VideoRequest:
    """Return a request as the catalog would make it, by default for a prompt alone."""
    given: dict[str, Any] = {
        "model": model,
        "kind": Kind.TEXT,
        "prompt": "a cat",
        "seconds": 5,
        "size": "1280x720",
        "dialect": "documented",
        "family": model,
        "label": model,
    }
    return VideoRequest(**(given | changed))


def with_files(transport: Transport, *places: tuple[str, ...], **changed: Any) -> VideoRequest:
    """Return a request for files that are sent by `transport`, each in all of its fields."""
    return request(kind=Kind.PICTURE, transport=transport, places=places, **changed)


async def create(
    gateway: Gateway,
    request: VideoRequest,
    files: Sequence[Path],
    *,
    links: Sequence[str] = (),
    into: Path | None = None,
) -> Creation:
    """Send the whole POST, with nothing to save before it is sent."""
    async with gateway.ready(request, files, links=links, into=into) as ready:
        return ready if isinstance(ready, NotSent) else await ready.send()


@asynccontextmanager
async def opened(
    base_url: str, *, bounds: Bounds = BOUNDS, resolver: Any = None, **changed: Any
) -> AsyncIterator[VideosApi]:
    """Yield a client of the gateway at `base_url`."""
    settings = GatewayOptions(name="g", base_url=base_url, api_key="sk-test-key", **changed)
    async with open_gateways([settings], bounds=bounds, resolver=resolver) as gateways:
        yield gateways["g"]
