"""Guards requests to hosts that others named: only public addresses, only over https.

The address is checked when the socket is made, after every name lookup and for every redirect. So
a name that resolves differently between check and use (DNS rebinding) gains nothing (reliability
fact F11).
"""

import ipaddress
import socket

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

_UNICAST = ipaddress.ip_network("2000::/3")
"""The assigned part of IPv6. The rest is local, or wraps IPv4 addresses (NAT64, compatible)."""
_FORBIDDEN = tuple(
    ipaddress.ip_network(network)
    for network in (
        "2001::/23",  # protocols, among them Teredo
        "2002::/16",  # 6to4: wraps IPv4 addresses
        "3fff::/20",  # documentation
        "168.63.129.16/32",  # a cloud's own services
        "192.0.0.0/24",
        "192.88.99.0/24",
        "240.0.0.0/4",
    )
)
"""Networks that some Python versions call global although they are internal or unused."""
_PRIVATE_NAMES = (".local", ".internal", ".lan", ".localhost", ".home.arpa")


class NotPublic(OSError):
    """An error: the target address is not on the public internet, so we don't connect."""


def is_public(address: str) -> bool:
    """Whether `address` (an IP address, perhaps with a zone) is on the public internet."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        parsed = parsed.ipv4_mapped or parsed
    is_assigned = parsed.version == 4 or parsed in _UNICAST
    is_inside = parsed.is_multicast or any(parsed in network for network in _FORBIDDEN)
    return parsed.is_global and is_assigned and not is_inside


def check_url(url: URL, *, origins: frozenset[str]) -> None:
    """Raise `NotPublic` unless `url` is https on port 443 or has one of the allowed `origins`.

    A URL without a host or with credentials is never allowed.
    """
    if not url.host or url.user or url.password:
        raise NotPublic("the URL has no host, or contains credentials")
    if str(url.origin()) in origins:
        return
    if url.scheme != "https" or url.port != 443:
        raise NotPublic("the URL is not https on port 443")


def is_exposed(address: str) -> bool:
    """Whether a request to `address` would send a key unencrypted over the internet."""
    url = URL(address)
    host = url.host or ""
    is_name = "." in host and not host.rpartition(".")[2].isdigit()
    is_outside = not host.endswith(_PRIVATE_NAMES) if is_name else is_public(host)
    return url.scheme == "http" and is_outside


def guarded_connector(resolver: AbstractResolver | None = None) -> aiohttp.TCPConnector:
    """Return a connector that connects only to public addresses, and checks resolved names."""
    return aiohttp.TCPConnector(
        socket_factory=_public_socket, resolver=resolver, use_dns_cache=False
    )


def _public_socket(info: aiohttp.AddrInfoType) -> socket.socket:
    family, kind, protocol, _, address = info
    if not is_public(str(address[0])):
        raise NotPublic("the address is not public")
    made = socket.socket(family=family, type=kind, proto=protocol)
    made.setblocking(False)
    return made
