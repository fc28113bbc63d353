"""`zoetrope db verify` and `upgrade`, as an operator uses them."""

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.cli.doctor import machine
from bot.cli.doctor.findings import Mark
from bot.cli.owner import check_user
from bot.config import load
from bot.core.errors import Refused
from bot.media.storage import Storage
from bot.store.spool import Spool
from tests.e2e.command_line import zoetrope
from tests.unit.store import former

NOBODY = {
    "ZOETROPE_GATEWAYS__MAIN__BASE_URL": "http://127.0.0.1:9",
    "ZOETROPE_GATEWAYS__MAIN__API_KEY": "sk-nothing",
}


async def db(folder: Path, *arguments: str, **variables: str) -> tuple[int | None, str]:
    """Run a command of `zoetrope db` in `folder`, whose folder `data` is the data folder."""
    return await zoetrope("db", *arguments, folder=folder, **(NOBODY | variables))


async def _written(folder: Path, revision: str) -> Path:
    """Write a database of this revision with rows of every kind."""
    file = folder / "data" / "zoetrope.db"
    file.parent.mkdir(mode=0o700)
    await former.write(f"sqlite:///{file}", revision)
    return file


@pytest.mark.proof
async def test_db_upgrade_brings_the_tables_up_to_date_without_the_service(tmp_path: Path) -> None:
    await _written(tmp_path, "0004")
    known = former.REVISIONS[-1]
    upgraded = f"The tables were upgraded from version 0004 to {known}.\n"
    assert await db(tmp_path, "upgrade") == (0, upgraded)
    current = f"The tables are up to date: version {known}.\n"
    assert await db(tmp_path, "upgrade") == (0, current)


@pytest.mark.proof
async def test_db_verify_names_each_fault_and_changes_nothing(tmp_path: Path) -> None:
    file = await _written(tmp_path, former.REVISIONS[-1])
    Spool(tmp_path / "data").add("job-nobody", "video_nobody")
    with closing(sqlite3.connect(file)) as rows, rows:
        rows.execute("UPDATE jobs SET quota_cost = 1 WHERE id = 'job-failed'")
        rows.execute("UPDATE jobs SET due_at = NULL WHERE id = 'job-in_progress'")
        rows.execute("UPDATE posts SET job_id = 'job-none' WHERE id = 7")
    code, said = await db(tmp_path, "verify", "--json")
    found = {it["check"]: it["trouble"] for it in json.loads(said)["checks"]}
    assert (code, json.loads(said)["sound"]) == (1, False)
    assert found == {
        "integrity": [],
        "references": ["posts 7"],
        "revision": [],
        "costs": ["job-failed"],
        "states": ["job-in_progress"],
        "usage": [],
        "media": [former.VIDEO.key],
        "spool": ["video_nobody"],
    }
    code, said = await db(tmp_path, "verify")
    assert (code, "5 checks found problems" in said) == (1, True), said


@pytest.mark.proof
async def test_db_recount_corrects_wrong_counters_and_says_which(tmp_path: Path) -> None:
    file = await _written(tmp_path, former.REVISIONS[-1])
    with closing(sqlite3.connect(file)) as rows, rows:
        rows.execute("INSERT INTO counters VALUES ('purse', '', '', 'main', 1, 1, 1, 1)")
    code, said = await db(tmp_path, "verify")
    assert (code, "purse main" in said, "zoetrope db recount`" in said) == (1, True, True), said
    code, said = await db(tmp_path, "recount")
    assert (code, "were wrong (purse main)" in said) == (0, True), said
    assert (await db(tmp_path, "recount"))[1].startswith(
        "The counters for the limits were counted again"
    )
    assert "purse main" not in (await db(tmp_path, "verify"))[1]


@pytest.mark.proof
async def test_db_verify_says_that_sound_rows_are_in_order(tmp_path: Path) -> None:
    await _written(tmp_path, former.REVISIONS[-1])
    storage = Storage(str(tmp_path / "data" / "media"), scratch=tmp_path)
    source = tmp_path / "video"
    source.write_bytes(b"video")
    await storage.put(former.VIDEO.key, source)
    code, said = await db(tmp_path, "verify")
    assert (code, "Everything is in order." in said) == (0, True), said


def test_root_is_refused_in_a_data_folder_of_another_account(tmp_path: Path) -> None:
    environment = NOBODY | {"ZOETROPE_DATA_DIR": str(tmp_path)}
    config = load(None, environment=environment)
    mine = tmp_path.stat().st_uid
    check_user(config, user=mine)
    if mine == 0:
        os.chown(tmp_path, 12345, -1)
    with pytest.raises(Refused, match="wrong_user"):
        check_user(config, user=0)
    check_user(config, user=12345)


def test_doctor_says_how_old_the_newest_backup_is(tmp_path: Path) -> None:
    for age, words in ((0, "less than an hour"), (7199, "1 hour"), (5 * 3600, "5 hours")):
        told = machine.backup(tmp_path, age=age)
        assert (told.mark, told.sentence) == (
            Mark.OK,
            f"The newest backup is {words} old ({tmp_path}).",
        )
    old = machine.backup(tmp_path, age=9 * 86_400)
    assert (old.mark, "9 days old" in old.sentence) == (Mark.PROBLEM, True)


async def test_doctor_names_a_backup_whose_date_is_in_the_future(tmp_path: Path) -> None:
    """Everything else counts such a backup as the oldest, so nobody would look for it."""
    config = load(None, environment=NOBODY | {"ZOETROPE_DATA_DIR": str(tmp_path)})
    folder = config.backup_folder / "zoetrope-29990101T000000Z"
    folder.mkdir(parents=True)
    (folder / "manifest.json").touch()
    said = [each.sentence async for each in machine.check(config)]
    assert (
        len([each for each in said if folder.name in each and "dated in the future" in each]) == 1
    )


@pytest.mark.proof
async def test_a_database_of_a_newer_version_is_refused_in_one_sentence_by_every_command(
    tmp_path: Path,
) -> None:
    file = await _written(tmp_path, former.REVISIONS[-1])
    with closing(sqlite3.connect(file)) as rows, rows:
        rows.execute("UPDATE alembic_version SET version_num = '9999'")
    variables = NOBODY | {"ZOETROPE_PLAYGROUND__ENABLED": "true"}
    for command in (("run",), ("doctor",), ("db", "verify"), ("db", "upgrade")):
        code, said = await zoetrope(*command, folder=tmp_path, **variables)
        assert (code, said.count("written by a newer version")) == (1, 1), said
        assert "Traceback" not in said
