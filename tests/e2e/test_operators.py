"""An operator's commands, over the running service's socket and without a service."""

import json
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import pytest

from bot import control
from bot.cli import drawing
from bot.cli.control import asked as ask_service
from bot.core.acts import Values
from bot.core.errors import BotError, Broken, Refused, Temporary
from bot.core.jobs import Status
from bot.core.orders import Picture
from bot.media.storage import new_key
from bot.simulator.faults import Fault
from bot.simulator.profiles import DOCUMENTED
from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from bot.store.listing import Wanted, open_listing
from tests.conftest import NewUrl
from tests.e2e.command_line import zoetrope
from tests.e2e.terminal import terminal
from tests.e2e.test_access import told
from tests.e2e.world import WAIT, World, card_text
from tests.fakes.discord import FakeDiscord, Person


async def asked(world: World, name: str, /, **values: object) -> Values:
    """Run a command from this process, and return its answer."""
    return await ask_service(world.config(), name, values)


async def refused(world: World, name: str, /, **values: object) -> str:
    """Run a command, and return the code of the error that it raises."""
    with pytest.raises(BotError) as problem:
        await asked(world, name, **values)
    return problem.value.code


@pytest.mark.proof
async def test_an_operators_command_works_over_the_services_socket_and_without_a_service(
    world: World,
) -> None:
    async with world.app():
        assert (world.folder / "data" / control.NAME).exists()
        assert await asked(world, "acts.list") == {"acts": []}
    assert not (world.folder / "data" / control.NAME).exists()
    assert await asked(world, "acts.list") == {"acts": []}
    await asked(world, "stop", why=os.fsdecode(b"caf\xe9"))
    (act,) = drawing.rows(await asked(world, "acts.list"), "acts")
    assert act["why"] == "caf?", "as over the socket"


async def test_an_operators_command_creates_no_database(world: World) -> None:
    assert await refused(world, "acts.list") == "database_absent"
    assert not (world.folder / "data").exists()


@pytest.mark.skipif(os.getuid() != 0, reason="only root may")
async def test_root_without_a_service_is_refused_in_anothers_data_folder(world: World) -> None:
    """The service could not use files that root created."""
    async with world.app():
        pass
    data = world.folder / "data"
    os.chown(data, 65534, 65534)
    (data / "zoetrope.db.lock").unlink()
    try:
        assert await refused(world, "stop") == "wrong_user"
        assert not (data / "zoetrope.db.lock").exists()
    finally:
        os.chown(data, 0, 0)


@pytest.mark.proof
async def test_a_service_without_its_socket_is_not_taken_for_one_on_another_machine(
    world: World,
) -> None:
    async with world.app():
        (world.folder / "data" / control.NAME).unlink()
        assert await refused(world, "acts.list") == "service_silent"
        (world.folder / "data" / "zoetrope.db.lock").write_text("7 @ elsewhere\n")
        assert await refused(world, "acts.list") == "service_elsewhere"


@pytest.mark.proof
async def test_the_acts_command_prints_sentences_or_json(world: World) -> None:
    async with world.app():
        code, said = await zoetrope("acts", folder=world.folder, **world.written())
        assert (code, said) == (0, "No operator has done anything yet.\n")
        (world.folder / "data" / control.NAME).unlink()
        code, said = await zoetrope("acts", folder=world.folder, **world.written())
        assert (code, said.startswith("The service (")) == (75, True), said
    code, said = await zoetrope("acts", "--json", folder=world.folder, **world.written())
    assert (code, json.loads(said)) == (0, {"acts": []})


@asynccontextmanager
async def being_made(world: World, person: Person) -> AsyncIterator[None]:
    """Order a video that stays in progress inside the context."""
    async with world.simulator.holding("retrieve"):
        await person.slash("video", prompt="a cat")
        await world.discord.next("edit", where=lambda m: "being made" in card_text(m), timeout=WAIT)
        yield


async def test_after_stop_no_order_is_taken_or_sent_and_none_is_lost(world: World) -> None:
    async with world.app():
        ann = world.discord.person("ann")
        async with being_made(world, ann):
            answer = await asked(world, "stop", why="the bill looks odd")
        assert (answer["changed"], answer["stopped"]) == (True, True)
        assert "has paused me" in await told(await ann.slash("video", prompt="a dog"))
        assert (await world.result()).attachments, "what was paid for arrives"
    async with world.app():
        assert "has paused me" in await told(await ann.slash("video", prompt="a dog")), (
            "a restart changes nothing"
        )
        assert (await asked(world, "stop"))["changed"] is False
        assert (await asked(world, "go"))["stopped"] is False
        await ann.slash("video", prompt="a bird")
        assert (await world.result()).attachments
    assert world.simulator.charges == 2
    acts = await asked(world, "acts.list")
    assert [(act["action"], act["why"]) for act in drawing.rows(acts, "acts")] == [
        ("go", ""),
        ("stop", "the bill looks odd"),
    ]


@pytest.mark.proof
async def test_orders_for_a_paused_gateway_wait_with_a_card_that_says_so_and_continue_on_resume(
    world: World,
) -> None:
    async with world.app():
        await asked(world, "gateways.pause", name="main")
        await world.discord.person("ann").slash("video", prompt="a cat")
        await world.discord.next(
            "edit", where=lambda m: "has paused new videos" in card_text(m), timeout=WAIT
        )
        (gateway,) = drawing.rows(await asked(world, "gateways.list"), "gateways")
        assert (gateway["paused"], gateway["waiting"], world.simulator.charges) == (True, 1, 0)
        await asked(world, "gateways.resume", name="main")
        assert (await world.result()).attachments
        assert await refused(world, "gateways.pause", name="mian") == "gateway_not_known"


@pytest.mark.proof
async def test_a_blocked_person_is_refused_but_gets_the_video_in_progress(world: World) -> None:
    async with world.app():
        ann = world.discord.person("ann")
        async with being_made(world, ann):
            await asked(world, "user.block", person=f"discord:{ann.id}", why="spam")
        assert "has blocked you" in await told(await ann.slash("video", prompt="a dog"))
        result = await world.result()
        assert result.attachments
        assert "has blocked you" in await told(await ann.press(result, "Try again"))
        (block,) = drawing.rows(await asked(world, "user.list"), "blocked")
        assert (block["person"], block["why"]) == (f"discord:{ann.id}", "spam")
        await asked(world, "user.unblock", person=f"discord:{ann.id}")
        await ann.slash("video", prompt="a dog")
        assert (await world.result()).attachments
        assert await refused(world, "user.block", person="ann") == "whom_unreadable"


# --- unconfirmed jobs ----------------------------------------------------------------------------


@asynccontextmanager
async def unconfirmed(world: World) -> AsyncIterator[str]:
    """Run the app with a job whose answer was lost after it was charged; yield the job's id."""
    world.simulator.faults.add(Fault("create", "drop"))
    async with world.app():
        await world.discord.person("ann").slash("video", prompt="a cat")
        assert "lost the connection" in (await world.result()).content
        assert world.simulator.charges == 1
        async with open_listing(world.config().database_url) as listing:
            (job,) = await listing.newest(Wanted(), most=9)
        assert job.status is Status.UNCONFIRMED
        yield job.id


@pytest.fixture
async def listing(tmp_path: Path, renderer: Renderer) -> AsyncIterator[World]:
    """Yield a world whose gateway speaks the documented dialect and lists its videos."""
    profile = replace(DOCUMENTED, lists=True)
    simulator = Simulator(profile=profile, render_time=0.2, renderer=renderer)
    async with FakeDiscord() as discord, simulator.serve() as url:
        yield World(discord=discord, simulator=simulator, gateway_url=url, folder=tmp_path)


@pytest.mark.proof
async def test_a_lost_video_in_the_gateways_list_is_suggested_and_continues_once_picked(
    listing: World,
) -> None:
    world = listing
    async with unconfirmed(world) as job:
        answer = await asked(world, "jobs.candidates", job=job[:6])
        (candidate,) = drawing.rows(answer, "candidates")
        assert (candidate["confidence"], candidate["model"]) == ("likely", "sora-2")
        assert await refused(world, "jobs.found", job=job, gateway_id="x") == "gateway_id_unknown"
        for changed in (True, False):
            told = await asked(world, "jobs.found", job=job, gateway_id=candidate["id"])
            assert told["changed"] is changed
        assert (await world.result()).attachments
        assert await refused(world, "jobs.candidates", job=job) == "not_unconfirmed"
    assert world.simulator.charges == 1
    assert await asked_actions(world) == ["jobs.found"]


async def test_a_job_from_a_backup_continues_with_its_known_gateway_id(listing: World) -> None:
    """The order was placed after the backup was made, as the former rows show."""
    world = listing
    async with unconfirmed(world) as job:
        (candidate,) = drawing.rows(await asked(world, "jobs.candidates", job=job), "candidates")
    with closing(sqlite3.connect(world.folder / "data" / "zoetrope.db")) as rows, rows:
        rows.execute("UPDATE jobs SET gateway_id = ?, reason = 'restored'", (candidate["id"],))
    answer = await asked(world, "jobs.candidates", job=job)
    (proposed,) = drawing.rows(answer, "candidates")
    assert answer["known_id"] == proposed["id"] == candidate["id"]
    for changed in (True, False):
        told = await asked(world, "jobs.found", job=job, gateway_id=candidate["id"])
        assert (told["status"], told["changed"]) == ("in_progress", changed)
    async with world.app():
        assert (await world.result()).attachments
    assert world.simulator.charges == 1


@pytest.mark.proof
async def test_without_a_gateway_list_resolve_says_so_and_can_close_a_job_as_not_charged(
    world: World,
) -> None:
    async with unconfirmed(world) as job:
        assert (await asked(world, "jobs.candidates", job=job))["list"] == "none"
    # Works without a service, too.
    told = await asked(world, "jobs.not_charged", job=job, why="looked at the bill")
    assert (told["status"], told["reason"]) == ("failed", "not_taken")
    assert (await asked(world, "jobs.not_charged", job=job))["changed"] is False
    async with world.app():
        await world.discord.next(
            "edit", where=lambda m: "never got your order" in m.content, timeout=WAIT
        )
    assert world.simulator.charges == 1
    run = partial(zoetrope, folder=world.folder, **world.written())
    for shown in (("show", job), ("resolve", job, "--not-charged")):
        assert f"zoetrope jobs resolve {job} --found ID" in (await run("jobs", *shown))[1]


@pytest.mark.proof
async def test_a_video_found_after_a_job_was_closed_as_uncharged_is_posted(listing: World) -> None:
    world = listing
    async with unconfirmed(world) as job:
        await asked(world, "jobs.not_charged", job=job)
        await world.discord.next(
            "edit", where=lambda m: "never got your order" in m.content, timeout=WAIT
        )
        (candidate,) = drawing.rows(await asked(world, "jobs.candidates", job=job), "candidates")
        await asked(world, "jobs.found", job=job, gateway_id=candidate["id"])
        assert (await world.result()).attachments
    assert world.simulator.charges == 1
    assert await asked_actions(world) == ["jobs.found", "jobs.not_charged"]


@pytest.mark.proof
async def test_for_a_gateway_that_is_no_longer_configured_no_lost_video_is_suggested(
    world: World,
) -> None:
    async with unconfirmed(world) as job:
        pass
    elsewhere = {"GATEWAYS__MAIN__BASE_URL": "http://127.0.0.1:1"}
    config = world.config(**elsewhere)
    assert (await ask_service(config, "jobs.candidates", {"job": job}))["list"] == "gone"
    with pytest.raises(Refused, match="gateway_gone"):
        await ask_service(config, "jobs.found", {"job": job, "gateway_id": "v1"})
    assert (await ask_service(config, "jobs.not_charged", {"job": job}))["changed"]


@pytest.mark.proof
async def test_a_second_paid_try_needs_the_whole_job_id_and_is_made_once(world: World) -> None:
    async with unconfirmed(world) as job:
        for confirm in ("", job[:6], "yes"):
            code = await refused(world, "jobs.again", job=job, confirm=confirm)
            assert code == "again_unconfirmed"
        assert world.simulator.charges == 1
        await asked(world, "stop")
        assert await refused(world, "jobs.again", job=job, confirm=job) == "anew_stopped"
        await asked(world, "go")
        first = await asked(world, "jobs.again", job=job, confirm=job)
        again = await asked(world, "jobs.again", job=job, confirm=job)
        assert (first["job"], first["changed"]) == (again["job"], True)
        assert again["changed"] is False
        assert (await world.result()).attachments
    assert world.simulator.charges == 2


@pytest.mark.proof
async def test_a_job_whose_prompt_or_pictures_were_swept_is_not_tried_again(world: World) -> None:
    """The gateway gets no request for such a job."""
    async with unconfirmed(world) as job:
        pass
    picture = asdict(Picture(source=None, filename="", size=9, key=new_key("pictures", "jpg")))
    for gone, part, value, code in (
        ("words_gone_at", "wish.prompt", "", "anew_wordless"),
        ("inputs_gone_at", "pictures", [picture], "anew_gone"),
    ):
        with closing(sqlite3.connect(world.folder / "data" / "zoetrope.db")) as rows, rows:
            rows.execute(
                f"UPDATE jobs SET words_gone_at = NULL, {gone} = 1,"
                " order_data = json_set(order_data, ?, json(?))",
                (f"$.{part}", json.dumps(value)),
            )
        assert await refused(world, "jobs.cost", job=job) == code
        assert await refused(world, "jobs.again", job=job, confirm=job) == code
    assert world.simulator.charges == 1


@pytest.mark.proof
async def test_jobs_resolve_shows_three_ways_and_asks_for_confirmation_before_it_pays(
    listing: World,
) -> None:
    world = listing
    async with unconfirmed(world) as job:
        run = partial(zoetrope, folder=world.folder, **world.written())
        code, said = await run("jobs", "resolve", job)
        assert code == 0, said
        for words in ("likely", "time, model", f"zoetrope jobs resolve {job} --not-charged"):
            assert words in said, said
        code, said = await run("jobs", "resolve", job, "--again")
        assert (code, f"--confirm {job}" in said) == (1, True), said
        code, said = await run("jobs", "cancel", job)
        assert (code, "zoetrope jobs resolve" in said) == (1, True), said
        code, said = await run("jobs", "resolve", job, "--again", "--confirm", job)
        assert (code, f"{job} is ordered again, as " in said) == (0, True), said
        assert (await world.result()).attachments
    assert world.simulator.charges == 2


@pytest.mark.proof
async def test_at_a_terminal_a_second_paid_try_names_the_cost_and_asks_for_the_job_id(
    world: World,
) -> None:
    async with unconfirmed(world) as job:
        again = ("jobs", "resolve", job, "--again")
        for agreed, typed in (("n", None), ("y", "yes"), ("y", job)):
            async with terminal(*again, folder=world.folder, **world.written()) as shown:
                question = await shown.sees("[y/N]")
                assert "may have been charged, too" in question
                shown.types(f"{agreed}\n")
                if typed is not None:
                    await shown.answers("To send it, type the job's id", typed)
                code = await shown.ends()
            assert (code, "I sent nothing" in shown.screen) in ((1, True), (0, False))
        assert (await world.result()).attachments
    assert world.simulator.charges == 2


async def asked_actions(world: World) -> list[object]:
    """Return the actions of all acts."""
    acts = drawing.rows(await asked(world, "acts.list"), "acts")
    return [act["action"] for act in acts]


@pytest.mark.proof
async def test_jobs_retry_makes_a_new_paid_job_only_for_a_job_without_a_video(world: World) -> None:
    async with world.app():
        await asked(world, "stop")
        await asked(world, "go")
        await asked(world, "gateways.pause", name="main")
        await world.discord.person("ann").slash("video", prompt="a cat")
        await world.discord.next(
            "edit", where=lambda m: "has paused new videos" in card_text(m), timeout=WAIT
        )
        async with open_listing(world.config().database_url) as listing:
            (job,) = await listing.newest(Wanted(), most=9)
        assert (await asked(world, "jobs.cost", job=job.id))["cost"] is None
        assert (await asked(world, "jobs.retry", job=job.id))["job"] == job.id
        assert (await asked(world, "jobs.cancel", job=job.id))["status"] == "cancelled"
        assert (await asked(world, "jobs.cancel", job=job.id))["changed"] is False
        await asked(world, "gateways.resume", name="main")
        assert await refused(world, "jobs.retry", job=job.id) == "again_unconfirmed"
        anew = await asked(world, "jobs.retry", job=job.id, confirm=job.id)
        assert anew["of"] == job.id
        assert (await world.result()).attachments
        assert await refused(world, "jobs.retry", job=anew["job"]) == "retry_delivered"
        assert await refused(world, "jobs.cancel", job="zzzz") == "job_not_found"
    assert world.simulator.charges == 1


# --- limits and sums -----------------------------------------------------------------------------


@pytest.mark.proof
async def test_after_a_grant_a_person_at_the_daily_limit_may_order_once_more(world: World) -> None:
    async with world.app(LIMITS__PERSON_VIDEOS_PER_DAY="1"):
        ann = world.discord.person("ann")
        await ann.slash("video", prompt="a cat")
        assert (await world.result()).attachments
        assert "your one video" in await told(await ann.slash("video", prompt="a dog"))
        whose = {"kind": "person", "of": f"discord:{ann.id}"}
        shown = await asked(world, "quota.grant", videos=1, **whose)
        assert _figures(shown, "person_videos") == (1, 2, 1, 1)
        await ann.slash("video", prompt="a dog")
        assert (await world.result()).attachments
        assert "your 2 videos" in await told(await ann.slash("video", prompt="a bird"))
        assert (await asked(world, "quota.reset", **whose))["changed"]
        shown = await asked(world, "quota.show", **whose)
        assert _figures(shown, "person_videos") == (2, 3, 2, 1)
        for kind, of, code in (
            ("person", "ann", "whom_unreadable"),
            ("purse", "club", "purse_unknown"),
            ("mood", "", "quota_kind_unknown"),
        ):
            assert await refused(world, "quota.show", kind=kind, of=of) == code
        assert await refused(world, "quota.grant", money=1, **whose) == "grant_money"
        assert await refused(world, "quota.grant", **whose) == "grant_nothing"
    (day,) = drawing.rows(await asked(world, "stats"), "rows")
    assert (day["made"], day["unconfirmed"]) == (2, 0)


@pytest.mark.proof
async def test_no_order_is_taken_while_the_counters_of_limits_are_wrong(world: World) -> None:
    """After a recount, orders are taken again."""
    async with world.app():
        ann = world.discord.person("ann")
        await ann.slash("video", prompt="a cat")
        assert (await world.result()).attachments
    with closing(sqlite3.connect(world.folder / "data" / "zoetrope.db")) as rows, rows:
        rows.execute("UPDATE counters SET spend = 0")
    async with world.app():
        ann = world.discord.person("ann")
        assert "lost count" in await told(await ann.slash("video", prompt="a dog"))
        assert (await asked(world, "usage.compare"))["wrong"]
        assert (await asked(world, "usage.recount"))["wrong"]
        assert (await asked(world, "usage.recount"))["wrong"] == []
        await ann.slash("video", prompt="a bird")
        assert (await world.result()).attachments
    acts = drawing.rows(await asked(world, "acts.list"), "acts")
    assert [act["action"] for act in acts] == ["usage.recount", "usage.recount"]


def _figures(answer: Values, name: str) -> tuple[object, ...]:
    """Return what is used of the named limit, the limit, and what was granted."""
    found = next(row for row in drawing.rows(answer, "limits") if row["name"] == name)
    return tuple(found[each] for each in ("used", "limit", "granted", "left"))


@pytest.mark.proof
async def test_every_operator_table_fits_a_terminal_of_80_columns(world: World) -> None:
    async with world.app():
        ann = world.discord.person("ann")
        await ann.slash("video", prompt="a cat")
        assert (await world.result()).attachments
        await asked(world, "gateways.pause", name="main", why="a word " * 20)
        await asked(world, "user.block", person=f"discord:{ann.id}", why="a word " * 20)
        for command in (
            ("acts",),
            ("gateways", "list"),
            ("user", "list"),
            ("quota", "show", "person", f"discord:{ann.id}"),
            ("stats", "--by", "person"),
        ):
            variables = {"COLUMNS": "80", **world.written()}
            async with terminal(*command, folder=world.folder, **variables) as shown:
                assert await shown.ends() == 0, shown.screen
            lines = shown.screen.splitlines()
            assert max(map(len, lines)) <= 80, shown.screen
            assert "…" not in shown.screen
            code, said = await zoetrope(*command, "--json", folder=world.folder, **world.written())
            assert (code, json.loads(said) is not None) == (0, True)


@pytest.mark.proof
async def test_operators_commands_work_on_postgresql_with_and_without_a_service(
    world: World, new_postgres_url: NewUrl
) -> None:
    url = {"DATABASE_URL": await new_postgres_url()}

    async def ask(name: str) -> Values:
        return await ask_service(world.config(**url), name, {})

    with pytest.raises(Broken, match="database_empty"):
        await ask("stop")
    async with world.app(DATABASE_URL=url["DATABASE_URL"]):
        assert (await ask("stop"))["changed"]
        (world.folder / "data" / control.NAME).unlink()
        with pytest.raises(Temporary, match="service_silent"):
            await ask("go")
    assert (await ask("go"))["changed"]
    assert (await ask("stats"))["rows"] == []
