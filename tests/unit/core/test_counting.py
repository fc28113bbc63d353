"""Usage counters are compared now and then, and owners are told while a counter is wrong."""

from collections.abc import Sequence

from bot.core.acts import Act
from bot.core.causes import Cause, Kind
from bot.core.counting import EVERY, Counting
from tests.fakes.clock import FakeClock


class Rows:
    """Counters of which a test can make one wrong."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.found: list[str] = []
        self.compared = 0

    async def compare(self) -> Sequence[str]:
        self.compared += 1
        self.found = self.wrong or self.found
        return self.found

    async def doubted(self) -> Sequence[str]:
        return self.found

    async def recount(self, act: Act) -> None:
        self.wrong, self.found = [], []


async def test_a_wrong_usage_counter_is_a_cause_from_its_comparison_to_its_recount() -> None:
    rows, clock, rings = Rows(), FakeClock(), list[bool]()
    counting = Counting(counters=rows, clock=clock, decided=lambda: rings.append(True))
    assert await counting.causes() == []
    rows.wrong = ["purse main"]
    assert await counting.causes() == [], "all jobs of the day are read now and then alone"
    await clock.advance(EVERY)
    told = [Cause(kind=Kind.USAGE, facts={"wrong": "purse main"})]
    assert await counting.causes() == told
    assert await counting.causes() == told
    assert rows.compared == 2
    assert await counting.recount(actor="cli:ann") == {"wrong": ["purse main"]}
    assert await counting.causes() == []
    assert rings == [True]


async def test_an_operators_comparison_of_counters_reports_a_wrong_one_at_once() -> None:
    rows, rings = Rows(), list[bool]()
    counting = Counting(counters=rows, clock=FakeClock(), decided=lambda: rings.append(True))
    await counting.causes()
    rows.wrong = ["purse main"]
    assert await counting.compare() == {"wrong": ["purse main"]}
    assert rings == [True]
    assert await counting.causes() != []
