"""A stop is over within a minute, whatever is under way."""

from bot import workers
from bot.core import worker
from bot.platforms.telegram import inbox
from bot.web import server


def test_all_that_a_stop_waits_for_in_turn_fits_into_a_minute() -> None:
    """Intakes end first, then jobs, then words, then the server; each may have to be told twice."""
    graces = [inbox.GRACE, workers.GRACE, workers.WORDS_GRACE, server.SHUTDOWN]
    assert sum(graces) + 3 * worker.LAST <= 60
