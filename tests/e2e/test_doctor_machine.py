"""`zoetrope doctor` and trouble with the machine."""

import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bot.cli.doctor.clock import compared
from bot.cli.doctor.findings import Mark
from bot.cli.doctor.machine import files, folder, room
from bot.simulator.profiles import DOCUMENTED, MODELS
from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from bot.store.database import open_database
from tests.e2e.findings import poll, problems, sentences
from tests.e2e.world import World
from tests.fakes.buckets import URL, FakeBucket
from tests.fakes.discord import FakeDiscord
from tests.fakes.gateways import (
    UNKNOWN_TASK,
    OddGateway,
    models,
    usage,
)

pytestmark = pytest.mark.usefixtures("only_looks")


async def test_doctor_reports_a_wrong_clock_by_the_dates_of_discord_and_the_gateway(
    tmp_path: Path, renderer: Renderer
) -> None:
    def ahead() -> float:
        return time.time() + 600

    simulator = Simulator(renderer=renderer, now=ahead)
    async with FakeDiscord(clock=ahead) as discord, simulator.serve() as url:
        world = World(discord=discord, simulator=simulator, gateway_url=url, folder=tmp_path)
        told = await problems(world)
    assert [each.partition(" the clock of ")[2].split()[0] for each in told] == ["main", "Discord"]
    for each in told:  # HTTP dates are whole seconds, and a busy machine adds some
        assert -660 < int(each.partition(" by ")[2].split()[0]) < -540


def test_a_missing_or_malformed_date_header_is_no_finding() -> None:
    assert [compared("it", date, now=0.0) for date in ("", "yesterday")] == [None, None]


def test_doctor_reports_a_disk_with_too_little_room() -> None:
    low, enough = room("/data", free=300_000_000), room("/data", free=5_000_000_000)
    assert (low.mark, enough.mark) == (Mark.PROBLEM, Mark.OK)
    assert low.sentence.startswith("Only 0.3 GB are free in /data, and I need 1 GB. Make room")


def test_doctor_reports_a_limit_of_open_files_that_is_too_low() -> None:
    low, enough = files(1024), files(4096)
    assert (low.mark, enough.mark) == (Mark.PROBLEM, Mark.OK)
    assert low.sentence.startswith("Only 1024 files and connections may be open at once; 1536 are")
    assert "the web server takes only 256 connections" in low.sentence


async def test_doctor_reports_a_data_folder_that_cannot_be_written(world: World) -> None:
    told = await problems(world, DATA_DIR="/proc/zoetrope")
    assert told[0].startswith("I can't write in /proc (")


@pytest.mark.parametrize("name", ["scratch", "received", "media"])
async def test_doctor_reports_a_file_in_the_data_folder_that_stops_the_start(
    world: World, name: str
) -> None:
    """A folder there that belongs to root by accident stops the start as well."""
    (world.folder / "data").mkdir()
    (world.folder / "data" / name).touch()
    (told,) = await problems(world)
    assert told.startswith(f"I can't write in {world.folder / 'data' / name} (")
    with pytest.raises(FileExistsError):
        async with world.app():
            pass


async def test_doctor_reports_an_unwritable_backup_folder_with_the_name_of_its_setting(
    world: World,
) -> None:
    (world.folder / "data").mkdir()
    (world.folder / "data" / "backups").touch()
    (told,) = await problems(world)
    assert "or set data_dir to another folder" in told
    (told,) = await problems(world, BACKUP__FOLDER="/proc/backups")
    assert "or set backup.folder to another folder" in told
    (told,) = await problems(world, BACKUP__COPY_TO="/proc/copies", BACKUP__FOLDER="backups")
    assert "or set backup.copy_to to another folder" in told


async def test_doctor_reports_a_lock_that_cannot_be_taken_before_a_database_exists(
    world: World,
) -> None:
    lock = world.folder / "data" / "zoetrope.db.lock"
    lock.mkdir(parents=True)
    assert await problems(world) == [f"I can't use {lock}: Is a directory."]
    with pytest.raises(IsADirectoryError):
        async with world.app():
            pass


async def test_an_error_that_ends_one_check_of_doctor_leaves_the_other_checks(world: World) -> None:
    (world.folder / "data" / "pending-ids").mkdir(parents=True)
    found = await poll(world)
    assert "pending-ids: Is a directory" in sentences(found, Mark.PROBLEM)
    assert "Gateway main accepts the key." in sentences(found, Mark.OK)


async def test_doctor_checks_whether_a_bucket_takes_files(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = FakeBucket()
    async with bucket.serve() as variables:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        found = await poll(world, STORAGE_URL=URL)
        assert "The bucket s3://videos answers and stores files." in sentences(found, Mark.OK)
        bucket.trouble = (403, "AccessDenied")
        for setting in ("STORAGE_URL", "BACKUP__COPY_TO"):
            (told,) = await problems(world, **{setting: URL})
            assert told.startswith("The bucket s3://videos does not work: refused.")


def test_a_folder_whose_path_cannot_be_checked_is_reported(tmp_path: Path) -> None:
    """The path here is too long. A folder below one that is closed to us fails in the same way."""
    found = folder(tmp_path / ("x" * 300) / "data")
    assert str(tmp_path) in found.sentence


async def test_doctor_reports_an_unreachable_database_server_in_the_words_of_run(
    world: World,
) -> None:
    (told,) = await problems(world, DATABASE_URL="postgresql+asyncpg://ann:hunter2@127.0.0.1:1/z")
    assert told.startswith("I can't reach the database at 127.0.0.1:1 (Connection refused).")


async def test_doctor_says_that_the_database_works_only_once_there_is_one(world: World) -> None:
    new = "There is no database yet. The first `zoetrope run` creates it."
    found = await poll(world)
    assert new in sentences(found, Mark.NOTE)
    assert "The database works." not in sentences(found, Mark.OK)
    async with open_database(world.config().database_url):
        pass
    found = await poll(world)
    assert "The database works." in sentences(found, Mark.OK)
    assert new not in sentences(found, Mark.NOTE)


async def test_doctor_reports_a_damaged_database(world: World) -> None:
    (world.folder / "data").mkdir()
    (world.folder / "data" / "zoetrope.db").write_bytes(b"no database at all " * 100)
    (told,) = await problems(world)
    assert "is damaged (" in told


@pytest.mark.proof
async def test_doctor_notes_a_running_instance_and_finds_no_problem(world: World) -> None:
    async with world.app():
        found = await poll(world)
    world.discord.requests.clear()
    assert sentences(found, Mark.PROBLEM) == ""
    assert "The service is running (" in sentences(found, Mark.NOTE)


@pytest.mark.proof
async def test_doctor_says_whether_the_public_address_leads_to_this_service(world: World) -> None:
    async with world.app() as address:
        found = await poll(world, WEB__PUBLIC_URL=address)
    world.discord.requests.clear()
    assert f"{address} leads here, so links work." in sentences(found, Mark.OK)
    async with OddGateway().serve() as elsewhere:
        (told,) = await problems(world, WEB__PUBLIC_URL=elsewhere)
    assert told.startswith(f"Something else answers at {elsewhere} (HTTP 404).")
    (told,) = await problems(world, WEB__PUBLIC_URL="http://127.0.0.1:1")
    assert told.startswith("http://127.0.0.1:1 does not answer (")


async def test_doctor_checks_the_public_address_while_the_service_is_down(world: World) -> None:
    """Doctor answers at the port itself while the service is down."""
    with socket.socket() as held:
        # The system gives this port to no other program, but one that asks for its number may bind
        # it.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        port = str(held.getsockname()[1])
        found = await poll(world, WEB__PORT=port, WEB__PUBLIC_URL=f"http://127.0.0.1:{port}")
    assert "leads here, so links work." in sentences(found, Mark.OK)


async def test_doctor_names_the_models_that_the_key_lacks(world: World, renderer: Renderer) -> None:
    some = replace(DOCUMENTED, models={"sora-2": MODELS["sora-2"]})
    async with Simulator(profile=some, renderer=renderer).serve() as url:
        (told,) = await problems(world, GATEWAYS__MAIN__BASE_URL=url)
    # The operator's own tables name these models; other models that the key lacks are not offered.
    assert "the key does not have wan2.5-i2v-preview, wan2.5-t2v-preview, so videos" in told


async def test_doctor_checks_the_gateway_of_two_communities_once(world: World) -> None:
    odd = OddGateway(v1__videos=UNKNOWN_TASK, v1__models=models("sora-2"), api__usage=usage(9))
    async with odd.serve() as url:
        (told,) = await problems(
            world,
            GATEWAYS__CLUB__BASE_URL=url,
            GATEWAYS__CLUB__API_KEY="sk-club",
            COMMUNITIES='{"telegram:-5": {"gateway": "club"}, "telegram:-6": {"gateway": "club"}}',
        )
    assert told.startswith(
        "Gateway club: the key does not have wan2.5-i2v-preview, wan2.5-t2v-preview,"
    )
    assert [path for _, path, _ in odd.requests].count("/v1/models") == 1
