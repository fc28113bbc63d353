"""One value of the operator's file is changed, and every other character stays."""

import tomllib
from pathlib import Path

import pytest

from bot.config.editing import NotSimple, Value, put

EXAMPLE = Path(__file__).parents[3] / "config.example.toml"

EDITS: dict[str, tuple[str, tuple[str, ...], Value, str]] = {
    "into an empty file": ("", ("a",), 1, "a = 1\n"),
    "a table into an empty file": ("", ("t", "a"), 1, "[t]\na = 1\n"),
    "below a comment": ("# mine\n", ("a",), "b", '# mine\na = "b"\n'),
    "before the first table": (
        "# mine\n\n[t]\nb = 2\n",
        ("a",),
        1,
        "# mine\n\na = 1\n\n[t]\nb = 2\n",
    ),
    "replacing a value": ("a = 1\nb = 2\n", ("a",), 3, "a = 3\nb = 2\n"),
    "behind a line with a comment": (
        "a = 1  # one # of them\nb = 2",
        ("b",),
        3,
        "a = 1  # one # of them\nb = 3",
    ),
    "in front of a comment": ("a = 1  # one # of them\n", ("a",), 3, "a = 3  # one # of them\n"),
    "replacing a value that looks like a comment": (
        "a   =   '1 # one' # two\n",
        ("a",),
        "#",
        'a   =   "#" # two\n',
    ),
    "replacing a commented line": (
        "[t]\n# how many\n#a = 1\n",
        ("t", "a"),
        3,
        "[t]\n# how many\na = 3\n",
    ),
    "in a file without a last line end": (
        "[t]\nb = 2\n[u]\nc = 3",
        ("t", "a"),
        1,
        "[t]\nb = 2\na = 1\n[u]\nc = 3",
    ),
    "below a comment that is prose": (
        "# a = what you like\n",
        ("a",),
        3,
        "# a = what you like\na = 3\n",
    ),
    "in an indented table": (
        "  [t]\n    b = 2 # two\n  [u]\n",
        ("t", "a"),
        3,
        "  [t]\n    b = 2 # two\n    a = 3\n  [u]\n",
    ),
    "with Windows line ends": (
        "# mine\r\n[t]\r\nb = 2 # two\r\n",
        ("t", "b"),
        3,
        "# mine\r\n[t]\r\nb = 3 # two\r\n",
    ),
    "a new line with Windows line ends": (
        "# mine\r\n[t]\r\nb = 2",
        ("t", "a"),
        3,
        "# mine\r\n[t]\r\nb = 2\r\na = 3\r\n",
    ),
    "a new table with Windows line ends": (
        "b = 2\r\n",
        ("t", "a"),
        3,
        "b = 2\r\n\r\n[t]\r\na = 3\r\n",
    ),
    "behind the last line of its table": (
        "[t]\nb = 2\n# end\n\n[u]\na = 9\n",
        ("t", "a"),
        1,
        "[t]\nb = 2\na = 1\n# end\n\n[u]\na = 9\n",
    ),
    "a name with dots": (
        "",
        ("models", "wan2.5-t2v", "hidden"),
        True,
        '[models."wan2.5-t2v"]\nhidden = true\n',
    ),
    "a header with blanks": (
        '[ models . "x.y" ] # x\n',
        ("models", "x.y", "a"),
        0.5,
        '[ models . "x.y" ] # x\na = 0.5\n',
    ),
    "quotes and backslashes": ("", ("a",), 'C:\\"x"', 'a = "C:\\\\\\"x\\""\n'),
}


@pytest.mark.parametrize(("text", "key", "value", "outcome"), EDITS.values(), ids=EDITS)
def test_put_writes_a_value_in_the_right_line_and_is_idempotent(
    text: str, key: tuple[str, ...], value: Value, outcome: str
) -> None:
    assert put(text, key, value) == outcome
    assert put(outcome, key, value) == outcome, "twice is once"


SPELT: dict[str, tuple[str, Value]] = {
    "in hexadecimal": ("t.a = 0x10 # sixteen", 16),
    "with a point": ("[t]\na = 7.0", 7),
    "on several lines": ('[t]\na = """\nb"""', "b"),
    "in a line": ("t = { a = true }\r\n", True),
}


@pytest.mark.parametrize(("text", "value"), SPELT.values(), ids=SPELT)
def test_put_keeps_a_line_that_has_the_value_already_in_any_spelling(
    text: str, value: Value
) -> None:
    assert put(text, ("t", "a"), value) == text


def test_put_distinguishes_true_from_1() -> None:
    assert put("a = 1\n", ("a",), True) == "a = true\n"


@pytest.mark.parametrize(
    "text",
    [
        "a = 1\rb = 2",
        'a = """\n[t]\n"""\n',
        "t = { a = 1 }\n",
        "t.a = 1\n",
        "[[t]]\na = 1\n",
        "t = 5\n",
    ],
)
def test_put_refuses_toml_that_cannot_be_edited_line_by_line(text: str) -> None:
    with pytest.raises(NotSimple):
        put(text, ("t", "a"), 2)


def test_put_fills_in_the_commented_lines_of_the_example_configuration() -> None:
    text = EXAMPLE.read_text("utf-8")
    text = put(text, ("secrets",), "secrets.env")
    text = put(text, ("limits", "person_at_once"), 2)
    assert len(text.splitlines()) == len(EXAMPLE.read_text("utf-8").splitlines())
    assert tomllib.loads(text)["limits"] == {"person_at_once": 2}
