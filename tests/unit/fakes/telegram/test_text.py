"""Telegram's HTML and MarkdownV2 as the fake reads them: strictly."""

import pytest

from tests.fakes.telegram.calls import Refused
from tests.fakes.telegram.text import cut, format_text


def marked(text: str, mode: str) -> tuple[str, list[tuple[str, str]]]:
    """Return the text without markup, and the kind and text of each entity."""
    left, entities = format_text(text, mode, None, limit=4096)
    return left, [(entity["type"], cut(left, entity)) for entity in entities]


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("<b>🐈 cat</b> &lt;3", "🐈 cat <3", [("bold", "🐈 cat")]),
        (
            '<a href="https://a.example?x&amp;y">here</a>, <i>and <u>there</u></i>',
            "here, and there",
            [("text_link", "here"), ("italic", "and there"), ("underline", "there")],
        ),
        ("<blockquote expandable>x</blockquote>", "x", [("expandable_blockquote", "x")]),
        ('<span class="tg-spoiler">x</span>&#x21;', "x!", [("spoiler", "x")]),
        ("/video &amp; more", "/video & more", [("bot_command", "/video")]),
    ],
)
def test_html_is_parsed_into_text_and_entities(
    source: str, text: str, entities: list[tuple[str, str]]
) -> None:
    assert marked(source, "HTML") == (text, entities)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("2 <3", "Unclosed start tag at byte offset 2"),
        ("2 < 3", 'Unsupported start tag "" at byte offset 2'),
        ("ü <p>x</p>", 'Unsupported start tag "p" at byte offset 3'),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
    ],
)
def test_invalid_html_is_refused(source: str, words: str) -> None:
    with pytest.raises(Refused, match="can't parse entities") as caught:
        format_text(source, "HTML", None, limit=4096)
    assert str(caught.value) == f"400 Bad Request: can't parse entities: {words}"


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        (
            r"*bold* _it_ __under__ ~gone~ ||secret|| 1\.5",
            "bold it under gone secret 1.5",
            [
                ("bold", "bold"),
                ("italic", "it"),
                ("underline", "under"),
                ("strikethrough", "gone"),
                ("spoiler", "secret"),
            ],
        ),
        ("[a *b*](https://a.example)", "a b", [("text_link", "a b"), ("bold", "b")]),
        ("`a.b` ```py\nx = 1```", "a.b x = 1", [("code", "a.b"), ("pre", "x = 1")]),
        (">one\n>two\nthree", "one\ntwo\nthree", [("blockquote", "one\ntwo")]),
    ],
)
def test_markdown_is_parsed_into_text_and_entities(
    source: str, text: str, entities: list[tuple[str, str]]
) -> None:
    assert marked(source, "MarkdownV2") == (text, entities)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("1.5", "Character '.' is reserved and must be escaped with the preceding '\\'"),
        ("a | b", "Character '|' is reserved and must be escaped with the preceding '\\'"),
        ("ü *b", "Can't find end of Bold entity at byte offset 3"),
        ("[a](b", "Can't find end of a URL at byte offset 4"),
    ],
)
def test_invalid_markdown_is_refused(source: str, words: str) -> None:
    with pytest.raises(Refused) as caught:
        format_text(source, "MarkdownV2", None, limit=4096)
    assert str(caught.value) == f"400 Bad Request: can't parse entities: {words}"


def test_an_unknown_parse_mode_is_refused() -> None:
    with pytest.raises(Refused, match="unsupported parse_mode"):
        format_text("x", "BBCode", None, limit=4096)
