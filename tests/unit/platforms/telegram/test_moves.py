"""A group that became a supergroup: acts in the former group count for the supergroup."""

from dataclasses import replace

import pytest

from bot.core.cards import card
from bot.core.errors import Refused, Temporary
from bot.core.jobs import Status
from bot.core.orders import Address
from bot.core.platforms import standing
from bot.core.posts import PostKind
from tests.fakes.telegram import Chat
from tests.unit.platforms.telegram.conftest import Lobby


def hall(chat: Chat) -> Address:
    """Return the address of a chat, without a message to reply to."""
    return Address(platform="telegram", channel=str(chat.id), community=str(chat.id))


async def moved(lobby: Lobby, group: Chat) -> Chat:
    """Turn a group into a supergroup whose new id is recorded."""
    club = lobby.fake.migrate(group)
    await lobby.communities.move("telegram", str(group.id), str(club.id))
    return club


async def test_a_press_in_the_former_group_orders_for_the_supergroup(lobby: Lobby) -> None:
    group = lobby.fake.group("club", lobby.ann)
    video = await lobby.result(await lobby.made(await lobby.ordered(chat=group)))
    club = await moved(lobby, group)
    await lobby.hear(await lobby.ann.presses(video, "Try again"))
    _, again = await lobby.jobs()
    assert again.order.call.address == hall(club)


async def test_a_press_in_the_former_group_is_refused_if_the_supergroup_is_closed(
    lobby: Lobby,
) -> None:
    group = lobby.fake.group("club", lobby.ann)
    video = await lobby.result(await lobby.made(await lobby.ordered(chat=group)))
    club = await moved(lobby, group)
    await lobby.places.decide("telegram", str(club.id), allowed=False, by="ada", now=0)
    pressed = await lobby.ann.presses(video, "Try again")
    await lobby.hear(pressed)
    assert "not switched on here" in (await pressed.answered()).text


async def test_the_rank_of_a_presser_in_the_former_group_is_asked_in_the_supergroup(
    lobby: Lobby,
) -> None:
    owner = lobby.fake.person("owner")
    group = lobby.fake.group("club", owner, lobby.ann)
    standing = await lobby.card(job := await lobby.ordered(chat=group))
    await moved(lobby, group)
    await lobby.hear(await owner.presses(standing, "Cancel"))
    assert (await lobby.job(job.id)).status is Status.CANCELLED


async def test_an_order_from_the_former_group_is_answered_in_the_supergroup_without_a_reply(
    lobby: Lobby,
) -> None:
    group = lobby.fake.group("club", lobby.ann)
    asked = await lobby.ann.says("/video@zoetrope_bot a cat", chat=group)
    club = await moved(lobby, group)
    await lobby.hear(asked)
    (job,) = await lobby.jobs()
    assert job.order.call.address == hall(club)
    assert (await lobby.card(job)).reply_to is None


async def test_a_command_from_the_former_group_is_answered_in_the_supergroup_without_a_reply(
    lobby: Lobby,
) -> None:
    """A message number of the former group means another message in the supergroup."""
    group = lobby.fake.group("club", lobby.ann)
    for _ in range(2):
        asked = await lobby.ann.says("/help@zoetrope_bot", chat=group)
    club = await moved(lobby, group)
    assert asked.id in club.messages
    await lobby.hear(asked)
    (answer,) = lobby.fake.posts(club)
    assert answer.reply_to is None


async def test_an_update_handled_before_and_after_the_move_is_one_order(lobby: Lobby) -> None:
    group = lobby.fake.group("club", lobby.ann)
    asked = await lobby.ann.says("/video@zoetrope_bot a cat", chat=group)
    await lobby.hear(asked)
    await moved(lobby, group)
    await lobby.hear(asked)
    assert len(await lobby.jobs()) == 1


async def test_two_messages_from_the_former_group_are_two_orders(lobby: Lobby) -> None:
    group = lobby.fake.group("club", lobby.ann)
    asked = [await lobby.ann.says("/video@zoetrope_bot a cat", chat=group) for _ in range(2)]
    await moved(lobby, group)
    for each in asked:
        await lobby.hear(each)
    assert len(await lobby.jobs()) == 2


async def test_an_anonymous_admins_order_from_the_former_group_counts_for_the_supergroup(
    lobby: Lobby,
) -> None:
    group = lobby.fake.group("club", lobby.ann)
    lobby.ann.is_anonymous = True
    asked = await lobby.ann.says("/video@zoetrope_bot a cat", chat=group)
    club = await moved(lobby, group)
    await lobby.hear(asked)
    (job,) = await lobby.store.jobs.recent("telegram", str(club.id), most=9)
    assert job.order.call.address == hall(club)


async def test_a_press_that_first_notices_that_the_group_moved_records_the_move_and_is_retried(
    lobby: Lobby,
) -> None:
    """The presser's rank can't be asked in the former group, and the press is not lost."""
    owner = lobby.fake.person("owner")
    group = lobby.fake.group("club", owner, lobby.ann)
    standing = await lobby.card(job := await lobby.ordered(chat=group))
    lobby.fake.migrate(group)
    pressed = await owner.presses(standing, "Cancel")
    with pytest.raises(Temporary):
        await lobby.hear(pressed)
    await lobby.hear(pressed)
    assert (await lobby.job(job.id)).status is Status.CANCELLED


async def test_delete_pressed_in_the_former_group_is_answered(lobby: Lobby) -> None:
    group = lobby.fake.group("club", lobby.ann)
    result = await lobby.result(await lobby.made(await lobby.ordered(chat=group)))
    await moved(lobby, group)
    pressed = await lobby.ann.presses(result, "Delete")
    await lobby.hear(pressed)
    assert (await pressed.answered()).text


# --- messages in the former group -----------------------------------------------------------------


async def test_messages_left_in_the_former_group_are_neither_edited_nor_removed(
    lobby: Lobby,
) -> None:
    group = lobby.fake.group("club", lobby.ann)
    job = await lobby.made(await lobby.ordered(chat=group))
    await lobby.card(job)
    await lobby.result(job)
    await moved(lobby, group)
    job, calls = await lobby.job(job.id), len(lobby.fake.calls)
    status = await lobby.store.post(job, PostKind.CARD)
    result = await lobby.store.post(job, PostKind.RESULT)
    assert status is not None
    assert result is not None
    with pytest.raises(Refused) as caught:
        await lobby.platform.edit(status, job, card(job))
    await lobby.platform.remove(standing(result, job))
    assert caught.value.code == "card_gone"
    assert len(lobby.fake.calls) == calls


async def test_an_edit_that_first_notices_that_the_group_moved_records_the_move_and_is_retried(
    lobby: Lobby,
) -> None:
    group = lobby.fake.group("club", lobby.ann)
    await lobby.card(job := await lobby.ordered(chat=group))
    status = await lobby.store.post(job, PostKind.CARD)
    assert status is not None
    club = lobby.fake.migrate(group)
    with pytest.raises(Temporary):
        await lobby.platform.edit(status, job, card(replace(job, status=Status.IN_PROGRESS)))
    assert (await lobby.job(job.id)).order.call.address == hall(club)


async def test_after_the_move_a_result_does_not_reply_to_the_former_card(lobby: Lobby) -> None:
    group = lobby.fake.group("club", lobby.ann)
    job = await lobby.made(await lobby.ordered(chat=group))
    card_number = (await lobby.card(job)).id
    club = await moved(lobby, group)
    while (await lobby.ann.says("hello", chat=club)).id < card_number:
        pass
    video = await lobby.result(await lobby.job(job.id))
    assert (video.chat, video.reply_to) == (club, None)
