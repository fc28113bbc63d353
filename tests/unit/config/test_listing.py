"""A new list of a gateway: what is believed, what is stored, and which changes are noted."""

from datetime import timedelta
from typing import Any

import pytest

from bot.config import Config
from bot.config.discoveries import read
from bot.config.listing import KEPT, listed
from bot.gateways.dialects import DIALECTS
from tests.unit.config.test_offered import AT, Offering, offering
from tests.unit.gateways.test_offers import VEO

__all__ = ["offering"]
FOUR = [{**VEO, "id": f"acme/m{number}", "name": f"Acme: M{number}"} for number in range(4)]


def after(config: Config, *rows: object, days: float = 1) -> Config:
    """Return the configuration after the gateway lists these rows, so many days after `AT`."""
    offers = DIALECTS["openrouter"].read_list({"data": list(rows)})
    return listed(config, "main", offers, AT + timedelta(days=days))


def names(config: Config) -> list[str]:
    return [model.name for model in config.catalog.models]


def changes(config: Config) -> list[tuple[list[str], list[tuple[Any, ...]]]]:
    """Return the noted changes: the models that are gone, and the prices."""
    return [
        (
            [row["model"] for row in each.gone],
            [
                (row["model"], row["quality"], row["sound"], row["before"], row["after"])
                for row in each.prices
            ],
        )
        for each in config.found["main"].changes
    ]


def test_the_list_is_stored_with_its_date_and_the_gateways_address(offering: Offering) -> None:
    config = offering(VEO)
    stored, problems = read(config.data_dir)
    assert problems == []
    found = stored["main"]
    assert (found.base_url, found.listed_at) == ("https://gateway.example", AT)
    assert [offer.model for offer in found.offers or ()] == ["google/veo-3.1"]


@pytest.mark.parametrize("rows", [(), FOUR[:1]])
def test_a_list_that_lacks_most_models_is_believed_only_if_two_in_a_row_say_so(
    offering: Offering, rows: tuple[object, ...]
) -> None:
    config = after(offering(*FOUR), *rows)
    assert len(names(config)) == 4
    assert config.found["main"].doubted
    config = after(config, *rows)
    assert len(names(config)) == len(rows)
    assert not config.found["main"].doubted
    assert len(changes(config)[0][0]) == 4 - len(rows)


def test_a_good_list_between_two_doubtful_ones_takes_the_doubt_away(offering: Offering) -> None:
    config = after(after(offering(*FOUR)), *FOUR)
    assert not config.found["main"].doubted
    assert len(names(after(config))) == 4


def test_a_list_that_lacks_half_of_the_models_is_believed_at_once(offering: Offering) -> None:
    config = after(offering(*FOUR), *FOUR[:2])
    assert len(names(config)) == 2
    assert changes(config) == [(["acme/m2", "acme/m3"], [])]


def test_a_model_that_can_not_be_ordered_any_more_is_noted_as_gone(offering: Offering) -> None:
    config = after(offering(VEO), {**VEO, "supported_durations": None})
    assert changes(config) == [(["google/veo-3.1"], [])]


def test_each_changed_price_is_noted_with_the_old_and_the_new_one(offering: Offering) -> None:
    dearer = {**VEO["pricing_skus"], "duration_seconds_with_audio_4k": "0.7"}
    dearer["duration_seconds_without_audio"] = "0.1"
    config = after(offering(VEO), {**VEO, "pricing_skus": dearer})
    assert changes(config) == [
        (
            [],
            [
                ("google/veo-3.1", "4k", True, 0.6, 0.7),
                ("google/veo-3.1", "720p", False, 0.2, 0.1),
                ("google/veo-3.1", "1080p", False, 0.2, 0.1),
            ],
        )
    ]


def test_a_price_that_nobody_tells_any_more_is_noted(offering: Offering) -> None:
    price = {"duration_seconds_720p": "0.1"}
    row = {**VEO, "generate_audio": None, "pricing_skus": price}
    config = after(offering(row), {**row, "pricing_skus": {}})
    assert changes(config) == [([], [("google/veo-3.1", "720p", True, 0.1, None)])]


def test_a_price_beside_the_operators_own_is_noted_as_such(offering: Offering) -> None:
    config = offering(VEO, text='[models."google/veo-3.1"]\nprice = 0.5')
    dearer = {**VEO["pricing_skus"], "duration_seconds_with_audio_4k": "0.7"}
    (noted,) = after(config, {**VEO, "pricing_skus": dearer}).found["main"].changes
    assert [(row["after"], row["mine"]) for row in noted.prices] == [(0.7, True)]


def test_a_list_that_changes_nothing_for_people_notes_nothing(offering: Offering) -> None:
    unoffered = {**VEO, "id": "acme/x", "supported_durations": None}
    config = after(offering(VEO, unoffered), VEO, {**VEO, "id": "acme/new"})
    assert changes(config) == []
    assert "acme/new" in names(config)


def test_old_changes_are_dropped_when_a_list_brings_new_ones(offering: Offering) -> None:
    config = after(offering(*FOUR), *FOUR[:3])
    config = after(config, *FOUR[:2], days=2 + KEPT.days)
    assert changes(config) == [(["acme/m2"], [])]
