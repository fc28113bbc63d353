"""Every option of the table, in each place that offers options: its name and its reader.

Discord's commands are tested in `unit/platforms/discord/test_options.py`.
"""

import json
from dataclasses import fields

import pytest
from typer.testing import CliRunner

from bot import i18n
from bot.cli.main import app
from bot.cli.words import explain
from bot.core.errors import Refused
from bot.core.replies import Text
from bot.core.wishes import OPTIONS, Wish, wish_of
from bot.platforms.playground import frames
from bot.platforms.playground.messages import furniture
from bot.platforms.telegram import flags
from tests.contract.options import TYPED, UNREADABLE
from tests.unit.core.orders import CATALOG


def test_every_field_of_a_wish_is_the_prompt_or_an_option() -> None:
    assert [each.name for each in fields(Wish)] == [
        "prompt",
        *(option.field for option in OPTIONS.values()),
    ]
    assert list(TYPED) == list(OPTIONS)


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_has_a_sentence_that_explains_it(name: str) -> None:
    assert i18n.say(Text(id=f"option.{name}"), "en") != f"option.{name}"


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_gives_the_same_wish_on_the_command_line_and_in_the_room(name: str) -> None:
    typed, value = TYPED[name]
    wish = Wish(prompt="a cat").having(**{OPTIONS[name].field: value})
    assert flags.wish_of(f'a cat --{name} "{typed}"', CATALOG) == wish
    assert wish_of("a cat", **framed(name, typed).wish) == wish


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_unreadable_value_of_an_option_is_refused_with_the_same_code_everywhere(
    name: str,
) -> None:
    typed, code = UNREADABLE[name]
    with pytest.raises(Refused, match=code):
        flags.wish_of(f"a cat --{name} {typed}", CATALOG)
    with pytest.raises(Refused, match=code):
        wish_of("a cat", **framed(name, typed).wish)


def test_the_command_line_offers_every_option() -> None:
    shown = CliRunner().invoke(app, ["generate", "--help"], env={"COLUMNS": "400"}).output
    for name in OPTIONS:
        assert f"--{name} " in shown
        assert i18n.say(Text(id=f"option.{name}"), "en") in shown


@pytest.mark.parametrize("name", ["seconds", "fit", "seed"])
def test_the_command_line_says_why_a_value_of_an_option_is_unreadable(name: str) -> None:
    typed, code = UNREADABLE[name]
    line = ["generate", "a cat", f"--{name}", typed]
    result = CliRunner().invoke(app, line, env={"COLUMNS": "400"})
    refused = Refused(code, wanted=typed, can=("crop", "pad"))
    assert (result.exit_code, explain(refused) in result.output) == (2, True)


def test_the_room_lists_every_option_of_a_command() -> None:
    commands = {each["name"]: each for each in furniture(CATALOG, "en")["commands"]}
    for command in ("video", "animate"):
        assert commands[command]["options"] == list(OPTIONS)


def test_the_room_refuses_an_option_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="wish"):
        framed("colour", "red")


def framed(name: str, typed: str) -> frames.Say:
    """Return a frame of the room with that option."""
    head = {"do": "say", "nonce": "the-frame", "person": "ann", "command": "video"}
    frame = frames.read(json.dumps(head | {"text": "a cat", "wish": {name: typed}}))
    assert isinstance(frame, frames.Say)
    return frame
