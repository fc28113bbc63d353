"""Causes that our own code names by a word, as sentences: what a gateway said stays as it is."""

import re

from bot.cli.words import tell

_CLOSED = ("ServerDisconnectedError", "ClientConnectionResetError", "ConnectionResetError")
_SILENT = ("TimeoutError", "ServerTimeoutError", "SocketTimeoutError", "ConnectionTimeoutError")
_INSECURE = ("ClientConnectorCertificateError", "ClientConnectorSSLError", "ClientSSLError")
_ALIKE = ("not_a_video", "video_damaged", "video_truncated", "storage_unavailable")
_WORKER = ("worker_died", "worker_failed", "worker_too_slow")

_CAUSES = {
    "no link": "no_link",
    **{each: each for each in _ALIKE},
    **dict.fromkeys(_WORKER, "worker"),
    **dict.fromkeys((*_CLOSED, "ClientOSError", "ClientPayloadError"), "closed"),
    **dict.fromkeys(_SILENT, "silent"),
    **dict.fromkeys(_INSECURE, "insecure"),
    **dict.fromkeys(
        ("ClientConnectorError", "ClientConnectionError", "ServerConnectionError"), "absent"
    ),
    "ClientConnectorDNSError": "nameless",
    **dict.fromkeys(("ClientProxyConnectionError", "ClientHttpProxyError"), "proxy"),
    "ClientResponseError": "senseless",
}
_NAMED = re.compile(
    r"([A-Za-z_]+|no link)(?:: ([a-z_]+ [\d.]+(?:, [a-z_]+ [\d.]+)*)|\([a-z_, ]*\))?"
)
"""An error's code or class, and figures or the names of its values, which tell nobody anything."""


def in_words(detail: str) -> str:
    """`detail`, with a sentence in place of a word of ours."""
    named = _NAMED.fullmatch(detail)
    cause = _CAUSES.get(named[1]) if named else None
    if named is None or cause is None:
        return detail
    told = tell(f"cause.{cause}")
    return f"{told}: {named[2]}" if named[2] else told
