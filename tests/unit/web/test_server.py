"""Where the server can't listen, it says why; each time a real socket stands in the way."""

import socket

import pytest

from bot.core.errors import Broken
from bot.web.server import cannot_listen, serve


async def test_a_taken_port_is_told_as_such() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert await _refusal("127.0.0.1", port) == ("port_taken", "127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "code"), [("192.0.2.1", "host_elsewhere"), ("nobody.invalid", "host_unknown")]
)
async def test_a_host_that_is_not_this_machine_is_told_as_such(host: str, code: str) -> None:
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
def test_what_a_test_cannot_bring_about_is_told_too(error: OSError, code: str) -> None:
    """A root may listen at port 80, and later Pythons word it differently."""
    assert cannot_listen(error, host="h", port=80).code == code


async def _refusal(host: str, port: int) -> tuple[str, object, object]:
    with pytest.raises(Broken) as refused:
        async with serve([], host=host, port=port):
            pass
    error = refused.value
    return error.code, error.values.get("host"), error.values.get("port")
