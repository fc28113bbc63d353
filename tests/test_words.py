"""The words of the glossary in `docs/architecture.md`: one word for each idea, everywhere."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SPOKEN = ("bot", "bench", "docs", "tests", "README.md", "config.example.toml")
KINDS = {".py", ".po", ".md", ".toml", ".html", ".js", ".css"}
MOST_GLOSSARY = 40
"""The most lines of the glossary."""
MOST_NAMESAKES = 2
"""The most classes of one name: an interface of the core, and the class that implements it."""

BANNED = {
    r"(?<!en)films?(?!ing|ed)": "video",
    r"catalogue": "catalog",
    r"(next|first|read)_look\b": "poll",
    r"\bwhoever\b": "the person who",
    r"\bdraft_id\b|\bclass Drafts?\b": "proposal",
    r"front.door": "common entry",
    r"\bhas_place\b|\bplaces_before\b": "slot",
}
RIDDLE = re.compile(r"\s*(What|Who|Whose)(ever)?\b|\s*Of (what|which|whom)\b")
"""An opening of a docstring that hides its subject, so that the reader has to guess what the
sentence is about."""


def banned(text: str) -> list[str]:
    """Return each banned word of a text with the word that stands for it."""
    return [
        f"{found.group()}: say {instead}"
        for word, instead in BANNED.items()
        for found in re.finditer(word, text, re.IGNORECASE)
    ]


def riddles(source: str) -> list[int]:
    """Return the lines of the docstrings that open without their subject."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        and RIDDLE.match(node.value.value)
    ]


def classes(source: str) -> list[str]:
    return [node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)]


def files() -> Iterator[Path]:
    for name in SPOKEN:
        root = ROOT / name
        found = [root] if root.is_file() else sorted(root.rglob("*"))
        yield from (each for each in found if each.suffix in KINDS and each != Path(__file__))


def python(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def test_no_file_contains_a_banned_word() -> None:
    found = {
        str(file.relative_to(ROOT)): words
        for file in files()
        if (words := banned(f"{file.name} {file.read_text('utf-8')}"))
        and not file.match("docs/architecture.md")
    }
    assert found == {}


@pytest.mark.parametrize(
    "text", ["a film of nine", "FILMS", "is_film", "Catalogue", "next_look", "draft_id", "Whoever"]
)
def test_a_banned_word_inside_an_identifier_is_found(text: str) -> None:
    assert banned(text) != []


def test_no_docstring_opens_with_a_riddle() -> None:
    found = [
        f"{file.relative_to(ROOT)}:{line}"
        for file in python("bot", "bench", "docs", "tests")
        for line in riddles(file.read_text("utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize("opening", ["What is left.", "Whoever asks.", "Of what a body is made."])
def test_a_docstring_that_opens_without_its_subject_is_found(opening: str) -> None:
    assert riddles(f'def f():\n    """{opening}"""\n') == [2]


def test_no_class_name_is_used_for_more_classes_than_the_limit() -> None:
    counted = Counter(name for file in python("bot") for name in classes(file.read_text("utf-8")))
    namesakes = {name: count for name, count in counted.items() if count > MOST_NAMESAKES}
    assert namesakes == {}


def test_the_glossary_fits_on_one_screen() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    table = page.partition("## One word per idea")[2].partition("\n## ")[0]
    assert 0 < len(table.strip().splitlines()) <= MOST_GLOSSARY
