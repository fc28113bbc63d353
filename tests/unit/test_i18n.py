"""Sentences that are cut where a value is drawn instead of written."""

from bot import i18n
from bot.core.replies import Text


def test_a_sentence_is_cut_where_a_value_is_drawn() -> None:
    text = Text(id="list.made", values={"until": 60.0})
    parts = i18n.cut(text, "en", {"until": "date"}, most=20)
    assert ("date", "60.0") in parts
    assert "" not in parts


def test_nothing_that_a_stranger_writes_is_taken_for_such_a_value() -> None:
    text = Text(id="help.contact", values={"contact": "\x02date:1\x03"})
    (sentence,) = i18n.cut(text, "en", {"until": "date"}, most=20)
    assert "date:1" in sentence


def test_a_long_value_ends_with_an_ellipsis() -> None:
    assert i18n.flat("a cat\non a  roof", most=12) == "a cat on a…"
