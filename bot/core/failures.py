"""Log a failure, with a traceback if the fault is ours."""

from bot.core.errors import Unwritten
from bot.log import get_logger

log = get_logger()


def record(event: str, error: Exception, **fields: object) -> None:
    """Log an error. An unavailable database gets one line without traceback, as it is frequent."""
    if isinstance(error, Unwritten):
        log.warning(event, code=error.code, **fields)
    else:
        log.error(event, exc_info=error, **fields)
