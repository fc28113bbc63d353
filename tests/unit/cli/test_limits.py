"""Prices that `init` asks for: all families in one list, and what stays without a price."""

import json
import tomllib
from pathlib import Path

import pytest

from bot.cli.init import limits
from bot.cli.init.setup import Setup
from bot.cli.init.talk import Talk
from bot.config import load
from bot.core.prices import MICRO
from tests.unit.config.conftest import GATEWAY, KNOWN, PACKAGED, SECRETS

PRICES = "Prices in USD"
SMALL = "".join(
    f'[models."{name}"]\nhidden = true\n'
    for name in PACKAGED
    if not name.startswith(("wan2.5", "sora"))
)
"""Two families, the others hidden."""


class Typist(Talk):
    """Somebody who says each answer by how its question begins, and then Enter."""

    def __init__(self, *prices: str, **answers: str) -> None:
        super().__init__()
        self.prices = list(prices)
        self.answers = {begins.replace("_", " "): answer for begins, answer in answers.items()}
        self.asked: list[str] = []
        self.shown: list[str] = []

    def print(self, sentence: str) -> None:
        self.shown.append(sentence)

    def _answer(self, question: str, default: str | None, /) -> str:
        self.asked.append(question)
        if question.startswith(PRICES):
            return self.prices.pop(0) if self.prices else ""
        said = next((it for begins, it in self.answers.items() if question.startswith(begins)), "")
        return said or default or ""

    @property
    def rounds(self) -> list[str]:
        """The questions for prices."""
        return [each for each in self.asked if each.startswith(PRICES)]


def told(
    folder: Path, typist: Typist, text: str = SMALL, *, gateway: str = GATEWAY
) -> dict[str, dict[str, object]]:
    """The priced models in the file, by name, once all was asked."""
    file = folder / "config.toml"
    file.write_text(f"{text}{gateway}", "utf-8")
    limits.set_up(typist, Setup(file, environment=SECRETS))
    shown = tomllib.loads(file.read_text("utf-8")).get("models", {})
    return {name: table for name, table in shown.items() if "price" in table}


ALL = {
    "wan2.5-t2v-preview": {"price": 0.1},
    "wan2.5-i2v-preview": {"price": 0.1},
    "sora-2": {"price": 0.2},
}


@pytest.mark.parametrize(
    "said",
    [
        ("1=0.1 2=0.2",),
        ("1 = 0,1; 2 = 0,2",),
        ("1=0.1,2=0.2",),
        ("Wan 2.5=0.1, sora=0.2",),
        ("2=0.2", "0.1"),
        ("2=.2", "3=0.2", "kling=1", "2=2000000", "cheap", "sora=0.2", "wan=0.1"),
    ],
)
def test_a_familys_price_is_written_for_each_of_its_models(
    tmp_path: Path, said: tuple[str, ...]
) -> None:
    """However it is spelt: what is no price of one of them is asked again."""
    typist = Typist(*said, USD="5")
    assert told(tmp_path, typist) == ALL
    assert len(typist.rounds) == len(said)
    complaints = [each for each in typist.shown if "as a price for" in each]
    assert len(complaints) == max(0, len(said) - 2)


def test_all_of_our_families_are_one_question(tmp_path: Path) -> None:
    typist = Typist("0.1", USD="5")
    text = f'{GATEWAY}models = {json.dumps(KNOWN)}\ngeneration = "B"\n'
    priced = told(tmp_path, typist, "", gateway=text)
    config = load(tmp_path / "config.toml", environment=SECRETS)
    assert len(config.catalog.families) > 20
    assert set(priced) == {model.name for model in config.catalog.models}
    assert len(typist.rounds) == 1


def test_what_has_a_price_keeps_it_and_what_lacks_one_is_asked_for(tmp_path: Path) -> None:
    typist = Typist("wan=0.1", USD="5")
    priced = '[models."wan2.5-i2v-preview"]\nprice = { 480p = 1, 720p = 2, 1080p = 3 }\n'
    own = f"[models.sora-2]\nprice = 1\n{priced}"
    assert told(tmp_path, typist, SMALL + own) == {
        "wan2.5-t2v-preview": {"price": 0.1},
        "wan2.5-i2v-preview": {"price": {"480p": 1, "720p": 2, "1080p": 3}},
        "sora-2": {"price": 1},
    }
    assert [each for each in typist.shown if each.startswith("  1")] == ["  1  Wan 2.5"]


@pytest.mark.parametrize(("money", "hidden"), [("5", True), ("", False)])
def test_under_a_limit_in_money_what_has_no_price_is_hidden_and_that_is_said(
    tmp_path: Path, money: str, hidden: bool
) -> None:
    """Without one it is offered as before. The default was such a one: another is asked for."""
    typist = Typist("sora=0.2", USD=money)
    priced = told(tmp_path, typist, f'default_model = "wan-2.5"\n{SMALL}')
    assert priced == {"sora-2": {"price": 0.2}}
    said = "\n".join(typist.shown)
    assert "Without a price: Wan 2.5. With a limit in money I don't offer them." in said
    text = "I don't offer these: wan2.5-t2v-preview, wan2.5-i2v-preview."
    assert (text in said) is hidden
    config = load(tmp_path / "config.toml", environment=SECRETS)
    families = ("sora-2",) if hidden else ("wan-2.5", "sora-2")
    assert (config.catalog.families, config.catalog.default) == (families, families[0])


SOUND = "And one second of Wan 2.6 (wan2.6-i2v-flash) without sound"


@pytest.mark.parametrize(
    ("said", "silent"),
    [
        ("0.05", {"silent_price": 0.05}),
        ("0.3", {"silent_price": 0.3}),
        ("", {}),
        ("0.1", {}),
        ("-1", {}),
    ],
)
def test_a_model_whose_price_hangs_on_its_sound_is_asked_for_both(
    tmp_path: Path, said: str, silent: dict[str, float]
) -> None:
    typist = Typist("0.1", And_one_second_of=said, USD="5")
    two = f'{GATEWAY}models = ["wan2.6-i2v-flash", "wan2.6-i2v"]\n'
    assert told(tmp_path, typist, "", gateway=two) == {
        "wan2.6-i2v-flash": {"price": 0.1, **silent},
        "wan2.6-i2v": {"price": 0.1},
    }
    assert [each for each in typist.asked if "sound" in each] == [
        f"{SOUND}, in USD (press Enter for the same price):"
    ]
    (flash,) = [
        m
        for m in load(tmp_path / "config.toml", environment=SECRETS).catalog.models
        if m.sound_priced
    ]
    dearest = max(0.1, silent.get("silent_price", 0))
    assert flash.dearest == round(15 * dearest * MICRO)


def test_where_no_price_is_known_enter_alone_ends_the_talk_of_money(tmp_path: Path) -> None:
    typist = Typist()
    assert told(tmp_path, typist) == {}
    assert len(typist.rounds) == 1
    assert not [each for each in typist.asked if "USD a day" in each]
