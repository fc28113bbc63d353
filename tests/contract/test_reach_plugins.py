"""Behind new-api no order is paid and comes out wrong, whatever its plugins are.

Each order comes out right, or is refused before it is paid: by us or by the gateway. The page says
which.
"""

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from bot.core.models import Fields, Model
from bot.core.orders import Fit, Kind, Order
from bot.core.wishes import AUTO, Extra
from bot.media.pictures import fit_pictures
from bot.simulator.profiles import NEW_API_C
from docs.reach_page import PAGE, page, shown
from tests.contract.reach import PROFILES, ROWS, catalog, plain, way
from tests.unit.core.orders import changed
from tests.unit.gateways import bodies


def wishes(model: Model, kind: Kind) -> Iterator[Order]:
    """Yield orders that each use one option, with each of its values."""
    plain = bodies.ordered(replace(model, takes=()), kind)
    yield plain
    yield from (changed(plain, seconds=each) for each in {min(model.seconds), max(model.seconds)})
    yield from (changed(plain, quality=each) for each in model.qualities)
    yield from (changed(plain, aspect=each) for each in model.aspects)
    for extra in (Extra.AUDIO, Extra.PROMPT_EXTEND, Extra.WATERMARK):
        for on in (True, False) if extra in model.takes else ():
            wish: dict[str, bool] = {extra.value: on}
            yield changed(plain, **wish)
    yield changed(plain, seconds=AUTO)


@pytest.mark.proof
@pytest.mark.parametrize(("name", "dialect", "known"), ROWS)
async def test_orders_with_all_options_at_once_come_out_right_or_are_refused_unpaid(
    name: str, dialect: str, known: str, tmp_path: Path
) -> None:
    async with way(PROFILES[name][0], dialect, tmp_path) as it:
        seen = [each async for each in plain(it, catalog(name, dialect, known))]
    assert [outcome.wrong for _, _, outcome in seen if outcome.wrong] == []
    assert {(model, str(kind)): outcome.mark for model, kind, outcome in seen} == shown(
        (name, dialect, known)
    ), "python -m docs.reach_page writes the page anew"


@pytest.mark.parametrize(
    ("name", "dialect", "known"),
    [
        # Every third row per push; with all options at once, every row.
        pytest.param(*row, marks=pytest.mark.long if number % 3 else pytest.mark.proof)
        for number, row in enumerate(ROWS)
    ],
)
async def test_orders_with_a_single_option_come_out_right_or_are_refused_unpaid(
    name: str, dialect: str, known: str, tmp_path: Path
) -> None:
    async with way(PROFILES[name][0], dialect, tmp_path) as it:
        outcomes = [
            await it.go(model, order)
            for model in catalog(name, dialect, known).models
            for kind in model.kinds
            if kind in bodies.FILES
            for order in wishes(model, kind)
        ]
        assert len(it.simulator.journal) > 10
    assert [each.wrong for each in outcomes if each.wrong] == []


class Copies:
    """Three pictures of 10 MB, and the copies that our own media makes of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.originals = [folder / f"{name}.jpg" for name in ("one", "two", "three")]
        for seed, file in enumerate(self.originals):
            noise = random.Random(seed).randbytes(4096 * 2620 * 3)
            Image.frombytes("RGB", (4096, 2620), noise).save(file, "JPEG", quality=92)
        self._made: dict[tuple[Path, Fit], Path] = {}

    def fitted(self, file: Path, fit: Fit) -> Path:
        """Return the copy of a picture for this fit; each copy is made once."""
        if (file, fit) not in self._made:
            copy = self.folder / f"{file.stem}-{len(self._made)}.jpg"
            fit_pictures(file, fit, copy, self.folder / f"whole-{copy.name}")
            self._made[file, fit] = copy
        return self._made[file, fit]

    @property
    def heaviest(self) -> int:
        """Return the size in bytes of the largest copy that was sent."""
        return max(copy.stat().st_size for copy in self._made.values())


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Copies:
    return Copies(tmp_path_factory.mktemp("large"))


LARGE = [
    pytest.param(*each, marks=mark)
    for mark, those in (
        (
            pytest.mark.proof,
            [("B", "documented", "generation"), ("A", "new-api", "generation")],
        ),
        (
            pytest.mark.long,
            [
                ("B", "new-api", "generation"),
                ("C newest", "new-api", "versions"),
                ("C 1.0.0", "new-api", "nothing"),
                ("C newest", "documented", "generation"),
                ("C newest", "openai", "nothing"),
            ],
        ),
    )
    for each in those
]


@pytest.mark.parametrize(("name", "dialect", "known"), LARGE)
async def test_a_picture_of_10_mb_comes_out_like_a_small_one_behind_each_plugin(
    name: str, dialect: str, known: str, tmp_path: Path, copies: Copies
) -> None:
    """The fitted copy arrives byte for byte over HTTP, wherever a small picture arrives."""
    seen: dict[tuple[str, str], str] = {}
    async with way(PROFILES[name][0], dialect, tmp_path) as it:
        it.pictures, it.fitted = copies.originals, copies.fitted
        for model in catalog(name, dialect, known).models:
            for kind in model.kinds:
                if bodies.FILES.get(kind):
                    outcome = await it.go(model, bodies.ordered(model, kind))
                    assert outcome.wrong is None
                    seen[model.name, kind.value] = outcome.mark
    small = {cell: mark for cell, mark in shown((name, dialect, known)).items() if cell[1] != "t2v"}
    assert seen == small
    if dialect == "new-api":
        assert copies.heaviest > 9_500_000


@pytest.mark.proof
def test_the_page_of_orders_that_reach_vendors_is_up_to_date() -> None:
    """The page contains the vendors' fields.

    If it is outdated, `python -m docs.reach_page` rewrites it.
    """
    assert PAGE.read_text("utf-8") == page()


@pytest.mark.proof
async def test_an_order_with_a_picture_never_gives_a_vendor_another_shape(tmp_path: Path) -> None:
    """The shape is the picture's or the chosen one, to which the picture is then fitted."""
    tall = replace(bodies.PICTURE, width=720, height=1280)
    shapes = []
    async with way(NEW_API_C, "new-api", tmp_path) as it:
        for model in catalog("C newest", "new-api", "versions").models:
            for kind in {Kind.PICTURE, Kind.KEY_FRAMES}.intersection(model.kinds):
                order = changed(bodies.PLAIN, family=model.name)
                order = replace(order, pictures=(tall,) * bodies.FILES[kind])
                await it.go(model, order)
                built = it.simulator.journal[-1].built
                shapes.append((model.name, kind, built and built["ratio"]))
    assert ("wan3.0-video", Kind.KEY_FRAMES, "adaptive") in shapes
    assert [each for each in shapes if each[2] not in (None, "", "adaptive", "9:16")] == []


async def test_a_picture_that_a_plugin_drops_is_noticed_by_this_test(tmp_path: Path) -> None:
    """Negative control: Seedance accepts the obvious field `image` but does not read it."""
    model = catalog("C newest", "new-api", "nothing").model("doubao-seedance-1-0-pro-250528")
    assert model is not None
    obvious = Fields(files={Kind.PICTURE: (("image",),)}, length=model.places.length)
    async with way(NEW_API_C, "new-api", tmp_path) as it:
        order = bodies.ordered(replace(model, takes=()), Kind.PICTURE)
        assert (await it.go(model, order)).wrong is None
        said = (await it.go(replace(model, places=obvious), order)).wrong
    assert said is not None
    assert "'pictures': ([b" in said
