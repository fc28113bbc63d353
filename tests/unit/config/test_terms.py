"""Communities with limits, a gateway and a purse of their own; errors about wrong tables."""

import pytest

from bot.cli.check import accounts, remarks, worst_day
from bot.config import Config
from bot.core.accounts import Terms
from bot.core.orders import Kind
from bot.core.quotas import Limits, Purse
from tests.unit.config.conftest import GATEWAY, PACKAGED, Complaints, Read

CLUB = "discord:123456789012345678"
GROUP = "telegram:-1001234567890"
OTHER = '[gateways.club]\nbase_url = "https://club.example"\n'
KEY = {"ZOETROPE_GATEWAYS__CLUB__API_KEY": "sk-2"}
TWO = GATEWAY + OTHER
OWN = f'[communities."{CLUB}"]\ngateway = "club"\n'
TO_OTHERS = Purse(others=frozenset({"club"}))


def of(config: Config, name: str = CLUB) -> Terms:
    """Return the terms of a community."""
    platform, _, id_ = name.partition(":")
    return config.communities[platform, id_]


def test_a_community_has_the_limits_that_its_table_names_and_the_general_ones_otherwise(
    read: Read,
) -> None:
    text = f'[limits]\nperson_at_once = 2\n[communities."{GROUP}"]\nperson_videos_per_day = 9\n'
    config = read(text)
    assert of(config, GROUP).limits == Limits(person_videos=9, person_at_once=2)
    assert of(config, GROUP).catalog == config.catalog
    assert config.limits == Limits(person_at_once=2)


def test_a_community_with_a_gateway_has_a_purse_of_its_own(read: Read) -> None:
    config = read(f"{OWN}purse_videos_per_day = 7", gateway=TWO, **KEY)
    assert of(config).limits == Limits(purse_videos=7, purse=Purse(gateway="club"))
    assert config.limits == Limits(purse=TO_OTHERS)
    assert {model.gateway for model in of(config).catalog.models} == {"club"}
    assert {model.gateway for model in config.catalog.models} == {"main"}


def test_a_community_without_a_gateway_spends_from_the_operators_purse(read: Read) -> None:
    config = read(f'{OWN}[communities."{GROUP}"]\nperson_at_once = 4', gateway=TWO, **KEY)
    assert of(config, GROUP).limits == Limits(person_at_once=4, purse=TO_OTHERS)


def test_a_communitys_catalog_follows_the_dialect_of_its_gateway(read: Read) -> None:
    config = read(OWN, gateway=f'{TWO}dialect = "openai"', **KEY)
    there = of(config).catalog
    assert there.model("wan2.5-i2v-preview") is None, "it takes no data: URI"
    assert config.catalog.model("wan2.5-i2v-preview") is not None
    assert Kind.PICTURE not in {
        kind for model in there.models if model.family == "wan-2.5" for kind in model.kinds
    }


def test_a_default_model_that_a_communitys_gateway_lacks_is_no_mistake(read: Read) -> None:
    text = f'default_model = "wan-2.2"\n{OWN}'
    config = read(text, gateway=f'{TWO}dialect = "openai"', **KEY)
    assert (config.catalog.default, of(config).catalog.default) == ("wan-2.2", None)
    assert of(read(text, gateway=TWO, **KEY)).catalog.default == "wan-2.2"


def test_in_a_community_with_a_gateway_every_model_runs_at_that_gateway(read: Read) -> None:
    text = f'{OWN}[models.sora-2]\ngateway = "third"\n'
    third = '[gateways.third]\nbase_url = "https://third.example"\n'
    keys = KEY | {"ZOETROPE_GATEWAYS__THIRD__API_KEY": "sk-3"}
    config = read(text, gateway=TWO + third, **keys)
    found = [terms.catalog.model("sora-2") for terms in config.all_terms]
    assert [model and model.gateway for model in found] == ["third", "club"]


@pytest.mark.parametrize("gateways", [OTHER + GATEWAY, GATEWAY + OTHER])
def test_a_communitys_gateway_never_runs_models_for_others(read: Read, gateways: str) -> None:
    config = read(OWN, gateway=gateways, **KEY)
    assert {model.gateway for model in config.catalog.models} == {"main"}
    assert "default_gateway" not in " ".join(remarks(config)), "one is left: nothing was chosen"


MONEY = "purse_money_per_day = 5\n"
NO_PRICE = "price is missing, but purse_money_per_day counts money."


def test_a_communitys_money_limit_needs_the_prices_of_its_models(told: Complaints) -> None:
    said = told(f"{OWN}{MONEY}", gateway=TWO, **KEY)
    assert len(said) == len(PACKAGED)
    assert all(NO_PRICE in sentence for sentence in said)


def test_a_price_missing_for_several_money_limits_is_reported_once(told: Complaints) -> None:
    assert len(told(f"{OWN}[limits]\n{MONEY}", gateway=TWO, **KEY)) == len(PACKAGED)


CLAIMED = (
    "names the gateway club, but a community pays for its key, so nobody else can order there."
)
WRONG = {
    "an unknown gateway": (
        f'[communities."{CLUB}"]\ngateway = "pub"',
        (
            f"communities.{CLUB}.gateway names the gateway pub, which is not configured."
            " Configured are: "
        ),
    ),
    "a model at a community's gateway": (
        f'{OWN}[models.sora-2]\ngateway = "club"',
        f"models.sora-2.gateway {CLAIMED}",
    ),
    "a community's gateway as the default": (
        f'default_gateway = "club"\n{OWN}',
        f"default_gateway {CLAIMED}",
    ),
    "no gateway left for others": (
        f'{OWN}[communities."{GROUP}"]\ngateway = "main"',
        "gateways: communities pay for all of them, so nobody else could order anything.",
    ),
    "a purse without a gateway": (
        f'[communities."{GROUP}"]\npurse_videos_per_day = 5',
        f"communities.{GROUP}.purse_videos_per_day limits a purse, but this community uses",
    ),
    "one purse, two limits": (
        f'{OWN}[communities."{GROUP}"]\ngateway = "club"\npurse_videos_per_day = 9',
        f"communities.{GROUP}.purse_videos_per_day has to be the same as for {CLUB}:",
    ),
    "an unknown setting": (f"{OWN}colour = 1", f"communities.{CLUB}.colour is not a setting."),
}


@pytest.mark.parametrize(("text", "sentence"), WRONG.values(), ids=WRONG)
def test_a_mistake_in_a_communitys_table_is_reported(
    told: Complaints, text: str, sentence: str
) -> None:
    (said,) = told(text, gateway=TWO, **KEY)
    assert said.startswith(sentence)


@pytest.mark.parametrize(
    ("key", "remedy"),
    [
        ("time_zone", "Remove it; config.example.toml lists all settings."),
        ("gatway", "Did you mean “gateway”?"),
    ],
)
def test_an_unknown_setting_of_a_community_is_compared_only_with_settings_of_communities(
    told: Complaints, key: str, remedy: str
) -> None:
    (said,) = told(f'[communities."{GROUP}"]\n{key} = "UTC"\n')
    assert said == f"communities.{GROUP}.{key} is not a setting. {remedy}"


@pytest.mark.parametrize(
    "name",
    [
        "123456789012345678", "discord:club", "Discord:123456789012345678", "discord:-123",
        "discord:12", "discord: 123456789012345678", "telegram:1234", "telegram:-0",
        "telegram:@club", "playground:room",
    ],
)  # fmt: skip
def test_a_table_whose_name_is_no_community_is_a_mistake(told: Complaints, name: str) -> None:
    (said,) = told(f'[communities."{name}"]\n')
    assert said.startswith(f"communities.{name} is not the name of a community. ")


def test_mistakes_of_communities_are_reported_beside_other_mistakes(told: Complaints) -> None:
    said = told(f'colour = 1\n{OWN}[communities."club"]\n', gateway=TWO, **KEY)
    assert sorted(sentence.split()[0] for sentence in said) == ["colour", "communities.club"]


PRICED = "".join(f'[models."{name}"]\nprice = 0.1\n' for name in PACKAGED)


def test_check_shows_the_limits_of_each_community_and_the_worst_day_of_each_purse(
    read: Read,
) -> None:
    text = f"""{PRICED}
[communities."{GROUP}"]
person_at_once = -1
{OWN}
{MONEY}
person_videos_per_day = 9
"""
    config = read(text, gateway=TWO, **KEY)
    assert worst_day(config) == "A day costs at most 60.00 USD."
    group, club, purse = accounts(config)
    assert group == (
        f"Limits of {GROUP}: person_videos_per_day = 3, person_at_once = -1,"
        " community_videos_per_day = 20."
    )
    assert club == (
        f"Limits of {CLUB}: person_videos_per_day = 9, person_at_once = 1,"
        " community_videos_per_day = 20, purse_videos_per_day = 50, purse_money_per_day = 5."
    )
    assert purse == (
        f"The gateway club is paid by {CLUB}; nobody else can order there."
        " A day costs at most 5.00 USD."
    )


def test_a_purse_shared_by_two_communities_is_described_once(read: Read) -> None:
    text = f'{OWN}[communities."{GROUP}"]\ngateway = "club"\n'
    _, _, said = accounts(read(text, gateway=TWO, **KEY))
    assert said.startswith(f"The gateway club is paid by {CLUB}, {GROUP}; nobody else")


def test_check_says_that_refunds_are_assumed_for_a_communitys_gateway_too(read: Read) -> None:
    (said,) = remarks(read(OWN, gateway=TWO, **KEY))
    assert "refund failed videos: main, club." in said
