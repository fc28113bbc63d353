"""The operators' use cases on real rows: what they refuse, and what they count."""

import pytest

from bot.cli.operating import drawing
from bot.core.accounts import Accounts, Terms
from bot.core.acts import Act
from bot.core.admin import Admin
from bot.core.catalog import Catalog
from bot.core.errors import Refused
from bot.core.jobs import Status
from bot.core.settling import Makers, Settling
from bot.core.statistics import Statistics
from bot.core.wake import Wake
from bot.store import settling
from bot.store.acts import Acts
from bot.store.blocks import Blocks
from bot.store.holds import Holds
from bot.store.statistics import Sums
from tests.contract.rows import FREE, Store
from tests.fakes.clock import FakeClock

CLI = {"actor": "cli:ann"}
PLATFORMS = frozenset({"discord", "telegram", "playground"})


class Office:
    """An operator's use cases on a store, with one gateway and no limits."""

    def __init__(self, store: Store) -> None:
        self.store = store
        clock, wake = FakeClock(), Wake()
        self.accounts = Accounts(Terms(catalog=Catalog(models=()), limits=FREE))
        self.admin = Admin(
            acts=Acts(store.database),
            holds=Holds(store.database),
            blocks=Blocks(store.database),
            gateways=["main"],
            platforms=PLATFORMS,
            clock=clock,
            wake=wake,
        )
        makers = Makers(
            new_id=lambda: "new", new_seed=lambda: 7, gateways={}, accounts=self.accounts
        )
        self.settling = Settling(
            ledger=settling.Settling(store.database),
            jobs=store.jobs,
            makers=makers,
            clock=clock,
            wake=wake,
        )
        self.statistics = Statistics(
            sums=Sums(store.database), time_zone="UTC", currency="USD", clock=clock
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
async def test_a_job_that_no_longer_waits_is_not_cancelled_and_it_is_said_why(
    office: Office, status: Status, code: str
) -> None:
    job = await office.store.in_state(status)
    with pytest.raises(Refused) as refused:
        await office.settling.cancel(**CLI, job=job.id)
    assert refused.value.code == code
    assert await office.store.jobs.get(job.id) == job
    assert await office.acts() == []


async def test_each_job_is_counted_once_whatever_its_state(office: Office) -> None:
    for status in Status:
        await office.store.in_state(status)
    (day,) = drawing.rows(await office.statistics.stats(), "rows")
    columns = ("made", "failed", "cancelled", "unconfirmed", "under_way")
    assert [day[name] for name in columns] == [3, 1, 1, 1, 3]
    stopped = await office.admin.stop(**CLI)
    assert [stopped[name] for name in ("waiting", "leaving", "made")] == [1, 1, 3]
