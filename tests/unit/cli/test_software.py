"""The software of a gateway, as `models` and `check` describe it."""

from pathlib import Path

import pytest

from bot.cli.check import check_config
from bot.cli.doctor.gateways import about_software
from bot.cli.models import list_models
from bot.cli.software import name, unlike
from bot.config import load
from bot.config.discoveries import FILE, Found, keep, now
from bot.gateways.which import FITTING, UNKNOWN

URL = "https://gateway.example"


def found(software: str, generation: str | None = None, *models: str) -> Found:
    """Return a finding about a gateway."""
    at = now()
    given = {"base_url": URL, "software": software, "generation": generation, "at": at, "since": at}
    return Found.model_validate({**given, "models": models or None})


def written(folder: Path, table: str = "") -> Path:
    """Write a configuration with this table of its gateway."""
    file = folder / "config.toml"
    file.write_text(
        f'secrets = "secrets.env"\ndata_dir = "{folder}"\n'
        f'[gateways.main]\nbase_url = "{URL}"\n{table}\n'
    )
    secrets = folder / "secrets.env"
    secrets.touch(mode=0o600)
    secrets.write_text("ZOETROPE_GATEWAYS__MAIN__API_KEY=sk-1\n")
    return file


def test_the_models_command_prints_one_line_for_each_family_that_is_partly_held_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(tmp_path, "main", found("new-api", "C", "kling-v1", "kling-v2-master", "sora-2"))
    list_models(written(tmp_path))
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Held back")]
    assert lines == [
        (
            "Held back: Kling (i2v, kf2v) at gateway main, until gateways.main.plugins.kling"
            " names the version of its plugin there."
        )
    ]


@pytest.mark.parametrize("relay", ["A", "B"])
def test_the_models_command_behind_an_older_relay_says_which_generation_to_confirm(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], relay: str
) -> None:
    """A kind that the relay itself can't make, such as Jimeng from a picture, is not called held
    back.
    """
    keep(tmp_path, "main", found("new-api", relay, "kling-v1", "jimeng_vgfm_t2v_l20"))
    list_models(written(tmp_path))
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Held back")]
    assert lines == [
        (
            "Held back: Kling (i2v, kf2v) at gateway main, until gateways.main.generation"
            f" confirms that it stays at {relay}."
        )
    ]
    list_models(written(tmp_path, f'generation = "{relay}"'))
    said = capsys.readouterr().out
    assert "Held back" not in said
    assert "t2v i2v kf2v" in said


def test_the_models_command_shows_nothing_held_back_if_the_plugins_version_is_configured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(tmp_path, "main", found("new-api", "C", "kling-v1"))
    list_models(written(tmp_path, 'plugins.kling = "1.1.0"'))
    assert "Held back" not in capsys.readouterr().out


def test_check_reports_a_wrong_dialect_and_an_unreadable_gateways_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(tmp_path, "main", found("new-api", "C"))
    check_config(written(tmp_path, 'dialect = "documented"'))
    assert 'Set gateways.main.dialect = "new-api".' in capsys.readouterr().out
    (tmp_path / FILE).write_text("[]")
    check_config(written(tmp_path, 'dialect = "documented"'))
    told = capsys.readouterr().out
    assert ("gateways.json, so I ignore it" in told, "Set gateways.main" in told) == (True, False)


@pytest.mark.parametrize("software", [*FITTING, UNKNOWN])
def test_a_dialect_that_matches_the_gateways_software_is_no_problem(software: str) -> None:
    told = unlike("main", found(software), FITTING.get(software, "documented"))
    assert told is None
    assert name(found(software))


@pytest.mark.parametrize(("software", "is_told"), [("litellm", True), ("new-api", False)])
def test_doctor_warns_that_litellm_repeats_orders_by_itself(
    tmp_path: Path, software: str, is_told: bool
) -> None:
    told = about_software(load(written(tmp_path)), "main", found(software), None)
    assert any("num_retries: 0" in finding.sentence for finding in told) is is_told
