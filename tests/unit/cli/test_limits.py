"""Prices that `init` asks for: one for a family, for all of its models that lack one."""

import tomllib
from pathlib import Path

import pytest

from bot.cli.init import limits
from bot.cli.init.draft import Draft
from bot.cli.init.talk import Talk
from bot.config import load
from bot.core.models import MICRO
from tests.unit.config.conftest import GATEWAY, PACKAGED, SECRETS

PRICE = "One second of "
SMALL = "".join(
    f'[models."{name}"]\nhidden = true\n'
    for name in PACKAGED
    if not name.startswith(("wan2.5", "sora"))
)
"""Two families, the others hidden."""


class Typist(Talk):
    """Somebody who answers by how a question begins, and otherwise with Enter."""

    def __init__(self, **answers: str) -> None:
        super().__init__()
        self.answers = {begins.replace("_", " "): answer for begins, answer in answers.items()}
        self.asked: list[str] = []

    def print(self, sentence: str) -> None:
        """Nobody reads it."""

    def _answer(self, question: str, default: str | None, /) -> str:
        self.asked.append(question)
        said = next((it for begins, it in self.answers.items() if question.startswith(begins)), "")
        return said or default or ""

    @property
    def priced(self) -> list[str]:
        """Names it was asked to price."""
        return [each[len(PRICE) :].partition(",")[0] for each in self.asked if PRICE in each]


def told(
    folder: Path, typist: Typist, text: str = SMALL, *, gateway: str = GATEWAY
) -> dict[str, dict[str, object]]:
    """The priced models in the file, by name, once all was asked."""
    file = folder / "config.toml"
    file.write_text(f"{text}{gateway}", "utf-8")
    limits.set_up(typist, Draft(file, environment=SECRETS))
    shown = tomllib.loads(file.read_text("utf-8")).get("models", {})
    return {name: table for name, table in shown.items() if "price" in table}


def test_a_price_is_asked_once_for_each_family_and_written_for_each_of_its_models(
    tmp_path: Path,
) -> None:
    typist = Typist(One_second_of_Wan="0.1", One_second_of_Sora="0.2", USD="5")
    assert told(tmp_path, typist) == {
        "wan2.5-t2v-preview": {"price": 0.1},
        "wan2.5-i2v-preview": {"price": 0.1},
        "sora-2": {"price": 0.2},
    }
    assert typist.priced == ["Wan 2.5", "Sora 2 (ended 2026-09-24)"]


def test_all_of_our_families_are_seven_questions(tmp_path: Path) -> None:
    typist = Typist(One_second_of="0.1", USD="5")
    assert len(told(tmp_path, typist, "")) == len(PACKAGED)
    assert len(typist.priced) == 7


def test_what_has_a_price_keeps_it_and_what_lacks_one_is_asked_for(tmp_path: Path) -> None:
    typist = Typist(One_second_of_Wan="0.1", USD="5")
    priced = '[models."wan2.5-i2v-preview"]\nprice = { 480p = 1, 720p = 2, 1080p = 3 }\n'
    own = f"[models.sora-2]\nprice = 1\n{priced}"
    assert told(tmp_path, typist, SMALL + own) == {
        "wan2.5-t2v-preview": {"price": 0.1},
        "wan2.5-i2v-preview": {"price": {"480p": 1, "720p": 2, "1080p": 3}},
        "sora-2": {"price": 1},
    }
    assert typist.priced == ["Wan 2.5"]


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
    typist = Typist(One_second_of="0.1", And_one_second_of=said, USD="5")
    two = f'{GATEWAY}models = ["wan2.6-i2v-flash", "wan2.6-i2v"]\n'
    assert told(tmp_path, typist, "", gateway=two) == {
        "wan2.6-i2v-flash": {"price": 0.1, **silent},
        "wan2.6-i2v": {"price": 0.1},
    }
    assert [each for each in typist.asked if "sound" in each] == [
        f"{SOUND}, in USD (Enter: the same):"
    ]
    (flash,) = [
        m
        for m in load(tmp_path / "config.toml", environment=SECRETS).catalog.models
        if m.sound_priced
    ]
    dearest = max(0.1, silent.get("silent_price", 0))
    assert flash.dearest == round(15 * dearest * MICRO)


def test_a_price_that_is_not_known_ends_the_talk_of_money(tmp_path: Path) -> None:
    typist = Typist()
    assert told(tmp_path, typist) == {}
    assert (typist.priced, [each for each in typist.asked if "USD a day" in each]) == (
        ["Wan 2.5"],
        [],
    )
