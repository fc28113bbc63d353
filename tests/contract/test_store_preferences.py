"""A person's preferences are kept by platform, and a private job stays private."""

from dataclasses import replace

import pytest

from bot.core import moves
from bot.core.jobs import Reason, Status
from bot.core.posts import Form, PostKind
from bot.core.preferences import Preferences
from bot.store.preferences import PreferencesOf
from bot.store.settling import Settling
from tests.contract.rows import FREE, NOON, VIDEO, Store, a_job
from tests.contract.test_store_settling import an_act

ALL = Preferences(family="wan-2.5", seconds=-1, aspect="9:16", quality="draft", private=True)


async def test_preferences_come_back_as_they_were_saved(store: Store) -> None:
    kept = PreferencesOf(store.database)
    assert await kept.get("discord", "ada") == Preferences()
    await kept.put("discord", "ada", ALL)
    assert await kept.get("discord", "ada") == ALL
    await kept.put("discord", "ada", Preferences(seconds=5))
    assert await kept.get("discord", "ada") == Preferences(seconds=5)


async def test_preferences_belong_to_one_person_on_one_platform(store: Store) -> None:
    kept = PreferencesOf(store.database)
    await kept.put("discord", "ada", ALL)
    for platform, person in (("telegram", "ada"), ("discord", "bob")):
        assert await kept.get(platform, person) == Preferences()


async def test_deleted_preferences_are_gone_and_those_of_other_people_stay(store: Store) -> None:
    kept = PreferencesOf(store.database)
    await kept.put("discord", "ada", ALL)
    await kept.put("discord", "bob", ALL)
    for _ in range(2):
        await kept.forget("discord", "ada")
    assert await kept.get("discord", "ada") == Preferences()
    assert await kept.get("discord", "bob") == ALL


@pytest.mark.parametrize("private", [True, False])
async def test_posts_of_a_private_job_go_to_its_person_and_its_card_does_not(
    store: Store, private: bool
) -> None:
    job = replace(a_job(), private=private)
    await store.jobs.admit(job, FREE, now=NOON, card_at=NOON)
    row = await store.jobs.get(job.id)
    assert row is not None
    assert row.private is private
    failed = moves.failed(row, Reason.BUSY, charged=False, detail="")
    assert await store.jobs.save(row, failed, now=NOON)
    posts = [await store.post(job, kind) for kind in (PostKind.CARD, PostKind.FAILURE)]
    assert [each and each.direct for each in posts] == [False, private]


@pytest.mark.parametrize("private", [True, False])
async def test_a_private_result_stays_private_when_an_operator_has_it_sent_again(
    store: Store, private: bool
) -> None:
    row = await store.in_state(Status.COMPLETED)
    job = await store.moved(row, replace(moves.stored(row, VIDEO), private=private))
    await store.posts.posted(job, "m1", "lounge")
    await store.posts.fall(await store.claimed_post(now=NOON + 60), Form.TEXT, direct=True)
    await store.posts.put_off(await store.claimed_post(now=NOON + 60), due_at=None)
    await Settling(store.database).call(job.id, replace(an_act("jobs.retry"), at=NOON + 90))
    posts = [await store.post(job, kind) for kind in (PostKind.CARD, PostKind.RESULT)]
    assert [each and each.direct for each in posts] == [False, private]
