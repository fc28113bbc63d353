"""The recipe in docs/gateways.md, "Adding a dialect", followed in a copy of the code."""

import base64
import re
import shlex
import shutil
import textwrap
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.e2e.command_line import probe, zoetrope
from tests.e2e.world import png
from tests.unit.media.samples import write_video

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "gateways.md").read_text("utf-8")
PACKAGE = "bot/gateways/dialects"


def blocks() -> Iterator[str]:
    """Yield the code blocks of the recipe, in order."""
    _, _, recipe = PAGE.partition("\n## Adding a dialect\n")
    recipe, _, _ = recipe.partition("\n## ")
    for found in re.findall(r"^ *```\w+\n(.+?)^ *```$", recipe, re.DOTALL | re.MULTILINE):
        yield textwrap.dedent(found)


class Lantern:
    """The made-up server. It ignores fields that it does not know."""

    def __init__(self, video: bytes) -> None:
        self.video = video
        self.orders: list[dict[str, Any]] = []
        self.keys: set[str | None] = set()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.keys.add(request.headers.get("Authorization"))
        if request.method == "POST":
            self.orders.append(await request.json())
            return web.json_response({"id": "lantern-1", "status": "queued"}, status=202)
        if request.path.endswith("/content"):
            return web.Response(body=self.video, content_type="video/mp4")
        return web.json_response({"id": "lantern-1", "status": "completed"})


@asynccontextmanager
async def lantern(folder: Path) -> AsyncIterator[tuple[Lantern, str]]:
    """Serve the made-up server, and yield it with its address."""
    server = Lantern(write_video(folder / "made.mp4", width=854, height=480).read_bytes())
    app = web.Application()
    app.router.add_route("*", "/v1/videos{tail:.*}", server.answer)
    async with TestServer(app) as served:
        yield server, str(served.make_url("")).rstrip("/")


def follow(folder: Path, module: str, table: str) -> Path:
    """Take the steps of the recipe that change code, in a copy, and return the copy's folder."""
    code = folder / "code"
    shutil.copytree(ROOT / "bot", code / "bot", ignore=shutil.ignore_patterns("__pycache__"))
    package = code / PACKAGE
    (package / "lantern.py").write_text(module, "utf-8")
    (package / "lantern.toml").write_text(table, "utf-8")
    registry = (package / "__init__.py").read_text("utf-8")
    registry, imported = re.subn(
        r"^from bot.gateways.dialects import (.+)$",
        r"from bot.gateways.dialects import \1, lantern",
        registry,
        flags=re.MULTILINE,
    )
    registry, listed = re.subn(
        r"^_MODULES = \((.+)\)$", r"_MODULES = (\1, lantern)", registry, flags=re.MULTILINE
    )
    assert (imported, listed) == (1, 1)
    (package / "__init__.py").write_text(registry, "utf-8")
    return code


@pytest.mark.proof
async def test_the_recipe_for_a_dialect_leads_to_a_video(tmp_path: Path) -> None:
    module, table, config, command = blocks()
    code = follow(tmp_path, module, table)
    picture = png("teal", (640, 360))
    (tmp_path / "cat.png").write_bytes(picture)
    async with lantern(tmp_path) as (server, url):
        (tmp_path / "config.toml").write_text(config.replace("http://127.0.0.1:9000", url))
        program, *arguments = shlex.split(command)
        ended, said = await zoetrope(*arguments, folder=tmp_path, PYTHONPATH=str(code))
    assert (program, ended) == ("zoetrope", 0), said
    assert probe(tmp_path / "video.mp4")[2:4] == (854, 480)
    (order,) = server.orders
    kind, _, sent = order.pop("first_picture")["data"].partition(";base64,")
    assert order == {
        "prompt": "a red kite",
        "model": "glow-1",
        "length": 4,
        "shape": "854x480",
        "random": 7,
    }
    assert (kind, base64.b64decode(sent)[:3]) == ("data:image/jpeg", b"\xff\xd8\xff")
    assert server.keys == {None}


@pytest.mark.proof
async def test_without_the_recipe_the_dialect_is_unknown(tmp_path: Path) -> None:
    """Negative control: the same configuration and the code as it is."""
    _, _, config, _ = blocks()
    (tmp_path / "config.toml").write_text(config)
    code, said = await zoetrope("check", folder=tmp_path)
    assert code == 78
    assert "gateways.box.dialect is 'lantern'; it has to be one of: " in said
