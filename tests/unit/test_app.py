"""The service as a whole: the part of it that is about the process alone."""

import gc
from collections.abc import Iterator

import pytest

from bot.app import kept_from_collector


@pytest.fixture(autouse=True)
def _frozen_as_before() -> Iterator[None]:
    """The suite keeps its own modules from the collector."""
    yield
    gc.freeze()


def test_a_full_search_for_garbage_leaves_out_what_was_there_at_the_start() -> None:
    gc.unfreeze()
    kept: list[list[object]] = [[]]
    with kept_from_collector():
        later: list[list[object]] = [[]]
        known = {id(each) for each in gc.get_objects()}
        assert id(later) in known
        assert id(kept) not in known
    assert gc.get_freeze_count() == 0


def test_what_somebody_kept_before_us_stays_kept() -> None:
    gc.unfreeze()
    gc.freeze()
    before = gc.get_freeze_count()
    with kept_from_collector():
        assert gc.get_freeze_count() <= before
    assert gc.get_freeze_count() > before / 2
