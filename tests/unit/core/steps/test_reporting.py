"""A cause is told to its owner once and edited in place, whatever the network does."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.core.alarm import CHECK_EVERY, PATIENCE, Alarm
from bot.core.causes import Cause, Kind
from bot.core.errors import BotError, Refused, Temporary
from bot.core.steps.reporting import Reporting
from bot.store.causes import Causes
from bot.store.database import open_database
from tests.databases import sync_nothing
from tests.fakes.clock import FakeClock
from tests.unit.core.scripted import ScriptedChat

DETAIL = {"detail": "No room."}


@dataclass
class StepContext:
    """A store with one room of operators, and what the room is told."""

    causes: Causes
    chat: ScriptedChat = field(default_factory=ScriptedChat)
    clock: FakeClock = field(default_factory=FakeClock)

    async def check(self, *found: Cause) -> None:
        now = self.clock.now()
        await self.causes.settle({Kind.BACKUP: found}, rooms=["chat"], now=now)

    async def tell(self, seconds: float = 60.0) -> None:
        """Send everything that becomes due within `seconds`."""
        end = self.clock.now() + seconds
        reporting = Reporting(causes=self.causes, platforms={"chat": self.chat}, clock=self.clock)
        while (due := await self.causes.next_due(["chat"])) is not None and due <= end:
            await self.clock.advance(max(0.0, due - self.clock.now()))
            now = self.clock.now()
            for report in await self.causes.claim(["chat"], now=now, until=now + 45, most=9):
                await reporting.take(report)

    @property
    def said(self) -> list[str]:
        return [text.id for _, text in self.chat.told]


@pytest.fixture
async def context(tmp_path: Path) -> AsyncIterator[StepContext]:
    async with open_database(f"sqlite:///{tmp_path / 'rows.db'}") as database:
        await sync_nothing(database)
        yield StepContext(Causes(database))


def failed(why: str = "No room.") -> Cause:
    """Return the cause of a failed backup."""
    return Cause(kind=Kind.BACKUP, facts={"detail": why})


async def test_a_cause_is_told_changed_and_crossed_out_in_the_same_message(
    context: StepContext,
) -> None:
    for found in ([failed()], [failed("Full.")], []):
        await context.check(*found)
        await context.tell()
    assert context.said == ["cause.backup"]
    changed, over = context.chat.retold
    assert (changed[0], changed[1].text.values["detail"]) == ("t1", "Full.")
    assert (over[0], over[1].text.id) == ("t1", "cause.backup_over")


async def test_a_report_whose_send_has_an_unknown_end_is_sent_again_under_its_nonce(
    context: StepContext,
) -> None:
    context.chat.tells = [Temporary("slow"), Temporary("away", unsent=True), None]
    await context.check(failed())
    await context.tell(600)
    (first, none), (second, since), (third, still) = context.chat.nonces
    assert (none, since, still) == (None, context.clock._began, since)
    assert first == second == third
    assert await context.causes.next_due(["chat"]) is None


@pytest.mark.parametrize("error", [Temporary("away", away=True), Temporary("x", unsent=True)])
async def test_a_send_that_certainly_failed_leaves_no_send_with_an_unknown_end(
    context: StepContext, error: BotError
) -> None:
    context.chat.tells = [error, None]
    await context.check(failed())
    await context.tell(600)
    assert [since for _, since in context.chat.nonces] == [None, None]


async def test_a_cause_that_ends_while_a_busy_network_refuses_the_report_is_never_told(
    context: StepContext,
) -> None:
    await context.check(failed())
    now = context.clock.now()
    (report,) = await context.causes.claim(["chat"], now=now, until=now + 45, most=9)
    assert await context.causes.sending(report, now=now)
    await context.check()
    await context.causes.put_off(report, due_at=now + 9, unsent=True)
    await context.tell()
    assert context.said == []
    assert await context.causes.next_due(["chat"]) is None


async def test_an_owner_who_cannot_be_messaged_is_not_tried_again_for_the_same_report(
    context: StepContext,
) -> None:
    context.chat.tells = [Refused("person_gone")]
    await context.check(failed())
    await context.tell(9 * 3600)
    assert context.said == ["cause.backup"]
    assert await context.causes.next_due(["chat"]) is None


# --- the database itself --------------------------------------------------------------------------


@dataclass
class Line:
    """A database that may be away, and an alarm that checks it."""

    clock: FakeClock = field(default_factory=FakeClock)
    chat: ScriptedChat = field(default_factory=ScriptedChat)
    state: bool | str = True
    asked: int = 0

    def __post_init__(self) -> None:
        self.alarm = Alarm(
            beats=self.beats, people=self.people, platforms={"chat": self.chat}, clock=self.clock
        )

    async def beats(self) -> bool | str:
        return self.state

    async def people(self) -> list[tuple[str, str]]:
        self.asked += 1
        return [("chat", "ann")]

    async def looks(self, seconds: float) -> None:
        """Let the alarm check the database for so many seconds, as the service does."""
        for _ in range(int(seconds / CHECK_EVERY)):
            await self.alarm.check()
            await self.clock.advance(CHECK_EVERY)

    @property
    def said(self) -> list[str]:
        return [text.id for _, text in self.chat.told]


async def test_owners_are_told_once_when_the_database_is_away_and_once_when_it_is_back() -> None:
    line = Line()
    await line.looks(CHECK_EVERY)
    line.state = "database: not reachable"
    await line.looks(PATIENCE)
    assert line.said == []
    await line.looks(3600)
    assert line.said == ["cause.database"]
    assert line.chat.told[0][1].values == {"why": "not reachable"}
    assert line.asked == 1, "from memory"
    line.state = True
    await line.looks(60)
    assert line.said == ["cause.database", "cause.database_over"]


async def test_a_short_outage_of_the_database_is_not_told_to_owners() -> None:
    line = Line()
    for state in (True, "database: busy", True, "database: busy", True):
        line.state = state
        await line.looks(PATIENCE - CHECK_EVERY)
    assert line.said == []


async def test_a_database_that_comes_and_goes_is_told_once_an_hour() -> None:
    line = Line()
    for _ in range(3600 // 150):
        line.state = True
        await line.looks(2 * CHECK_EVERY)
        line.state = "database: not reachable"
        await line.looks(PATIENCE + 4 * CHECK_EVERY)
    assert line.said == ["cause.database", "cause.database_over"]
    await line.looks(300)
    assert line.said == ["cause.database", "cause.database_over", "cause.database"]


async def test_an_owner_who_could_not_be_told_of_the_outage_is_told_at_the_next_check() -> None:
    line = Line()
    await line.looks(CHECK_EVERY)
    line.state = "database: disk full"
    line.chat.tells = [Temporary("slow"), None]
    await line.looks(PATIENCE + 3 * CHECK_EVERY)
    (first, none), (second, since) = line.chat.nonces
    assert first == second
    assert (none, since is not None) == (None, True)
