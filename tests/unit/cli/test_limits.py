"""The prices that `init` asks for: all families in one list, and models without a price."""

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
"""Tables that hide all families but two."""


class Typist(Talk):
    """A person who answers each question by its beginning, and then presses Enter."""

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
    """Return the priced models in the file, by name, after all questions."""
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
def test_the_price_given_for_a_family_is_written_for_each_of_its_models(
    tmp_path: Path, said: tuple[str, ...]
) -> None:
    """Every spelling is accepted. Text that is no price of a family is asked for again."""
    typist = Typist(*said, USD="5")
    assert told(tmp_path, typist) == ALL
    assert len(typist.rounds) == len(said)
    complaints = [each for each in typist.shown if "as a price" in each]
    assert len(complaints) == max(0, len(said) - 2)


def test_init_asks_for_the_prices_of_all_families_in_one_question(tmp_path: Path) -> None:
    typist = Typist("0.1", USD="5")
    text = f'{GATEWAY}models = {json.dumps(KNOWN)}\ngeneration = "B"\n'
    priced = told(tmp_path, typist, "", gateway=text)
    config = load(tmp_path / "config.toml", environment=SECRETS)
    assert len(config.catalog.families) > 20
    assert set(priced) == {model.name for model in config.catalog.models}
    assert len(typist.rounds) == 1


def test_init_keeps_existing_prices_and_asks_only_for_missing_ones(tmp_path: Path) -> None:
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
def test_with_a_money_limit_init_hides_models_without_a_price_and_says_so(
    tmp_path: Path, money: str, hidden: bool
) -> None:
    """Without a money limit they stay offered.

    Here the default model is hidden, so init asks for a new default.
    """
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
def test_init_asks_two_prices_for_a_model_whose_price_depends_on_sound(
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


def test_enter_at_the_question_of_prices_skips_the_money_limit(tmp_path: Path) -> None:
    typist = Typist()
    assert told(tmp_path, typist) == {}
    assert len(typist.rounds) == 1
    assert not [each for each in typist.asked if "USD a day" in each]
