"""The documentation page with the output of the operator's commands is up to date."""

import re

import pytest
import typer

from bot.cli import db, jobs, media
from bot.cli.operating import allowances, gateways, people
from docs.commands_page import PAGE, PARTS, page


@pytest.mark.proof
async def test_the_commands_page_shows_the_present_output_of_the_commands() -> None:
    """If this fails, `python -m docs.commands_page` writes the page anew."""
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
def test_the_commands_page_shows_each_operator_command(name: str, group: typer.Typer) -> None:
    shown = [command for part in PARTS.values() for command in part]
    for each in group.registered_commands:
        assert each.callback is not None
        word = (each.name or each.callback.__name__).removeprefix(f"{name}_")
        assert any(command.startswith(f"{name} {word}") for command in shown), word


def test_the_commands_page_writes_money_with_two_decimals_and_ids_in_full() -> None:
    said = PAGE.read_text("utf-8")
    assert set(re.findall(r"[\d.]+ USD", said)) >= {"0.70 USD", "3.50 USD"}
    assert not re.search(r"\d\.\d USD", said)
    assert "…\n" not in said, "nothing is cut"
