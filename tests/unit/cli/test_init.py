"""The answers that `init` lacks when there is no terminal."""

from pathlib import Path

import pytest

from bot.cli.init import set_up
from bot.cli.init.gateway import configured_meanings
from bot.cli.init.setup import Setup
from bot.cli.words import explain
from bot.config import Misconfigured
from bot.core.errors import Refused
from bot.gateways.meanings import Meaning, Stage
from bot.gateways.table import Said

GATEWAY = ["gateways.main.base_url", "gateways.main.api_key"]


@pytest.mark.parametrize(
    ("also_telegram", "first"),
    [
        (False, ("discord.token", "platform_missing")),
        (True, ("telegram.token", "secret_missing")),
    ],
)
def test_init_without_a_terminal_names_the_missing_tokens(
    tmp_path: Path, also_telegram: bool, first: tuple[str, str]
) -> None:
    """Either network will do, unless Telegram is asked for."""
    with pytest.raises(Misconfigured) as wrong:
        set_up(tmp_path / "config.toml", ask=False, also_telegram=also_telegram)
    token, *others = wrong.value.problems
    assert (token.key, token.code) == first
    assert [problem.key for problem in others] == GATEWAY


def test_the_error_without_a_terminal_names_the_tokens_of_discord_and_telegram() -> None:
    said = explain(Refused("no_terminal"))
    assert "ZOETROPE_DISCORD__TOKEN or ZOETROPE_TELEGRAM__TOKEN" in said


def test_the_check_of_a_key_uses_the_operators_own_rows_of_answers(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    said = Said(("purse_empty",))
    setup = Setup(file, environment={})
    known = configured_meanings(setup, "main")
    assert known.find(said, status=403, at=Stage.POLL) is None

    file.write_text('[[gateways.main.answers]]\ncodes = ["purse_empty"]\nmeaning = "no_balance"\n')
    known = configured_meanings(setup, "main")
    found = known.find(said, status=403, at=Stage.POLL)
    assert found
    assert found.row.meaning is Meaning.NO_BALANCE

    file.write_text('[[gateways.main.answers]]\ncodes = ["-_-"]\nmeaning = "no_balance"\n')
    with pytest.raises(Misconfigured):
        configured_meanings(setup, "main")
