"""The account of an order depends on the place where it was ordered, under any id of that place."""

from dataclasses import replace

import pytest

from bot.core.accounts import Accounts, Terms
from bot.core.catalog import Catalog
from bot.core.errors import Refused
from bot.core.jobs import Reason, Status
from bot.core.orders import Address, Call
from bot.core.quotas import Purse
from bot.core.replies import Action
from tests.unit.core.orders import ANN, CATALOG, HALL, SORA, WAN_TEXT, order
from tests.unit.core.scripted import FREE
from tests.unit.core.workshop import Workshop

CLUB = HALL
PUB = replace(HALL, community="pub")
GENERAL = Terms(catalog=CATALOG, limits=replace(FREE, purse=Purse(others=frozenset({"club"}))))
DEAR = replace(SORA, gateway="club", prices={"720p": 100_000})
OWN = Terms(
    catalog=Catalog(models=(DEAR,)),
    limits=replace(FREE, person_videos=2, purse=Purse(gateway="club")),
)


async def never(platform: str, community: str) -> list[str]:
    """Fail: no former id may be looked up."""
    raise AssertionError(f"{platform}:{community} was looked up")


@pytest.mark.parametrize(
    "elsewhere",
    [PUB, replace(HALL, community=None), replace(HALL, platform="discord")],
    ids=["another community", "in private", "another platform"],
)
async def test_a_community_with_its_own_terms_uses_them_and_other_places_do_not(
    elsewhere: Address,
) -> None:
    accounts = Accounts(GENERAL, {("chat", "club"): OWN})
    assert await accounts.terms(CLUB) is OWN
    assert await accounts.terms(elsewhere) is GENERAL


async def test_a_community_has_its_own_terms_under_every_id_it_ever_had() -> None:
    async def ids(_platform: str, community: str) -> list[str]:
        return ["new", "newer", "old"] if community in ("old", "new", "newer") else [community]

    accounts = Accounts(GENERAL, {("chat", "old"): OWN}, ids)
    there = [replace(HALL, community=each) for each in ("old", "newer", "new")]
    assert [await accounts.terms(each) for each in there] == [OWN, OWN, OWN]
    assert await accounts.terms(PUB) is GENERAL


def test_the_present_price_of_a_model_is_found_also_if_only_a_community_has_it() -> None:
    dear = replace(DEAR, name="dear", silent_prices={"720p": 60_000})
    own = Terms(catalog=Catalog(models=(dear,)), limits=OWN.limits)
    accounts = Accounts(GENERAL, {("chat", "club"): own})
    assert accounts.price("dear", "720p", False) == 100_000
    assert accounts.price("dear", "720p", True) == 60_000
    assert accounts.price("dear", "", False) == 100_000, "a quality without a price: the highest"
    assert accounts.price("gone", "720p", False) == 0


async def test_former_ids_are_looked_up_only_for_platforms_with_their_own_terms() -> None:
    accounts = Accounts(GENERAL, {("chat", "club"): OWN}, never)
    assert await accounts.terms(CLUB) is OWN
    assert await accounts.terms(replace(HALL, platform="discord")) is GENERAL
    assert await accounts.terms(replace(HALL, community=None)) is GENERAL


@pytest.fixture
def house(workshop: Workshop) -> Workshop:
    """A workshop where the club has a gateway, one model and limits of its own."""
    workshop.own["chat", "club"] = OWN
    return workshop


async def test_an_order_in_a_community_goes_to_its_own_gateway(house: Workshop) -> None:
    job = await house.submit(order(address=CLUB))
    assert (job.request.model, job.gateway, job.spend_cost) == ("sora-2", "club", 400_000)
    elsewhere = await house.submit(order(address=PUB))
    assert (elsewhere.request.model, elsewhere.gateway) == ("wan-t2v", "main")


async def test_a_model_that_the_communitys_gateway_lacks_is_refused_there(house: Workshop) -> None:
    with pytest.raises(Refused, match="family_unknown"):
        await house.submit(order(address=CLUB, family="wan"))
    await house.submit(order(address=PUB, family="wan"))


async def test_a_community_is_held_to_its_own_limits(house: Workshop) -> None:
    for _ in range(2):
        await house.submit(order(address=CLUB))
    with pytest.raises(Refused, match="limit_person_videos"):
        await house.submit(order(address=CLUB))
    await house.submit(order(address=PUB))


async def test_an_order_repeated_in_another_place_uses_the_account_of_that_place(
    house: Workshop,
) -> None:
    job = await house.submit(order(address=PUB))
    call = Call(event_id="again", address=CLUB, person=ANN, locale="en")
    again = await house.service.again(job.id, Action.RETRY, call)
    assert (job.gateway, again.gateway) == ("main", "club")


async def test_the_videos_left_today_follow_the_limits_of_the_place(house: Workshop) -> None:
    await house.submit(order(address=CLUB))
    await house.submit(order(address=PUB))
    left, usage = await house.service.left(CLUB, ANN)
    assert (left and left.videos, usage.person_videos) == (1, 1)
    assert (await house.service.left(PUB, ANN))[0] is None


async def test_a_card_shows_what_is_left_and_the_cost_by_the_terms_of_the_place(
    house: Workshop,
) -> None:
    facts = {
        fact.id: dict(fact.values)
        for fact in (await house.cards.card(await house.submit(order(address=CLUB)))).facts
    }
    assert facts["fact.cost"] == {"cost": "0.40 USD"}
    assert "fact.left" in facts
    there = await house.cards.card(await house.submit(order(address=PUB)))
    assert {"fact.cost", "fact.left"}.isdisjoint(fact.id for fact in there.facts)


async def test_a_failure_offers_only_models_of_its_place(house: Workshop) -> None:
    failed = [
        replace(
            await house.submit(order(address=address)),
            status=Status.FAILED,
            reason=Reason.MODERATED,
        )
        for address in (CLUB, PUB)
    ]
    here, there = [
        [each.action for each in await house.service.accounts.ways(job)] for job in failed
    ]
    assert Action.TRY_ON not in here, "it has no other model"
    assert Action.TRY_ON in there


async def test_a_button_orders_on_the_account_of_the_place_where_it_is_pressed(
    house: Workshop,
) -> None:
    job = await house.submit(order(address=PUB))
    call = Call(event_id="on", address=CLUB, person=ANN, locale="en")
    other = await house.service.again(job.id, Action.TRY_ON, call)
    assert (other.request.model, other.gateway) == ("sora-2", "club")
    back = await house.submit(order(address=CLUB))
    with pytest.raises(Refused, match="no_way"):
        await house.service.again(back.id, Action.TRY_ON, replace(call, event_id="back"))


async def test_a_limit_in_money_counts_the_price_of_each_quality(workshop: Workshop) -> None:
    wan = replace(WAN_TEXT, prices={"720p": 100_000, "480p": 50_000})
    limits = replace(FREE, purse_money=750_000)
    workshop.own["chat", "club"] = Terms(catalog=Catalog(models=(wan,)), limits=limits)
    for quality in ("480p", "720p"):
        await workshop.submit(order(quality=quality))
    with pytest.raises(Refused, match="limit_purse_money"):
        await workshop.submit(order(quality="480p"))
