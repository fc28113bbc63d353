"""A stop of the service ends within a minute, whatever is in progress."""

from bot import workers
from bot.core import worker
from bot.platforms.telegram import inbox
from bot.web import server


def test_the_grace_periods_of_a_stop_together_fit_into_a_minute() -> None:
    """Intakes end first, then jobs, then posts, then the server."""
    graces = [inbox.GRACE, workers.GRACE, workers.WORDS_GRACE, server.SHUTDOWN]
    assert sum(graces) + 3 * worker.LAST <= 60
