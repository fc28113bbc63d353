"""The demo as a process of its own: it opens a room, ends at Ctrl-C, and continues at the next
start.
"""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse

from bot.cli.demo import _at_home, _real
from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from tests.e2e.command_line import zoetrope
from tests.e2e.world import CATALOG, WAIT
from tests.fakes.discord import FakeDiscord

NOBODY = "http://127.0.0.1:9"
WISH = {"nonce": "the-first", "person": "ann", "do": "say", "command": "video", "text": "a fox"}


async def test_the_demo_opens_a_room_and_ends_cleanly_at_ctrl_c(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "demo", "--no-browser", "--port", "0",
        cwd=tmp_path, stdout=PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(3 * WAIT):
        said = (await process.stdout.readline()).decode()
        async with ClientSession() as session, session.get(_address(said)) as page:
            assert page.status == 200
            assert "<title>Zoetrope</title>" in await page.text()
        process.send_signal(signal.SIGINT)
        rest, _ = await process.communicate()
    assert (process.returncode, rest.decode()) == (0, "Goodbye.\n")
    data = tmp_path / "zoetrope-demo"
    assert (data / "zoetrope.db").exists()
    assert [each.stat().st_mode & 0o777 for each in (data, data / "simulator")] == [0o700, 0o700]


@pytest.mark.proof
async def test_a_demo_interrupted_during_a_video_finishes_the_video_after_a_restart(
    tmp_path: Path,
) -> None:
    async with _demo(tmp_path) as room:
        await room.send_json(WISH)
        await _told(room, lambda message: "being made" in str(message.get("look")))
    async with _demo(tmp_path) as room:
        done = await _told(room, lambda message: "video" in message)
    assert done["look"]["prompt"] == "a fox"


@pytest.mark.proof
async def test_a_demo_with_damaged_simulator_files_starts_and_makes_a_video(tmp_path: Path) -> None:
    simulator = tmp_path / "zoetrope-demo" / "simulator"
    simulator.mkdir(parents=True)
    for name in ("port", "video_1.json"):
        (simulator / name).touch()
    async with _demo(tmp_path) as room:
        await room.send_json(WISH)
        await _told(room, lambda message: "video" in message)
    assert int((simulator / "port").read_text()) > 0


@pytest.mark.proof
async def test_the_demo_refuses_to_start_if_another_program_uses_its_gateways_port(
    tmp_path: Path,
) -> None:
    """Unfinished jobs know the gateway by that port, and a second demo may be running there."""
    simulator = tmp_path / "zoetrope-demo" / "simulator"
    simulator.mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as other:
        (simulator / "port").write_text(str(other.getsockname()[1]))
        code, said = await zoetrope("demo", "--no-browser", folder=tmp_path)
    assert (code, "which is taken. If a demo already runs there" in said) == (1, True)


@asynccontextmanager
async def _demo(
    folder: Path, *arguments: str, **variables: str
) -> AsyncIterator[ClientWebSocketResponse]:
    """Run the demo as a process; yield the socket of its page; end the demo by Ctrl-C."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "demo", "--no-browser", "--port", "0", *arguments,
        cwd=folder, env={**os.environ, **variables}, stdout=PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(3 * WAIT):
        address = _address((await process.stdout.readline()).decode())
        headers = {"Origin": address.partition("/room/")[0]}
        async with (
            ClientSession() as session,
            session.ws_connect(f"{address}socket", headers=headers) as socket,
        ):
            yield socket
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0


async def _told(
    socket: ClientWebSocketResponse, wanted: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """Return the first wanted message, existing or new."""
    while True:
        told = await socket.receive_json(timeout=WAIT)
        for message in told.get("messages") or [told.get("message", {})]:
            if wanted(message):
                return dict(message)


def _address(said: str) -> str:
    found = re.search(r"http://127\.0\.0\.1:\d+/room/[\w-]+/", said)
    assert found, said
    return found[0]


@pytest.mark.proof
async def test_a_demo_with_a_configured_gateway_leaves_the_services_files_and_chats_alone(
    tmp_path: Path, renderer: Renderer
) -> None:
    """Such a demo costs money, reads the service's own configuration file and may run beside the
    service.
    """
    simulator = Simulator(render_time=0.2, renderer=renderer)
    async with FakeDiscord() as discord, simulator.serve() as url:
        (tmp_path / "config.toml").write_text(_service(tmp_path, url, discord.api_url))
        secrets = {"MINE__API_KEY": "sk-sim", "OTHER__API_KEY": "sk-other"}
        variables = {f"ZOETROPE_GATEWAYS__{name}": value for name, value in secrets.items()}
        variables["ZOETROPE_DISCORD__TOKEN"] = discord.token
        async with _demo(tmp_path, "--gateway", "mine", **variables) as room:
            await room.send_json(WISH)
            made = await _told(room, lambda message: "video" in message)
        assert discord.requests == []
    assert made["look"]["prompt"] == "a fox"
    assert simulator.charges == 1
    assert sorted(each.name for each in tmp_path.iterdir()) == ["config.toml", "zoetrope-demo-mine"]


def _service(folder: Path, url: str, discord: str) -> str:
    """Return a configuration with settings that the demo must ignore, and a model at another
    gateway.
    """
    moved = '[models."wan2.5-i2v-preview"]\n'
    elsewhere = f'{moved}gateway = "other"\n'
    return f"""
        data_dir = "{folder}/data"
        database_url = "sqlite:///{folder}/service.db"
        storage_url = "{folder}/videos"
        access = "closed"
        default_gateway = "other"
        [discord]
        api_url = "{discord}"
        [web]
        host = "127.0.0.2"
        public_url = "https://videos.example"
        [gateways.other]
        base_url = "{NOBODY}"
        [gateways.mine]
        base_url = "{url}"
        dialect = "documented"
        poll_step = 0.1
        {CATALOG.replace(moved, elsewhere)}"""


async def test_a_demo_with_a_configured_gateway_takes_no_other_setting_of_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(_service(tmp_path, NOBODY, NOBODY))
    for name in ("DISCORD__TOKEN", "GATEWAYS__MINE__API_KEY", "GATEWAYS__OTHER__API_KEY"):
        monkeypatch.setenv(f"ZOETROPE_{name}", "given")
    async with _real(file, "mine", tmp_path / "demo") as service:
        config = _at_home(service, 0)
    web = config.settings.web
    assert config.platforms == ("playground",)
    assert config.database_url == f"sqlite:///{tmp_path}/demo/zoetrope.db"
    assert config.storage_url == f"{tmp_path}/demo/media"
    assert (web.host, web.public_url) == ("127.0.0.1", None)
    assert {model.gateway for model in config.catalog.models} == {"mine"}
    assert (service.catalog.linked, config.catalog.linked) == (True, False)
    assert config.limits == service.limits


@pytest.mark.proof
async def test_the_demo_refuses_a_gateway_that_is_not_configured(tmp_path: Path) -> None:
    code, said = await zoetrope("demo", "--no-browser", "--gateway", "mine", folder=tmp_path)
    assert code == 78
    assert "No gateway is configured" in said


@pytest.mark.proof
@pytest.mark.parametrize(
    ("first", "second"),
    [((), ("--gateway", "mine")), (("--gateway", "mine"), ()), ((), ("--gateway", "other"))],
)
async def test_a_demo_folder_of_one_gateway_is_not_opened_with_another_gateway(
    tmp_path: Path, first: tuple[str, ...], second: tuple[str, ...]
) -> None:
    """The other gateway does not know the unfinished jobs in that folder."""
    (tmp_path / "config.toml").write_text(_service(tmp_path, NOBODY, NOBODY))
    keys = {f"ZOETROPE_GATEWAYS__{name}__API_KEY": "given" for name in ("MINE", "OTHER")}
    data = ("--data", str(tmp_path / "room"))
    async with _demo(tmp_path, *data, *first, **keys):
        pass
    arguments = ("demo", "--no-browser", *data, *second)
    code, said = await zoetrope(*arguments, folder=tmp_path, **keys)
    assert (code, "is the room of another gateway" in said) == (1, True)
    async with _demo(tmp_path, *data, *first, **keys):
        pass


@pytest.mark.proof
async def test_a_demo_over_a_real_gateway_names_the_cost_of_the_worst_day(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(_service(tmp_path, NOBODY, NOBODY))
    keys = {f"ZOETROPE_GATEWAYS__{name}__API_KEY": "given" for name in ("MINE", "OTHER")}
    async with _demo(tmp_path, "--gateway", "mine", **keys) as room:
        note = (await room.receive_json())["note"]
    async with _demo(tmp_path, **keys) as room:
        assert (await room.receive_json())["note"] == ""
    assert note == (
        "Videos here are real and cost money at the gateway (mine). "
        "At most 50 videos are made a day. To see the cost in money, set the price of every model."
    )


@pytest.mark.proof
@pytest.mark.parametrize("port", ["-1", "70000"])
async def test_an_impossible_port_number_is_refused(tmp_path: Path, port: str) -> None:
    code, said = await zoetrope("demo", "--no-browser", "--port", port, folder=tmp_path)
    assert (code, said != "") == (2, True)


@pytest.mark.proof
@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("my-browser", "shown http://room"),
        ("my-browser -x %s -y", "shown -x http://room -y"),
        ("lynx", ""),
        ("elinks", ""),
        ("w3m %s", ""),
    ],
)
def test_the_demo_opens_the_browser_variables_program_unless_that_runs_in_a_terminal(
    tmp_path: Path, command: str, shown: str
) -> None:
    """VS Code and WSL name their own program in $BROWSER, which Python's list of browsers lacks."""
    program = tmp_path / command.split()[0]
    program.write_text('#!/bin/sh\necho shown "$@"\n')
    program.chmod(0o700)
    done = subprocess.run(
        [sys.executable, "-c", "from bot.cli.demo import _show; _show('http://room', None)"],
        env={**os.environ, "BROWSER": f"{tmp_path}/{command}"},
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.strip() == shown


@pytest.mark.proof
async def test_the_demo_hands_the_address_to_a_known_browser_in_a_file_for_its_owner_alone(
    tmp_path: Path,
) -> None:
    """Everybody on the machine can see a program's arguments."""
    shown = tmp_path / "shown"
    program = tmp_path / "xdg-open"
    program.write_text(f'#!/bin/sh\necho "$@" > {shown}.part\n/bin/mv {shown}.part {shown}\n')
    program.chmod(0o700)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "demo", "--port", "0", "--data", "room",
        cwd=tmp_path, stdout=PIPE,
        env={**os.environ, "PATH": str(tmp_path), "DISPLAY": ":9", "BROWSER": ""},
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(3 * WAIT):
        address = _address((await process.stdout.readline()).decode())
        while not shown.exists():
            await asyncio.sleep(0.05)
        way = tmp_path / "room" / "open.html"
        assert shown.read_text().strip() == way.as_uri()
        assert address in way.read_text()
        assert way.stat().st_mode & 0o777 == 0o600
        process.send_signal(signal.SIGINT)
        await process.communicate()
    assert not way.exists()


@pytest.mark.proof
@pytest.mark.parametrize("library", ["discord", "aiogram"])
def test_the_modules_of_the_app_and_the_demo_import_no_library_of_a_network(library: str) -> None:
    """Importing aiogram takes three seconds and 130 MB."""
    code = f"import sys, bot.app, bot.cli.demo; sys.exit({library!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
