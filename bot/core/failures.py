"""A piece of work that failed, in the log: with a traceback if the fault is ours."""

from bot.core.errors import Unwritten
from bot.log import get_logger

log = get_logger()


def record(event: str, error: Exception, **fields: object) -> None:
    """A database that takes nothing just now is one plain line: time heals it, and many meet it."""
    if isinstance(error, Unwritten):
        log.warning(event, code=error.code, **fields)
    else:
        log.error(event, exc_info=error, **fields)
