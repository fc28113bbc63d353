"""Knowledge about a gateway's software decides which fields are sent and kinds offered."""

import pytest

from bot.config import plugins
from bot.config.layers import Served
from bot.core.models import Model
from bot.core.orders import Kind
from tests.unit.config.conftest import GATEWAY, Complaints, Read


def _model(read: Read, name: str, known: str = "") -> Model:
    model = read(gateway=f"{GATEWAY}{known}\n").catalog.model(name)
    assert model is not None
    return model


OLD, FIRST, NEW = (
    'generation = "B"',
    'plugins = { kling = "1.0.0" }',
    'plugins = { kling = "1.1.0" }',
)


@pytest.mark.parametrize(
    ("known", "kinds"),
    [
        ("", ("t2v",)),
        ('generation = "C"', ("t2v",)),
        (FIRST, ("t2v",)),
        (NEW, ("t2v", "i2v", "kf2v")),
        (OLD, ("t2v", "i2v", "kf2v")),
        ('generation = "C"\nplugins = { kling = "none" }', ("t2v", "i2v", "kf2v")),
    ],
)
def test_kling_takes_pictures_only_if_no_possible_plugin_version_drops_them(
    read: Read, known: str, kinds: tuple[str, ...]
) -> None:
    assert _model(read, "kling-v1", known).kinds == kinds


@pytest.mark.parametrize(
    ("known", "places"),
    [
        ("", (("image", "input_reference"),)),
        (OLD, (("input_reference",),)),
        ('plugins = { alibaba = "1.4.2" }', (("image",),)),
        ('plugins = { alibaba = "1.0.1" }', (("image",),)),
    ],
)
def test_a_picture_for_wan_is_sent_in_one_field_only_if_the_plugins_version_is_known(
    read: Read, known: str, places: tuple[tuple[str, ...], ...]
) -> None:
    assert _model(read, "wan2.5-i2v-preview", known).places.files[Kind.PICTURE] == places


def test_a_documented_gateway_known_to_be_new_api_gets_no_pictures_for_wan(read: Read) -> None:
    """The pictures would be dropped, and a video of the prompt alone charged."""
    spoken = 'dialect = "documented"\n'
    assert _model(read, "wan2.5-i2v-preview", spoken).kinds == ("i2v",)
    known = read(gateway=f"{GATEWAY}{spoken}{OLD}\n").catalog
    assert known.model("wan2.5-i2v-preview") is None
    assert known.model("wan2.5-t2v-preview") is not None


def test_a_gateway_that_lists_its_models_offers_the_known_ones_and_the_operators_own(
    read: Read,
) -> None:
    listed = 'models = ["wan3.0-video", "gpt-x"]\n'
    catalog = read("[models.sora-2]\nprompt_limit = 9\n", gateway=GATEWAY + listed).catalog
    assert [model.name for model in catalog.models] == ["wan3.0-video", "sora-2"]


@pytest.mark.parametrize(
    ("since", "below", "oldest", "newest", "covers"),
    [
        ("1.0.1", None, (1, 0, 1), (1, 0, 1), True),
        ("1.0.1", None, (1, 1, 0), None, True),
        ("1.0.1", None, plugins.FIRST, None, False),
        ("1.0.1", None, (), None, False),
        ("none", "1.0.0", plugins.RELAY, plugins.RELAY, True),
        ("none", "1.0.0", (), None, False),
        ("none", "1.0.1", (1, 0, 0), (1, 0, 0), True),
        ("none", "1.0.1", (1, 0, 0), None, False),
        ("none", None, (1, 0, 0), None, True),
        ("none", None, (), None, False),
    ],
)
def test_a_row_for_plugin_versions_holds_only_if_every_possible_version_is_in_its_range(
    since: str,
    below: str | None,
    oldest: tuple[int, ...],
    newest: tuple[int, ...] | None,
    covers: bool,
) -> None:
    row = Served.model_validate({"since": since, "below": below})
    assert row.covers(oldest, newest) is covers


@pytest.mark.parametrize("given", ["'newest'", "'1.0'", "'1'", "'0'", "'-1.0.0'", "1.1"])
def test_a_plugin_version_without_three_numbers_is_a_mistake(told: Complaints, given: str) -> None:
    """A part of a version, such as 1.0, would count as the older relay, which takes pictures in
    another field.
    """
    (said,) = told(gateway=f"{GATEWAY}plugins = {{ kling = {given} }}\n")
    assert said.startswith(f"gateways.main.plugins.kling is {given}; it has to be")


def test_an_operators_own_model_may_differ_by_plugin_version(read: Read) -> None:
    mine = """
[models.mine]
family = "mine"
plugin = "own"
kinds = ["t2v", "i2v"]
seconds = [5]
prompt_limit = 9
sizes = { 720p = "720p" }
picture = {}
[[models.mine.dialects.new-api.served]]
since = "2.0.0"
lacks = ["i2v"]
"""
    for version, kinds in (("1.9.9", ("t2v", "i2v")), ("2.0.0", ("t2v",))):
        catalog = read(mine, gateway=f'{GATEWAY}plugins = {{ own = "{version}" }}\n').catalog
        model = catalog.model("mine")
        assert model is not None
        assert model.kinds == kinds


@pytest.mark.parametrize("known", ["", OLD, 'generation = "C"', 'plugins = { alibaba = "1.4.2" }'])
def test_a_picture_for_happyhorse_is_sent_in_every_field_that_a_relay_may_read(
    read: Read, known: str
) -> None:
    """Each relay's extension chooses the field, so no generation tells which field counts."""
    listed = f'{known}\nmodels = ["happyhorse-1.1-i2v"]'
    model = _model(read, "happyhorse-1.1-i2v", listed)
    assert model.places.files[Kind.PICTURE] == (("image", "input_reference"),)
    assert model.places.of("seed") == ("metadata.seed", "metadata.parameters.seed")
