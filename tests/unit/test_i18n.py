"""Texts that are split where a value is drawn instead of written."""

import pytest

from bot import i18n
from bot.core.replies import Text


def test_a_text_is_split_where_a_value_is_drawn_instead_of_written() -> None:
    text = Text(id="list.made", values={"until": 60.0})
    parts = i18n.cut(text, "en", {"until": "date"}, most=20)
    assert ("date", "60.0") in parts
    assert "" not in parts


def test_a_strangers_text_is_not_taken_for_a_drawn_value() -> None:
    text = Text(id="help.contact", values={"contact": "\x02date:1\x03"})
    (sentence,) = i18n.cut(text, "en", {"until": "date"}, most=20)
    assert "date:1" in sentence


def test_a_long_value_is_cut_with_an_ellipsis() -> None:
    assert i18n.flat("a cat\non a  roof", most=12) == "a cat on a…"


@pytest.mark.parametrize(
    ("can", "said"), [(["5"], "5"), (("5", "10"), "5 or 10"), (("3", "4", "5"), "3, 4 or 5")]
)
def test_alternatives_are_joined_with_or(can: object, said: str) -> None:
    text = Text(id="error.preset_unknown", values={"preset": "x", "can": can})
    assert i18n.say(text, "en").endswith(f"You can choose {said}.")
