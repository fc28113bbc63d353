"""Limits of open files and sockets for this process, and the share of the web server.

Chats, gateways and the database need descriptors too: these are reserved for them.
"""

import resource

from bot.web.connections import ConnectionLimits

KEPT_BACK = 512
"""Descriptors reserved for chats, gateways, database, files and workers, and for a burst of
connections that are accepted only to be closed."""
EACH = 2
"""Descriptors per connection: its socket, and the file that is sent over it."""
WANTED = KEPT_BACK + EACH * ConnectionLimits().most
"""Descriptors that allow the server its maximum of connections."""
FEWEST = 16
"""Connections that the server gets in any case, so that health checks succeed."""
_PLENTY = 65_536
"""A maximum of our own, as some systems allow a billion or have no limit."""


def highest() -> int:
    """Return the most descriptors that this process may allow itself."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _PLENTY if hard == resource.RLIM_INFINITY else min(hard, _PLENTY)


def raised() -> int:
    """Raise the soft limit to `highest()` if it is lower. Return the limit that applies now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= highest():
        return _PLENTY if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest(), hard))
    except (OSError, ValueError):  # macOS has a further limit of its own
        return soft
    return highest()


def connections(limit: int) -> int:
    """Return how many connections the server may have with `limit` descriptors."""
    return max(FEWEST, min(ConnectionLimits().most, (limit - KEPT_BACK) // EACH))
