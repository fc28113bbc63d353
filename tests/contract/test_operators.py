"""The operators' use cases on real rows: what they refuse, and what they count."""

from dataclasses import replace

import pytest

from bot.cli import drawing
from bot.cli.words import explain
from bot.core.accounts import Accounts, Terms
from bot.core.acts import Act, Values
from bot.core.admin import Admin
from bot.core.allowances import Allowances
from bot.core.catalog import Catalog
from bot.core.errors import Refused
from bot.core.jobs import Status
from bot.core.orders import Made
from bot.core.settling import Settling
from bot.core.statistics import Statistics
from bot.core.wake import Wake
from bot.core.wishes import Use
from bot.operators import PLATFORMS
from bot.store import settling
from bot.store.acts import Acts
from bot.store.blocks import Blocks
from bot.store.grants import Grants
from bot.store.holds import Holds
from bot.store.statistics import Sums
from tests.contract.rows import FREE, PRICE, Store, a_job
from tests.fakes.clock import FakeClock
from tests.unit.core.kinds import BY_ID, DANCE
from tests.unit.core.orders import order
from tests.unit.core.scripted import ScriptedGateway

ANN = "cli:ann"
ONWARD = replace(
    order(video=replace(DANCE, source=None, video_of="videos/a.mp4"), use=Use.EXTEND),
    remix_of=Made(
        gateway="main",
        base_url="https://gateway.test",
        gateway_id="v1",
        model="by-id",
        seconds=5,
        size=None,
        aspect=None,
        quality=None,
    ),
)
"""An order that goes on from a video by its gateway's id."""


class Office:
    """An operator's use cases on a store, with one gateway, few limits and the clock at noon."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = clock = FakeClock()
        wake = Wake()
        limits = replace(FREE, person_videos=3, purse_money=PRICE)
        self.accounts = Accounts(Terms(catalog=Catalog(models=()), limits=limits))
        self.admin = Admin(
            latest=Acts(store.database).latest,
            holds=Holds(store.database),
            blocks=Blocks(store.database),
            configured=["main"],
            jobs=store.jobs,
            platforms=PLATFORMS,
            clock=clock,
            wake=wake,
        )
        self.settling = Settling(
            ledger=settling.Settling(store.database),
            jobs=store.jobs,
            new_id=lambda: "new",
            new_seed=lambda: 7,
            gateways={},
            accounts=self.accounts,
            clock=clock,
            wake=wake,
        )
        self.allowances = Allowances(
            grants=Grants(store.database),
            jobs=store.jobs,
            accounts=self.accounts,
            platforms=PLATFORMS,
            clock=clock,
        )
        self.statistics = Statistics(
            sums=Sums(store.database),
            time_zone="UTC",
            currency="USD",
            clock=clock,
        )

    async def acts(self) -> list[Act]:
        return await Acts(self.store.database).latest(most=99)


@pytest.fixture
def office(store: Store) -> Office:
    return Office(store)


# --- jobs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (Status.SUBMITTING, "cancel_too_late"),
        (Status.IN_PROGRESS, "cancel_too_late"),
        (Status.COMPLETED, "cancel_too_late"),
        (Status.CONVERTING, "cancel_too_late"),
        (Status.UNCONFIRMED, "cancel_unconfirmed"),
        (Status.DELIVERED, "cancel_over"),
        (Status.FAILED, "cancel_over"),
    ],
)
async def test_a_job_that_no_longer_waits_is_not_cancelled_and_the_refusal_says_why(
    office: Office, status: Status, code: str
) -> None:
    job = await office.store.in_state(status)
    with pytest.raises(Refused) as refused:
        await office.settling.cancel(actor=ANN, job=job.id)
    assert refused.value.code == code
    assert await office.store.jobs.get(job.id) == job
    assert await office.acts() == []


@pytest.mark.parametrize("address", ["https://gateway.test", "https://moved.test"])
async def test_a_retry_goes_on_from_a_gateways_id_only_at_the_same_address(
    office: Office, address: str
) -> None:
    limits, there = office.accounts.general.limits, ScriptedGateway()
    there.base_url = address
    office.accounts.general = Terms(catalog=Catalog(models=(BY_ID,)), limits=limits)
    settling = replace(office.settling, gateways={"main": there})
    _, request = Catalog(models=(BY_ID,)).choose(ONWARD)
    failed = replace(a_job(), order=ONWARD, request=request)
    row = await office.store.in_state(Status.FAILED, failed)
    if address != "https://gateway.test":
        with pytest.raises(Refused, match="video_not_made_there"):
            await settling.retry(actor=ANN, job=row.id, confirm=row.id)
        return
    await settling.retry(actor=ANN, job=row.id, confirm=row.id)
    new = await office.store.jobs.get("new")
    assert new is not None
    assert (new.order.video, new.order.remix_of) == (ONWARD.video, ONWARD.remix_of)
    assert ("previous_job_id", "v1") in new.request.parameters


async def test_each_job_is_counted_once_in_the_statistics_whatever_its_state(
    office: Office,
) -> None:
    for status in Status:
        await office.store.in_state(status)
    (day,) = drawing.rows(await office.statistics.stats(), "rows")
    columns = ("made", "failed", "cancelled", "unconfirmed", "waiting", "under_way")
    assert [day[name] for name in columns] == [3, 1, 1, 1, 1, 2]
    stopped = await office.admin.stop(actor=ANN)
    assert [stopped[name] for name in ("waiting", "leaving", "made")] == [1, 1, 3]


# --- people and limits ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "person"),
    [
        ("discord:123456789012345678", "discord:123456789012345678"),
        ("discord:<@123456789012345678>", "discord:123456789012345678"),
        (" discord:<@!7>\n", "discord:7"),
        ("telegram:7", "telegram:7"),
        ("telegram:-1001234567890", "telegram:-1001234567890"),
        ("playground:ann", "playground:ann"),
    ],
)
async def test_an_operator_names_a_person_by_id_or_by_mention(
    office: Office, typed: str, person: str
) -> None:
    (block,) = drawing.rows(await office.admin.block(actor=ANN, person=typed), "blocked")
    assert block["person"] == person
    await office.allowances.grant(actor=ANN, kind="person", of=typed, videos=1)
    assert [act.subject for act in await office.acts()] == [person] * 2
    assert (await office.admin.unblock(actor=ANN, person=typed))["changed"]


@pytest.mark.parametrize(
    "typed",
    [
        *("discord:ann", "discord:@ann", "discord:<#7>", "discord:<@&7>", "discord:-7", "discord:"),
        *("telegram:@ann", "telegram:ann", "telegram:t.me/ann", "telegram:+7", "telegram:٧"),
        *("7", "irc:7", "discord: 7", ""),
    ],
)
async def test_a_name_instead_of_an_id_is_refused_and_nobody_is_blocked(
    office: Office, typed: str
) -> None:
    for asked in (
        office.admin.block(actor=ANN, person=typed),
        office.allowances.grant(actor=ANN, kind="person", of=typed, videos=1),
    ):
        with pytest.raises(Refused, match="whom_unreadable"):
            await asked
    assert await office.acts() == []


async def test_a_block_and_a_grant_say_whether_that_person_has_ordered_before(
    office: Office,
) -> None:
    await office.store.admitted(a_job(person="7"))
    for person, known in (("discord:7", True), ("discord:8", False), ("telegram:7", False)):
        assert (await office.admin.block(actor=ANN, person=person))["known"] is known
        granted = await office.allowances.grant(actor=ANN, kind="person", of=person, videos=1)
        assert granted["known"] is known


async def test_a_repeated_grant_is_refused_unless_the_operator_confirms_it(office: Office) -> None:
    """The answer to the first grant may have been lost, and the operator can't know."""

    async def grant(of: str = "discord:7", videos: int = 2, *, again: bool = False) -> Values:
        allowances = office.allowances
        return await allowances.grant(actor=ANN, kind="person", of=of, videos=videos, again=again)

    await grant()
    with pytest.raises(Refused) as refused:
        await grant()
    assert explain(refused.value).startswith("cli:ann granted the same just now.")
    for seconds, ago in ((60, "1 minute ago."), (60, "2 minutes ago.")):
        await office.clock.advance(seconds)
        with pytest.raises(Refused) as refused:
            await grant()
        assert explain(refused.value).startswith(f"cli:ann granted the same {ago}")
    await grant(videos=1)
    await grant("discord:8")
    await grant(again=True)
    await office.clock.advance(3601)
    assert drawing.rows(await grant(), "limits")[0]["granted"] == 2 + 1 + 2 + 2
