"""`zoetrope models --gateway NAME`: each fact, its source, what is missing and how to add it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli.main import app
from bot.cli.words import explain
from bot.config import load
from bot.config.listing import listed
from bot.core.errors import Refused
from bot.gateways.dialects import DIALECTS
from tests.unit.config.conftest import SECRETS
from tests.unit.config.test_offered import LENGTHLESS, SERVED
from tests.unit.gateways.test_offers import VEO

AT = datetime(2026, 11, 20, tzinfo=UTC)


class Shown:
    """The command with a list of these rows."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.file = folder / "config.toml"
        for name, value in SECRETS.items():
            monkeypatch.setenv(name, value)

    def __call__(
        self, *rows: object, options: tuple[str, ...] = (), table: str = "", text: str = ""
    ) -> str:
        dialect = "openrouter" if "dialect" not in table else "vllm-omni"
        named = "" if "dialect" in table else 'dialect = "openrouter"\n'
        self.file.write_text(
            f'data_dir = "{self.file.parent / "data"}"\n{text}\n[gateways.main]\n'
            f'base_url = "https://gateway.example"\n{named}{table}\n'
        )
        config = load(self.file, environment=SECRETS)
        if rows:
            listed(config, "main", DIALECTS[dialect].read_list({"data": list(rows)}), AT)
        command = ["models", "--gateway", "main", "--config", str(self.file), *options]
        result = CliRunner().invoke(app, command)
        assert result.exception is None, result.output
        return result.output

    def json(self, *rows: object, **given: Any) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self(*rows, options=("--json",), **given))
        return answer


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shown:
    return Shown(tmp_path, monkeypatch)


def test_each_fact_of_a_model_is_shown_with_its_source_within_80_columns(shown: Shown) -> None:
    text = shown(VEO, text='[models."google/veo-3.1"]\nprice = 0.5')
    assert text == (
        "main (openrouter): 1 model can be ordered.\n"
        "The gateway's own list is of 2026-11-20.\n"
        "\n"
        "Veo 3.1 (google/veo-3.1)\n"
        "  kinds      t2v, i2v, kf2v                     the gateway's list of 2026-11-20\n"
        "  seconds    4, 6, 8                            the gateway's list of 2026-11-20\n"
        "  qualities  720p, 1080p, 4k                    the gateway's list of 2026-11-20\n"
        "  options    seed, audio                        the gateway's list of 2026-11-20\n"
        "  a second   0.5 USD                            your configuration\n"
        "  prompt     2000                               Zoetrope's catalog\n"
    )
    assert max(map(len, text.splitlines())) <= 80


def test_a_model_that_can_not_be_ordered_is_shown_with_what_is_missing_and_a_table_for_it(
    shown: Shown,
) -> None:
    text = shown(LENGTHLESS)
    assert "1 model can't be ordered:" in text
    assert "Nobody tells: seconds." in text
    table = text[text.index("  [models.") :]
    assert table == '  [models."acme/lengthless"]\n  seconds = [5, 10]\n'
    assert "1 model can be ordered" in shown(LENGTHLESS, text=table)


def test_guesses_are_marked_and_the_setting_that_confirms_them_is_named(shown: Shown) -> None:
    table = 'dialect = "vllm-omni"'
    text = shown(SERVED, table=table)
    assert "a guess" in text
    assert "gateways.main.guesses = true" in text
    assert "can be ordered." in shown(SERVED, table=f"{table}\nguesses = true")


def test_a_list_that_was_never_read_is_said_to_be_so(shown: Shown) -> None:
    assert "was never read: add --refresh" in shown()


def test_a_doubted_list_is_said_to_be_so(shown: Shown) -> None:
    shown(VEO, LENGTHLESS, {**VEO, "id": "a/c"})
    assert "not believed yet" in shown({**VEO, "id": "a/b"})


def test_json_has_every_fact_with_its_source(shown: Shown) -> None:
    answer = shown.json(VEO, LENGTHLESS)
    assert {key: answer[key] for key in ("gateway", "dialect", "list_of", "list_doubted")} == {
        "gateway": "main",
        "dialect": "openrouter",
        "list_of": "2026-11-20T00:00:00+00:00",
        "list_doubted": False,
    }
    veo, other = answer["models"]
    assert veo["facts"]["price"] == {
        "value": {"720p": 0.4, "1080p": 0.4, "4k": 0.6},
        "from": "list",
    }
    assert (veo["offered"], veo["missing"], veo["listed"]) == (True, [], True)
    assert veo["passthrough"] == ["personGeneration", "negativePrompt"]
    assert (other["offered"], other["missing"]) == (False, ["seconds"])


def test_check_and_models_say_what_to_do_while_no_model_can_be_ordered(shown: Shown) -> None:
    shown()
    said = CliRunner().invoke(app, ["check", "--config", str(shown.file)]).output
    assert said.startswith("The configuration is not enough for `zoetrope run`:\n")
    assert "`zoetrope models --gateway NAME --refresh`" in said
    assert "People can choose" not in said
    said = CliRunner().invoke(app, ["models", "--config", str(shown.file)]).output
    assert said.startswith("No model can be ordered yet.")


def test_generate_asks_for_no_picture_while_no_model_can_be_ordered(shown: Shown) -> None:
    shown(LENGTHLESS)
    result = CliRunner().invoke(app, ["generate", "a kite", "--config", str(shown.file)])
    assert isinstance(result.exception, Refused)
    said = explain(result.exception)
    assert said.startswith("No model can be ordered yet.")
    assert "(gateways: main)" in said


def test_an_unknown_gateway_is_refused_with_the_names_of_the_known_ones(shown: Shown) -> None:
    shown()
    command = ["models", "--gateway", "other", "--config", str(shown.file)]
    result = CliRunner().invoke(app, command)
    assert isinstance(result.exception, Refused)
    assert explain(result.exception) == ("The configuration has no gateway “other”. It has: main.")


def test_refresh_needs_a_gateway(shown: Shown) -> None:
    shown()
    result = CliRunner().invoke(app, ["models", "--refresh", "--config", str(shown.file)])
    assert result.exit_code == 2
