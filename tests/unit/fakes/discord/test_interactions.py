"""The fake Discord against the unmodified discord.py: login, commands, interactions."""

import asyncio

import aiohttp
import pytest

from tests.fakes.discord import MIB, Answer, FakeDiscord, Message, MessageType

from .conftest import Clock
from .sample_bot import SampleBot, discord, running, view

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100


def contents(messages: list[Message]) -> list[str]:
    return [message.content for message in messages]


# ---- login and commands


async def test_a_bot_that_logs_in_at_the_fake_knows_its_guild_and_permissions(
    fake: FakeDiscord, bot: SampleBot
) -> None:
    await fake.connected()
    guild = bot.get_guild(fake.guild.id)
    assert guild is not None
    assert guild.me.id == fake.bot.id == bot.application_id
    room = guild.get_channel(fake.channel.id)
    assert room is not None
    assert room.permissions_for(guild.me).attach_files
    assert guild.filesize_limit == 10 * MIB


async def test_a_login_with_a_wrong_token_is_refused(fake: FakeDiscord) -> None:
    with pytest.raises(discord.LoginFailure):
        async with running("wrong", SampleBot()):
            pass


async def test_an_intent_that_was_not_granted_ends_the_connection(fake: FakeDiscord) -> None:
    with pytest.raises(discord.PrivilegedIntentsRequired):
        async with running(fake.token, SampleBot(content_intent=True)):
            pass


async def test_a_request_to_an_unknown_route_is_recorded_for_the_test(fake: FakeDiscord) -> None:
    key = {"Authorization": f"Bot {fake.token}"}
    url = f"{fake.api_url}/voice/regions"
    async with aiohttp.ClientSession(headers=key) as http, http.get(url) as answer:
        assert (answer.status, answer.content_type) == (404, "application/json")
    assert fake.unknown_routes == fake.requests
    fake.unknown_routes.clear()


async def test_registered_commands_keep_their_ids_when_registered_again(
    fake: FakeDiscord, bot: SampleBot
) -> None:
    ids = {command["name"]: command["id"] for command in fake.commands}
    assert list(ids) == ["video", "remix", "Animate"]
    await bot.tree.sync()
    assert {command.name: str(command.id) for command in await bot.tree.fetch_commands()} == ids


# ---- interactions


async def test_a_slash_command_delivers_its_picture_and_gets_an_answer_and_a_follow_up(
    fake: FakeDiscord, bot: SampleBot
) -> None:
    ann = fake.person("ann")
    asked = await ann.slash("video", prompt="a cat", image=fake.attachment(PNG, "cat.png"))
    answer = await asked.answered()
    hidden = await fake.next("message", lambda message: message.ephemeral)
    assert (answer.type, answer.ephemeral) == (Answer.MESSAGE, False)
    assert bot.sent_ids == [asked.original_id]
    assert contents(fake.messages()) == ["queued: a cat", f"Wan, {len(PNG)} bytes"]
    assert hidden.seen_by is ann
    assert asked.followups == [hidden]
    assert asked.original is not None
    assert asked.original.type is MessageType.SLASH_RESPONSE
    assert asked.acknowledged_after is not None
    assert asked.acknowledged_after < 3
    assert [download.status for download in fake.downloads] == [200]


async def test_a_person_can_only_use_registered_commands_and_options(
    fake: FakeDiscord, bot: SampleBot
) -> None:
    ann = fake.person("ann")
    for command, options in (("movie", {}), ("video", {}), ("video", {"prompt": "a", "x": 1})):
        with pytest.raises(LookupError):
            await ann.slash(command, options=options)


async def test_autocomplete_returns_the_bots_choices(fake: FakeDiscord, bot: SampleBot) -> None:
    ann = fake.person("ann")
    choices = await ann.autocomplete("video", focused="model", value="wan")
    assert [choice["value"] for choice in choices] == ["Wan 2.5", "Wan 2.2"]


async def test_a_button_sent_by_an_earlier_process_reaches_the_dynamic_item(
    fake: FakeDiscord,
) -> None:
    ann = fake.person("ann")
    async with running(fake.token, SampleBot()) as first:
        await first.get_partial_messageable(fake.channel.id).send("done", view=view("7"))
    await fake.disconnected()
    async with running(fake.token, SampleBot()):
        pressed = await ann.press(fake.posts()[0], "Again")
        answer = await pressed.answered()
    assert answer.type is Answer.UPDATE
    assert contents(fake.posts()) == ["7 again"]
    assert fake.posts()[0].components == ()


async def test_a_modal_is_opened_and_submitted_with_its_values(
    fake: FakeDiscord, bot: SampleBot
) -> None:
    ann = fake.person("ann")
    opened = await ann.slash("remix")
    assert (await opened.answered()).type is Answer.MODAL
    picture = fake.attachment(PNG, "cat.png")
    sent = await ann.submit_modal(opened, {"Model": "Kling", 2: [picture]})
    await sent.answered()
    assert contents(fake.posts()) == ["a cat ['Kling'] ['cat.png']"]


async def test_a_message_command_shows_content_that_the_bot_may_not_read_otherwise(
    fake: FakeDiscord, bot: SampleBot
) -> None:
    ann = fake.person("ann")
    said = await ann.say("look", attachments=[fake.attachment(PNG, "cat.png")])
    asked = await ann.message_command("Animate", said)
    filled = await fake.next("message")
    assert filled == asked.original
    assert (filled.content, filled.ephemeral) == ("look ['cat.png']", True)
    assert asked.followups == []
    told = await asyncio.wait_for(bot.heard.get(), 60)
    assert (told.content, told.attachments) == ("", [])


async def test_commands_work_in_direct_messages(fake: FakeDiscord, bot: SampleBot) -> None:
    ann = fake.person("ann")
    asked = await ann.slash("video", prompt="a cat", channel=ann.dm)
    await asked.answered()
    await fake.next("message", lambda message: message.ephemeral)
    assert contents(fake.messages(ann.dm)) == ["queued: a cat", "Wan, 0 bytes"]
    assert asked.owners == {"0": "0"}


async def test_commands_are_not_offered_in_a_guild_without_the_app(
    fake: FakeDiscord, bot: SampleBot
) -> None:
    abroad = fake.add_channel(fake.add_guild("Elsewhere", bot_is_member=False), "talk")
    ann = fake.person("ann", installed_app=True, home=abroad)
    with pytest.raises(LookupError):
        await ann.slash("remix")
    with pytest.raises(discord.Forbidden, match="50001"):
        await bot.get_partial_messageable(abroad.id).send("hello")


async def test_an_answer_later_than_three_seconds_is_refused(
    fake: FakeDiscord, bot: SampleBot, clock: Clock
) -> None:
    ann = fake.person("ann")
    hold = fake.hold_before("POST", "/callback$")
    asked = await ann.slash("remix")
    await hold.reached()
    clock.now += 4
    hold.release()
    refused = await fake.next("request", lambda request: request.status == 404)
    assert refused.answer["code"] == 10062
    assert asked.response is None


async def test_a_second_answer_to_an_interaction_is_refused(
    fake: FakeDiscord, bot: SampleBot
) -> None:
    asked = await fake.person("ann").slash("remix")
    await asked.answered()
    url = f"{fake.api_url}/interactions/{asked.id}/{asked.token}/callback"
    async with aiohttp.ClientSession() as http, http.post(url, json={"type": 4}) as again:
        assert (again.status, (await again.json())["code"]) == (400, 40060)


async def test_an_interaction_token_expires_after_fifteen_minutes(
    fake: FakeDiscord, bot: SampleBot, clock: Clock
) -> None:
    asked = await fake.person("ann").slash("video", prompt="a cat")
    await fake.next("message", lambda message: message.ephemeral)
    original = f"{fake.api_url}/webhooks/{fake.bot.id}/{asked.token}/messages/@original"
    async with aiohttp.ClientSession() as http:
        async with http.patch(original, json={"content": "done"}) as edited:
            assert edited.status == 200
        clock.now += 15 * 60 + 1
        async with http.get(original) as gone:
            assert (gone.status, (await gone.json())["code"]) == (401, 50027)
    assert contents(fake.posts())[0] == "done"


async def test_a_user_installed_app_may_send_five_follow_ups(
    fake: FakeDiscord, bot: SampleBot
) -> None:
    group = fake.add_group_dm(fake.person("bob"))
    fake.commands[1]["integration_types"] = [1]
    ann = fake.person("ann", installed_app=True, home=group)
    asked = await ann.slash("remix")
    await asked.answered()
    url = f"{fake.api_url}/webhooks/{fake.bot.id}/{asked.token}"
    statuses = []
    async with aiohttp.ClientSession() as http:
        for _ in range(6):
            async with http.post(url, json={"content": "more"}) as answer:
                statuses.append(answer.status)
    assert statuses == [200] * 5 + [400]
    assert asked.owners == {"1": str(ann.id)}
