"""The operator's tables over the packaged ones: add, override, hide, price; and the errors about
wrong tables.
"""

import json
from datetime import date

import pytest

from bot.config import Config
from bot.core.errors import Refused
from bot.core.models import Model
from bot.core.orders import Kind
from bot.core.presets import Preset
from bot.core.wishes import Extra
from bot.gateways.dialects import DIALECTS
from tests.unit.config.conftest import GATEWAY, KNOWN, PACKAGED, Complaints, Read
from tests.unit.core.orders import order

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
BEST_FIRST = ("wan-2.5", "kling", "vidu", "wan-2.2", "jimeng", "wan-2.1", "sora-2")
OTHERS = [name for name in PACKAGED if name != "sora-2"]
TWO = f'{GATEWAY}[gateways.other]\nbase_url = "https://other.example"\ndialect = "openai"\n'
OTHER = {"ZOETROPE_GATEWAYS__OTHER__API_KEY": "sk-2"}


def test_without_tables_every_packaged_model_runs_at_the_only_gateway(read: Read) -> None:
    catalog = read().catalog
    assert sorted(model.name for model in catalog.models) == sorted(PACKAGED)
    assert catalog.families == BEST_FIRST
    assert {model.gateway for model in catalog.models} == {"main"}
    assert {len(model.prices) for model in catalog.models} == {0}


def test_every_packaged_model_names_its_source_document_and_date(read: Read) -> None:
    listed = f"models = {json.dumps(KNOWN)}\nplugins = {{ hailuo = '1.2.1' }}\n"
    models = read(gateway=f"{GATEWAY}{listed}").catalog.models
    assert {model.name for model in models} == set(KNOWN)
    for model in models:
        document, _, day = model.source.rpartition(", ")
        assert document
        assert date.fromisoformat(day) > date(2025, 1, 1)


def test_an_operators_source_replaces_the_packaged_source(read: Read) -> None:
    mine = '[models.sora-2]\nsource = "our reseller, 2026-11-28"'
    assert _model(read(mine), "sora-2").source == "our reseller, 2026-11-28"


def test_a_table_adds_a_model(read: Read) -> None:
    catalog = read(MINE).catalog
    added = catalog.model("mine-v1")
    assert added is not None
    assert (added.label, added.seconds, added.typical) == ("Mine", (6,), 180)
    assert catalog.families == (*BEST_FIRST, "mine")


def test_a_table_changes_only_the_fields_that_it_names(read: Read) -> None:
    before = _model(read(), "sora-2")
    after = _model(read("[models.sora-2]\nprompt_limit = 9\npicture = { widest = 2 }"), "sora-2")
    assert (before.prompt_limit, after.prompt_limit) == (32000, 9)
    assert before.picture is not None
    assert after.picture is not None
    assert (after.picture.fit.widest, after.picture.exact) == (2, before.picture.exact)
    assert after.seconds == before.seconds


@pytest.mark.proof
def test_an_operators_at_once_setting_replaces_the_packaged_number_of_slots(read: Read) -> None:
    """A vendor gives some accounts more slots, so no packaged number holds for all."""
    names = ("wan2.2-i2v-plus", "wan2.5-i2v-preview", "sora-2")
    changed = read('[models."wan2.2-i2v-plus"]\nat_once = 9\n[models.sora-2]\nat_once = 1')
    assert [_model(read(), name).at_once for name in names] == [2, 5, None]
    assert [_model(changed, name).at_once for name in names] == [9, 5, 1]


def test_a_table_of_sizes_replaces_all_packaged_sizes(read: Read) -> None:
    changed = read('[models."wan2.5-i2v-preview".sizes]\n1080p = "1080P"')
    assert _model(changed, "wan2.5-i2v-preview").sizes == {"1080p": "1080P"}


def test_a_hidden_model_is_not_in_the_catalog(read: Read) -> None:
    hidden = read("[models.sora-2]\nhidden = true").catalog
    assert "sora-2" not in hidden.families
    assert len(hidden.models) == len(PACKAGED) - 1


def test_a_price_is_stored_in_micro_units(read: Read) -> None:
    assert _model(read("[models.sora-2]\nprice = 0.1"), "sora-2").prices == {"720p": 100_000}


WAN = '[models."wan2.5-t2v-preview"]\n'
BY_QUALITY = "price = { 480p = 0.05, 720p = 0.1, 1080p = 0.15 }"


def test_a_price_may_be_set_for_each_quality(read: Read) -> None:
    model = _model(read(WAN + BY_QUALITY), "wan2.5-t2v-preview")
    assert model.prices == {"480p": 50_000, "720p": 100_000, "1080p": 150_000}
    flat = _model(read(f"{WAN}price = 0.1"), "wan2.5-t2v-preview")
    assert flat.prices == dict.fromkeys(model.prices, 100_000)


def test_a_price_for_a_quality_that_the_model_does_not_make_is_ignored(read: Read) -> None:
    assert _model(read(f"[models.sora-2]\n{BY_QUALITY}"), "sora-2").prices == {"720p": 100_000}


def test_prices_by_quality_must_name_every_quality(told: Complaints) -> None:
    (said,) = told(f"{WAN}price = {{ 480p = 0.05, 1080p = 0.15 }}")
    assert said.startswith("models.wan2.5-t2v-preview.price.720p is missing. If a model has prices")


def test_a_table_renames_a_family(read: Read) -> None:
    assert read('[families.kling]\nlabel = "King"').catalog.label("kling") == "King"


def test_the_first_preset_of_the_catalog_can_be_changed(read: Read) -> None:
    changed = read('[presets.bring-to-life]\nprompt = "Wiggle."')
    assert next(iter(changed.catalog.presets.values())) == Preset("Bring to life", "Wiggle.")


def test_a_preset_can_be_added_and_hidden(read: Read) -> None:
    config = read('[presets.waltz]\nprompt = "Waltz."\n[presets.orbit]\nhidden = true')
    assert config.catalog.presets["waltz"] == Preset("waltz", "Waltz.")
    assert "orbit" not in config.catalog.presets


@pytest.mark.parametrize("table", ["prompt = 5", 'label = "Waltz"', 'prompt = "W"\nlabl = "W"'])
def test_a_wrong_preset_is_reported_with_its_name(told: Complaints, table: str) -> None:
    (sentence,) = told(f"[presets.waltz]\n{table}")
    assert sentence.startswith("presets.waltz.")


def test_a_model_may_run_at_a_gateway_of_its_own(read: Read) -> None:
    config = read('[models.sora-2]\ngateway = "other"', gateway=TWO, **OTHER)
    assert _model(config, "sora-2").gateway == "other"
    assert _model(config, "sora-2").dialect == "openai"
    assert _model(config, "wan2.5-t2v-preview").gateway == "main"


def test_the_default_gateway_runs_every_model_that_names_no_gateway(read: Read) -> None:
    config = read('default_gateway = "other"', gateway=TWO, **OTHER)
    assert {model.gateway for model in config.catalog.models} == {"other"}


def test_models_that_take_only_pictures_are_not_offered_in_a_dialect_without_their_fields(
    read: Read,
) -> None:
    config = read(gateway=f'{GATEWAY}dialect = "openai"')
    assert config.catalog.model("wan2.5-i2v-preview") is None
    assert _model(config, "wan2.5-t2v-preview").kinds == ("t2v",)
    assert _model(config, "sora-2").kinds == ("t2v", "i2v", "remix")


@pytest.mark.parametrize("name", ["jimeng_vgfm_t2v_l20", "jimeng_vgfm_i2v_l20"])
@pytest.mark.parametrize("dialect", ["documented", "openai"])
def test_an_aspect_ratio_that_the_gateway_may_ignore_is_not_offered(
    read: Read, name: str, dialect: str
) -> None:
    """Jimeng reads no size.

    An older relay makes 16:9 of every size, so an order for 9:16 would be paid for and wrong.
    """
    at = f'{GATEWAY}dialect = "{dialect}"\n'
    catalog = read(gateway=f'{at}models = ["jimeng_vgfm_t2v_l20"]').catalog
    with pytest.raises(Refused, match="aspect_unavailable") as refused:
        catalog.choose(order(aspect="9:16"))
    assert refused.value.values["can"] == ("16:9",)
    mine = f'[models.{name}]\nsizes = {{ 720p = {{ "9:16" = "720x1280" }} }}'
    assert _model(read(mine, gateway=f'{GATEWAY}dialect = "documented"\n'), name).aspects == (
        "9:16",
    )
    assert "9:16" in _model(read(gateway=f'{GATEWAY}generation = "B"\n'), name).aspects


def test_a_model_may_have_other_lengths_in_another_dialect(read: Read) -> None:
    documented = read(gateway=f'{GATEWAY}dialect = "documented"')
    assert _model(read(), "sora-2").seconds == (4, 8, 12)
    assert _model(documented, "sora-2").seconds == (4, 3, 5, 8, 12)


def test_a_models_table_overrides_its_wire_and_its_dialect_table_overrides_the_model(
    read: Read,
) -> None:
    mine = """
[models.wan9]
family = "mine"
wire = "wan"
kinds = ["i2v"]
prompt_limit = 7
sizes = { 720p = "720P" }
picture = { most_side = 999 }
[models.wan9.dialects.documented]
prompt_limit = 8
"""
    documented = _model(read(mine, gateway=f'{GATEWAY}dialect = "documented"'), "wan9")
    new_api = _model(read(mine), "wan9")
    assert (documented.prompt_limit, new_api.prompt_limit) == (8, 7)
    assert documented.seconds == new_api.seconds == (5,)
    assert new_api.picture is not None
    assert (new_api.picture.transport, new_api.picture.fit.most_side) == ("data-uri", 999)
    assert documented.places.files[Kind.PICTURE] == (("metadata.img_url",),)
    assert new_api.places.files[Kind.PICTURE] == (("image", "input_reference"),)


def test_an_option_without_a_field_in_the_dialect_is_not_offered(read: Read) -> None:
    wan = "wan2.5-t2v-preview"
    assert _model(read(gateway=f'{GATEWAY}dialect = "openai"'), wan).takes == ()
    assert Extra.SEED in _model(read(), wan).takes


BY_LINK = '[models.sora-2]\npicture = { transport = "url" }\n'
PUBLIC = '[web]\npublic_url = "https://videos.example"\n'


def test_pictures_by_link_need_a_public_url(read: Read, told: Complaints) -> None:
    assert told(BY_LINK) == [
        (
            "models.sora-2.picture.transport is url: such a model downloads files from this"
            " service, but web.public_url is not set. Set it, or set"
            " models.sora-2.picture.transport to data-uri."
        )
    ]
    config = read(BY_LINK + PUBLIC)
    assert config.catalog.linked
    assert _model(config, "sora-2").kinds == ("t2v", "i2v")


@pytest.mark.parametrize(
    ("line", "dialect"),
    [("hidden = true", "new-api"), ('kinds = ["t2v"]', "new-api"), ("", "openai")],
)
def test_a_model_without_pictures_needs_no_public_url(read: Read, line: str, dialect: str) -> None:
    config = read(BY_LINK + line, gateway=f'{GATEWAY}dialect = "{dialect}"')
    assert not config.catalog.linked


def test_a_mistake_beside_public_url_does_not_report_public_url_as_missing(
    told: Complaints,
) -> None:
    sentences = told(f"{BY_LINK}{PUBLIC}port = -1")
    assert [sentence.partition(" ")[0] for sentence in sentences] == ["web.port"]


def test_a_table_may_send_pictures_as_a_data_uri_below_a_size(read: Read) -> None:
    changed = read('[models.sora-2]\npicture = { transport = "data-uri", url_above = 10_000 }')
    model = _model(changed, "sora-2")
    assert model.picture is not None
    assert (model.picture.url_above, changed.catalog.linked) == (10_000, False)


def test_a_model_of_sounds_exists_only_if_the_operator_configures_it(read: Read) -> None:
    mine = MINE.replace('"t2v"', '"s2v"') + (
        "picture = { transport = 'data-uri' }\nsound = { most_seconds = 20 }\n"
        "places = { s2v = [['metadata.img_url'], ['metadata.audio_url']] }\n"
    )
    model = _model(read(mine, gateway=f'{GATEWAY}dialect = "documented"'), "mine-v1")
    assert (model.kinds, model.longest) == (("s2v",), 20)
    assert Kind.SOUND not in {kind for each in read().catalog.models for kind in each.kinds}


def test_a_model_of_sounds_at_new_api_needs_its_fields_from_the_operator(
    read: Read, told: Complaints
) -> None:
    mine = MINE.replace('"t2v"', '"s2v"') + "picture = { transport = 'data-uri' }\n"
    places = "places = { s2v = [['metadata.img_url'], ['metadata.audio_url']] }\n"
    (sentence,) = told(mine + places)
    assert sentence.startswith("models.mine-v1.dialects.new-api.places.s2v is not set")
    known = _model(read(f"{mine}dialects.new-api.{places}"), "mine-v1")
    assert known.kinds == (Kind.SOUND,)


def test_a_money_limit_needs_the_price_of_every_model(told: Complaints) -> None:
    text = "[limits]\npurse_money_per_day = 5\n[models.sora-2]\nprice = 0.1"
    remedy = "Set the price of one second, or limit the number of videos instead."
    assert sorted(told(text)) == sorted(
        f"models.{name}.price is missing, but purse_money_per_day counts money. {remedy}"
        for name in OTHERS
    )


def test_with_a_money_limit_a_hidden_model_needs_no_price(read: Read) -> None:
    hidden = "".join(f'[models."{name}"]\nhidden = true\n' for name in OTHERS)
    config = read(f"[limits]\npurse_money_per_day = 5\n[models.sora-2]\nprice = 0\n{hidden}")
    assert config.limits.purse_money == 5_000_000


QUALITIES = "360p, 480p, 512p, 540p, 720p, 768p, 1080p, 2k, 4k"
WRONG = {
    "unknown gateway": (
        'gateway = "nowhere"',
        "gateway names the gateway nowhere, which is not configured. Configured are: main.",
    ),
    "gateway of a wrong type": (
        "gateway = 5",
        "gateway is 5; it has to be of type string.",
    ),
    "unknown key": ("secnods = [4]", "secnods is not a setting. Did you mean “seconds”?"),
    "no seconds": ("seconds = []", "seconds is missing. Add it to the configuration file."),
    "length of zero": ("seconds = [0]", "seconds.1 is 0; it has to be more than 0."),
    "negative price": ("price = -1", "price is -1; it has to be 0 or more."),
    "price too high": ("price = 1e9", "price is 1000000000.0; it has to be 1000000 or less."),
    "negative price of a quality": (
        "price = { 720p = -1 }",
        "price.720p is -1; it has to be 0 or more.",
    ),
    "price of an unknown quality": (
        "price = { 720p = 1, 8k = 2 }",
        f"price.8k is 8k; it has to be one of: {QUALITIES}.",
    ),
    "price of a wrong type": (
        'price = "cheap"',
        "price is 'cheap'; it has to be of type number.",
    ),
    "unknown quality": (
        'sizes = { "8k" = "3840x2160" }',
        f"sizes.8k is 8k; it has to be one of: {QUALITIES}.",
    ),
    "unknown aspect ratio": (
        'sizes = { 720p = { "2:1" = "1440x720" } }',
        "sizes.720p.2:1 is 2:1; it has to be one of: 16:9, 9:16, 1:1, 4:3, 3:4, 3:2, 2:3, 21:9.",
    ),
    "no aspect ratios": (
        "sizes = { 720p = {} }",
        "sizes.720p is a table; it has to be of type string.",
    ),
    "size of a wrong type": (
        "sizes = { 720p = 720 }",
        "sizes.720p is 720; it has to be of type string.",
    ),
    "extra of a wrong type": (
        "extras = { seed = [] }",
        "extras.seed is an array; it has to be of type string.",
    ),
    "size without pixels": (
        'sizes = { 720p = "720P" }',
        "sizes.720p is '720P'; it has to be of type 1280x720.",
    ),
    "unknown transport": (
        'picture = { transport = "pigeon" }',
        (
            "picture.transport is 'pigeon';"
            " it has to be one of: 'upload', 'data-uri', 'base64' or 'url'."
        ),
    ),
    "unknown wire": (
        'wire = "morse"',
        (
            "wire is morse; it has to be one of:"
            " wan, happyhorse, kling, vidu, jimeng, jimeng-3.0, seedance, hailuo, veo, grok."
        ),
    ),
    "no fields for pictures": (
        'kinds = ["kf2v"]',
        (
            "places.kf2v names fields for 0 files, and this kind has 2. Name a list of"
            " fields for each file."
        ),
    ),
    "a field that is taken": (
        'places = { size = ["prompt"] }',
        (
            "places.size.1 is 'prompt'; it has to be a free field of the request body,"
            " or metadata.<key>."
        ),
    ),
    "a model in the metadata": (
        'places = { extras = ["metadata.model"] }',
        (
            "places.extras.1 is 'metadata.model'; it has to be a free field of the request body,"
            " or metadata.<key>."
        ),
    ),
    "a file in a text": (
        'places = { i2v = [["metadata.image"]] }',
        (
            "places.i2v puts a file into the metadata, which can only hold text."
            " Name another field,"
            " or set picture.transport to data-uri."
        ),
    ),
    "one of several": (
        'picture = { transport = "base64" }\nplaces = { i2v = [["images"]] }',
        (
            "places.i2v names the same field twice, or names images, the field for several"
            " pictures, only once; gateways answer 400 to that. Use image for one picture,"
            " and images for several."
        ),
    ),
    "twice the same": (
        'picture = { transport = "base64" }\nplaces = { i2v = [["image", "image"]] }',
        (
            "places.i2v names the same field twice, or names images, the field for several"
            " pictures, only once; gateways answer 400 to that. Use image for one picture,"
            " and images for several."
        ),
    ),
    "a file in JSON": (
        'body = "json"',
        (
            "places.i2v puts a file into JSON, which can only hold text. Set body to form,"
            " or set picture.transport to data-uri."
        ),
    ),
    "a table in a form": (
        'places = { size = ["parameters.size"] }',
        (
            "places names a field inside a table, which a form can hold only in the metadata."
            " Set body to json, or name a field without a dot or in the metadata."
        ),
    ),
    "a file in a table in a form": (
        'picture = { transport = "base64" }\nplaces = { i2v = [["content[0].url"]] }',
        (
            "places names a field inside a table, which a form can hold only in the metadata."
            " Set body to json, or name a field without a dot or in the metadata."
        ),
    ),
    "a false that gets lost": (
        'drops_false = ["audio"]\nunasked = { audio = true }\nextras = { audio = false }',
        (
            "extras.audio is false, but gateways of this dialect drop a false value"
            " and then use true."
            " Remove it; or, if your gateway has a newer plugin, set its version in"
            " gateways.<name>.plugins."
        ),
    ),
    "remix": (
        'kinds = ["remix"]',
        "kinds names only remix, which needs a video to begin with. Add t2v or i2v.",
    ),
    "dialects": ("dialects = 5", "dialects is 5; it has to be of type table."),
    "dialect": (
        "dialects = { documented = 5 }",
        "dialects.documented is 5; it has to be of type table.",
    ),
    "an unknown dialect": (
        "dialects = { klingon = {} }",
        f"dialects.klingon is 'klingon'; it has to be one of: {', '.join(map(repr, DIALECTS))}.",
    ),
}


@pytest.mark.parametrize(("line", "sentence"), WRONG.values(), ids=WRONG)
def test_a_mistake_in_a_models_table_is_reported_with_its_remedy(
    told: Complaints, line: str, sentence: str
) -> None:
    assert told(f"[models.sora-2]\n{line}") == [f"models.sora-2.{sentence}"]


def test_a_model_that_takes_pictures_needs_a_picture_table(told: Complaints) -> None:
    text = MINE.replace('kinds = ["t2v"]', 'kinds = ["i2v"]')
    assert told(text) == ["models.mine-v1.picture is missing. Add it to the configuration file."]


def test_mistakes_in_two_models_are_reported_together(told: Complaints) -> None:
    text = '[models.sora-2]\nprice = -1\n[models."wan2.5-t2v-preview"]\nseconds = ["x"]'
    assert [sentence.partition(" ")[0] for sentence in told(text)] == [
        "models.wan2.5-t2v-preview.seconds.1",
        "models.sora-2.price",
    ]


def _model(config: Config, name: str) -> Model:
    found = config.catalog.model(name)
    assert found is not None
    return found
