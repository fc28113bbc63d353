"""Prompt and flags: every dash and every quotation mark that a keyboard produces, by one rule."""

from dataclasses import replace
from itertools import product

import pytest

from bot.core.errors import Refused
from bot.core.prompts import DASHES
from bot.core.replies import Text, error
from bot.core.wishes import AUTO, Choice, Shaping, Wish
from bot.i18n import say
from bot.platforms.telegram.flags import DOUBLE, SINGLE, wish_of
from tests.unit.core import orders

CATALOG = replace(
    orders.CATALOG,
    models=tuple(replace(orders.SORA, label=label) for label in ("Wan 2.5", "Wan 2.5 Turbo")),
)
PAIRS = ("16:9", "16：9", "16×9", "16x9", "16X9", "16/9", "16*9", "16∶9", "16 : 9", "１６：９")
SEED = {"seed": 7}
HANDS = Wish(prompt="a cat", negative_prompt="unscharfe Hände")


@pytest.mark.parametrize(
    ("rest", "prompt", "chosen"),
    [
        ("a cat", "a cat", {}),
        (
            "a cat --model wan-2.5 --seconds 5 --aspect 9:16",
            "a cat",
            {"family": "wan-2.5", "seconds": 5, "aspect": "9:16"},
        ),
        ("—model “Wan 2.5” a dog —seconds=5s", "a dog", {"family": "Wan 2.5", "seconds": 5}),
        ('--quality "720p" two   cats', "two cats", {"quality": "720p"}),
        (
            '—preset “Push in” a cat --negative "rain, fog" --seed 7',
            "a cat",
            {"preset": "Push in", "negative_prompt": "rain, fog", "seed": 7},
        ),
        ("black—white and — grey", "black—white and — grey", {}),
        ("a cat --SECONDS 5 —Model wan", "a cat", {"seconds": 5, "family": "wan"}),
        ("a cat --fit Pad", "a cat", {"fit": Shaping.PAD}),
        ("a cat --seconds Auto --sound off", "a cat", {"seconds": AUTO, "audio": False}),
        (
            "a cat —enhance no --watermark ON",
            "a cat",
            {"prompt_extend": False, "watermark": True},
        ),
        ("--model Wan 2.5 Turbo a cat", "a cat", {"family": "Wan 2.5 Turbo"}),
        ("--model wan 2.5 a cat", "a cat", {"family": "wan 2.5"}),
        ("a cat --model=wan 2.5", "a cat", {"family": "wan 2.5"}),
        ("--model so a cat", "a cat", {"family": "so"}),
        ("a cat --preset bring", "a cat", {"preset": "bring"}),
        ("a cat --seconds = 8", "a cat", {"seconds": 8}),
        ("--model Wan 2.50 cats", "2.50 cats", {"family": "Wan"}),
        ("--preset a loop of cats", "of cats", {"preset": "a loop"}),
        ("--seconds:8 a cat", "a cat", {"seconds": 8}),
        ("a cat --seconds：8 --sound: off", "a cat", {"seconds": 8, "audio": False}),
        ("a cat --seconds 8 s", "a cat", {"seconds": 8}),
        ("--seconds 8 seconds a cat", "a cat", {"seconds": 8}),
        ("a cat --seconds 8sec", "a cat", {"seconds": 8}),
        ("--seconds 8 sad cats", "sad cats", {"seconds": 8}),
        ("a cat --quality 720 p", "a cat", {"quality": "720p"}),
        ("--quality 720p people dance", "people dance", {"quality": "720p"}),
        *((f"--aspect {pair} a cat", "a cat", {"aspect": "16:9"}) for pair in PAIRS),
        ("a cat --negative blur hands", "a cat", {"negative_prompt": "blur hands"}),
        (
            "a cat --negative blur, ugly hands --seconds 8",
            "a cat",
            {"negative_prompt": "blur, ugly hands", "seconds": 8},
        ),
        ("--negative blur hands --seed 7 a cat", "a cat", {"negative_prompt": "blur hands"} | SEED),
        ("--negative blur hands\na cat", "a cat", {"negative_prompt": "blur hands"}),
        ("a cat --negative fog — grey", "a cat", {"negative_prompt": "fog — grey"}),
        ("--negative blur", "", {"negative_prompt": "blur"}),
        ("a well-known --model sora-2 face", "a well-known face", {"family": "sora-2"}),
    ],
)
def test_the_text_of_a_command_is_separated_into_prompt_and_flags(
    rest: str, prompt: str, chosen: dict[str, Choice]
) -> None:
    assert wish_of(rest, CATALOG) == Wish(prompt=prompt).having(**chosen)


@pytest.mark.parametrize(
    ("rest", "code"),
    [
        ("a cat --size big", "flag_unknown"),
        ("a cat −−duration 8", "flag_unknown"),
        ("a cat --negative „blurry hands", "flag_unclosed"),
        ("a cat --negative 'blurry hands", "flag_unclosed"),
        ("a cat —seconds ten", "seconds_unreadable"),
        ("a cat --model", "flag_empty"),
        ("a cat --model --seconds 5", "flag_empty"),
        ("a cat --seconds ten", "seconds_unreadable"),
        ("a cat --sound loud", "switch_unreadable"),
        ("a cat --sound", "flag_empty"),
        ("a cat --seed 7s", "seed_unreadable"),
        ("a cat --fit stretch", "fit_unknown"),
        ("--negative blur a cat in the rain", "flag_unquoted"),
    ],
)
def test_a_flag_that_is_unknown_or_has_a_wrong_value_is_refused(rest: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        wish_of(rest, CATALOG)
    assert caught.value.code == code


# --- dashes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("gap", ["", " "])
@pytest.mark.parametrize("many", [1, 2])
def test_every_kind_of_dash_opens_a_flag(many: int, gap: str) -> None:
    for dash in DASHES:
        mark = dash * many + gap
        wish = wish_of(f"a cat {mark}seconds 8 {mark}preset a loop {mark}sound off", CATALOG)
        assert wish == Wish(prompt="a cat", seconds=8, preset="a loop", audio=False), dash


@pytest.mark.parametrize(
    "words",
    [
        "black—white and — grey",
        "a cat — slowly",
        "a cat -- slowly",
        "a cat - slowly, a well-known cat",
        "a cat —walking",
        "一只猫 ——看着月亮",
        "a clock — seconds before midnight",
        "a bridge — model of a ship",
        "a beach — sound on the rocks",
        "a poster — negative space",
        "a coat — fit for a king",
        "x — seed 5 of corn",
        "x – seconds 5 later he jumps",
        "a bridge — model so pretty",
        "a day — preset a loop of thread",
        "a beach — sound off — and the waves roll",
        "a farm — seed 5 — model of corn",
        "a lamp — quality light",
        "–5 degrees and 3 -4 cats",
        "a dash at the end —",
    ],
)
def test_a_dash_inside_a_sentence_opens_no_flag(words: str) -> None:
    assert wish_of(words, CATALOG) == Wish(prompt=words)


# --- quotation marks ------------------------------------------------------------------------------


@pytest.mark.parametrize("marks", [DOUBLE, SINGLE])
def test_quotation_marks_of_the_same_kind_close_each_other(marks: str) -> None:
    for opening, closing in product(marks, repeat=2):
        wish = wish_of(f"--negative {opening}unscharfe Hände{closing} a cat", CATALOG)
        assert wish == Wish(prompt="a cat", negative_prompt="unscharfe Hände"), (
            f"{opening}…{closing}"
        )


@pytest.mark.parametrize(
    ("rest", "unwanted"),
    [
        ("--negative 'the cat's tail' a cat", "the cat's tail"),
        ("--negative ‘the cat’s tail’ a cat", "the cat’s tail"),
        ('--negative "a sign — seconds 8" a cat', "a sign — seconds 8"),
        ("--negative„ rain “ a cat", "rain"),
    ],
)
def test_a_quoted_text_is_one_value_of_a_flag(rest: str, unwanted: str) -> None:
    wish = wish_of(rest, CATALOG)
    assert wish == Wish(prompt="a cat", negative_prompt=unwanted)


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("a cat —sounds off", "--sound off"),
        ("a cat -sond ON", "--sound ON"),
        ("a cat —second 5 —sound off", "--seconds 5"),
        ("a cat —mode “Wan 2.5”", "--model Wan 2.5"),
        ("a cat —negativ “rain”", "--negative rain"),
        ("a cat —aspekt 16:9", "--aspect 16:9"),
        ("a cat —watermarks no", "--watermark no"),
    ],
)
def test_a_misspelt_flag_with_a_value_that_fits_is_asked_about(words: str, meant: str) -> None:
    """With a space behind the dash, the words belong to the prompt."""
    with pytest.raises(Refused, match="flag_near") as refused:
        wish_of(words, CATALOG)
    assert f"Did you mean {meant}?" in say(error(refused.value).text, "en")
    dash = next(sign for sign in words if sign in DASHES)
    named = f"a cat {dash} {words.split()[2][1:]}"
    assert wish_of(words.replace(dash, f"{dash} ", 1), CATALOG).prompt.startswith(named)


@pytest.mark.parametrize(
    "words",
    [
        "a cat —sounds of rain",
        "a street —sounds off in the distance",
        "a cat -models dancing",
        "a garden —seeds falling",
        "a choir —sons on a stage",
        "a cat —aspects of light",
        "a cat —wide shot",
        "a second-hand —seconds-long— shot",
        "an x-ray -moderately slow",
    ],
)
def test_a_word_like_a_flag_belongs_to_the_prompt_if_no_fitting_value_follows(words: str) -> None:
    assert wish_of(words, CATALOG) == Wish(prompt=words)


def test_the_example_in_the_help_can_be_copied() -> None:
    _, _, example = say(Text(id="help_options.telegram"), "en").rpartition("/video ")
    wish = Wish(prompt="a cat on the moon", seconds=5, aspect="9:16")
    assert wish_of(example, CATALOG) == wish
