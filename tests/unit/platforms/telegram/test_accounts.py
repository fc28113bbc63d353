"""A group with models and limits of its own is shown only these, and must keep to them."""

from dataclasses import replace

import pytest

from bot.core.accounts import Accounts, Terms
from bot.core.catalog import Catalog
from tests.contract.rows import FREE
from tests.fakes.telegram import Chat
from tests.unit.core.orders import CATALOG
from tests.unit.platforms.telegram.conftest import Lobby


@pytest.fixture
def club(lobby: Lobby) -> Chat:
    """Return a group that has one model, and two videos a day for each person."""
    group = lobby.fake.group("club", lobby.ann)
    (own,) = (model for model in CATALOG.models if model.family == "sora")
    terms = Terms(catalog=Catalog(models=(own,)), limits=replace(FREE, person_videos=2))
    lobby.service.accounts = Accounts(
        lobby.service.accounts.general,
        {("telegram", str(group.id)): terms},
        lobby.communities.ids,
    )
    return group


async def said(lobby: Lobby, text: str, chat: Chat | None = None) -> str:
    """Say `text`, and return the bot's answer."""
    await lobby.hear(asked := await lobby.ann.says(text, chat=chat))
    return lobby.answer(asked).text


async def test_a_group_with_its_own_models_lists_only_these_and_a_private_chat_the_general_ones(
    lobby: Lobby, club: Chat
) -> None:
    assert "Wan" not in await said(lobby, "/models@zoetrope_bot", club)
    assert "Wan" in await said(lobby, "/models")


async def test_a_group_with_its_own_limits_is_told_these_limits(lobby: Lobby, club: Chat) -> None:
    await lobby.ordered(chat=club)
    assert "1 of 2" in await said(lobby, "/quota@zoetrope_bot", club)
    assert "of 2" not in await said(lobby, "/quota")


async def test_a_model_that_a_group_does_not_have_is_refused_with_the_groups_models(
    lobby: Lobby, club: Chat
) -> None:
    answer = await said(lobby, "/video@zoetrope_bot a cat --model wan", club)
    assert "Sora" in answer
    assert await lobby.jobs() == []


async def test_a_group_that_became_a_supergroup_keeps_its_own_models(
    lobby: Lobby, club: Chat
) -> None:
    grown = lobby.fake.migrate(club)
    await lobby.communities.move("telegram", str(club.id), str(grown.id))
    job = await lobby.ordered(chat=grown)
    assert (job.order.call.address.community, job.request.model) == (str(grown.id), "sora-2")
