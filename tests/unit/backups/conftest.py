"""PostgreSQL has one test of restores in the short run, and all of them in the proofs."""

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
_SHORT = "test_whatever_may_have_been_ordered_since_is_held"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each takes a second: a server has no file to put in place."""
    for item in items:
        is_of_a_server = item.path.name in _RESTORES and "[postgresql" in item.name
        if is_of_a_server and not item.name.startswith(_SHORT):
            item.add_marker(pytest.mark.proof)


@pytest.fixture
async def site(tmp_path: Path, new_url: NewUrl) -> Site:
    """On SQLite and on PostgreSQL."""
    site = Site(tmp_path, await new_url())
    await site.furnish()
    return site


@pytest.fixture
async def home(tmp_path: Path) -> Site:
    """On SQLite, where it stands by itself."""
    site = Site(tmp_path)
    await site.furnish()
    return site
