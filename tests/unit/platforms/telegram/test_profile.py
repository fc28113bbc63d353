"""The bot's profile on Telegram: each person is shown the commands that they may use, and what the
bot does.
"""

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from bot.core.commands import COMMANDS, Who
from bot.core.orders import Person
from bot.platforms.telegram.profile import Profile
from bot.store.settings import StoredValues as Facts
from bot.store.tables import owners
from tests.fakes.telegram import bad_request
from tests.unit.platforms.telegram.conftest import Lobby

OWNERS = {each.name for each in COMMANDS.values() if each.who is Who.OWNERS}


def profile_of(lobby: Lobby) -> Profile:
    facts = Facts(lobby.database)
    return Profile(lobby.platform.line.bot, entry=lobby.entry, facts=facts)


def names(lobby: Lobby, scope: str, language: str = "") -> set[str]:
    return {str(each["command"]) for each in lobby.fake.commands(scope, language)}


async def claimed(lobby: Lobby) -> None:
    code = await lobby.entry.access.new_code()
    address = (await lobby.ordered()).order.call.address
    await lobby.entry.access.claim(code or "", Person(id=str(lobby.ann.id), name="Ann"), address)


@pytest.mark.parametrize("language", ["", "en"])
async def test_everybodys_commands_are_shown_in_private_chats_and_groups(
    lobby: Lobby, language: str
) -> None:
    await profile_of(lobby).show()
    everybody = {each.name for each in COMMANDS.values() if each.who is Who.EVERYBODY}
    alone = {each.name for each in COMMANDS.values() if each.alone}
    assert names(lobby, "all_private_chats", language) == everybody | {"start"}
    assert names(lobby, "all_group_chats", language) == everybody - alone
    assert {"jobs", "settings"} <= names(lobby, "all_private_chats", language)
    assert "I make videos" in lobby.fake.description("description", language)
    assert "Makes videos" in lobby.fake.description("short_description", language)


async def test_only_owners_are_shown_the_owners_commands(lobby: Lobby) -> None:
    await claimed(lobby)
    await profile_of(lobby).show()
    assert names(lobby, f"chat {lobby.ann.id}") >= OWNERS
    wide = names(lobby, "all_private_chats") | names(lobby, "all_group_chats")
    assert wide & (OWNERS | {"claim"}) == set()


async def test_a_former_owner_is_no_longer_shown_the_owners_commands(lobby: Lobby) -> None:
    await claimed(lobby)
    await profile_of(lobby).show()
    await lobby.database.run(lambda connection: connection.execute(sa.delete(owners)))
    await profile_of(lobby).show()
    assert names(lobby, f"chat {lobby.ann.id}") == set()


async def test_an_unchanged_profile_is_not_sent_to_telegram_again(lobby: Lobby) -> None:
    await claimed(lobby)
    await profile_of(lobby).show()
    lobby.fake.calls.clear()
    await profile_of(lobby).show()
    assert lobby.fake.calls == []


async def test_a_profile_text_that_telegram_refuses_is_logged_and_sent_at_the_next_start(
    lobby: Lobby,
) -> None:
    await claimed(lobby)
    lobby.fake.faults.add("setMyDescription", bad_request("no"))
    with capture_logs() as lines:
        await profile_of(lobby).show()
    assert [each["event"] for each in lines].count("telegram.commands_refused") == 1
    assert names(lobby, f"chat {lobby.ann.id}") >= OWNERS
    await profile_of(lobby).show()
    assert lobby.fake.description("description", "en")


async def test_commands_for_an_owner_unknown_to_telegram_are_logged_and_sent_later(
    lobby: Lobby,
) -> None:
    await claimed(lobby)
    lobby.fake.faults.add("setMyCommands", bad_request("chat not found"), times=9)
    with capture_logs() as lines:
        await profile_of(lobby).show_owners()
    assert [each["event"] for each in lines] == ["telegram.commands_refused"]
    lobby.fake.faults.clear()
    await profile_of(lobby).show_owners()
    assert names(lobby, f"chat {lobby.ann.id}") >= OWNERS
