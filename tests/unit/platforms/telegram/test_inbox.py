"""The order in which updates are handled: their lanes, over real rows."""

import pytest

from bot.core.errors import Unwritten
from bot.platforms.telegram.inbox import Inbox
from tests.fakes.telegram import Chat, Person
from tests.unit.platforms.telegram.conftest import Lobby


async def due(lobby: Lobby, *before: object) -> list[str]:
    """Store these bodies and all of Telegram's updates.

    Return the commands to be handled next, the urgent first.
    """
    inbox = Inbox(
        lobby.platform.line.bot,
        lobby.updates,
        lobby.commands.handle,
        clock=lobby.clock,
        hears=lambda _: None,
        move=lobby.platform.line.move,
        excuse=lobby.commands.excuse,
    )
    await inbox.take([*before, *(each.json for each in lobby.fake.updates.all)])
    return [_said(each.data) for each in await lobby.updates.due(now=lobby.clock.now(), most=99)]


def _said(data: dict[str, dict[str, object]]) -> str:
    """Return the text of an update, or its kind if it has no text."""
    (body,) = (each for each in data.values() if isinstance(each, dict))
    if text := body.get("text"):
        return str(text).replace("@zoetrope_bot", "")
    return next((each for each in body if "migrate" in each), "my_chat_member")


async def club_of(lobby: Lobby) -> tuple[Chat, Person]:
    bob = lobby.fake.person("Bob")
    return lobby.fake.group("club", lobby.ann, bob), bob


async def test_one_persons_many_messages_in_a_group_do_not_delay_other_persons(
    lobby: Lobby,
) -> None:
    club, bob = await club_of(lobby)
    for _ in range(3):
        await bob.says("/help@zoetrope_bot", chat=club)
    for text in ("/video@zoetrope_bot a cat", "/cancel@zoetrope_bot"):
        await lobby.ann.says(text, chat=club)
    assert await due(lobby) == ["/help", "/video a cat"]


async def test_a_person_who_writes_as_a_channel_has_a_lane_of_their_own(lobby: Lobby) -> None:
    club, bob = await club_of(lobby)
    await bob.says("/help@zoetrope_bot", chat=club)
    bob.speaks_as = lobby.fake.channel("news", bob)
    await bob.says("/models@zoetrope_bot", chat=club)
    await bob.says("/quota@zoetrope_bot", chat=club)
    assert await due(lobby) == ["/help", "/models"]


async def test_the_move_of_a_group_is_recorded_before_its_next_message_is_handled(
    lobby: Lobby,
) -> None:
    club, _ = await club_of(lobby)
    grown = lobby.fake.migrate(club)
    await lobby.ann.says("/help@zoetrope_bot", chat=grown)
    assert "/help" in await due(lobby), "nothing was handled yet"
    assert await lobby.platform.line.current(club.id) == grown.id


async def test_an_update_without_a_valid_id_delays_no_later_update(lobby: Lobby) -> None:
    await lobby.ann.says("/video a cat")
    texts = {"message": {"text": "/help"}}
    found = await due(lobby, None, [], texts, {"update_id": "7"}, {"update_id": True})
    assert found == ["/video a cat"]


async def test_the_block_of_the_bot_is_handled_after_earlier_messages_of_the_person(
    lobby: Lobby,
) -> None:
    await lobby.ann.says("/video a cat")
    await lobby.ann.blocks_bot()
    assert await due(lobby) == ["/video a cat"]


async def test_messages_that_cannot_be_stored_wait_and_their_person_is_told_once(
    lobby: Lobby,
) -> None:
    """The disk is full. In a group nobody is told about messages that did not address the bot."""
    club, bob = await club_of(lobby)
    asked = await lobby.ann.says("/video a cat")
    await bob.says("/video@zoetrope_bot a dog", chat=club)
    inbox = Inbox(
        lobby.platform.line.bot,
        _Full(),  # type: ignore[arg-type]
        lobby.commands.handle,
        clock=lobby.clock,
        hears=lambda _: None,
        move=lobby.platform.line.move,
        excuse=lobby.commands.excuse,
    )
    for _ in range(2):
        with pytest.raises(Unwritten):
            await inbox.take([each.json for each in lobby.fake.updates.all])
    assert "this has to wait" in lobby.answer(asked).text
    assert len(lobby.fake.posts(club)) == 1


class _Full:
    """Rows into which nothing can be written."""

    async def put(self, arrived: object) -> None:
        raise Unwritten("database_full")
