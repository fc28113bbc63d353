"""The world of the end-to-end tests; here the app is a process that gets killed."""

import pytest

from tests.e2e import conftest
from tests.e2e.processes import forked
from tests.e2e.world import World

of_e2e = conftest.world


@pytest.fixture
def world(of_e2e: World) -> World:
    """Return a world whose processes are forks, because there are many of them."""
    of_e2e.begin = forked
    return of_e2e
