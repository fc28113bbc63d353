"""How many files and sockets this process may have open, and how many the web server may use.

Chats, gateways and the database need descriptors as well: theirs are kept back from the server.
"""

import resource

from bot.web.connections import ConnectionLimits

KEPT_BACK = 512
"""For chats, gateways, database, files and workers, and for a burst of connections that are
accepted only to be closed."""
EACH = 2
"""Of a connection: its socket, and the file that is sent over it."""
WANTED = KEPT_BACK + EACH * ConnectionLimits().most
"""With so many, every place of the server can be taken."""
FEWEST = 16
"""Connections that the server gets in any case: health checks have to come through."""
_PLENTY = 65_536
"""Some systems allow a billion, or call it no limit at all; nobody needs that."""


def highest() -> int:
    """The most files it may have open."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _PLENTY if hard == resource.RLIM_INFINITY else min(hard, _PLENTY)


def raised() -> int:
    """Allow it, if the present limit is lower; the limit that holds now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= highest():
        return _PLENTY if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest(), hard))
    except (OSError, ValueError):  # macOS has a further limit of its own
        return soft
    return highest()


def connections(limit: int) -> int:
    """How many connections the server may have under a limit of so many descriptors."""
    return max(FEWEST, min(ConnectionLimits().most, (limit - KEPT_BACK) // EACH))
