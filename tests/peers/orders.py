"""Orders that the tests of all peers send: from the catalog, through our client, to the video."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from PIL import Image

from bot.app import gateway_settings
from bot.core.catalog import Catalog
from bot.core.orders import Kind, Picture
from bot.core.outcomes import Accepted, Creation, Done, Fetched, Running
from bot.gateways.videos_api import VideosApi, open_gateways
from tests.peers.processes import Peer
from tests.unit.core.kinds import DANCE
from tests.unit.core.orders import changed
from tests.unit.gateways import bodies, dialects, file_store, samples

SIZES = {"16:9": (832, 480), "9:16": (480, 832)}
"""Aspect → width and height, as in the tables of the models."""
FPS = 24
"""Frames a second that both servers count with if an order names none."""


@dataclass
class Client:
    """Our client of one server, and the catalog of the model there."""

    gateway: VideosApi
    catalog: Catalog
    folder: Path

    def pictures(self, kind: Kind, size: tuple[int, int] = SIZES["16:9"]) -> list[Path]:
        """Return new pictures for an order of this kind, each of another colour."""
        files = [self.folder / f"{number}.jpg" for number in range(bodies.FILES[kind])]
        for number, file in enumerate(files):
            Image.new("RGB", size, (number * 90, 80, 200)).save(file, "JPEG")
        return files

    def video(self) -> list[Path]:
        """Return a new video to change."""
        file = self.folder / "dance.mp4"
        file.write_bytes(samples.MP4)
        return [file]

    async def order(
        self,
        kind: Kind,
        files: Sequence[Path],
        *,
        spare_seed: int | None = None,
        **wishes: object,
    ) -> Creation:
        """Order a video of this kind."""
        given: dict[str, object] = {"video": DANCE} if kind is Kind.VIDEO else {}
        if kind is not Kind.VIDEO:
            given["pictures"] = tuple(picture_of(file) for file in files)
        order = changed(bodies.PLAIN, family=dialects.NAME, **given, **wishes)
        _, request = self.catalog.choose(order, spare_seed=spare_seed)
        assert request.kind is kind
        return await samples.create(self.gateway, request, files)

    async def fetched(self, created: Creation) -> bytes:
        """Wait for the video of an accepted order, and return it."""
        assert isinstance(created, Accepted)
        while isinstance(polled := await self.gateway.retrieve(created.gateway_id), Running):
            pass
        assert isinstance(polled, Done)
        into = self.folder / "video.mp4"
        video = await file_store.fetched(self.gateway, created.gateway_id, polled.sources, into)
        assert isinstance(video, Fetched)
        return into.read_bytes()


def picture_of(file: Path) -> Picture:
    """Return a picture as an order names it."""
    with Image.open(file) as image:
        return replace(bodies.PICTURE, width=image.width, height=image.height)


def table(dialect: str, peer: Peer, *, kinds: str = "", model: str = "") -> str:
    """Return the configuration of a model at this server, which can do these kinds too."""
    written = dialects.text(dialect, url=peer.url, model=model)
    return re.sub(r"(?m)^kinds = \[(.*)\]$", rf"kinds = [\1, {kinds}]", written)


@asynccontextmanager
async def client(folder: Path, written: str) -> AsyncIterator[Client]:
    """Yield a client of the gateway in this configuration, which has no key."""
    config = dialects.config(folder, written, key="sk-1" if "new-api" in written else "")
    async with open_gateways(gateway_settings(config)) as gateways:
        yield Client(gateways["box"], config.catalog, folder)


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def drawn(file: Path) -> str:
    """Return the hash of a picture's pixels."""
    with Image.open(file) as image:
        return digest(image.convert("RGB").tobytes())
