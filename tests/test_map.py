"""The page docs/architecture.md: what it names exists, and its recipes are complete."""

import ast
import re
from pathlib import Path

import pytest

from bot.core.commands import COMMANDS, Who

ROOT = Path(__file__).parent.parent
BOT = ROOT / "bot"
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
_, _, _ADDING = PAGE.partition("## How to add …")
RECIPES = [
    [cell.strip() for cell in line.strip("| ").split(" | ")]
    for line in _ADDING.partition("\n## ")[0].splitlines()
    if line.startswith(("| a ", "| an "))
]
LISTS = {each.name for each in COMMANDS.values() if each.act and each.who is Who.EVERYBODY} - {
    "help",
    "models",
    "cancel",
}
"""The names of lists, without those that are ordinary words elsewhere too."""


def test_the_architecture_page_names_every_package_of_bot() -> None:
    _, _, packages = PAGE.partition("## Packages")
    named = set(re.findall(r"^\| `(\w+)` \|", packages.partition("\n## ")[0], flags=re.MULTILINE))
    there = {each.name for each in BOT.iterdir() if (each / "__init__.py").is_file()}
    assert there - named == {"backups"}, "of which the end of the page tells"
    assert named - there == set()


def test_every_module_that_the_architecture_page_names_exists() -> None:
    packages = "|".join(each.name for each in BOT.iterdir() if each.is_dir())
    named = set(re.findall(rf"`((?:{packages})/[\w/]+)`", PAGE))
    assert len(named) > 25
    there = {str(each.relative_to(BOT).with_suffix("")) for each in BOT.rglob("*")}
    assert sorted(named - there) == []


def test_every_test_that_a_page_names_exists() -> None:
    files = [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"]
    named = {
        name for file in files for name in re.findall(r"\btest_\w+\b(?!\.py)", file.read_text())
    }
    tests = "".join(file.read_text("utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    there = set(re.findall(r"def (test_\w+)", tests))
    modules = {file.stem for file in (ROOT / "tests").rglob("test_*.py")}
    assert len(named) > 100
    assert sorted(named - there - modules) == []


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe[0])
def test_every_file_that_a_recipe_of_the_architecture_page_names_exists(recipe: list[str]) -> None:
    named = re.findall(r"`((?:bot|docs|tests)/[\w/.]+)", " ".join(recipe))
    assert named, "it says what to touch"
    assert [each for each in named if not (ROOT / each).exists()] == []


def test_the_architecture_page_has_a_recipe_for_what_is_added_most() -> None:
    named = " ".join(recipe[0] for recipe in RECIPES)
    assert {"text", "model", "command", "option", "column", "platform"} <= set(
        re.findall(r"\w+", named)
    )


def test_no_platform_package_names_a_list_of_the_core() -> None:
    """A new list in the core needs no change in a platform."""
    assert {file: found for file in _networks() if (found := _words(file) & LISTS)} == {}


def test_negative_control_a_list_of_the_core_named_in_a_file_is_found() -> None:
    """The core's own table of commands names the lists."""
    assert _words(BOT / "core" / "commands.py") >= LISTS


def _networks() -> list[Path]:
    return sorted((BOT / "platforms").rglob("*.py"))


def _words(file: Path) -> set[str]:
    """Return every string constant in the file that stands alone, as a name does."""
    tree = ast.parse(file.read_text("utf-8"))
    return {str(it.value) for it in ast.walk(tree) if isinstance(it, ast.Constant)}
