"""Bar B19: no address that a stranger names leads to our own network, however it is spelt."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from bot.core.outcomes import Fetched, Trouble
from bot.net.guard import NotPublic, check_url, guarded_connector, is_public
from tests.fakes import wire
from tests.fakes.wire import Wire
from tests.unit.gateways import file_store

from .samples import MP4, opened


def words(text: str) -> list[str]:
    return text.split()


INWARD = words(
    """
    127.0.0.1 127.0.0.53 127.255.255.254 0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1
    100.100.100.200 169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.8
    192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1
    239.255.255.250 240.0.0.1 255.255.255.255 168.63.129.16
    :: ::1 ::2 ::127.0.0.1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254
    ::ffff:7f00:1 ::ffff:168.63.129.16 ::ffff:240.0.0.1
    ::ffff:0:7f00:1 64:ff9b::7f00:1 64:ff9b::127.0.0.1 64:ff9b::8.8.8.8
    64:ff9b:1::7f00:1 100::1 2001::1 2001:0:7f00:1:: 2001:10::1 2001:db8::1 2002:7f00:1::
    2002:7f00:0001::1 2002:a9fe:a9fe:: 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%lo
    fe80::1%25eth0 fec0::1 ff02::1 ff0e::1
    """
)
OUTWARD = words(
    """
    1.1.1.1 8.8.8.8 47.74.0.1 172.32.0.1 100.63.255.255 223.255.255.254 ::ffff:8.8.8.8
    2606:4700:4700::1111 2a00:1450:4001:81b::200e
    """
)
LOOPBACK = words(
    """
    127.0.0.1 localhost 127.1 127.0.1 2130706433 0x7f000001 0x7f.0.0.1 0177.0.0.1 017700000001
    127.0.0.1. localhost. LOCALHOST ①②⑦.⓪.⓪.① 127。0。0。1 127.0.0.1%2f 0 0.0.0.0
    [::1] [::ffff:127.0.0.1] [::ffff:7f00:1] [0:0:0:0:0:0:0:1] [::] [::127.0.0.1]
    [64:ff9b::7f00:1] [2002:7f00:1::] [fe80::1%25lo]
    """
)
"""Spellings of this machine, and of addresses that some network may route back to it."""
NOT_PLAIN = words(
    """
    http://{own}/v.mp4 http://example.com/v.mp4 https://example.com:8443/v.mp4 https://{own}/v.mp4
    https://user@example.com/ https://user:pass@example.com/ https://example.com@{own}/
    https://:x@example.com/ ftp://example.com/v.mp4 file:///etc/passwd file://localhost/etc/passwd
    gopher://{own}/ data:video/mp4;base64,AAAA ws://{own}/ wss://example.com/ //{own}/v.mp4 /v.mp4
    https:///v.mp4 https: https://[::1]:9/ javascript:alert(1) unix:///var/run/docker.sock
    https://[/v.mp4 https://example.com:99999/
    """
)
"""Addresses that are refused before any name is looked up; `{own}` is a listener of the test."""


class Fixed(AbstractResolver):
    """A resolver that returns these addresses, one per lookup, and repeats the last one."""

    def __init__(self, *addresses: str) -> None:
        self.lookups = 0
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        address = self._addresses[min(self.lookups, len(self._addresses) - 1)]
        self.lookups += 1
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
        ]

    async def close(self) -> None:
        """Do nothing: nothing is open."""


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return tmp_path / "video.mp4"


MISSING = wire.sending(wire.answer("{}", 502))
SERVING = wire.sending(wire.answer(MP4))
SHORT = aiohttp.ClientTimeout(total=2)


# ----------------------------------------------------------------------------- addresses


@pytest.mark.parametrize("address", INWARD)
def test_a_private_or_reserved_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", OUTWARD)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("nonsense", ["", "localhost", "2130706433", "127.1", "1.1.1.1.", "::g"])
def test_a_text_that_is_no_literal_ip_address_is_not_public(nonsense: str) -> None:
    assert not is_public(nonsense)


# --------------------------------------------------------------------------- the socket


async def reached(connector: aiohttp.TCPConnector, hosts: list[str], server: Wire, url: str) -> int:
    """Return how many connections the listener at `url` gets when each of `hosts` is requested."""
    port = URL(url).port
    async with aiohttp.ClientSession(connector=connector, timeout=SHORT) as session:
        for host in hosts:
            try:
                async with session.get(f"http://{host}:{port}/"):
                    pass
            except (aiohttp.ClientError, ValueError, TimeoutError):
                continue
    return len(server.connections)


async def test_no_spelling_of_this_machines_address_is_connected_to() -> None:
    server = Wire(SERVING)
    async with server.serve() as url:
        assert await reached(guarded_connector(), LOOPBACK, server, url) == 0


async def test_negative_control_without_the_guard_many_spellings_of_this_machine_connect() -> None:
    near = [host for host in LOOPBACK if not host.startswith(("[64", "[20", "[fe"))]
    server = Wire(SERVING)
    async with server.serve() as url:
        assert await reached(aiohttp.TCPConnector(), near, server, url) >= 8


@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1"])
async def test_a_public_name_that_resolves_to_a_private_address_is_not_connected_to(
    address: str,
) -> None:
    server = Wire(SERVING)
    async with server.serve() as url:
        for make, hits in ((guarded_connector, 0), (aiohttp.TCPConnector, 1)):
            connector = make(resolver=Fixed(address))
            assert await reached(connector, ["cdn.example"], server, url) == hits


async def test_a_name_that_resolves_to_a_private_address_the_second_time_is_not_connected_to() -> (
    None
):
    """No earlier lookup is remembered: each socket is judged by its own address."""
    resolver = Fixed("192.0.2.1", "127.0.0.1")
    server = Wire(SERVING)
    async with server.serve() as url:
        connector = guarded_connector(resolver)
        assert await reached(connector, ["cdn.example", "cdn.example"], server, url) == 0

    assert resolver.lookups == 2


# ---------------------------------------------------------------------------- the client


@pytest.mark.parametrize("spelling", NOT_PLAIN)
async def test_a_link_that_is_not_plain_https_is_refused_before_any_lookup(
    video: Path, spelling: str
) -> None:
    gateway, stranger, names = Wire(MISSING), Wire(SERVING), Fixed("127.0.0.1")
    async with (
        gateway.serve() as url,
        stranger.serve() as other,
        opened(url, resolver=names) as client,
    ):
        source = spelling.format(own=URL(other).authority)
        fetch = await file_store.fetched(client, "v", [source], video)

    assert isinstance(fetch, Trouble)
    assert (len(gateway.connections), stranger.connections, names.lookups) == (1, [], 0)


_made: list[tuple[object, ...]] | None = None


def _watch(event: str, values: tuple[object, ...]) -> None:
    if _made is not None and event == "socket.connect" and isinstance(values[1], tuple):
        _made.append(values[1][:2])


sys.addaudithook(_watch)


@contextmanager
def connects() -> Iterator[list[tuple[object, ...]]]:
    """Yield every address that this process tries to connect to, from audit events."""
    global _made
    made: list[tuple[object, ...]] = []
    _made = made
    try:
        yield made
    finally:
        _made = None


def inward_urls() -> list[str]:
    literal = [f"[{one.replace('%', '%25')}]" if ":" in one else one for one in INWARD]
    return [f"https://{host}/v.mp4" for host in [*literal, *LOOPBACK]]


async def test_no_link_to_a_private_address_causes_a_connection(video: Path) -> None:
    """More than 80 addresses, each on the port that it names: none gets a connection attempt."""
    gateway = Wire(MISSING)
    async with gateway.serve() as url, opened(url) as client:
        with connects() as made:
            fetch = await file_store.fetched(client, "v", inward_urls(), video)

    assert len(inward_urls()) > 80
    assert isinstance(fetch, Trouble)
    assert made == [("127.0.0.1", URL(url).port)]  # the gateway itself


async def test_negative_control_a_link_to_an_allowed_origin_causes_a_connection(
    video: Path,
) -> None:
    async with (
        Wire(MISSING).serve() as url,
        Wire(SERVING).serve() as other,
        opened(url, media_origins=frozenset({other})) as client,
    ):
        with connects() as made:
            await file_store.fetched(client, "v", [f"{other}/v.mp4"], video)

    assert made == [("127.0.0.1", URL(one).port) for one in (url, other)]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_a_private_address_is_not_followed(video: Path, status: int) -> None:
    stranger = Wire(SERVING)
    async with stranger.serve() as inward:
        gateway = Wire(wire.redirecting(f"{inward}/latest/meta-data", status))
        async with gateway.serve() as url, opened(url) as client:
            fetch = await client.content("v", None, video)

    assert (fetch, stranger.connections) == (Trouble("NotPublic"), [])


async def test_an_allowed_origin_may_be_private_but_may_not_redirect_to_other_private_ones(
    video: Path,
) -> None:
    hidden = Wire(SERVING)
    async with hidden.serve() as inward:
        media, gateway = Wire(wire.redirecting(f"{inward}/v.mp4")), Wire(MISSING)
        async with (
            media.serve() as origin,
            gateway.serve() as url,
            opened(url, media_origins=frozenset({origin})) as client,
        ):
            fetch = await file_store.fetched(client, "v", [f"{origin}/v.mp4"], video)

    assert isinstance(fetch, Trouble)
    assert (len(media.connections), hidden.connections) == (1, [])


@pytest.mark.parametrize("tail", ["", "/", "/folder"])
async def test_a_video_at_an_allowed_origin_is_downloaded_without_our_key(
    video: Path, tail: str
) -> None:
    media, gateway = Wire(SERVING), Wire(MISSING)
    async with (
        media.serve() as origin,
        gateway.serve() as url,
        opened(url, media_origins=frozenset({origin + tail})) as client,
    ):
        fetch = await file_store.fetched(client, "v", [f"{origin}/v.mp4?Expires=1"], video)

    assert fetch == Fetched(len(MP4))
    assert video.read_bytes() == MP4
    assert [one.is_authorized for one in media.requests] == [False]
    assert [one.is_authorized for one in gateway.requests] == [True]


async def test_negative_control_a_redirect_to_an_allowed_origin_is_followed(
    video: Path,
) -> None:
    stranger = Wire(SERVING)
    async with stranger.serve() as inward:
        gateway = Wire(wire.redirecting(f"{inward}/v.mp4"))
        async with (
            gateway.serve() as url,
            opened(url, media_origins=frozenset({inward})) as client,
        ):
            assert await client.content("v", None, video) == Fetched(len(MP4))

    assert [one.is_authorized for one in stranger.requests] == [False]


def test_plain_https_links_are_allowed() -> None:
    check_url(URL("https://example.com/v.mp4?a=b"), origins=frozenset())
    check_url(URL("https://example.com:443/v.mp4"), origins=frozenset())


def test_an_allowed_origin_allows_only_its_own_scheme_host_and_port() -> None:
    allowed = frozenset({"http://media.internal:9000"})

    check_url(URL("http://media.internal:9000/v.mp4"), origins=allowed)
    for other in (
        "http://media.internal:9001/v.mp4",
        "http://media.internal/v.mp4",
        "http://media.internal.example:9000/v.mp4",
        "http://x@media.internal:9000/v.mp4",
    ):
        with pytest.raises(NotPublic):
            check_url(URL(other), origins=allowed)
