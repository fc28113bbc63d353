"""One value is changed, and every other character of the operator's file stays."""

import tomllib
from pathlib import Path

import pytest

from bot.config.editing import NotSimple, Value, put

EXAMPLE = Path(__file__).parents[3] / "config.example.toml"

EDITS: dict[str, tuple[str, tuple[str, ...], Value, str]] = {
    "into nothing": ("", ("a",), 1, "a = 1\n"),
    "a table into nothing": ("", ("t", "a"), 1, "[t]\na = 1\n"),
    "below a comment": ("# mine\n", ("a",), "b", '# mine\na = "b"\n'),
    "before the first table": (
        "# mine\n\n[t]\nb = 2\n",
        ("a",),
        1,
        "# mine\n\na = 1\n\n[t]\nb = 2\n",
    ),
    "in place of a value": ("a = 1 # one\nb = 2\n", ("a",), 3, "a = 3\nb = 2\n"),
    "in place of its comment": (
        "[t]\n# how many\n#a = 1\n",
        ("t", "a"),
        3,
        "[t]\n# how many\na = 3\n",
    ),
    "after the last of its table": (
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
def test_a_value_finds_its_place(
    text: str, key: tuple[str, ...], value: Value, outcome: str
) -> None:
    assert put(text, key, value) == outcome
    assert put(outcome, key, value) == outcome, "twice is once"


@pytest.mark.parametrize(
    "text",
    [
        'a = """\n[t]\n"""\n',
        "t = { a = 1 }\n",
        "t.a = 1\n",
        "[[t]]\na = 1\n",
        "t = 5\n",
    ],
)
def test_what_is_not_simple_is_left_alone(text: str) -> None:
    with pytest.raises(NotSimple):
        put(text, ("t", "a"), 2)


def test_the_example_can_be_filled_in() -> None:
    """Where it shows a setting in its table, that very line is taken."""
    text = EXAMPLE.read_text("utf-8")
    text = put(text, ("secrets",), "secrets.env")
    text = put(text, ("limits", "person_at_once"), 2)
    assert len(text.splitlines()) == len(EXAMPLE.read_text("utf-8").splitlines())
    assert tomllib.loads(text)["limits"] == {"person_at_once": 2}
