"""The catalog from a gateway's own list: which models are offered, and whose facts count."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.config import Config, Misconfigured, load
from bot.config.discoveries import keep
from bot.config.listing import listed
from bot.config.standing import Standing, standings
from bot.core.models import Model, Origin
from bot.core.orders import Kind
from bot.gateways.dialects import DIALECTS
from tests.unit.config.conftest import SECRETS
from tests.unit.config.test_discoveries import found
from tests.unit.gateways.test_offers import VEO

URL = "https://gateway.example"
AT = datetime(2026, 11, 20, tzinfo=UTC)
SERVED = {"id": "Wan-AI/Wan2.2-TI2V-5B-Diffusers", "object": "model", "owned_by": "vllm"}
LENGTHLESS = {**VEO, "id": "acme/lengthless", "name": "Acme: Lengthless"}
LENGTHLESS |= {"supported_durations": None}

Offering = Callable[..., Config]


@pytest.fixture
def offering(tmp_path: Path) -> Offering:
    """Return a function that loads a configuration whose gateway lists these rows."""

    def offering_(
        *rows: object, dialect: str = "openrouter", text: str = "", table: str = ""
    ) -> Config:
        file = tmp_path / "config.toml"
        file.write_text(
            f'data_dir = "{tmp_path / "data"}"\n{text}\n'
            f'[gateways.main]\nbase_url = "{URL}"\ndialect = "{dialect}"\n{table}\n'
        )
        config = load(file, environment=SECRETS)
        return listed(config, "main", DIALECTS[dialect].read_list({"data": list(rows)}), AT)

    return offering_


def one(config: Config) -> Model:
    (model,) = config.catalog.models
    return model


def standing(config: Config, name: str) -> Standing:
    (found,) = [each for each in standings(config, "main") if each.model == name]
    return found


# --- OpenRouter's list ---------------------------------------------------------------------------


def test_a_model_of_the_list_is_offered_with_all_that_the_list_tells(offering: Offering) -> None:
    model = one(offering(VEO))
    assert (model.name, model.family, model.label) == ("google/veo-3.1", "veo-3.1", "Veo 3.1")
    assert model.kinds == (Kind.TEXT, Kind.PICTURE, Kind.KEY_FRAMES)
    assert (model.seconds, model.qualities) == ((8, 4, 6), ("720p", "1080p", "4k"))
    assert model.prices["4k"] == 600_000
    assert model.silent_prices["4k"] == 400_000
    assert model.takes == ("seed", "audio")
    assert {fact: str(it) for fact, it in model.origins.items()} == {
        **dict.fromkeys(("kinds", "seconds", "sizes", "takes", "price"), "list"),
        "prompt_limit": "catalog",
    }


def test_a_fact_of_the_operators_table_counts_before_the_list(offering: Offering) -> None:
    model = one(offering(VEO, text='[models."google/veo-3.1"]\nseconds = [6]\nprice = 0.5'))
    assert (model.seconds, model.prices["4k"], model.silent_prices) == ((6,), 500_000, {})
    assert model.origins["seconds"] is model.origins["price"] is Origin.YOURS
    assert model.origins["sizes"] is Origin.LIST


def test_a_quality_that_the_operator_adds_has_no_price_of_the_list(offering: Offering) -> None:
    table = '[models."google/veo-3.1".sizes]\n480p = { "16:9" = "480p" }'
    assert one(offering(VEO, text=table)).prices == {}


@pytest.mark.parametrize("key", ["price", "silent_price"])
def test_a_quality_of_the_list_that_the_operators_prices_lack_is_not_offered(
    offering: Offering, key: str
) -> None:
    prices = f"price = 0.9\n{key}" if key != "price" else key
    table = f'[models."google/veo-3.1"]\n{prices} = {{ 720p = 0.5, 1080p = 0.6 }}'
    assert one(offering(VEO, text=table)).qualities == ("720p", "1080p")


def test_a_list_without_any_quality_of_the_operators_prices_offers_no_such_model(
    offering: Offering,
) -> None:
    table = '[models."google/veo-3.1"]\nprice = { 480p = 0.5 }'
    assert offering(VEO, text=table).catalog.models == ()


def test_a_model_whose_length_nobody_tells_is_not_offered_until_the_operator_tells_it(
    offering: Offering,
) -> None:
    config = offering(LENGTHLESS)
    assert config.catalog.models == ()
    assert standing(config, "acme/lengthless").missing == ("seconds",)
    assert one(offering(LENGTHLESS, text='[models."acme/lengthless"]\nseconds = [5]')).seconds


def test_prices_in_another_currency_are_not_used(offering: Offering) -> None:
    assert one(offering(VEO, text='currency = "EUR"')).prices == {}
    config = offering(VEO, text='currency = "EUR"\n[limits]\npurse_money_per_day = 5')
    assert standing(config, "google/veo-3.1").missing == ("price",)


def test_a_model_without_a_price_is_offered_only_without_a_limit_in_money(
    offering: Offering,
) -> None:
    free = {**VEO, "pricing_skus": None}
    assert one(offering(free)).prices == {}
    config = offering(free, text="[limits]\npurse_money_per_day = 5")
    assert (config.catalog.models, standing(config, VEO["id"]).missing) == ((), ("price",))


def test_sizes_in_pixels_go_into_the_field_for_sizes(offering: Offering) -> None:
    pixels = {"supported_resolutions": None, "supported_sizes": ["1280x720", "720x1280"]}
    model = one(offering({**VEO, **pixels, "pricing_skus": {}}))
    assert (model.places.size, model.places.aspect) == (("size",), ())


def test_what_a_list_leaves_open_is_a_guess_that_waits_for_the_operators_word(
    offering: Offering,
) -> None:
    row = {**VEO, "supported_aspect_ratios": None}
    config = offering(row)
    assert (config.catalog.models, standing(config, VEO["id"]).guesses) == ((), ("sizes",))
    model = one(offering(row, table="guesses = true"))
    assert (model.places.aspect, model.places.size) == ((), ("resolution",))
    assert model.picture is not None
    assert (model.picture.follows, model.picture.transport) == (True, "data-uri")


def test_a_list_that_was_never_read_is_no_mistake(offering: Offering, tmp_path: Path) -> None:
    offering()
    config = load(tmp_path / "config.toml", environment=SECRETS)
    assert config.catalog.models == ()


def test_tables_of_models_that_left_the_list_do_not_stop_the_service(offering: Offering) -> None:
    text = 'default_model = "veo-3.1"\n[models."google/veo-3.1"]\nprice = 0.5'
    assert offering(text=text).catalog.models == ()
    assert one(offering({**VEO, "id": "acme/other"}, text=text)).family == "other"


def test_a_mistake_in_the_operators_table_is_still_a_mistake(offering: Offering) -> None:
    with pytest.raises(Misconfigured):
        offering(VEO, text='[models."google/veo-3.1"]\nsecond = [6]')


def test_a_family_of_the_catalog_keeps_its_label_and_two_families_never_share_one(
    offering: Offering,
) -> None:
    rows = [{**VEO, "id": f"{vendor}/aurora", "name": "Aurora"} for vendor in ("a", "b")]
    labels = {model.family: model.label for model in offering(VEO, *rows).catalog.models}
    assert labels == {"veo-3.1": "Veo 3.1", "aurora": "Aurora", "b-aurora": "b-aurora"}


def test_a_packaged_table_says_nothing_of_a_gateway_that_has_other_models(
    offering: Offering,
) -> None:
    model = one(offering({**VEO, "id": "sora-2"}, text='[models."sora-2"]\nprompt_limit = 9'))
    assert (model.origins["kinds"], model.prompt_limit) == (Origin.LIST, 9)


# --- guesses -------------------------------------------------------------------------------------


def test_guesses_are_offered_at_ones_own_server_and_marked(offering: Offering) -> None:
    model = one(offering(SERVED, dialect="vllm-omni", table="own = true"))
    assert (model.kinds, model.qualities) == ((Kind.TEXT, Kind.PICTURE), ("720p",))
    assert model.origins["kinds"] is model.origins["sizes"] is Origin.GUESS
    assert (model.prices, model.origins["price"]) == ({"720p": 0}, Origin.YOURS)
    assert (model.takes, model.origins["takes"]) == (("seed", "negative_prompt"), Origin.CATALOG)


def test_a_model_at_ones_own_server_needs_no_price(offering: Offering) -> None:
    table = (
        '[models.mine]\nfamily = "mine"\nkinds = ["t2v"]\nseconds = [5]\nprompt_limit = 9\n'
        'sizes = { 480p = { "16:9" = "832x480" } }\n[limits]\npurse_money_per_day = 1'
    )
    own = one(offering(dialect="sglang", text=table, table="own = true"))
    assert (own.prices, own.origins["price"]) == ({"480p": 0}, Origin.YOURS)
    config = offering(dialect="sglang", text=table)
    assert standing(config, "mine").missing == ("price",)


def test_guesses_at_a_paid_server_wait_for_the_operators_word(offering: Offering) -> None:
    config = offering(SERVED, dialect="vllm-omni")
    found = standing(config, str(SERVED["id"]))
    assert (config.catalog.models, found.guesses) == ((), ("kinds", "seconds", "sizes"))
    assert one(offering(SERVED, dialect="vllm-omni", table="guesses = true")).family
    config = offering(SERVED, dialect="vllm-omni", table="own = true\nguesses = false")
    assert config.catalog.models == ()


def test_a_table_with_every_guessed_fact_needs_no_other_word(offering: Offering) -> None:
    table = (
        f'[models."{SERVED["id"]}"]\nkinds = ["t2v"]\nseconds = [5]\n'
        'sizes = { 480p = { "16:9" = "832x480" } }'
    )
    model = one(offering(SERVED, dialect="sglang", text=table))
    assert (model.kinds, model.label) == ((Kind.TEXT,), "Wan2.2 TI2V 5B")


def test_a_served_model_whose_name_says_nothing_is_not_offered(offering: Offering) -> None:
    config = offering({"id": "acme/secret"}, dialect="sglang", table="own = true")
    assert standing(config, "acme/secret").missing == ("kinds", "seconds", "sizes")


# --- new-api's list ------------------------------------------------------------------------------


def test_a_list_of_names_offers_packaged_models_and_names_the_videos_that_lack_a_table(
    offering: Offering,
) -> None:
    rows: list[dict[str, Any]] = [
        {"id": "sora-2", "supported_endpoint_types": ["openai-video"]},
        {"id": "new-1", "supported_endpoint_types": ["openai-video"]},
        {"id": "gpt-4o", "supported_endpoint_types": ["openai"]},
    ]
    config = offering(*rows, dialect="new-api")
    assert [model.name for model in config.catalog.models] == ["sora-2"]
    assert set(one(config).origins.values()) == {Origin.CATALOG}
    assert {it.model: it.is_offered for it in standings(config, "main")} == {
        "sora-2": True,
        "new-1": False,
    }
    assert "seconds" in standing(config, "new-1").missing


# --- several gateways ----------------------------------------------------------------------------


def test_a_table_without_a_gateway_belongs_to_the_gateway_that_lists_its_model(
    tmp_path: Path,
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        f'data_dir = "{tmp_path}"\ndefault_gateway = "main"\n'
        '[models."google/veo-3.1"]\nprice = 0.5\n'
        f'[gateways.main]\nbase_url = "{URL}"\ndialect = "new-api"\n'
        '[gateways.open]\nbase_url = "https://open.example"\ndialect = "openrouter"\n'
    )
    config = load(file, environment={**SECRETS, "ZOETROPE_GATEWAYS__OPEN__API_KEY": "sk-2"})
    assert config.catalog.model("google/veo-3.1") is None, "not listed yet, and no mistake"
    config = listed(config, "open", DIALECTS["openrouter"].read_list({"data": [VEO]}), AT)
    model = config.catalog.model("google/veo-3.1")
    assert model is not None
    assert (model.gateway, model.prices["720p"]) == ("open", 500_000)
    assert config.catalog.families[-1] == "veo-3.1", "it is not the default"


def test_a_community_with_a_list_of_its_own_orders_from_that_list(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        f'data_dir = "{tmp_path}"\ndefault_gateway = "main"\n'
        '[models."acme/lengthless"]\nseconds = [5]\n'
        f'[gateways.main]\nbase_url = "{URL}"\ndialect = "openrouter"\n'
        '[gateways.club]\nbase_url = "https://club.example"\ndialect = "new-api"\n'
        '[communities."discord:123456789012345678"]\ngateway = "club"\n'
    )
    secrets = {**SECRETS, "ZOETROPE_GATEWAYS__CLUB__API_KEY": "sk-2"}
    keep(tmp_path, "club", found(url="https://club.example", models=("sora-2",)))
    config = load(file, environment=secrets)
    rows = {"data": [VEO, LENGTHLESS]}
    config = listed(config, "main", DIALECTS["openrouter"].read_list(rows), AT)
    (club,) = config.communities.values()
    assert [model.name for model in club.catalog.models] == ["sora-2"]
    names = [model.name for model in config.catalog.models]
    assert sorted(names) == ["acme/lengthless", "google/veo-3.1"]
