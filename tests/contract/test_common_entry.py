"""The same commands and presses on each network give the same lists."""

import re
from dataclasses import replace

import pytest

from bot import i18n
from bot.core.commands import COMMANDS, Who
from bot.simulator.faults import Fault
from tests.contract.scenes import Listed, PlaygroundScene, Scene

HINT = (
    "Your settings",
    (
        "I use these values when you leave something open. What you choose in an order comes "
        "first, and I leave out what a model can't do."
    ),
)
WAITING = "The video service is not answering right now, so I keep trying. Nothing is lost."
LENGTHS = ("How long should your videos be?", "With a sound, the sound decides the length.")
REST = ("Shape: no default", "Quality: no default", "Private results: off")
OPEN = (HINT, ("Model: no default", "Length: no default", *REST))
CHOSEN = (HINT, ("Model: no default", "Length: 10 s", *REST))
SCRIPT = {
    "jobs": (("You have no orders under way. /history shows your videos.",), ()),
    "settings": OPEN,
    "lengths": (
        LENGTHS,
        ("• no default", "1 s", "2 s", "3 s", "4 s", "5 s", "10 s", "‹ Back"),
    ),
    "chosen": CHOSEN,
    "again": (
        LENGTHS,
        ("no default", "1 s", "2 s", "3 s", "4 s", "5 s", "• 10 s", "‹ Back"),
    ),
    "back": CHOSEN,
    "quota": (
        (
            "Your limits here:",
            "Used today: 0 of # videos",
            "You have # videos left today; new ones ⏱",
            "Under way right now: 0 of at most #",
        ),
        (),
    ),
}
"""The lines and buttons of each list; a time is ⏱, a limit #, and the chosen value is marked."""


@pytest.mark.proof
async def test_the_same_commands_and_presses_give_the_same_lists_on_each_network(
    scene: Scene,
) -> None:
    told: dict[str, Listed] = {}
    told["jobs"] = await scene.command("ann", "jobs")
    told["settings"] = await scene.command("ann", "settings")
    told["lengths"] = await scene.turn("ann", told["settings"], "Length: no default")
    told["chosen"] = await scene.turn("ann", told["lengths"], "10 s")
    told["again"] = await scene.turn("ann", told["chosen"], "Length: 10 s")
    told["back"] = await scene.turn("ann", told["again"], "‹ Back")
    quota = await scene.command("ann", "quota")
    told["quota"] = replace(quota, lines=tuple(re.sub(r"[1-9]\d*", "#", it) for it in quota.lines))
    assert {name: (each.lines, each.buttons) for name, each in told.items()} == SCRIPT


@pytest.mark.proof
async def test_a_person_sees_a_waiting_job_in_its_list_and_stops_it_there(scene: Scene) -> None:
    scene.simulator.faults.add(Fault("create", "answer", 429, "later", retry_after=600), times=9)
    await scene.ask("ann", "a cat")
    await scene.until_card("not answering right now")
    listed = await scene.command("ann", "jobs")
    title, job, made = listed.lines
    assert (title, job) == ("Your orders under way:", f"1. “a cat”: {WAITING}")
    assert " s · 16:9 · 480p" in made
    assert listed.buttons == ("Stop 1",)
    stopped = await scene.turn("ann", listed, "Stop 1")
    assert stopped.lines == ("You have no orders under way. /history shows your videos.",)


@pytest.mark.proof
async def test_a_person_opens_an_earlier_video_from_history_and_goes_back(scene: Scene) -> None:
    await scene.ask("ann", "a cat")
    await scene.until_over()
    history = await scene.command("ann", "history")
    assert history.lines == ("Your latest videos. Choose one to open it:",)
    assert history.buttons == ("a cat",)
    entry = await scene.turn("ann", history, "a cat")
    assert entry.buttons[:3] == ("Post it again", "Delete", "‹ Back")
    if not isinstance(scene, PlaygroundScene):  # the room's page shows the prompt outside the text
        assert "a cat" in [line.removeprefix("> ") for line in entry.lines]
    assert await scene.turn("ann", entry, "‹ Back") == history


@pytest.mark.proof
async def test_help_lists_every_command_except_those_of_owners_and_those_no_model_can_make(
    scene: Scene,
) -> None:
    lines = (await scene.command("ann", "help")).lines
    told = [line for line in lines if re.match(r"/\w+: ", line)]
    all_ = [each for each in COMMANDS.values() if each.who is Who.EVERYBODY]
    everybody = [each for each in all_ if each.use is None]
    assert told == [f"/{each.name}: {i18n.say(each.says, 'en')}" for each in everybody]
