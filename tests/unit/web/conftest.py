"""Shared fixtures: the server of the player page."""

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.unit.web.house import House, serve_pages


@pytest.fixture
def no_errors(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail if the server logs an error, whatever it answers."""
    with caplog.at_level(logging.WARNING):
        yield
    # Some records are written only when the server is closed, after the test itself.
    records = [*caplog.get_records("call"), *caplog.get_records("teardown")]
    assert [it for it in records if it.levelno >= logging.ERROR] == []


@pytest.fixture(params=["disk", "afar"])
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    async with serve_pages(tmp_path, afar=request.param == "afar") as standing:
        yield standing
