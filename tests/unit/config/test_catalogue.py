"""The operator's tables over ours: add, override, hide, price; and what can't be, said in words."""

import pytest

from bot.config import Config
from bot.core.catalog import Model
from tests.unit.config.conftest import GATEWAY, Read, Told

MINE = """
[families.mine]
label = "Mine"

[models.mine-v1]
family = "mine"
kinds = ["t2v"]
seconds = [6]
prompt_limit = 100
sizes = { 720p = "1280x720" }
"""
WAN = ("wan2.5-t2v-preview", "wan2.5-i2v-preview")
TWO = f'{GATEWAY}[gateways.other]\nbase_url = "https://other.example"\ndialect = "openai"\n'
OTHER = {"ZOETROPE_GATEWAYS__OTHER__API_KEY": "sk-2"}


def test_out_of_the_box_every_packaged_model_runs_at_the_one_gateway(read: Read) -> None:
    models = read().catalog.models
    assert [model.name for model in models] == [
        "wan2.5-t2v-preview",
        "wan2.5-i2v-preview",
        "sora-2",
    ]
    assert {model.gateway for model in models} == {"main"}
    assert {model.price for model in models} == {None}


def test_a_model_is_added_with_a_table(read: Read) -> None:
    catalog = read(MINE).catalog
    added = catalog.model("mine-v1")
    assert added is not None
    assert (added.label, added.seconds, added.typical) == ("Mine", (6,), 180)
    assert catalog.families == ("wan-2.5", "sora-2", "mine")


def test_a_table_changes_only_what_it_names(read: Read) -> None:
    before = _model(read(), "sora-2")
    after = _model(read("[models.sora-2]\nprompt_limit = 9\npicture = { widest = 2 }"), "sora-2")
    assert (before.prompt_limit, after.prompt_limit) == (32000, 9)
    assert before.picture is not None
    assert after.picture is not None
    assert (after.picture.widest, after.picture.place) == (2, before.picture.place)
    assert after.seconds == before.seconds


def test_sizes_are_replaced_as_a_whole(read: Read) -> None:
    changed = read('[models."wan2.5-i2v-preview".sizes]\n1080p = "1080P"')
    assert _model(changed, "wan2.5-i2v-preview").sizes == {"1080p": "1080P"}


def test_a_hidden_model_is_not_there(read: Read) -> None:
    assert read("[models.sora-2]\nhidden = true").catalog.families == ("wan-2.5",)


def test_a_price_is_kept_in_micro_units(read: Read) -> None:
    assert _model(read("[models.sora-2]\nprice = 0.1"), "sora-2").price == 100_000


def test_a_family_is_renamed(read: Read) -> None:
    assert read('[families.sora-2]\nlabel = "Sora"').catalog.label("sora-2") == "Sora"


def test_the_first_preset_speaks_for_a_picture_without_words(read: Read) -> None:
    changed = read('[presets.bring-to-life]\nprompt = "Wiggle."')
    assert changed.catalog.preset == "Wiggle."


def test_each_model_may_run_at_a_gateway_of_its_own(read: Read) -> None:
    config = read('[models.sora-2]\ngateway = "other"', gateway=TWO, **OTHER)
    assert _model(config, "sora-2").gateway == "other"
    assert _model(config, "sora-2").dialect == "openai"
    assert _model(config, "wan2.5-t2v-preview").gateway == "main"


def test_the_default_gateway_runs_what_names_none(read: Read) -> None:
    config = read('default_gateway = "other"', gateway=TWO, **OTHER)
    assert {model.gateway for model in config.catalog.models} == {"other"}


def test_a_dialect_that_takes_no_such_picture_leaves_the_words(read: Read) -> None:
    config = read(gateway=f'{GATEWAY}dialect = "openai"')
    assert config.catalog.model("wan2.5-i2v-preview") is None
    assert _model(config, "wan2.5-t2v-preview").kinds == ("t2v",)
    assert _model(config, "sora-2").kinds == ("t2v", "i2v")


def test_a_dialect_may_spell_a_model_its_own_way(read: Read) -> None:
    documented = read(gateway=f'{GATEWAY}dialect = "documented"')
    assert _model(read(), "sora-2").seconds == (4, 8, 12)
    assert _model(documented, "sora-2").seconds == (4, 3, 5, 8, 12)


def test_a_money_limit_needs_every_price(told: Told) -> None:
    text = "[limits]\npurse_money_per_day = 5\n[models.sora-2]\nprice = 0.1"
    remedy = "Set the price of one second, or limit videos instead."
    assert told(text) == [
        f"models.{name}.price is missing, but limits.purse_money_per_day counts money. {remedy}"
        for name in WAN
    ]


def test_a_hidden_model_needs_no_price(read: Read) -> None:
    hidden = "".join(
        f'[models."wan2.5-{kind}-preview"]\nhidden = true\n' for kind in ("t2v", "i2v")
    )
    config = read(f"[limits]\npurse_money_per_day = 5\n[models.sora-2]\nprice = 0\n{hidden}")
    assert config.limits.purse_money == 5_000_000


WRONG = {
    "unknown gateway": (
        'gateway = "nowhere"',
        "gateway names the gateway nowhere, which is not configured. Configured: main.",
    ),
    "gateway of no name": ("gateway = 5", "gateway is 5; a value of type string belongs there."),
    "unknown key": ("secnods = [4]", "secnods is not a setting. Did you mean “seconds”?"),
    "no seconds": ("seconds = []", "seconds is missing. Add it to the configuration file."),
    "no length": ("seconds = [0]", "seconds.0 is 0; it has to be more than 0."),
    "price": ("price = -1", "price is -1; it has to be 0 or more."),
    "fortune": ("price = 1e9", "price is 1000000000.0; it has to be 1000000 or less."),
    "quality": (
        'sizes = { "4k" = "3840x2160" }',
        "sizes.4k is 4k; it has to be one of: 480p, 720p, 1080p.",
    ),
    "aspect": (
        'sizes = { 720p = { "2:1" = "1440x720" } }',
        "sizes.720p.2:1 is 2:1; it has to be one of: 16:9, 9:16, 1:1, 4:3, 3:4.",
    ),
    "no aspects": (
        "sizes = { 720p = {} }",
        "sizes.720p is •••; a value of type string belongs there.",
    ),
    "size of no type": (
        "sizes = { 720p = 720 }",
        "sizes.720p is 720; a value of type string belongs there.",
    ),
    "extra of no type": (
        "extras = { seed = 1.5 }",
        "extras.seed is 1.5; a value of type string belongs there.",
    ),
    "no pixels to cut to": (
        'sizes = { 720p = "720P" }',
        "sizes.720p is '720P'; a value of type 1280x720 belongs there.",
    ),
    "transport": (
        'picture = { transport = "pigeon" }',
        "picture.transport is 'pigeon'; it has to be one of: 'upload' or 'data-uri'.",
    ),
    "dialects": ("dialects = 5", "dialects is 5; a value of type table belongs there."),
    "dialect": (
        "dialects = { documented = 5 }",
        "dialects.documented is 5; a value of type table belongs there.",
    ),
}


@pytest.mark.parametrize(("line", "sentence"), WRONG.values(), ids=WRONG)
def test_a_mistake_in_a_model_is_told_with_its_remedy(told: Told, line: str, sentence: str) -> None:
    assert told(f"[models.sora-2]\n{line}") == [f"models.sora-2.{sentence}"]


def test_a_model_that_takes_pictures_says_how(told: Told) -> None:
    text = MINE.replace('kinds = ["t2v"]', 'kinds = ["i2v"]')
    assert told(text) == ["models.mine-v1.picture is missing. Add it to the configuration file."]


def test_a_mistake_in_one_model_hides_no_other(told: Told) -> None:
    text = '[models.sora-2]\nprice = -1\n[models."wan2.5-t2v-preview"]\nseconds = ["x"]'
    assert [sentence.partition(" ")[0] for sentence in told(text)] == [
        "models.wan2.5-t2v-preview.seconds.0",
        "models.sora-2.price",
    ]


def _model(config: Config, name: str) -> Model:
    found = config.catalog.model(name)
    assert found is not None
    return found
