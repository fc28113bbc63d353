"""Decisions of operators and people after the backup, which survive a restore."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.store.tables import acts, blocks, holds, places, preferences
from tests.unit.backups.site import LATER, Site


async def _undecided(site: Site) -> None:
    """Remove all holds, blocks and acts."""
    for table in ("holds", "blocks", "acts"):
        await site.change(f"DELETE FROM {table}")


async def _act(site: Site, action: str, subject: str, at: float) -> None:
    await site.change(
        "INSERT INTO acts (at, actor, action, subject, why, details)"
        f" VALUES ({at}, 'cli:ann', '{action}', '{subject}', 'odd bill', '{{}}')"
    )


async def test_a_preference_for_private_results_set_after_the_backup_survives_a_restore(
    site: Site,
) -> None:
    await site.change("DELETE FROM preferences")
    await site.change(
        "INSERT INTO preferences VALUES ('discord', '7', 'wan', 5, NULL, NULL, false)"
    )
    await site.change("INSERT INTO preferences VALUES ('discord', '8', NULL, 5, NULL, NULL, false)")
    backup = await site.back_up()
    await site.change("UPDATE preferences SET private = true WHERE person = '7'")
    await site.restore(backup)
    rows = await site.rows(
        lambda it: it.execute(sa.select(preferences).order_by(preferences.c.person)).all()
    )
    assert [(row.person, row.family, row.seconds, row.private) for row in rows] == [
        ("7", "wan", 5, True),
        ("8", None, 5, False),
    ]


async def test_holds_blocks_and_closed_places_set_after_the_backup_survive_a_restore(
    site: Site,
) -> None:
    await _undecided(site)
    backup = await site.back_up()
    await site.change(f"INSERT INTO holds VALUES ('*', {LATER + 5}, 'cli:ann', 'odd bill')")
    await _act(site, "stop", "*", LATER + 5)
    await site.change(
        f"INSERT INTO blocks VALUES ('discord', '7', {LATER + 6}, NULL, 'cli:ann', 'spam')"
    )
    await _act(site, "user.block", "discord:7", LATER + 6)
    await site.change(f"UPDATE places SET allowed = false, decided_at = {LATER + 7}")
    restored = await site.restore(backup)
    assert (restored.settled.carried, restored.settled.stopped) == (2, False)
    (hold,) = await site.rows(lambda it: it.execute(sa.select(holds)).all())
    assert tuple(hold) == ("*", LATER + 5, "cli:ann", "odd bill")
    people = await site.rows(lambda it: it.scalars(sa.select(blocks.c.person)).all())
    assert list(people) == ["7"]
    allowed = await site.rows(lambda it: it.scalars(sa.select(places.c.allowed).distinct()).all())
    assert list(allowed) == [False]
    again = await site.restore(await site.back_up())
    assert again.settled.carried == 0, "each act is there once"


async def test_holds_and_blocks_lifted_by_an_act_after_the_backup_stay_lifted_after_a_restore(
    site: Site,
) -> None:
    await _undecided(site)
    await site.change(f"INSERT INTO holds VALUES ('*', {LATER - 9}, 'cli:ann', '')")
    await site.change(f"INSERT INTO holds VALUES ('main', {LATER - 9}, 'cli:ann', '')")
    await site.change(f"INSERT INTO blocks VALUES ('discord', '7', {LATER}, NULL, 'a', '')")
    await site.change(f"INSERT INTO blocks VALUES ('discord', '8', {LATER}, NULL, 'a', '')")
    backup = await site.back_up()
    await site.change("DELETE FROM holds")
    await site.change("DELETE FROM blocks")
    await _act(site, "go", "*", LATER + 5)
    await _act(site, "user.unblock", "discord:7", LATER + 5)
    await site.restore(backup)
    found = await site.rows(lambda it: it.scalars(sa.select(holds.c.name)).all())
    assert list(found) == ["main"], "nobody has let it go, as far as an act shows"
    found = await site.rows(lambda it: it.scalars(sa.select(blocks.c.person)).all())
    assert list(found) == ["8"]


@pytest.mark.parametrize("how", ["damaged", "deleted"])
async def test_a_restore_over_lost_rows_starts_with_all_orders_stopped(
    home: Site, how: str
) -> None:
    await _undecided(home)
    backup = await home.back_up()
    if how == "damaged":
        home.file.write_bytes(b"Dear diary, " * 1000)
    else:
        home.file.unlink()
    assert (await home.restore(backup)).settled.stopped
    found = await home.rows(lambda it: it.scalars(sa.select(holds.c.name)).all())
    assert list(found) == ["*"]
    found = await home.rows(lambda it: it.scalars(sa.select(acts.c.actor)).all())
    assert list(found) == ["restore"]


async def test_a_restore_into_a_new_installation_does_not_stop_orders(
    home: Site, tmp_path: Path
) -> None:
    there = Site(tmp_path / "there")
    assert not (await there.restore(await home.back_up())).settled.stopped
