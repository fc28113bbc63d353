"""Where causes are looked for besides the rows: disks, and the last try of a backup."""

from pathlib import Path

import pytest

from bot.config import Config, load
from bot.core.causes import Kind
from bot.core.wake import Wake
from bot.owners import RECOVERY, Backups, Disks
from tests.unit.config.conftest import SECRETS

PLENTY = 10**18
"""Bytes that no disk has."""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    address = {"ZOETROPE_GATEWAYS__MAIN__BASE_URL": "https://gateway.example"}
    folder = {"ZOETROPE_DATA_DIR": str(tmp_path / "data")}
    return load(None, environment={**SECRETS, **address, **folder})


async def test_a_disk_that_is_low_is_one_cause_however_many_folders_are_on_it(
    config: Config,
) -> None:
    assert await Disks(config, low=0).causes() == []
    (cause,) = await Disks(config, low=PLENTY).causes()
    assert (cause.kind, cause.about) == (Kind.DISK, str(config.data_dir))


async def test_a_disk_is_low_until_there_is_clearly_room(config: Config) -> None:
    """Else one that is filled and emptied around the line would ring each time."""
    free = Disks(config).least_free()
    disks = Disks(config, low=round(free * 2))
    assert len(await disks.causes()) == 1
    disks._low = round(free / ((1 + RECOVERY) / 2))
    assert len(await disks.causes()) == 1
    assert await Disks(config, low=disks._low).causes() == []
    disks._low = round(free / 2)
    assert await disks.causes() == []


async def test_of_a_backup_that_was_not_tried_yet_nobody_knows_and_nothing_is_over() -> None:
    bell = Wake()
    backups = Backups(bell)
    assert await backups.causes() is None
    await backups.heard("No room.")
    (cause,) = await backups.causes() or ()
    assert cause.facts == {"detail": "No room."}
    await bell.heard()
    await backups.heard(None)
    assert await backups.causes() == []
