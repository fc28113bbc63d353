"""Owners decide on Telegram and in the room as they do on Discord."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse

from bot.cli import drawing
from bot.cli.control import asked as ask_service
from bot.config import Config, load
from bot.simulator.faults import Fault
from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from tests.e2e.house import House
from tests.e2e.telegram import Hall
from tests.e2e.test_room import page
from tests.e2e.world import WAIT, Codes
from tests.fakes.telegram import Message, Person


async def acts(config: Config) -> list[tuple[object, object]]:
    """Return actor and action of each act."""
    found = drawing.rows(await ask_service(config, "acts.list", {}), "acts")
    return [(act["actor"], act["action"]) for act in found]


async def said(hall: Hall, person: Person, words: str, kind: str = "message") -> Message:
    """Return the next message in the person's private chat that contains `words`."""
    found: Message = await hall.telegram.next(
        kind,  # type: ignore[call-overload]
        where=lambda it: it.chat == person.private and words in it.text,
        timeout=WAIT,
    )
    return found


@pytest.mark.proof
async def test_an_owner_on_telegram_decides_by_buttons_after_a_restart(hall: Hall) -> None:
    codes, olga = Codes(), hall.telegram.person("olga", started=True)
    hall.simulator.faults.add(Fault("create", "drop"))
    async with hall.app(codes.append, ACCESS="closed"):
        await olga.says(f"/claim {await codes.first()}")
        await said(hall, olga, "You are my owner now")
        await olga.says("/video a secret cat")
        notice = await said(hall, olga, "whether 1 order was taken")
    async with hall.app(ACCESS="closed"):
        await olga.presses(notice, notice.buttons[0]["text"])
        panel = await said(hall, olga, "whether the gateway took it")
        await olga.presses(panel, "Not charged")
        await said(hall, olga, "was not charged")
        changed = await said(hall, olga, "are decided", "edit")
        assert (changed.id, changed.buttons) == (notice.id, [])
        config = load(hall._file(), environment=hall.environment(ACCESS="closed"))
        assert await acts(config) == [(f"telegram:{olga.id}", "jobs.not_charged")]
    assert hall.simulator.charges == 1


async def seen(socket: ClientWebSocketResponse, words: str) -> dict[str, Any]:
    """Return the next message or notice in the room that contains `words`."""
    while True:
        told = await socket.receive_json(timeout=WAIT)
        poll: dict[str, Any] = told.get("notice") or told.get("message", {}).get("look", {})
        if words in str(poll.get("text", "")):
            return poll


@pytest.mark.proof
async def test_in_the_room_any_visitor_may_decide_as_an_owner(
    tmp_path: Path, renderer: Renderer
) -> None:
    simulator = Simulator(render_time=0.2, renderer=renderer)
    simulator.faults.add(Fault("create", "drop"))
    async with simulator.serve() as url:
        house = House(simulator=simulator, gateway_url=url, folder=tmp_path)
        async with house.open() as address, page(address) as socket:

            async def press(button: dict[str, Any], number: int) -> None:
                pressed = {"action": button["action"], "about": button["about"]}
                wish = {"do": "press", "value": button["value"], **pressed}
                await socket.send_json({"nonce": f"press--{number}", "person": "ann", **wish})

            wish = {"do": "say", "command": "video", "text": "a cat"}
            await socket.send_json({"nonce": "0" * 16, "person": "ann", **wish})
            notice = await seen(socket, "whether 1 order was taken")
            await press(notice["buttons"][0], 1)
            panel = await seen(socket, "whether the gateway took it")
            free = next(it for it in panel["buttons"] if it["label"] == "Not charged")
            await press(free, 2)
            await seen(socket, "was not charged")
            await seen(socket, "are decided")
            assert [action for _, action in await acts(house.config())] == ["jobs.not_charged"]


@pytest.mark.proof
async def test_the_room_buttons_go_stop_and_backup_do_what_their_commands_do(
    tmp_path: Path, renderer: Renderer
) -> None:
    simulator = Simulator(renderer=renderer)
    async with simulator.serve() as url:
        house = House(simulator=simulator, gateway_url=url, folder=tmp_path)
        async with house.open() as address, page(address) as socket:
            for number, (wish, words) in enumerate(
                {
                    "sweep": "A sweep would remove 0 files",
                    "backup": "The backup is made",
                    "stop": "Stopped",
                    "go": "I take orders again",
                }.items()
            ):
                frame = {"do": "press", "action": "owner", "about": "all", "value": wish}
                await socket.send_json({"nonce": f"press--{number}", "person": "ann", **frame})
                await seen(socket, words)
            assert [action for _, action in await acts(house.config())] == [
                "go",
                "stop",
                "db.backup",
            ]
            assert len(list((tmp_path / "data" / "backups").glob("zoetrope-*"))) == 1
