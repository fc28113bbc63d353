"""Suggestions: whatever is picked from what we offer, in any order, the catalog takes it."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.config import load
from bot.core.catalog import Catalog
from bot.core.offers import takes
from bot.core.orders import Kind, Order, Picture
from bot.core.wishes import OPTIONS, SWITCHES, switch_of
from bot.platforms.discord import menu, slash
from tests.unit.core.orders import CATALOG, SINGING, SORA, WAN_PICTURE, changed, order

FIELDS = ("family", "seconds", "aspect", "quality")
SWITCHED = ("family", "seconds", *SWITCHES.values())


def offered(catalog: Catalog, wish: Order, field: str) -> list[object]:
    (name,) = (name for name, option in OPTIONS.items() if option.field == field)
    values = [each.value for each in slash.SUGGESTED[name](catalog, wish, "")]
    return [switch_of(each) for each in values] if name in SWITCHES else values


def filled(catalog: Catalog, wish: Order, fields: tuple[str, ...]) -> Iterator[Order]:
    """Every way to fill these fields in, in this order, each from what is offered by then."""
    yield wish
    for place, field in enumerate(fields):
        for value in offered(catalog, wish, field):
            chosen = changed(wish, **{field: value})
            yield from filled(catalog, chosen, fields[place + 1 :])


def packaged(dialect: str) -> Catalog:
    """The packaged catalog for a gateway of this dialect."""
    given = {"BASE_URL": "http://localhost", "API_KEY": "sk-test", "DIALECT": dialect}
    environment = {f"ZOETROPE_GATEWAYS__MAIN__{name}": value for name, value in given.items()}
    return load(None, environment=environment).catalog


@pytest.fixture(params=["own", "documented", "new-api", "openai"])
def catalog(request: pytest.FixtureRequest) -> Catalog:
    return CATALOG if request.param == "own" else packaged(request.param)


@pytest.mark.proof
@pytest.mark.parametrize("pictures", [(), (slash.SOME_PICTURE,)], ids=["words", "picture"])
def test_nobody_is_refused_what_was_suggested(
    catalog: Catalog, pictures: tuple[Picture, ...]
) -> None:
    """In whatever order the options are filled in, and however many of them."""
    wish = order(pictures=pictures)
    found = {each for fields in permutations(FIELDS) for each in filled(catalog, wish, fields)}
    assert [each for each in found if not takes(catalog, each)] == []
    assert len(found) > len(catalog.models)


def test_nor_what_was_suggested_of_lengths_and_switches(catalog: Catalog) -> None:
    found = {each for it in (SWITCHED, SWITCHED[::-1]) for each in filled(catalog, order(), it)}
    assert [each for each in found if not takes(catalog, each)] == []


def test_with_a_sound_those_who_take_it_are_offered_and_no_length(catalog: Catalog) -> None:
    wish = order(pictures=(slash.SOME_PICTURE,), sound=slash.SOME_SOUND)
    assert offered(SINGING, wish, "family") == ["wan"]
    assert offered(SINGING, wish, "seconds") == []
    assert offered(catalog, wish, "family") == []


@pytest.mark.proof
@settings(max_examples=30)  # each asks for hundreds of combinations
@given(width=st.integers(1, 9000), height=st.integers(1, 9000))
def test_nor_whatever_shape_the_picture_then_has(width: int, height: int) -> None:
    catalog, wish = packaged("new-api"), order(pictures=(slash.SOME_PICTURE,))
    real = replace(slash.SOME_PICTURE, width=width, height=height)
    for each in filled(catalog, wish, FIELDS):
        assert takes(catalog, replace(each, pictures=(real,)))


def test_nor_what_a_form_offers(catalog: Catalog) -> None:
    wish = order(pictures=(slash.SOME_PICTURE,))
    for video in menu.lengths_of(catalog, wish):
        length, _, family = video.value.partition(" ")
        assert takes(catalog, changed(wish, family=family, seconds=int(length)))


def test_a_form_offers_the_length_that_a_model_chooses_behind_its_usual_one() -> None:
    choosing = Catalog(models=(replace(WAN_PICTURE, auto=True),))
    videos = menu.lengths_of(choosing, order(pictures=(slash.SOME_PICTURE,)))
    assert [(video.value, video.label) for video in videos] == [
        ("5 wan", "Wan · 5 s"),
        ("-1 wan", "Wan · Auto, up to 10 s"),
        ("10 wan", "Wan · 10 s"),
    ]


@pytest.mark.parametrize(
    ("pictures", "kind"), [(0, Kind.TEXT), (1, Kind.PICTURE)], ids=["words", "picture"]
)
def test_each_family_that_can_is_offered(catalog: Catalog, pictures: int, kind: Kind) -> None:
    wish = order(pictures=(slash.SOME_PICTURE,) * pictures)
    able = dict.fromkeys(model.family for model in catalog.models if kind in model.kinds)
    assert offered(catalog, wish, "family") == list(able)


def test_a_form_that_would_be_too_long_keeps_each_family() -> None:
    many = tuple(
        replace(SORA, name=f"m{number}", family=f"f{number}", label=f"F{number}")
        for number in range(20)
    )
    videos = menu.lengths_of(Catalog(models=many), order(pictures=(slash.SOME_PICTURE,)))
    assert len(videos) == slash.MOST
    assert len({video.value.partition(" ")[2] for video in videos}) == len(many)
