"""Scripted faults of the fake Telegram, and mistakes of the bot that the fake notices."""

import asyncio

import aiohttp
import pytest
from aiogram import Bot
from aiogram.exceptions import (
    ClientDecodeError,
    RestartingTelegram,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramUnauthorizedError,
)
from aiogram.types import BufferedInputFile

from tests.fakes.telegram import (
    FakeTelegram,
    Fault,
    Person,
    accepted,
    bad_gateway,
    bad_request,
    blocked,
    conflict,
    deactivated,
    flood,
    garbled,
    internal,
    kicked,
    reset,
    too_large,
    unauthorized,
)

from .conftest import Clock

VIDEO = BufferedInputFile(b"v" * 5000, "cat.mp4")


def texts(fake: FakeTelegram, ann: Person) -> list[str]:
    return [message.text for message in fake.posts(ann.private)]


# --- scripted faults


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (bad_request("have no rights to send a message"), TelegramBadRequest),
        (blocked(), TelegramForbiddenError),
        (kicked(), TelegramForbiddenError),
        (deactivated(), TelegramForbiddenError),
        (unauthorized(), TelegramUnauthorizedError),
        (conflict(), TelegramConflictError),
        (internal(), RestartingTelegram),
        (bad_gateway(), ClientDecodeError),
        (too_large(), ClientDecodeError),
        (garbled(), ClientDecodeError),
        (reset(), TelegramNetworkError),
    ],
)
async def test_a_scripted_fault_ends_one_call_before_it_takes_effect(
    fake: FakeTelegram, bot: Bot, ann: Person, fault: Fault, kind: type[Exception]
) -> None:
    fake.faults.add("sendMessage", fault)
    with pytest.raises(kind):
        await bot.send_message(ann.id, "one")
    await bot.send_message(ann.id, "two")
    assert texts(fake, ann) == ["two"]
    assert len(fake.calls) == 2


async def test_a_scripted_fault_is_limited_to_a_method_a_chat_and_a_number_of_times(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    bob = fake.person("Bob", started=True)
    fake.faults.add("sendmessage", blocked(), chat=ann.id, times=2)
    await bot.send_message(bob.id, "hello")
    for _ in range(2):
        with pytest.raises(TelegramForbiddenError):
            await bot.send_message(ann.id, "hello")
    await bot.send_message(ann.id, "hello")
    fake.faults.add("*", internal(), times=None)
    for call in (bot.get_me(), bot.send_message(bob.id, "x"), bot.get_updates()):
        with pytest.raises(RestartingTelegram):
            await call


@pytest.mark.parametrize("fault", [reset(), bad_gateway(), garbled()])
async def test_a_fault_after_acceptance_loses_only_the_answer(
    fake: FakeTelegram, bot: Bot, ann: Person, fault: Fault
) -> None:
    fake.faults.add("sendVideo", accepted(fault))
    with pytest.raises((TelegramNetworkError, ClientDecodeError)):
        await bot.send_video(ann.id, VIDEO, caption="a cat")
    assert texts(fake, ann) == ["a cat"]
    assert (await fake.next("sendVideo")).method == "sendVideo"


async def test_a_held_answer_comes_after_the_video_is_in_the_chat(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    hold = fake.hold("sendVideo")
    async with asyncio.TaskGroup() as tasks:
        sending = tasks.create_task(bot.send_video(ann.id, VIDEO, caption="a cat"))
        call = await hold.reached()
        assert (call.chat, texts(fake, ann)) == (ann.id, ["a cat"])
        assert not sending.done()
        hold.release()
    assert sending.result().caption == "a cat"


async def test_a_call_can_be_held_before_it_takes_effect(
    fake: FakeTelegram, bot: Bot, ann: Person
) -> None:
    hold = fake.hold_before("sendMessage", chat=ann.id)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(bot.send_message(ann.id, "hello"))
        await hold.reached()
        assert texts(fake, ann) == []
        hold.release()
    assert texts(fake, ann) == ["hello"]


async def test_sending_during_a_flood_wait_makes_the_wait_longer(
    fake: FakeTelegram, bot: Bot, ann: Person, clock: Clock
) -> None:
    bob = fake.person("Bob", started=True)
    fake.faults.add("sendMessage", flood(10))
    waits = []
    for _ in range(2):
        with pytest.raises(TelegramRetryAfter) as caught:
            await bot.send_message(ann.id, "x")
        waits.append(caught.value.retry_after)
        clock.now += 5
    assert waits == [10, 15]
    with pytest.raises(TelegramRetryAfter):
        await bot.edit_message_text("x", chat_id=ann.id, message_id=1)
    assert len(fake.faults.impatient) == 2
    await bot.send_message(bob.id, "another chat")
    await bot.send_chat_action(ann.id, "typing")
    clock.now += 25
    await bot.send_message(ann.id, "hello")
    assert texts(fake, ann) == ["hello"]


# --- noticed mistakes


async def test_more_than_twenty_messages_and_edits_a_minute_in_a_group_are_noticed(
    fake: FakeTelegram, bot: Bot, ann: Person, clock: Clock
) -> None:
    group = fake.group("Club", ann)
    card = await bot.send_message(group.id, "0")
    for number in range(1, 20):
        clock.now += 1
        await bot.edit_message_text(str(number), chat_id=group.id, message_id=card.message_id)
    fake.check()
    clock.now += 40
    with pytest.raises(TelegramBadRequest):
        await bot.edit_message_text("19", chat_id=group.id, message_id=card.message_id)
    with pytest.raises(AssertionError, match="editMessageText in <Club>"):
        fake.check()


async def test_a_private_chat_allows_a_burst_and_then_one_message_a_second(
    fake: FakeTelegram, bot: Bot, ann: Person, clock: Clock
) -> None:
    for number in range(fake.rates.burst):
        await bot.send_message(ann.id, str(number))
    for number in range(10):
        clock.now += 1
        await bot.send_message(ann.id, str(number))
    fake.check()
    await bot.send_message(ann.id, "too soon")
    assert [excess.where for excess in fake.rates.excesses] == ["<Ann>"]


async def test_more_than_thirty_messages_a_second_over_all_chats_are_noticed(
    fake: FakeTelegram, bot: Bot
) -> None:
    people = [fake.person(f"P{number}", started=True) for number in range(31)]
    for person in people[:30]:
        await bot.send_message(person.id, "hello")
    fake.check()
    await bot.send_message(people[30].id, "hello")
    assert [excess.where for excess in fake.rates.excesses] == ["all chats"]


async def test_a_token_in_a_sent_text_is_noticed_as_leaked(
    fake: FakeTelegram, bot: Bot, ann: Person, http: aiohttp.ClientSession
) -> None:
    secret = fake.token.partition(":")[2]
    address = f"{fake.api_url}/file/bot{fake.token}/photos/file_1.jpg"
    assert fake.leaks(f"GET {address}")
    assert fake.leaks(f"…{secret}".encode())
    assert not fake.leaks(f"bot {fake.bot.id}")
    await bot.send_message(ann.id, "fine")
    fake.check()
    await bot.send_message(ann.id, f"look: {address}")
    await http.get(f"{fake.api_url}/elsewhere", headers={"Referer": address})
    assert fake.desk.leaks == [
        "sendMessage: the token is in text",
        "/elsewhere: the token is in Referer",
    ]


async def test_calls_with_unknown_methods_and_fields_are_noticed(
    fake: FakeTelegram, bot: Bot, ann: Person, http: aiohttp.ClientSession
) -> None:
    with pytest.raises(TelegramAPIError, match="method not found"):
        await bot.send_dice(ann.id)
    address = f"{fake.api_url}/bot{fake.token}/sendMessage"
    await http.post(address, json={"chat_id": ann.id, "text": "x", "thread": 5})
    with pytest.raises(AssertionError) as caught:
        fake.check()
    assert str(caught.value) == "there is no sendDice\nsendMessage knows no ['thread']"


async def test_a_call_with_a_wrong_token_is_refused(
    fake: FakeTelegram, http: aiohttp.ClientSession
) -> None:
    async with http.get(f"{fake.api_url}/bot1:wrong/getMe") as answer:
        body = {"ok": False, "error_code": 401, "description": "Unauthorized"}
        assert (answer.status, await answer.json()) == (401, body)


@pytest.mark.parametrize("way", ["query", "form", "json", "multipart"])
async def test_a_call_may_come_as_query_form_json_or_multipart(
    fake: FakeTelegram, ann: Person, http: aiohttp.ClientSession, way: str
) -> None:
    address = f"{fake.api_url}/bot{fake.token}/SENDMESSAGE"
    fields = {"chat_id": str(ann.id), "text": "hello"}
    match way:
        case "query":
            await http.get(address, params=fields)
        case "form":
            await http.post(address, data=fields)
        case "json":
            await http.post(address, json={**fields, "chat_id": ann.id})
        case _:
            form = aiohttp.FormData(fields, default_to_multipart=True)
            await http.post(address, data=form)
    call = await fake.next("sendMessage")
    assert (call.fields, call.status) == ({"chat_id": ann.id, "text": "hello"}, 200)
