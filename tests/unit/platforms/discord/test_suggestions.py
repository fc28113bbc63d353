"""Suggested values: the catalog accepts each of them, picked in any order."""

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
    """Return the suggested values of a field of the wish."""
    (name,) = (name for name, option in OPTIONS.items() if option.field == field)
    values = [each.value for each in slash.SUGGESTED[name](catalog, wish, "")]
    return [switch_of(each) for each in values] if name in SWITCHES else values


def filled(catalog: Catalog, wish: Order, fields: tuple[str, ...]) -> Iterator[Order]:
    """Yield every order that comes from filling in these fields in this order with suggested
    values.
    """
    yield wish
    for place, field in enumerate(fields):
        for value in offered(catalog, wish, field):
            chosen = changed(wish, **{field: value})
            yield from filled(catalog, chosen, fields[place + 1 :])


def packaged(dialect: str) -> Catalog:
    """Return the packaged catalog for a gateway of this dialect."""
    given = {"BASE_URL": "http://localhost", "API_KEY": "sk-test", "DIALECT": dialect}
    environment = {f"ZOETROPE_GATEWAYS__MAIN__{name}": value for name, value in given.items()}
    return load(None, environment=environment).catalog


@pytest.fixture(params=["own", "documented", "new-api", "openai"])
def catalog(request: pytest.FixtureRequest) -> Catalog:
    return CATALOG if request.param == "own" else packaged(request.param)


@pytest.mark.proof
@pytest.mark.parametrize(
    "pictures", [(), (slash.SOME_PICTURE,)], ids=["prompt alone", "with a picture"]
)
def test_every_suggested_value_is_accepted_in_any_order_of_filling_in(
    catalog: Catalog, pictures: tuple[Picture, ...]
) -> None:
    """Any number of options may be filled in."""
    wish = order(pictures=pictures)
    found = {each for fields in permutations(FIELDS) for each in filled(catalog, wish, fields)}
    assert [each for each in found if not takes(catalog, each)] == []
    assert len(found) > len(catalog.models)


def test_every_suggested_length_and_switch_is_accepted_together(catalog: Catalog) -> None:
    found = {each for it in (SWITCHED, SWITCHED[::-1]) for each in filled(catalog, order(), it)}
    assert [each for each in found if not takes(catalog, each)] == []


def test_with_a_sound_only_models_that_take_sounds_and_no_length_are_suggested(
    catalog: Catalog,
) -> None:
    wish = order(pictures=(slash.SOME_PICTURE,), sound=slash.SOME_SOUND)
    assert offered(SINGING, wish, "family") == ["wan"]
    assert offered(SINGING, wish, "seconds") == []
    assert offered(catalog, wish, "family") == []


@pytest.mark.proof
@settings(max_examples=30)  # each example tries hundreds of combinations
@given(width=st.integers(1, 9000), height=st.integers(1, 9000))
def test_every_suggested_value_is_accepted_for_a_picture_of_any_shape(
    width: int, height: int
) -> None:
    catalog, wish = packaged("new-api"), order(pictures=(slash.SOME_PICTURE,))
    real = replace(slash.SOME_PICTURE, width=width, height=height)
    for each in filled(catalog, wish, FIELDS):
        assert takes(catalog, replace(each, pictures=(real,)))


def test_every_choice_of_the_animate_form_is_accepted(catalog: Catalog) -> None:
    wish = order(pictures=(slash.SOME_PICTURE,))
    for video in menu.lengths_of(catalog, wish):
        length, _, family = video.value.partition(" ")
        assert takes(catalog, changed(wish, family=family, seconds=int(length)))


def test_the_animate_form_offers_an_automatic_length_behind_the_usual_length() -> None:
    choosing = Catalog(models=(replace(WAN_PICTURE, auto=True),))
    videos = menu.lengths_of(choosing, order(pictures=(slash.SOME_PICTURE,)))
    assert [(video.value, video.label) for video in videos] == [
        ("5 wan", "Wan · 5 s"),
        ("-1 wan", "Wan · Auto, up to 10 s"),
        ("10 wan", "Wan · 10 s"),
    ]


@pytest.mark.parametrize(
    ("pictures", "kind"),
    [(0, Kind.TEXT), (1, Kind.PICTURE)],
    ids=["prompt alone", "with a picture"],
)
def test_every_family_that_can_make_the_kind_of_video_is_suggested(
    catalog: Catalog, pictures: int, kind: Kind
) -> None:
    wish = order(pictures=(slash.SOME_PICTURE,) * pictures)
    able = dict.fromkeys(model.family for model in catalog.models if kind in model.kinds)
    assert offered(catalog, wish, "family") == list(able)


def test_an_animate_form_that_would_be_too_long_still_offers_every_family() -> None:
    many = tuple(
        replace(SORA, name=f"m{number}", family=f"f{number}", label=f"F{number}")
        for number in range(20)
    )
    videos = menu.lengths_of(Catalog(models=many), order(pictures=(slash.SOME_PICTURE,)))
    assert len(videos) == slash.MOST
    assert len({video.value.partition(" ")[2] for video in videos}) == len(many)
