"""The software of a gateway as `models` and `check` tell of it."""

from pathlib import Path

import pytest

from bot.cli.check import check_config
from bot.cli.doctor.gateways import about_software
from bot.cli.models import list_models
from bot.cli.software import name, unlike
from bot.config import load
from bot.config.discoveries import FILE, Found, keep, now
from bot.gateways.which import DIALECTS, UNKNOWN

URL = "https://gateway.example"


def found(software: str, generation: str | None = None, *models: str) -> Found:
    at = now()
    given = {"base_url": URL, "software": software, "generation": generation, "at": at, "since": at}
    return Found.model_validate({**given, "models": models or None})


def written(folder: Path, table: str = "") -> Path:
    file = folder / "config.toml"
    file.write_text(
        f'secrets = "secrets.env"\ndata_dir = "{folder}"\n'
        f'[gateways.main]\nbase_url = "{URL}"\n{table}\n'
    )
    secrets = folder / "secrets.env"
    secrets.touch(mode=0o600)
    secrets.write_text("ZOETROPE_GATEWAYS__MAIN__API_KEY=sk-1\n")
    return file


def test_models_has_one_line_for_each_family_of_which_something_is_held_back(
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
def test_at_an_older_generation_the_answer_is_that_it_stays_and_no_plugin(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], relay: str
) -> None:
    """And what it can't do itself, as Jimeng's pictures, waits for nothing."""
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


def test_models_holds_nothing_back_where_the_version_is_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(tmp_path, "main", found("new-api", "C", "kling-v1"))
    list_models(written(tmp_path, 'plugins.kling = "1.1.0"'))
    assert "Held back" not in capsys.readouterr().out


def test_check_tells_what_was_left_aside_and_which_dialect_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(tmp_path, "main", found("new-api", "C"))
    check_config(written(tmp_path, 'dialect = "documented"'))
    assert 'Set gateways.main.dialect = "new-api".' in capsys.readouterr().out
    (tmp_path / FILE).write_text("[]")
    check_config(written(tmp_path, 'dialect = "documented"'))
    told = capsys.readouterr().out
    assert ("gateways.json, so I ignore it" in told, "Set gateways.main" in told) == (True, False)


@pytest.mark.parametrize("software", [*DIALECTS, UNKNOWN])
def test_a_dialect_that_is_the_softwares_own_is_no_trouble(software: str) -> None:
    spoken = DIALECTS.get(software, "documented")
    told = unlike("main", found(software), spoken or "documented")
    assert (told is None) == (spoken != "")
    assert name(found(software))


@pytest.mark.parametrize(("software", "is_told"), [("litellm", True), ("new-api", False)])
def test_doctor_tells_that_litellm_repeats_orders_by_itself(
    tmp_path: Path, software: str, is_told: bool
) -> None:
    told = about_software(load(written(tmp_path)), "main", found(software), None)
    assert any("num_retries: 0" in finding.sentence for finding in told) is is_told
