"""Translate our own error codes and classes into sentences. A gateway's own text stays as it is."""

import re

from bot.cli.words import tell

_CLOSED = ("ServerDisconnectedError", "ClientConnectionResetError", "ConnectionResetError")
_SILENT = ("TimeoutError", "ServerTimeoutError", "SocketTimeoutError", "ConnectionTimeoutError")
_INSECURE = ("ClientConnectorCertificateError", "ClientConnectorSSLError", "ClientSSLError")
_ALIKE = ("not_a_video", "video_damaged", "video_truncated", "storage_unavailable")
_GIVEN = ("video_long", "video_short")
_WORKER = ("worker_died", "worker_failed", "worker_too_slow")

_CAUSES = {
    "no link": "no_link",
    **{each: each for each in (*_ALIKE, *_GIVEN)},
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
"""An error's code or class, followed by figures or by names of values, which are not shown."""


def in_words(detail: str) -> str:
    """Return `detail`, with a sentence instead of our own error code or class."""
    named = _NAMED.fullmatch(detail)
    cause = _CAUSES.get(named[1]) if named else None
    if named is None or cause is None:
        return detail
    text = tell(f"cause.{cause}")
    return f"{text}: {named[2]}" if named[2] else text
