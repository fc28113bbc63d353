"""The answers `init` lacks where nobody can be asked."""

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


@pytest.mark.parametrize("network", ["discord", "telegram"])
def test_the_token_of_the_network_that_was_named_is_missed(tmp_path: Path, network: str) -> None:
    with pytest.raises(Misconfigured) as wrong:
        set_up(tmp_path / "config.toml", ask=False, also_telegram=network == "telegram")
    assert [problem.key for problem in wrong.value.problems] == [f"{network}.token", *GATEWAY]


def test_without_a_terminal_it_names_the_tokens_of_both_networks() -> None:
    said = explain(Refused("no_terminal"))
    assert "ZOETROPE_DISCORD__TOKEN or ZOETROPE_TELEGRAM__TOKEN" in said


def test_a_gateways_own_rows_judge_its_key_where_they_are_configured(tmp_path: Path) -> None:
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
