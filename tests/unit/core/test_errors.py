"""Code branches on the type of an error; the code of an error is for texts and logs only."""

import ast
import pickle
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import bot
from bot.core.errors import BotError, FileMissing, MaybeSent, Refused
from bot.platforms.discord import errors as discord
from bot.platforms.telegram import errors as telegram

PACKAGE = Path(bot.__file__).parent
NUMBERS = {name for name, found in vars(discord).items() if isinstance(found, int)} | {
    name
    for name, found in vars(discord).items()
    if isinstance(found, dict | frozenset)
    and found
    and all(isinstance(each, int) for each in found)
}
"""Names of Discord's own codes, which are numbers."""
REMARKS = {"DAMAGED"}
"""Codes of remarks about a configuration, which are no errors."""


def modules(*words: str) -> Iterator[tuple[str, ast.Module]]:
    """Yield the modules that contain one of these words; reading all modules takes seconds."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name, text = str(path.relative_to(PACKAGE)), path.read_text("utf-8")
        if "simulator" in path.parts or name == "core/errors.py":
            continue
        if any(word in text for word in words):
            yield name, ast.parse(text)


def branches(tree: ast.AST) -> list[str]:
    """Return each comparison of an error code with a string."""
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Compare(left=left, comparators=right):
                sides = [left, *right]
                if any(map(_is_code, sides)) and not all(
                    _is_code(side) or _is_number(side) for side in sides
                ):
                    found.append(ast.unparse(node))
            case ast.Call(func=ast.Attribute(value=it, attr="startswith" | "endswith")):
                if _is_code(it):
                    found.append(ast.unparse(node))
            case ast.MatchClass(kwd_attrs=names, kwd_patterns=patterns):
                asked = [each for name, each in zip(names, patterns, strict=True) if name == "code"]
                words = [ast.unparse(each) for each in asked]
                if any("'" in word for word in words):
                    found.append(ast.unparse(node))
    return found


def _is_code(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "code"


def _is_number(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=int()):
            return True
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in NUMBERS | REMARKS
    return False


def test_no_error_code_is_compared_with_a_string_in_the_code() -> None:
    having = modules(".code", "code=")
    found = {name: found for name, tree in having if (found := branches(tree))}
    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        "if refused.code == 'card_gone': pass",
        "if 'card_gone' != refused.code: pass",
        "gone = problem.code in ('card_gone', 'forbidden')",
        "gone = problem.code not in GONE",
        "limited = problem.code.startswith('limit_')",
        "match problem:\n    case Refused(code='card_gone'): pass",
    ],
)
def test_negative_control_a_comparison_of_an_error_code_with_a_string_is_found(source: str) -> None:
    assert len(branches(ast.parse(source))) == 1


def _below(root: type[BotError]) -> Iterator[type[BotError]]:
    """Yield all subclasses of an error type."""
    for each in root.__subclasses__():
        yield each
        yield from _below(each)


@cache
def owned() -> dict[tuple[str, str], str]:
    """Return the codes with a type of their own, each with the base type not to use."""
    return {
        (base.__name__, each.code): each.__name__
        for each in _below(BotError)
        for base in each.__mro__[1:]
        if each.code and issubclass(base, BotError)
    }


def unowned(tree: ast.AST) -> list[str]:
    """Return each error that is made without its own type, so that `except` would miss it."""
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=root), args=[code, *_]):
                words = [each.value for each in ast.walk(code) if isinstance(each, ast.Constant)]
                found += [str(word) for word in words if (root, word) in owned()]
    return found


def test_an_error_that_has_its_own_type_is_always_made_by_that_type() -> None:
    having = modules("Refused(", "Temporary(", "Broken(", "Unwritten(")
    found = {name: found for name, tree in having if (found := unowned(tree))}
    assert found == {}


@pytest.mark.parametrize(
    "source", ["raise Refused('card_gone')", "raise Refused('card_gone' if it else 'no_video')"]
)
def test_negative_control_an_error_made_without_its_type_is_found(source: str) -> None:
    assert unowned(ast.parse(source)) == ["card_gone"]


@pytest.mark.parametrize("code", [*discord.REFUSED.values(), *dict(telegram.BAD_REQUESTS).values()])
def test_a_refusal_code_of_a_network_makes_an_error_of_its_own_type(code: str) -> None:
    known = {each: name for (root, each), name in owned().items() if root == "Refused"}
    assert type(Refused.of(code)).__name__ == known.get(code, "Refused")


def test_an_error_made_from_a_code_has_the_type_of_that_code() -> None:
    assert type(Refused.of("maybe_sent")) is MaybeSent
    assert (type(Refused.of("other")), Refused.of("other").code) == (Refused, "other")


def test_an_error_keeps_its_type_when_it_is_pickled() -> None:
    missing: BotError = pickle.loads(pickle.dumps(FileMissing(key="k")))
    assert (type(missing), missing.code, missing.values) == (
        FileMissing,
        "file_missing",
        {"key": "k"},
    )
