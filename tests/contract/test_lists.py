"""A service and its gateways' lists: when they are read, and what people and owners see."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.config import Config, load
from bot.config.discoveries import keep
from bot.core.accounts import Accounts
from bot.core.causes import Kind
from bot.core.errors import Broken
from bot.gateways.offers import Offer, openrouter
from bot.lists import AGAIN, CHECK_EVERY, DAY, Lists
from bot.store.causes import Causes
from tests.contract.rows import Store
from tests.contract.test_store_causes import Ledger
from tests.contract.test_store_notices import own
from tests.fakes.clock import FakeClock
from tests.unit.config.conftest import SECRETS
from tests.unit.config.test_discoveries import found
from tests.unit.gateways.test_offers import VEO

URL = "https://gateway.example"
OTHER = {**VEO, "id": "acme/other", "name": "Acme: Other"}
DEARER = {**VEO, "pricing_skus": {**VEO["pricing_skus"], "duration_seconds_with_audio": "0.5"}}


class Gateway:
    """A gateway whose list a test sets."""

    def __init__(self) -> None:
        self.rows: list[Any] = [VEO, OTHER]
        self.trouble: Exception | None = None
        self.asked: list[str] = []

    async def ask(self, gateway: str) -> tuple[Offer, ...]:
        self.asked.append(gateway)
        if self.trouble is not None:
            raise self.trouble
        return openrouter.read({"data": self.rows})


class House:
    """A running service's lists, with a clock and a gateway that the test controls."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.folder, self.store = folder, store
        self.clock, self.gateway = FakeClock(), Gateway()
        self.rings = 0
        self.start()

    def start(self, *, dialect: str = "openrouter") -> None:
        """Start the service, or start it anew with the stored lists and rows."""
        config = self.config(dialect)
        self.accounts = Accounts(config.terms, config.communities)
        self.lists = Lists(
            config=config,
            accounts=self.accounts,
            ask=self.gateway.ask,
            causes=Causes(self.store.database),
            rooms=(),
            clock=self.clock,
            changed=self._ring,
        )

    def config(self, dialect: str = "openrouter") -> Config:
        file = self.folder / "config.toml"
        main = f'[gateways.main]\nbase_url = "{URL}"\ndialect = "{dialect}"\n'
        file.write_text(f'data_dir = "{self.folder}"\n{main}')
        return load(file, environment=SECRETS)

    def offered(self) -> list[str]:
        """Return the models that people can order."""
        return [model.name for model in self.accounts.general.catalog.models]

    async def check(self, *, after: float = 0.0) -> list[str]:
        """Check once, so many seconds later; return the models that people can order."""
        await self.clock.advance(after)
        await self.lists.check()
        return self.offered()

    async def told(self) -> list[Any]:
        """Return the facts of the reports that are due to owners, and send them."""
        ledger, now = Ledger(self.store), self.clock.now()
        due = await ledger.causes.claim(["discord"], now=now, until=now + 60, most=9)
        for report in due:
            await ledger.causes.sending(report, now=now)
            await ledger.causes.sent(report, f"m{report.about}", "dm")
        assert all(report.kind is Kind.OFFERS for report in due)
        return [report.facts for report in due]

    def _ring(self) -> None:
        self.rings += 1


@pytest.fixture
async def house(tmp_path: Path, store: Store) -> House:
    await own(store, ("discord", "7"))
    return House(tmp_path, store)


async def test_a_list_that_was_never_read_is_read_at_once_and_people_see_it(house: House) -> None:
    assert house.offered() == []
    assert await house.check() == ["google/veo-3.1", "acme/other"]


async def test_a_list_is_read_once_a_day_also_over_restarts(house: House) -> None:
    await house.check()
    await house.check(after=DAY / 2)
    house.start()
    await house.check(after=DAY / 2 - 60)
    assert len(house.gateway.asked) == 1
    house.gateway.rows = [VEO]
    assert await house.check(after=120) == ["google/veo-3.1"]
    assert len(house.gateway.asked) == 2


async def test_the_old_list_stays_while_the_gateway_fails_and_is_asked_again_each_hour(
    house: House,
) -> None:
    await house.check()
    house.gateway.trouble = Broken("gateway_unreachable")
    for _ in range(3):
        assert len(await house.check(after=DAY)) == 2
    asked = len(house.gateway.asked)
    await house.check(after=AGAIN / 2)
    assert len(house.gateway.asked) == asked
    house.gateway.trouble, house.gateway.rows = None, [VEO]
    assert await house.check(after=AGAIN / 2) == ["google/veo-3.1"]


async def test_an_empty_list_is_asked_for_again_within_the_hour_before_it_is_believed(
    house: House,
) -> None:
    await house.check()
    house.gateway.rows = []
    assert len(await house.check(after=DAY)) == 2
    assert await house.told() == []
    assert await house.check(after=AGAIN) == []
    (facts,) = await house.told()
    assert [row["model"] for row in facts["gone"]] == ["google/veo-3.1", "acme/other"]


async def test_the_parts_of_a_service_see_new_models_through_the_one_object_they_share(
    house: House,
) -> None:
    held = house.accounts
    await house.check()
    assert held.general.catalog.model("acme/other") is not None
    assert held.at_once("acme/other") is None


async def test_an_operator_can_have_a_list_read_at_once_and_learns_of_a_failure(
    house: House,
) -> None:
    await house.check()
    house.gateway.rows = [VEO, OTHER, {**VEO, "id": "acme/new"}]
    refresh = house.lists.use_cases["gateways.refresh"]
    assert await refresh(gateway="main") == {"gateway": "main"}
    assert "acme/new" in house.offered()
    house.gateway.trouble = Broken("gateway_unreachable")
    with pytest.raises(Broken):
        await refresh(gateway="main")
    with pytest.raises(Broken):
        await refresh(gateway="nowhere")


async def test_a_service_that_is_kept_to_one_gateway_stays_so_after_a_new_list(
    house: House,
) -> None:
    house.lists.config = house.lists.config.kept_to("elsewhere")
    assert await house.check() == []


async def test_a_list_that_another_command_stored_is_taken_over(house: House) -> None:
    await house.check()
    other = House(house.folder, house.store)
    other.gateway.rows = [VEO, OTHER, {**VEO, "id": "acme/new"}]
    await other.lists.refresh("main")
    assert "acme/new" not in house.offered()
    assert "acme/new" in await house.check(after=CHECK_EVERY)


async def test_a_changed_price_is_told_once_over_restarts(house: House) -> None:
    await house.check()
    house.gateway.rows = [DEARER, OTHER]
    await house.check(after=DAY)
    (facts,) = await house.told()
    assert [(row["quality"], row["before"], row["after"]) for row in facts["prices"]] == [
        ("720p", "0.4 USD", "0.5 USD"),
        ("1080p", "0.4 USD", "0.5 USD"),
    ]
    assert house.rings == 1
    for _ in range(3):
        house.start()
        await house.check(after=60)
    assert (await house.told(), house.rings) == ([], 1)
    assert house.accounts.general.catalog.models[0].prices["720p"] == 500_000


async def test_a_change_is_told_although_the_process_ended_before_it_could_be(
    house: House,
) -> None:
    await house.check()
    house.gateway.rows = [VEO]
    await house.clock.advance(DAY)
    await house.lists.refresh("main")
    house.start()
    await house.check()
    (facts,) = await house.told()
    assert [row["model"] for row in facts["gone"]] == ["acme/other"]


async def test_an_open_report_of_changes_is_no_open_trouble(house: House) -> None:
    await house.check()
    house.gateway.rows = [VEO]
    await house.check(after=DAY)
    assert len(await house.told()) == 1
    assert await Causes(house.store.database).open() == []


async def test_the_list_of_names_of_a_reseller_is_read_daily_only_if_it_was_found_before(
    house: House,
) -> None:
    house.start(dialect="new-api")
    await house.check()
    assert house.gateway.asked == []
    at = datetime.fromtimestamp(house.clock.now(), UTC)
    keep(house.folder, "main", found(at=at, models=("sora-2",)))
    house.start(dialect="new-api")
    await house.check()
    assert house.gateway.asked == []
    await house.check(after=DAY)
    assert house.gateway.asked == ["main"]


async def test_the_loop_goes_on_after_an_unexpected_error(
    house: House, cancelled: Callable[[Awaitable[None]], Awaitable[None]]
) -> None:
    house.gateway.trouble = RuntimeError("a bug")
    task = asyncio.ensure_future(house.lists.run())
    await house.clock.asleep()
    house.gateway.trouble = None
    await house.clock.advance(AGAIN + CHECK_EVERY)
    async with asyncio.timeout(20):
        while not house.offered():
            await house.clock.advance(CHECK_EVERY)
            await asyncio.to_thread(lambda: None)
    await cancelled(task)


@pytest.fixture
def cancelled() -> Callable[[Awaitable[None]], Awaitable[None]]:
    """Return a function that cancels a task and waits for its end."""

    async def cancelled_(task: Any) -> None:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    return cancelled_
