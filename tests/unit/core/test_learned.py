"""The memory of how long videos took: read once, bounded, and updated with every finished video."""

from collections.abc import Sequence

from bot.core.learned import MOST_KINDS, MOST_MODELS, SAMPLES, Key, Learned, MadeVideo, Pace
from bot.core.plans import Took
from bot.core.schedule import LEAST_SAMPLES

HERE = Key("wan", 5, "main", "720p")


class Rows:
    """Rows that count how often they are read."""

    def __init__(self, *made: MadeVideo) -> None:
        self.rows = made
        self.asked: list[str] = []

    async def durations(self, model: str) -> Sequence[MadeVideo]:
        self.asked.append(model)
        return [made for made in self.rows if made.key.model == model]


def several(key: Key, until: float, count: int = LEAST_SAMPLES) -> list[MadeVideo]:
    return [MadeVideo(key, Took(until - 5, until))] * count


async def test_the_durations_of_a_model_are_read_from_the_rows_once() -> None:
    rows = Rows(*several(HERE, 60.0))
    learned = Learned(rows)
    for _ in range(9):
        pace = await learned.pace(HERE)
        pace.next_poll(0.0, step=10.0, by="job")
    await learned.pace(HERE._replace(seconds=10))
    assert rows.asked == ["wan"]


async def test_a_kind_with_too_few_finished_videos_uses_the_next_wider_kind() -> None:
    longer, sharper = HERE._replace(seconds=10), HERE._replace(quality="1080p")
    learned = Learned(Rows(*several(HERE, 60.0), *several(longer, 200.0, 1)))

    async def expected(key: Key) -> float:
        return (await learned.pace(key)).expected(typical=7.0)

    assert await expected(HERE) == 60.0
    assert await expected(sharper) == 60.0, "the same length in another quality"
    assert await expected(longer) == 60.0, "the same model"
    assert await expected(HERE._replace(model="veo")) == 7.0, "nothing known: the catalog"


async def test_durations_are_learned_separately_for_each_gateway() -> None:
    other = HERE._replace(gateway="club")
    learned = Learned(Rows(*several(HERE, 60.0, 50), *several(other, 300.0, 50)))
    fast, slow = await learned.pace(HERE), await learned.pace(other)
    first = [pace.next_poll(0.0, step=10.0, by="job") for pace in (fast, slow)]
    assert first[0] < 70 < 200 < first[1]
    assert (fast.longest, slow.longest) == (60.0, 300.0)


def test_a_plan_of_polls_is_renewed_only_after_several_new_videos() -> None:
    pace = Pace()
    for _ in range(SAMPLES):
        pace.add(Took(55.0, 60.0))
    first = pace.next_poll(0.0, step=10.0, by="job")
    pace.add(Took(5.0, 9.0))
    assert pace.next_poll(0.0, step=10.0, by="job") == first
    for _ in range(SAMPLES // 10):
        pace.add(Took(5.0, 9.0))
    assert pace.next_poll(0.0, step=10.0, by="job") < first


async def test_the_memory_of_durations_is_bounded() -> None:
    kinds = [HERE._replace(seconds=seconds) for seconds in range(2 * MOST_KINDS)]
    rows = Rows(*[made for kind in kinds for made in several(kind, 60.0)])
    learned = Learned(rows)
    assert len((await learned.pace(HERE)).took) <= SAMPLES
    assert len(learned._models["wan"]) <= MOST_KINDS
    for number in range(MOST_MODELS + 1):
        await learned.pace(HERE._replace(model=f"m{number}"))
    assert len((await learned.pace(kinds[-1])).took) >= LEAST_SAMPLES
    assert rows.asked.count("wan") == 2, "the model read first was forgotten first"
