"""A group that adds the bot is greeted, and edited orders are answered, each with one sentence."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from bot.core.errors import Temporary
from bot.core.updates import Update
from bot.platforms.telegram.inbox import SETTLED
from tests.fakes.telegram import Chat, Fault, accepted, bad_request, flood, kicked, reset
from tests.unit.platforms.telegram.conftest import Lobby
from tests.unit.platforms.telegram.test_presses import inbox_of

HELLO = "Hello! I make videos"
EDITED = "Editing a message does not change"


async def let_in(lobby: Lobby, *, as_admin: bool = False) -> Chat:
    """Return a group to which the bot was just added."""
    club = lobby.fake.supergroup("club", lobby.ann)
    await lobby.ann.kicks_bot(club)
    await lobby.ann.adds_bot(club, as_admin=as_admin)
    return club


def said(lobby: Lobby, chat: Chat) -> list[str]:
    return [each.text for each in lobby.fake.posts(chat)]


@pytest.mark.parametrize("as_admin", [False, True])
async def test_a_group_that_adds_the_bot_is_greeted_once(lobby: Lobby, as_admin: bool) -> None:
    club = await let_in(lobby, as_admin=as_admin)
    await lobby.hear(club)
    (hello,) = said(lobby, club)
    assert hello.startswith(HELLO)
    assert "/help" in hello


async def test_a_change_of_the_bots_rank_causes_no_greeting(lobby: Lobby) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    for as_admin in (True, False):
        await lobby.ann.adds_bot(club, as_admin=as_admin)
        await lobby.hear(club)
    assert said(lobby, club) == []


async def test_neither_a_private_chat_nor_a_channel_is_greeted(lobby: Lobby) -> None:
    await lobby.ann.blocks_bot()
    await lobby.ann.unblocks_bot()
    await lobby.hear(lobby.ann.private)
    news = lobby.fake.channel("news", lobby.ann)
    await lobby.ann.kicks_bot(news)
    await lobby.ann.adds_bot(news, as_admin=True)
    await lobby.hear(news)
    assert said(lobby, lobby.ann.private) == said(lobby, news) == []


async def test_the_bots_arrival_in_a_group_reported_twice_is_greeted_once(lobby: Lobby) -> None:
    club = await let_in(lobby)
    value = lobby.fake.updates.of(club)
    inbox = inbox_of(lobby, lobby.commands.handle)
    for _ in range(2):
        await inbox.take([value.json])
        await lobby.clock.advance(SETTLED)
        for update in await lobby.updates.due(now=lobby.clock.now(), most=9):
            await lobby.commands.handle(update)
            await lobby.updates.done(update)
    assert len(said(lobby, club)) == 1


@pytest.mark.parametrize(
    "fault",
    [
        bad_request("not enough rights to send text messages to the chat"),
        kicked(),
        accepted(reset()),
    ],
    ids=["muted", "removed", "unknown outcome"],
)
async def test_a_greeting_that_is_forbidden_or_may_have_arrived_is_not_sent_again(
    lobby: Lobby, fault: Fault
) -> None:
    club = await let_in(lobby)
    lobby.fake.faults.add("sendMessage", fault)
    await lobby.hear(club)
    assert len(lobby.fake.calls_of("sendMessage")) == 1


async def test_a_greeting_that_was_not_sent_is_sent_again(lobby: Lobby) -> None:
    club = await let_in(lobby)
    lobby.fake.faults.add("sendMessage", flood(7))
    with pytest.raises(Temporary):
        await lobby.hear(club)
    await lobby.clock.advance(8)
    await lobby.hear(club)
    assert len(said(lobby, club)) == 1


async def test_a_group_that_became_a_supergroup_is_not_greeted_again(lobby: Lobby) -> None:
    """The update about the new id may come first, so the greeting waits for the update about the
    former id.
    """
    group = lobby.fake.group("club", lobby.ann)
    club = lobby.fake.migrate(group)
    await lobby.ann.kicks_bot(club)
    await lobby.ann.adds_bot(club)
    inbox = inbox_of(lobby, lobby.commands.handle)
    moved = next(each for each in lobby.fake.updates.all if "migrate_to_chat_id" in str(each.json))
    await inbox.take([lobby.fake.updates.of(club).json])
    assert await lobby.updates.due(now=lobby.clock.now(), most=9) == []
    await inbox.take([moved.json])
    await lobby.clock.advance(SETTLED)
    for update in await lobby.updates.due(now=lobby.clock.now(), most=9):
        await lobby.commands.handle(update)
    assert said(lobby, club) == []


# --- edits ----------------------------------------------------------------------------------------


async def edited(lobby: Lobby, before: str, after: str, chat: Chat | None = None) -> list[str]:
    """Edit a message, and return the answers."""
    first = await lobby.ann.says(before, chat=chat)
    place = first.chat
    await lobby.clock.advance(1)
    await lobby.hear(await lobby.ann.edits(first, after))
    return said(lobby, place)


@pytest.mark.parametrize("after", ["/video a dog", "/animate", "/help", "/cancel", "/start"])
async def test_an_edited_command_in_private_is_answered_with_a_hint_and_orders_nothing(
    lobby: Lobby, after: str
) -> None:
    (value,) = await edited(lobby, "/video a cat", after)
    assert value.startswith(EDITED)
    assert await lobby.jobs() == []


@pytest.mark.parametrize("after", ["a dog", "/dance", "/video@other_bot a dog"])
async def test_an_edited_text_that_is_no_command_of_ours_is_ignored(
    lobby: Lobby, after: str
) -> None:
    assert await edited(lobby, "a cat", after) == []


@pytest.mark.parametrize(
    ("after", "count"),
    [("/video@zoetrope_bot a dog", 1), ("/animate@zoetrope_bot", 1), ("/help@zoetrope_bot", 0)],
)
async def test_in_a_group_only_an_edited_order_is_answered(
    lobby: Lobby, after: str, count: int
) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    assert len(await edited(lobby, "/video@zoetrope_bot a cat", after, club)) == count
    assert await lobby.jobs() == []


@pytest.mark.parametrize("changes", [{"edit_date": None}, {"edit_date": 1}])
async def test_an_edit_report_without_a_recent_edit_is_ignored(
    lobby: Lobby, changes: Mapping[str, Any]
) -> None:
    """Telegram reports an edit when the preview of a link loads, or for another change long after
    the edit.
    """
    first = await lobby.ann.says("/video a cat")
    value = lobby.fake.updates.of(await lobby.ann.edits(first, "/video a cat"))
    body = {key: it for key, it in (value.body | dict(changes)).items() if it is not None}
    data = value.json | {"edited_message": body}
    now = lobby.clock.now()
    await lobby.commands.handle(Update(id=value.id, lane="", data=data, received_at=now))
    assert said(lobby, first.chat) == []


async def test_an_edit_of_a_message_sent_via_another_bot_is_ignored(lobby: Lobby) -> None:
    first = await lobby.ann.says("/video a cat")
    lobby.fake.world.edit(replace(first, via_bot=lobby.fake.person("Bot"), edited_at=1.0))
    await lobby.hear(lobby.fake.now(first))
    assert said(lobby, first.chat) == []
