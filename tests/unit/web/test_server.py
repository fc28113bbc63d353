"""A server that can't listen says why; in each test a real socket is in the way."""

import asyncio
import logging
import socket

import pytest
from aiohttp import ClientSession, web

from bot.core.errors import Broken
from bot.web.server import address, cannot_listen, serve


async def test_a_taken_port_raises_port_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert await _refusal("127.0.0.1", port) == ("port_taken", "127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "code"), [("192.0.2.1", "host_elsewhere"), ("nobody.invalid", "host_unknown")]
)
async def test_a_host_that_is_not_this_machine_is_reported_by_its_own_code(
    host: str, code: str
) -> None:
    assert await _refusal(host, 0) == (code, host, None)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PermissionError(13, "Permission denied"), "port_forbidden"),
        (OSError("could not bind on any address out of []"), "host_elsewhere"),
        (OSError(24, "Too many open files"), "cannot_listen"),
    ],
    ids=["privileged", "no address", "anything else"],
)
def test_each_error_of_listening_has_its_own_code(error: OSError, code: str) -> None:
    """A test can't provoke these errors: root may listen at port 80, and later Pythons word the
    errors differently.
    """
    assert cannot_listen(error, host="h", port=80).code == code


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "localhost"),
        ("192.0.2.1", "192.0.2.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("", "127.0.0.1"),
        ("::", "[::1]"),
        ("::1", "[::1]"),
        ("0:0:0:0:0:0:0:1", "[::1]"),
    ],
)
def test_the_servers_address_can_be_opened_in_a_browser_on_this_machine(
    host: str, name: str
) -> None:
    assert address(host, 8080) == f"http://{name}:8080"


async def test_a_server_that_listens_everywhere_is_reached_at_127_0_0_1() -> None:
    async with (
        serve([], host="0.0.0.0", port=0) as where,
        ClientSession() as session,
        session.get(f"{where}/healthz") as answer,
    ):
        assert (answer.status, answer.url.host) == (200, "127.0.0.1")


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /room/CANARY/ HTTP/9.x\r\n\r\n",
        b"GET /room/CANARY/?" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /room/CANARY/ HTTP/1.1\r\nCookie: " + b"a" * 9000 + b"\r\n\r\n",
        b"GET /room/CANARY/ HTTP/1.1\r\nBad \x01: CANARY\r\n\r\n",
        b"GET /broken/CANARY HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=["version", "long target", "long header", "bad header", "broken answer"],
)
async def test_no_odd_request_brings_its_path_into_the_log(
    request_: bytes, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Paths are keys: of the room and of every signed link."""
    caplog.set_level(logging.DEBUG)
    async with serve([web.get("/broken/{key}", _broken)], host="127.0.0.1", port=0) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(request_)
        assert (await reader.read(12)).startswith(b"HTTP/1")
        writer.close()
    said = capfd.readouterr()
    assert "CANARY" not in said.out + said.err + caplog.text
    assert "Traceback" not in said.out + said.err + caplog.text


async def _broken(_request: web.Request) -> web.StreamResponse:
    """Return no response, so that aiohttp itself raises an error outside our own guard."""
    return "no answer"  # type: ignore[return-value]


async def _refusal(host: str, port: int) -> tuple[str, object, object]:
    """Return code, host and port of the error with which the server does not listen."""
    with pytest.raises(Broken) as refused:
        async with serve([], host=host, port=port):
            pass
    error = refused.value
    return error.code, error.values.get("host"), error.values.get("port")
