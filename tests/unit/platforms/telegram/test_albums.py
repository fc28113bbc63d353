"""Albums: their messages arrive one by one, late, or in two processes, and stay one order."""

import asyncio

import pytest
from aiogram.types import Message as Read

from bot.core.updates import Update
from bot.platforms.telegram import albums
from bot.platforms.telegram.inbox import Inbox
from tests.e2e.world import WAIT, png
from tests.fakes.telegram import Chat, Item, Message
from tests.unit.platforms.telegram.conftest import Lobby


def two(caption: str = "/animate") -> list[Item]:
    """Return two pictures, the first with this caption."""
    return [Item(content=png(), caption=caption), Item(content=png())]


def inbox_of(lobby: Lobby, heard: list[int]) -> Inbox:
    """Return an inbox that notes the numbers of the updates that it hands on."""

    async def handle(update: Update) -> None:
        heard.append(update.id)
        await lobby.updates.done(update, *await lobby.updates.behind(update))

    return Inbox(
        lobby.platform.line.bot,
        lobby.updates,
        handle,
        clock=lobby.clock,
        hears=lambda _: None,
        move=lobby.platform.line.move,
        excuse=handle,
    )


async def until_due(lobby: Lobby, at: float) -> None:
    """Wait until the next update is due at this time."""
    async with asyncio.timeout(WAIT):
        while await lobby.updates.next_due(now=lobby.clock.now()) != at:
            await asyncio.sleep(0)


async def until_heard(heard: list[int], count: int) -> None:
    async with asyncio.timeout(WAIT):
        while len(heard) < count:
            await asyncio.sleep(0)


async def arrive(lobby: Lobby, inbox: Inbox, message: Message) -> None:
    await inbox.take([lobby.fake.updates.of(message).json])


async def test_an_album_waits_until_no_further_message_came_for_a_moment(lobby: Lobby) -> None:
    heard: list[int] = []
    inbox = inbox_of(lobby, heard)
    first, second = await lobby.ann.sends_album(two())
    began = lobby.clock.now()
    async with asyncio.TaskGroup() as group:
        working = group.create_task(inbox.work())
        await arrive(lobby, inbox, first)
        await lobby.clock.advance(1.0)
        await arrive(lobby, inbox, second)
        await lobby.clock.advance(0.5)
        await until_due(lobby, began + 1.0 + albums.SETTLED)
        assert heard == []
        await lobby.clock.advance(1.0)
        await until_heard(heard, 1)
        working.cancel()


async def test_an_album_of_a_stopped_process_waits_for_what_the_next_process_receives(
    lobby: Lobby,
) -> None:
    """The first picture was stored before the process ended, and the second was not."""
    first, second = await lobby.ann.sends_album(two())
    await arrive(lobby, inbox_of(lobby, []), first)
    await lobby.clock.advance(60)
    heard: list[int] = []
    inbox = inbox_of(lobby, heard)
    async with asyncio.TaskGroup() as group:
        working = group.create_task(inbox.work())
        await until_due(lobby, lobby.clock.now() + albums.SETTLED)
        assert heard == []
        await arrive(lobby, inbox, second)
        await lobby.clock.advance(albums.SETTLED)
        await until_heard(heard, 1)
        working.cancel()
    assert await lobby.updates.due(now=lobby.clock.now(), most=9) == [], "both went together"


@pytest.mark.parametrize("caption", ["/animate", "a walk"])
async def test_a_late_picture_of_an_album_makes_no_order_of_its_own(
    lobby: Lobby, caption: str
) -> None:
    first, late = await lobby.ann.sends_album(two(caption))
    await lobby.hear_together(first)
    before = await lobby.jobs()
    await lobby.hear_together(late)
    assert "send the whole album again" in lobby.answer(late).text
    assert await lobby.jobs() == before


async def test_a_late_picture_with_the_command_means_the_whole_album(lobby: Lobby) -> None:
    items = [Item(content=png()), Item(content=png(), caption="/animate a walk")]
    first, late = await lobby.ann.sends_album(items)
    await lobby.hear_together(first)
    await lobby.hear_together(late)
    assert "from one picture to another" in lobby.answer(late).text, "two pictures were read"


async def test_in_a_group_a_late_picture_is_answered_only_if_its_album_had_a_command(
    lobby: Lobby,
) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    lobby.fake.promote(club, lobby.fake.bot)
    assert len(await answers_to_late(lobby, club, "/animate@zoetrope_bot")) == 2
    assert await answers_to_late(lobby, club, "look at this") == []


async def answers_to_late(lobby: Lobby, club: Chat, caption: str) -> list[Message]:
    """Return the bot's answers to an album of which one picture is late."""
    first, late = await lobby.ann.sends_album(two(caption), chat=club)
    await lobby.hear_together(first)
    await lobby.hear_together(late)
    return [each for each in lobby.fake.posts(club) if each.reply_to in (first.id, late.id)]


async def test_the_row_of_a_handled_message_keeps_files_of_albums_and_no_words(
    lobby: Lobby,
) -> None:
    first, second = await lobby.ann.sends_album(two("/animate a secret"))
    await lobby.hear_together(first, second)
    around = await albums.Albums(lobby.updates, lobby.platform.line.bot).around(
        as_read(lobby, first)
    )
    assert [each.message_id for each in around] == [first.id, second.id]
    assert all(each.photo and not each.caption for each in around)
    assert albums.kept(lobby.fake.updates.of(await lobby.ann.says("a secret")).json) is None


def as_read(lobby: Lobby, message: Message) -> Read:
    """Return a message of the fake as the bot reads it."""
    (read,) = albums.Albums(lobby.updates, lobby.platform.line.bot).messages_of(
        [Update(id=1, lane="", data=lobby.fake.updates.of(message).json, received_at=0.0)]
    )
    return read
