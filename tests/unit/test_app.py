"""The process of the service: what it keeps from garbage collection."""

import gc
from collections.abc import Iterator

import pytest

from bot.app import kept_from_collector


@pytest.fixture(autouse=True)
def _frozen_as_before() -> Iterator[None]:
    """Freeze the test modules again, so that the garbage collector leaves them out."""
    yield
    gc.freeze()


def test_objects_from_before_the_start_are_left_out_of_garbage_collection() -> None:
    gc.unfreeze()
    kept: list[list[object]] = [[]]
    with kept_from_collector():
        later: list[list[object]] = [[]]
        known = {id(each) for each in gc.get_objects()}
        assert id(later) in known
        assert id(kept) not in known
    assert gc.get_freeze_count() == 0


def test_objects_frozen_by_somebody_else_stay_frozen() -> None:
    gc.unfreeze()
    gc.freeze()
    before = gc.get_freeze_count()
    with kept_from_collector():
        assert gc.get_freeze_count() <= before
    assert gc.get_freeze_count() > before / 2
