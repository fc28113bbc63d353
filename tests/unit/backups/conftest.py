"""PostgreSQL has one test of restores in the short run, and all of them in the proofs."""

import pytest

_SHORT = "test_whatever_may_have_been_ordered_since_is_held"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each takes a second: a server has no file to put in place."""
    for item in items:
        is_of_a_server = item.path.name == "test_restoring.py" and "[postgresql" in item.name
        if is_of_a_server and not item.name.startswith(_SHORT):
            item.add_marker(pytest.mark.proof)
