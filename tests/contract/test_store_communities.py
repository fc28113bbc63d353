"""A community that gets another id keeps its jobs, and no reply points to a stranger's message."""

from dataclasses import replace

from bot.core import moves
from bot.core.access import Access, Default
from bot.core.jobs import Status
from bot.core.orders import Address
from bot.core.posts import PostKind
from bot.store.communities import Communities
from bot.store.places import Places
from tests.contract.rows import NOON, Store, a_job
from tests.fakes.clock import FakeClock
from tests.unit.core.orders import changed


def in_group(channel: str = "-5", community: str | None = "-5") -> Address:
    """Return an address in a Telegram group."""
    return Address(platform="telegram", channel=channel, community=community, message="3")


async def job_in(store: Store, address: Address) -> str:
    """Admit a job that was ordered at this address, and return its id."""
    plain = a_job(platform="telegram", community=address.community)
    order = changed(plain.order, address=address)
    return (await store.admitted(replace(plain, order=order))).id


async def moved(store: Store) -> None:
    """Give the group -5 its new id -1005."""
    await Communities(store.database).move("telegram", "-5", "-1005")


async def test_jobs_move_with_their_community_keep_their_topic_and_reply_to_nothing(
    store: Store,
) -> None:
    hall = await job_in(store, in_group())
    topic = await job_in(store, in_group("-5/12"))
    other = await job_in(store, in_group("-55", "-55"))
    await moved(store)
    addresses = [
        job.order.call.address for id_ in (hall, topic, other) if (job := await store.jobs.get(id_))
    ]
    assert addresses == [
        Address(platform="telegram", channel="-1005", community="-1005"),
        Address(platform="telegram", channel="-1005/12", community="-1005"),
        in_group("-55", "-55"),
    ]


async def test_the_use_of_the_day_moves_with_the_community(store: Store) -> None:
    await job_in(store, in_group())
    await moved(store)
    usage = await store.usage(a_job(platform="telegram", community="-1005", person="bob"))
    assert usage.community_videos == 1


async def test_a_step_that_read_its_job_before_the_community_moved_cannot_save(
    store: Store,
) -> None:
    job = await store.jobs.get(await job_in(store, in_group()))
    assert job is not None
    await moved(store)
    assert await store.jobs.save(job, replace(job, progress=5), now=NOON) is None


async def test_a_job_whose_post_is_in_flight_keeps_its_claim_when_its_community_moves(
    store: Store,
) -> None:
    """The sender of the POST is alive.

    A second worker with this row would call the job unconfirmed.
    """
    job = await store.jobs.get(await job_in(store, in_group()))
    assert job is not None
    sent = await store.moved(job, moves.submitting(job, now=NOON))
    await moved(store)
    assert await store.claimed(Status.SUBMITTING, now=NOON + 1) == []
    taken = await store.jobs.accept(sent.id, "video_1", now=NOON + 2, due_at=NOON + 9)
    assert (taken.status, taken.quota_cost) == (Status.IN_PROGRESS, 1)


async def test_the_card_of_an_unfinished_job_is_posted_again_when_its_community_moves(
    store: Store,
) -> None:
    job = await store.jobs.get(await job_in(store, in_group()))
    assert job is not None
    await store.posts.posted(job, "7", "-5")
    await moved(store)
    card = await store.claimed_post(now=NOON, platform="telegram")
    assert (card.kind, card.message_id, card.channel_id) == (PostKind.CARD, None, None)


async def test_a_card_edit_that_fails_after_a_move_does_not_give_up_the_card(store: Store) -> None:
    """The worker has read the card's old message and learns from the network that it is gone."""
    job = await store.jobs.get(await job_in(store, in_group()))
    assert job is not None
    await store.posts.posted(job, "7", "-5")
    await store.moved(job, replace(job, silent=True))
    held = await store.claimed_post(now=NOON, platform="telegram")
    await moved(store)
    await store.posts.put_off(held, due_at=None)
    card = await store.claimed_post(now=NOON, platform="telegram")
    assert card.message_id is None


async def test_cards_of_finished_jobs_keep_their_old_channel_when_a_community_moves(
    store: Store,
) -> None:
    plain = a_job(platform="telegram", community="-5")
    job = await store.in_state(Status.COMPLETED, plain)
    await store.posts.posted(job, "7", "-5")
    await store.moved(job, replace(job, status=Status.CANCELLED, due_at=None))
    await moved(store)
    card = await store.post(job, PostKind.CARD)
    assert card is not None
    assert (card.message_id, card.channel_id) == ("7", "-5")


async def test_an_opened_community_stays_open_under_its_new_id(store: Store) -> None:
    places = Places(store.database)
    access = Access(
        places=places, facts=store.settings, default=Default.CLOSED, clock=FakeClock(NOON)
    )
    await places.decide("telegram", "-5", allowed=True, by="ada", now=NOON)
    await moved(store)
    person = a_job().order.call.person
    await access.check(person, in_group("-1005", "-1005"))


async def test_a_decision_about_the_new_id_overrules_the_one_about_the_old_id(store: Store) -> None:
    places = Places(store.database)
    await places.decide("telegram", "-5", allowed=True, by="ada", now=NOON)
    await places.decide("telegram", "-1005", allowed=False, by="ada", now=NOON)
    await moved(store)
    assert await places.decision("telegram", "-1005") is False


# --- how ids are remembered -----------------------------------------------------------------------


async def current(store: Store, community: str) -> str:
    """Return the id that the community has now."""
    return await Communities(store.database).current("telegram", community)


async def test_an_old_community_id_leads_to_the_new_id_for_good(store: Store) -> None:
    await moved(store)
    await moved(store)
    assert [await current(store, it) for it in ("-5", "-1005", "-55")] == ["-1005", "-1005", "-55"]


async def test_a_community_that_moved_twice_is_found_by_both_old_ids(store: Store) -> None:
    communities = Communities(store.database)
    await moved(store)
    await communities.move("telegram", "-1005", "-2005")
    assert [await current(store, it) for it in ("-5", "-1005")] == ["-2005", "-2005"]


async def test_a_community_that_moved_is_known_by_all_its_ids_and_by_no_other_id(
    store: Store,
) -> None:
    communities = Communities(store.database)
    await moved(store)
    await communities.move("telegram", "-1005", "-2005")
    await communities.move("telegram", "-6", "-1006")
    for id_ in ("-5", "-1005", "-2005"):
        assert await communities.ids("telegram", id_) == ["-2005", "-1005", "-5"]
    assert await communities.ids("telegram", "-55") == ["-55"]
    assert await communities.ids("discord", "-5") == ["-5"]


async def test_a_first_move_reported_after_the_second_takes_jobs_to_the_last_id(
    store: Store,
) -> None:
    communities = Communities(store.database)
    await communities.move("telegram", "-1005", "-2005")
    id_ = await job_in(store, in_group())
    await moved(store)
    job = await store.jobs.get(id_)
    assert job is not None
    assert job.order.call.address.community == "-2005"


async def test_moving_a_community_to_an_id_it_already_has_changes_nothing(store: Store) -> None:
    await moved(store)
    id_ = await job_in(store, in_group("-1005", "-1005"))
    before = await store.jobs.get(id_)
    for target in ("-1005", "-5"):
        await Communities(store.database).move("telegram", "-1005", target)
    assert await store.jobs.get(id_) == before
