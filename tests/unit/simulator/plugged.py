"""Requests to a gateway of generation C, and what its journal says about them."""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from io import BytesIO

import aiohttp

from bot.simulator.journal import Entry
from bot.simulator.profiles import NEW_API_C, Profile, new_api_c
from bot.simulator.server import Simulator

from .conftest import Clock, served
from .pictures import BLUE, RED, data_uri, form, png

ONE, TWO = png(RED, (640, 480)), png(BLUE, (640, 480))
"""Pictures that every vendor accepts."""
LINK = "https://pictures.example/one.png"
Json = Mapping[str, object]


@dataclass
class Shop:
    """One gateway and a client of it."""

    simulator: Simulator
    client: aiohttp.ClientSession
    clock: Clock

    async def order(self, model: str, **fields: object) -> "Order":
        """Order a video in JSON; fields that are None are left out."""
        said = {"model": model, "prompt": "a cat", **fields}
        body = json.dumps({name: value for name, value in said.items() if value is not None})
        headers = {"Content-Type": "application/json"}
        return await self.post(data=BytesIO(body.encode()), headers=headers)

    async def fill(self, model: str, *, file: bytes | None = None, **fields: object) -> "Order":
        """Order a video with a form; a list becomes a field that repeats."""
        body = form({"model": model, "prompt": "a cat"})
        for name, value in fields.items():
            for each in value if isinstance(value, list) else [value]:
                body.add_field(name, each if isinstance(each, str) else json.dumps(each))
        if file is not None:
            body.add_field(
                "input_reference", BytesIO(file), filename="a.png", content_type="image/png"
            )
        return await self.post(data=body)

    async def post(self, **kwargs: object) -> "Order":
        """Send a body unchanged."""
        async with self.client.post("/v1/videos", **kwargs) as answer:  # type: ignore[arg-type]
            body = await answer.json()
        return Order(answer.status, body, self.simulator.journal[-1])

    async def over(self, order: "Order") -> Json:
        """Wait until an order is over, and return the answer to a poll then."""
        await self.simulator.rendered()
        self.clock.time += 15
        async with self.client.get(f"/v1/videos/{order.body['id']}") as answer:
            body = await answer.json()
        assert isinstance(body, dict)
        return body


@dataclass
class Order:
    """The answer to an order, and the gateway's records of it."""

    status: int
    body: Json
    entry: Entry

    @property
    def built(self) -> Json:
        """Return the request that was built for the vendor."""
        assert self.entry.built is not None, self.body
        return self.entry.built

    @property
    def pictures(self) -> list[tuple[object, object]]:
        """Return the role and the name of each picture that reached the vendor."""
        shots = self.built["pictures"]
        assert isinstance(shots, list)
        return [(shot["role"], NAMES.get(shot.get("sha256"), shot.get("url"))) for shot in shots]

    def said(self) -> str:
        """Return the status, the code and the message of a refusal."""
        error = self.body.get("error")
        if isinstance(error, dict):
            return f"{self.status} {error['message'].partition(' (request id')[0]}"
        return f"{self.status} {self.body['code']}: {self.body['message']}"


def raw(fields: Mapping[str, str]) -> dict[str, object]:
    """Return a form whose fields are larger than an HTTP client likes to send."""
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    return {"data": BytesIO(("".join(parts) + "--x--\r\n").encode()), "headers": headers}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


NAMES = {sha256(ONE): "one", sha256(TWO): "two"}
ONE_URI, TWO_URI = data_uri(ONE), data_uri(TWO)
ONE_BARE, TWO_BARE = ONE_URI.partition(",")[2], TWO_URI.partition(",")[2]


@asynccontextmanager
async def shop(profile: Profile = NEW_API_C) -> AsyncIterator[Shop]:
    """Yield a gateway, by default with the newest plugins."""
    clock = Clock()
    async with served(profile, clock) as (simulator, client):
        yield Shop(simulator, client, clock)


def plugged(**versions: str) -> AbstractAsyncContextManager[Shop]:
    """Yield a gateway with these versions of plugins, and the newest version of all others."""
    return shop(new_api_c("c", {key.replace("_", "-"): it for key, it in versions.items()}))
