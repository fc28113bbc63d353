"""Requests to Telegram with an unknown outcome."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest

from bot.core import cards, replies
from bot.core.errors import Refused
from bot.core.jobs import Reason, Status
from bot.core.posts import Post, PostKind
from bot.platforms.telegram import messages
from tests.unit.platforms.telegram.house import House, with_card


@pytest.mark.parametrize("clip", [True, False])
async def test_a_result_that_may_have_been_sent_replaces_its_card(house: House, clip: bool) -> None:
    about = await with_card(house)
    for _ in range(3):
        stands = await house.send(about, clip=clip, again=True)
        await house.clock.advance(10)
    (post,) = house.posts()
    assert stands == (str(post.id), str(house.ann.id))
    assert "here is your video" in post.text
    assert (post.media is not None) is clip


async def test_a_card_replaced_by_its_result_is_no_longer_edited(house: House) -> None:
    about = await with_card(house)
    stands = await house.send(about, clip=False, again=True)
    result = Post(id=3, job_id=about.id, kind=PostKind.RESULT, due_at=None, message_id=stands[0])
    house.rows.posts["result"] = result
    with pytest.raises(Refused):
        await house.platform.edit(house.rows.posts["card"], about, cards.card(about))
    assert "here is your video" in house.posts()[0].text


@pytest.mark.parametrize("number", ["0", None])
async def test_without_a_card_a_result_with_an_unknown_outcome_is_sent_once_more(
    house: House, number: str | None
) -> None:
    about = await with_card(house)
    house.rows.posts["card"] = replace(house.rows.posts["card"], message_id=number)
    await house.send(about, again=True)
    assert len(house.posts()) == 2


async def test_a_card_with_an_unknown_outcome_is_not_sent_for_ever(house: House) -> None:
    about = house.job()
    card = Post(id=1, job_id=about.id, kind=PostKind.CARD, due_at=None, attempts=3)
    with pytest.raises(Refused) as caught:
        await house.platform.send_again(card, about, cards.card(about), video=None)
    assert (caught.value.code, house.posts()) == ("maybe_sent", [])


async def test_a_card_replaced_by_a_link_is_not_overwritten_by_a_waiting_edit(house: House) -> None:
    about = await with_card(house)
    await house.send(about)  # uses up the budget, so that edits wait
    card = house.rows.posts["card"]
    async with asyncio.TaskGroup() as group:
        over = cards.card(replace(about, status=Status.CANCELLED))
        edit = group.create_task(_gone(house.platform.edit(card, about, over)))
        await house.clock.asleep()
        link = replies.result(about, link="https://bot.test/v/x", link_expires_at=0.0)
        rendered = messages.rendered(link, "en", name="Ann")
        await house.platform.line.edit(house.ann.id, int(card.message_id or 0), rendered)
        house.rows.posts["result"] = replace(card, kind=PostKind.RESULT)
        await house.clock.advance(5)
    assert edit.result()
    assert "https://bot.test/v/x" in house.posts()[0].text


async def _gone(edit: Coroutine[Any, Any, None]) -> bool:
    """Whether the edit is refused because the card is gone."""
    try:
        await edit
    except Refused as refused:
        return refused.code == "card_gone"
    return False


async def test_the_card_of_a_video_that_could_not_be_posted_points_to_the_history(
    house: House,
) -> None:
    about = replace(house.job(), reason=Reason.UNDELIVERABLE)
    card = Post(id=1, job_id=about.id, kind=PostKind.CARD, due_at=None)
    await house.platform.send(card, about, cards.card(about), video=None)
    assert "send me /history in a private chat" in house.posts()[-1].text
