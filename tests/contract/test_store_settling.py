"""An operator decides on a job: one transaction with the act, even if a process changes the row."""

import asyncio
from dataclasses import replace

import pytest

from bot.core import moves, settling
from bot.core.accounts import Accounts, Terms
from bot.core.acts import EVERYTHING, Act
from bot.core.errors import BotError, Refused
from bot.core.jobs import UNNAMED, Job, Reason, Status
from bot.core.posts import CARD_GRACE, Form, Post, PostKind
from bot.core.quotas import Limits
from bot.core.wake import Wake
from bot.store.acts import Acts
from bot.store.holds import Holds
from bot.store.settling import Change, Settling
from tests.contract.rows import FREE, NOON, PRICE, VIDEO, Store, a_job
from tests.fakes.clock import FakeClock
from tests.unit.core.orders import CATALOG, changed, order
from tests.unit.core.scripted import ScriptedGateway


def an_act(action: str = "jobs.found", subject: str = "") -> Act:
    return Act(at=NOON, actor="cli:ann", action=action, subject=subject)


def accept(gateway_id: str) -> Change:
    """Return the change that gives a job this id at its gateway."""

    def change(job: Job) -> Job:
        if job.gateway_id == gateway_id:
            return job
        return moves.accepted(job, gateway_id, now=NOON, due_at=NOON)

    return change


def close(job: Job) -> Job:
    """Return the job closed as not charged."""
    if job.status is Status.FAILED:
        return job
    return moves.failed(job, Reason.NOT_TAKEN, charged=False)


def try_again(job: Job) -> Job:
    """Return the job closed because it was ordered again."""
    return moves.failed(job, Reason.TRIED_AGAIN, charged=True)


async def acts(store: Store) -> list[str]:
    """Return the names of all acts, newest first."""
    return [act.action for act in await Acts(store.database).latest(most=99)]


async def test_an_operators_change_and_its_act_are_written_once(store: Store) -> None:
    settling, job = Settling(store.database), await store.in_state(Status.UNCONFIRMED)
    for is_new in (True, False):
        after, did = await settling.change(job.id, accept("v1"), an_act(), gateway_id="v1")
        assert (after.status, after.gateway_id, did) == (Status.IN_PROGRESS, "v1", is_new)
    assert await acts(store) == ["jobs.found"]
    assert await store.claimed(Status.IN_PROGRESS) == [job.id]


async def test_a_refused_change_writes_neither_the_job_nor_an_act(store: Store) -> None:
    settling, job = Settling(store.database), await store.in_state(Status.DELIVERED)
    with pytest.raises(BotError, match="impossible_move"):
        await settling.change(job.id, close, an_act())
    with pytest.raises(Refused, match="job_unknown"):
        await settling.change("nobody", close, an_act())
    assert await store.jobs.get(job.id) == job
    assert await acts(store) == []


async def test_no_two_jobs_get_the_same_video_of_a_gateway(store: Store) -> None:
    settling = Settling(store.database)
    # Two gateway names may have the same address.
    names = ("main", "main", "club", "main")
    rows = [await store.in_state(Status.UNCONFIRMED, a_job(gateway=name)) for name in names]

    async def found(job: Job) -> str:
        try:
            await settling.change(job.id, accept("v1"), an_act(), gateway_id="v1")
        except Refused as refused:
            return refused.code
        return "found"

    said = await asyncio.gather(*map(found, rows))
    assert sorted(said) == ["found", *["gateway_id_taken"] * 3]
    listed = [f"v{number}" for number in range(1200)]
    assert await settling.known_ids(rows[0].base_url, listed) == {"v1"}
    assert await settling.known_ids(rows[0].base_url, listed[2:]) == frozenset()
    assert await settling.known_ids("https://elsewhere.example", listed) == frozenset()


async def test_an_unconfirmed_job_closed_as_not_charged_costs_nothing_and_tells_its_person(
    store: Store,
) -> None:
    job = await store.in_state(Status.UNCONFIRMED)
    assert (await store.usage(job)).purse_money == PRICE
    after, _ = await Settling(store.database).change(job.id, close, an_act())
    assert (after.status, after.spend_cost) == (Status.FAILED, 0)
    assert (await store.usage(job)).purse_money == 0
    assert await store.post(job, PostKind.FAILURE)


async def test_of_a_late_gateway_id_and_an_operators_closing_only_one_takes_effect(
    store: Store,
) -> None:
    """Either the id is recorded or the job is closed. A worker's outdated row changes nothing."""
    settling, job = Settling(store.database), await store.in_state(Status.UNCONFIRMED)

    def close_unconfirmed(job: Job) -> Job:
        if job.status is not Status.UNCONFIRMED:
            raise Refused("not_unconfirmed")
        return close(job)

    async def late() -> str:
        try:
            await store.jobs.accept(job.id, "v1", now=NOON, due_at=NOON)
        except BotError as error:
            return error.code
        return "accepted"

    async def closed() -> str:
        try:
            await settling.change(job.id, close_unconfirmed, an_act())
        except BotError as error:
            return error.code
        return "closed"

    said = await asyncio.gather(late(), closed())
    row = await store.jobs.get(job.id)
    assert row is not None
    assert [said, row.status, row.gateway_id] in (
        [["impossible_move", "closed"], Status.FAILED, None],
        [["accepted", "not_unconfirmed"], Status.IN_PROGRESS, "v1"],
    )
    stale = moves.failed(job, Reason.REFUSED, charged=True)
    assert await store.jobs.save(job, stale, now=NOON) is None


# --- a new try -----------------------------------------------------------------------------------


def a_try(of: Job, *, event: str | None = None) -> Job:
    """Return a new job that repeats the order of another one."""
    new = a_job(event=event or f"again {of.id}")
    return replace(new, order=changed(of.order, event_id=new.order.call.event_id))


async def test_a_new_try_ordered_eight_times_at_once_is_one_job(store: Store) -> None:
    settling, job = Settling(store.database), await store.in_state(Status.UNCONFIRMED)
    tries = [
        settling.anew(job.id, try_again, a_try(job), FREE, an_act("jobs.again")) for _ in range(8)
    ]
    answers = await asyncio.gather(*tries)
    assert len({new.id for new, _ in answers}) == 1
    assert sum(changed for _, changed in answers) == 1
    assert await acts(store) == ["jobs.again"]
    old, usage = await store.jobs.get(job.id), await store.usage(job)
    assert old is not None
    assert (old.status, old.reason, old.spend_cost) == (Status.FAILED, Reason.TRIED_AGAIN, PRICE)
    assert (usage.purse_money, usage.person_videos) == (2 * PRICE, 1)


async def test_a_refused_new_try_leaves_the_old_job_unchanged(store: Store) -> None:
    settling, job = Settling(store.database), await store.in_state(Status.UNCONFIRMED)
    limits = Limits(person_videos=9, person_at_once=None, purse_money=2 * PRICE - 1)
    act = an_act("jobs.again")
    with pytest.raises(Refused, match="limit_purse_money"):
        await settling.anew(job.id, try_again, a_try(job), limits, act)
    await Holds(store.database).put(EVERYTHING, an_act("stop"))
    with pytest.raises(Refused, match="stopped"):
        await settling.anew(job.id, try_again, a_try(job), FREE, act)
    assert await store.jobs.get(job.id) == job
    assert await acts(store) == ["stop"]


async def test_an_operators_retry_makes_the_next_step_due_and_keeps_an_existing_claim(
    store: Store,
) -> None:
    settling, row = Settling(store.database), await store.in_state(Status.IN_PROGRESS)
    later = await store.moved(row, moves.put_off(row, due_at=NOON + 600))
    assert await store.claimed(Status.IN_PROGRESS) == []
    await settling.call(later.id, an_act("jobs.retry"))
    assert await store.claimed(Status.IN_PROGRESS) == [row.id]
    await settling.call(later.id, an_act("jobs.retry"))
    assert await store.claimed(Status.IN_PROGRESS) == [], "its claim stays"


async def test_an_operators_retry_does_not_hurry_a_card_that_waits_for_its_answer(
    store: Store,
) -> None:
    job = await store.admitted()
    await Settling(store.database).call(job.id, an_act("jobs.retry"))
    card = await store.post(job, PostKind.CARD)
    assert card is not None
    assert card.due_at == NOON + CARD_GRACE


async def test_an_operators_retry_of_a_parked_result_starts_again_with_the_best_form(
    store: Store,
) -> None:
    row = await store.in_state(Status.COMPLETED)
    job = await store.moved(row, moves.stored(row, VIDEO))
    await store.posts.posted(job, "m1", "lounge")
    result = await store.claimed_post(now=NOON + 60)
    await store.posts.fall(result, Form.TEXT, direct=True)
    await store.posts.put_off(await store.claimed_post(now=NOON + 60), due_at=None)
    assert await store.due_posts(now=NOON + 80) == []
    await Settling(store.database).call(job.id, replace(an_act("jobs.retry"), at=NOON + 90))
    again = await store.post(job, PostKind.RESULT)
    assert again is not None
    assert (again.due_at, again.form, again.direct) == (NOON + 90, None, False)


async def unsaid(store: Store) -> Post:
    """Return the claimed result post of a job whose card stands; it is due as a direct text."""
    row = await store.in_state(Status.COMPLETED)
    job = await store.moved(row, moves.stored(row, VIDEO))
    await store.posts.posted(job, "m1", "lounge")
    await store.posts.fall(await store.claimed_post(now=NOON + 60), Form.TEXT, direct=True)
    return await store.claimed_post(now=NOON + 60)


async def called(store: Store, job_id: str) -> Post | None:
    """Let an operator retry the job, and return its result post."""
    act = replace(an_act("jobs.retry"), at=NOON + 90)
    await Settling(store.database).call(job_id, act)
    return await store.posts.get(job_id, PostKind.RESULT.value)


async def test_an_operators_retry_leaves_a_claimed_post_alone(store: Store) -> None:
    post = await unsaid(store)
    assert await called(store, post.job_id) == post


async def test_an_operators_retry_keeps_the_form_of_a_post_that_may_have_been_sent(
    store: Store,
) -> None:
    post = await unsaid(store)
    begun = await store.posts.sending(post, Form.TEXT, now=NOON + 60)
    assert begun is not None
    await store.posts.put_off(begun, due_at=None)
    again = await called(store, post.job_id)
    assert again is not None
    assert (again.due_at, again.form, again.direct) == (NOON + 90, Form.TEXT, True)


@pytest.mark.parametrize("beginning", ["abcd", "abcd1"])
async def test_job_ids_for_settling_are_found_by_their_beginning(
    store: Store, beginning: str
) -> None:
    for id_ in ("abcd1", "abcd12", "zzzz9"):
        await store.admitted(a_job(id_=id_))
    found = await Settling(store.database).ids(beginning, most=6)
    assert found == (["abcd1", "abcd12"] if beginning == "abcd" else ["abcd1"])


# --- the use cases of operators ------------------------------------------------------------------


def use_cases(store: Store, limits: Limits = FREE) -> settling.Settling:
    """Return the use cases with a gateway that has every video it is asked for."""
    return settling.Settling(
        ledger=Settling(store.database),
        jobs=store.jobs,
        new_id=lambda: "new",
        new_seed=lambda: 7,
        gateways={"main": ScriptedGateway()},
        accounts=Accounts(Terms(catalog=CATALOG, limits=limits)),
        clock=FakeClock(NOON),
        wake=Wake(),
    )


async def test_found_refuses_an_empty_gateway_id(store: Store) -> None:
    job = await store.in_state(Status.UNCONFIRMED, replace(a_job(), base_url=_AT_MAIN))
    for given in (" ", f" {UNNAMED}"):
        with pytest.raises(Refused, match="gateway_id_missing"):
            await use_cases(store).found(actor="cli:ann", job=job.id, gateway_id=given)
    assert await store.jobs.get(job.id) == job


@pytest.mark.parametrize("known_id", [None, "v1"])
async def test_a_video_that_turns_up_after_closing_is_taken_and_its_cost_counts_again(
    store: Store, known_id: str | None
) -> None:
    """The job was closed as not charged. If it comes from a backup, its id may be known."""
    job, other = [
        await store.in_state(Status.UNCONFIRMED, replace(a_job(), base_url=_AT_MAIN))
        for _ in range(2)
    ]
    await store.moved(job, replace(job, gateway_id=known_id))
    operator = use_cases(store)
    for row in (job, other):
        await operator.not_charged(actor="cli:ann", job=row.id)
    assert (await store.usage(job)).purse_money == 0
    assert (await operator.candidates(job=job.id))["status"] == "failed"
    for is_new in (True, False):
        told = await operator.found(actor="cli:ann", job=job.id, gateway_id="v1")
        assert (told["status"], told["changed"]) == ("in_progress", is_new)
    after, usage = await store.jobs.get(job.id), await store.usage(job)
    assert after is not None
    assert (after.gateway_id, after.reason, after.ended_at) == ("v1", None, None)
    assert (after.spend_cost, usage.purse_money) == (PRICE, PRICE)
    with pytest.raises(Refused, match="gateway_id_taken"):
        await operator.found(actor="cli:ann", job=other.id, gateway_id="v1")
    assert await acts(store) == ["jobs.found", "jobs.not_charged", "jobs.not_charged"]


@pytest.mark.parametrize("private", [True, False])
async def test_a_job_that_an_operator_orders_again_stays_private_or_public(
    store: Store, private: bool
) -> None:
    row = replace(a_job(), base_url=_AT_MAIN, private=private, order=order())
    job = await store.in_state(Status.UNCONFIRMED, row)
    told = await use_cases(store).again(actor="cli:ann", job=job.id, confirm=job.id)
    new = await store.jobs.get(str(told["job"]))
    assert new is not None
    assert new.private is private


async def test_found_refuses_a_job_that_is_not_unconfirmed(store: Store) -> None:
    row = replace(a_job(), base_url=_AT_MAIN)
    job = await store.in_state(Status.UNCONFIRMED, row)
    await use_cases(store).again(actor="cli:ann", job=job.id, confirm=job.id)
    with pytest.raises(Refused, match="not_unconfirmed"):
        await use_cases(store).found(actor="cli:ann", job=job.id, gateway_id="v1")


async def test_retry_refuses_a_job_whose_post_to_the_gateway_is_about_to_leave(
    store: Store,
) -> None:
    job = await store.in_state(Status.SUBMITTING)
    with pytest.raises(Refused, match="retry_leaving"):
        await use_cases(store).retry(actor="cli:ann", job=job.id)
    assert await acts(store) == []


async def test_a_persons_running_video_does_not_stop_an_operators_new_try(store: Store) -> None:
    limits = replace(FREE, person_at_once=1)
    job = await store.in_state(Status.UNCONFIRMED)
    await store.admitted(limits=limits)
    told = await use_cases(store, limits).again(actor="cli:ann", job=job.id, confirm=job.id)
    assert (told["job"], told["of"]) == ("new", job.id)


_AT_MAIN = ScriptedGateway.base_url
