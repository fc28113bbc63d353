"""The page with the answers of the operator's commands says what they say."""

import re

import pytest
import typer

from bot.cli import db, jobs, media
from bot.cli.operating import allowances, gateways, people
from docs.commands_page import PAGE, PARTS, page


@pytest.mark.proof
async def test_the_page_shows_what_the_commands_say() -> None:
    """If it does not: `python -m docs.commands_page` writes it anew."""
    assert PAGE.read_text("utf-8") == await page()


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("jobs", jobs.app),
        ("media", media.app),
        ("db", db.app),
        ("quota", allowances.app),
        ("gateways", gateways.app),
        ("user", people.app),
    ],
)
def test_the_page_shows_each_command_of_an_operator(name: str, group: typer.Typer) -> None:
    shown = [command for part in PARTS.values() for command in part]
    for each in group.registered_commands:
        assert each.callback is not None
        word = (each.name or each.callback.__name__).removeprefix(f"{name}_")
        assert any(command.startswith(f"{name} {word}") for command in shown), word


def test_what_is_shown_has_one_form_for_money_and_ids() -> None:
    said = PAGE.read_text("utf-8")
    assert set(re.findall(r"[\d.]+ USD", said)) >= {"0.70 USD", "3.50 USD"}
    assert not re.search(r"\d\.\d USD", said)
    assert "…\n" not in said, "nothing is cut"
