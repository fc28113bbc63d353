"""A backup that an operator asks for, and its effect on the report of the nightly backup."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.backups.asked import backup_use_cases
from bot.core.acts import perform
from bot.core.bells import Bells
from bot.opening import open_store
from bot.parts import Basis, accounts_of
from bot.store.identity import Home
from tests.fakes.clock import FakeClock
from tests.unit.backups.site import Site


@pytest.mark.proof
@pytest.mark.parametrize(("second", "words"), [(False, [None]), (True, [])])
async def test_a_backup_on_request_ends_the_nightly_backups_report_unless_a_remote_copy_is_due(
    tmp_path: Path, second: bool, words: list[None]
) -> None:
    """The remote copy may be what fails, and a backup on request is not copied there."""
    site, clock, report_outcome = Site(tmp_path), FakeClock(), []
    await site.furnish()
    settings = site.config.settings
    backup = settings.backup.model_copy(update={"copy_to": str(tmp_path / "2")} if second else {})
    config = replace(site.config, settings=settings.model_copy(update={"backup": backup}))

    async def tell(why: str | None) -> None:
        report_outcome.append(why)

    async with open_store(config, Home(site.data), clock, changed=lambda: None) as store:
        basis = Basis(
            config=config,
            clock=clock,
            bells=Bells.new(),
            store=store,
            gateways={},
            accounts=accounts_of(config, store),
        )
        asked = backup_use_cases(basis, site.storage, report_outcome=tell)
        made = await perform(asked["db.backup"], {}, actor="cli:ann")
    assert Path(str(made["folder"])).is_dir()
    assert report_outcome == words
