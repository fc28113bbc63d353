"""Fixtures of backup tests.

On PostgreSQL, only one test of restores runs by default, and all of them among the proofs.
"""

from pathlib import Path

import pytest

from tests.conftest import NewUrl
from tests.unit.backups.site import Site

_RESTORES = {
    "test_restored_rows.py",
    "test_restored_decisions.py",
    "test_refused_restores.py",
    "test_former_rows.py",
    "test_killed_restores.py",
}
_SHORT = "test_a_restore_holds_every_job_that_may_have_been_ordered_since_the_backup"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of restores on PostgreSQL as proofs: each takes a second, because a server has
    no file to replace.
    """
    for item in items:
        is_of_a_server = item.path.name in _RESTORES and "[postgresql" in item.name
        if is_of_a_server and not item.name.startswith(_SHORT):
            item.add_marker(pytest.mark.proof)


@pytest.fixture
async def site(tmp_path: Path, new_url: NewUrl) -> Site:
    """Yield a furnished site on SQLite, then on PostgreSQL."""
    site = Site(tmp_path, await new_url())
    await site.furnish()
    return site


@pytest.fixture
async def home(tmp_path: Path) -> Site:
    """Return a furnished site on SQLite, for tests of files that PostgreSQL does not have."""
    site = Site(tmp_path)
    await site.furnish()
    return site
