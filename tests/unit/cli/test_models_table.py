"""`zoetrope models`: the table with lengths and prices, and every fact with `--json`."""

import json
import re
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from bot.cli.main import app
from bot.cli.models import list_models, show
from bot.config import Config, load
from bot.config.discoveries import keep
from tests.unit.cli.test_software import found, written
from tests.unit.config.conftest import GATEWAY as GATEWAY_TABLE
from tests.unit.config.conftest import KNOWN, SECRETS

SEEDANCE = "doubao-seedance-1-5-pro-251215"
GATEWAY = {
    "BASE_URL": "https://gateway.example",
    "API_KEY": "sk-test",
    "DIALECT": "new-api",
    "MODELS": f'["{SEEDANCE}", "wan2.6-t2v"]',
}


def listed(folder: Path, capsys: pytest.CaptureFixture[str], *names: str, tables: str = "") -> Any:
    """Return the printed JSON for a gateway with these models."""
    keep(folder, "main", found("new-api", "C", *names))
    list_models(written(folder, tables), as_json=True)
    return json.loads(capsys.readouterr().out)


def test_models_json_has_every_fact_of_a_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prices = '[models."wan2.6-i2v-flash"]\nprice = { 720p = 0.2, 1080p = 0.4 }\nsilent_price = 0.1'
    assert listed(tmp_path, capsys, "wan2.6-i2v-flash", tables=prices) == {
        "currency": "USD",
        "models": [
            {
                "model": "wan2.6-i2v-flash",
                "family": "wan-2.6",
                "label": "Wan 2.6",
                "note": "",
                "gateway": "main",
                "dialect": "new-api",
                "kinds": ["i2v"],
                "held_back": None,
                "auto": False,
                "shapes": ["16:9", "9:16", "1:1", "4:3", "3:4", "3:2", "2:3", "21:9"],
                "qualities": [
                    {
                        "quality": quality,
                        "kinds": ["i2v"],
                        "seconds": [5, 2, 3, 4, *range(6, 16)],
                        "price": price,
                        "silent_price": 0.1,
                    }
                    for quality, price in (("720p", 0.2), ("1080p", 0.4))
                ],
                "takes": ["audio", "seed", "negative_prompt", "prompt_extend", "watermark"],
                "files": "data-uri",
                "videos": None,
                "source": "new-api plugin alibaba 1.4.2 (xggbest/new-api 45b258e0), 2026-11-27",
            }
        ],
    }


def test_models_json_lists_lengths_and_kinds_of_each_quality_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    version = 'plugins.hailuo = "1.2.1"'
    (model,) = listed(tmp_path, capsys, "MiniMax-Hailuo-02", tables=version)["models"]
    by_quality = {each["quality"]: (each["kinds"], each["seconds"]) for each in model["qualities"]}
    assert by_quality == {
        "512p": (["i2v"], [6, 10]),
        "768p": (["t2v", "i2v", "kf2v"], [6, 10]),
        "1080p": (["t2v", "i2v", "kf2v"], [6]),
    }


def test_models_json_lists_a_held_back_kind_apart_with_the_setting_that_frees_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model whose kinds are all held back is listed too, and can't be ordered."""
    names = ("kling-v1", "MiniMax-Hailuo-2.3")
    kling, hailuo = listed(tmp_path, capsys, *names)["models"]
    assert kling["kinds"] == kling["qualities"][0]["kinds"] == ["t2v"]
    assert kling["held_back"] == {
        "kinds": ["i2v", "kf2v"],
        "why": "plugin_version_unknown",
        "until": "gateways.main.plugins.kling",
    }
    assert hailuo["kinds"] == hailuo["qualities"][0]["kinds"] == []
    assert hailuo["held_back"] == {
        "kinds": ["t2v", "i2v"],
        "why": "plugin_version_unknown",
        "until": "gateways.main.plugins.hailuo",
    }


def test_the_table_of_models_shows_an_automatic_length_and_the_price_without_sound(
    tmp_path: Path,
) -> None:
    (tmp_path / "config.toml").write_text(
        f"[models.{SEEDANCE}]\nprice = 0.5\nsilent_price = 0.25\n", "utf-8"
    )
    variables = {f"ZOETROPE_GATEWAYS__MAIN__{name}": value for name, value in GATEWAY.items()}
    shown = CliRunner().invoke(
        app,
        ["models", "--config", str(tmp_path / "config.toml")],
        env=variables | {"COLUMNS": "300"},
    )
    seedance, wan = (
        next(line for line in shown.output.splitlines() if line.startswith(family))
        for family in ("Seedance 1.5", "Wan 2.6")
    )
    assert "4–12 auto" in seedance
    assert "5 4–12" not in seedance, "the lengths are sorted"
    assert "USD/s" in shown.output.splitlines()[0]
    assert " 0.25 – 0.5 " in seedance
    assert "auto" not in wan


def screen(config: Config, *, width: int) -> list[str]:
    """Return the lines on a terminal of that width, without colours and styles."""
    console = Console(
        width=width, force_terminal=True, color_system=None, no_color=True, file=StringIO()
    )
    show(config, console)
    assert isinstance(console.file, StringIO)
    return [
        re.sub(r"\x1b\[\d*m", "", line).rstrip() for line in console.file.getvalue().splitlines()
    ]


def everything(folder: Path, tables: str = "") -> Config:
    """Return a configuration with every known model, at a gateway of generation B."""
    file = folder / "config.toml"
    offered = f'{GATEWAY_TABLE}generation = "B"\nmodels = {json.dumps(KNOWN)}\n'
    file.write_text(f"{offered}{tables}", "utf-8")
    other = {"ZOETROPE_GATEWAYS__OTHER__API_KEY": "sk-2"} if "other" in tables else {}
    return load(file, environment={**SECRETS, **other})


def test_on_a_terminal_each_model_takes_three_lines_at_most_below_its_family(
    tmp_path: Path,
) -> None:
    config = everything(tmp_path)
    names = [model.name for model in config.catalog.models]
    families = [config.catalog.label(family) for family in config.catalog.families]
    heading, *lines = screen(config, width=80)
    assert len(names) > 50
    assert heading.split() == ["Wire", "name", "Kinds", "Seconds", "Quality", "Shapes"]
    assert [line for line in lines if line in families] == families
    assert [line.split()[0] for line in lines if line.split()[0] in names] == names
    assert max(map(len, lines)) <= 80
    starts = [at for at, line in enumerate(lines) if not line.startswith(" ")]
    assert max(end - start for start, end in pairwise([*starts, len(lines)])) <= 3
    wide = screen(config, width=120)
    assert len(wide) == 1 + len(families) + len(names), "one line each"


def test_the_table_of_models_shows_gateway_and_price_only_if_they_differ(tmp_path: Path) -> None:
    other = (
        '[gateways.other]\nbase_url = "https://other.example"\n'
        '[models.sora-2]\ngateway = "other"\nprice = 0.2\n'
        '[models."wan2.5-t2v-preview"]\nprice = { 480p = 0.05, 720p = 0.1, 1080p = 0.15 }\n'
    )
    config = everything(tmp_path, other)
    heading, *lines = screen(config, width=120)
    assert heading.split()[-3:] == ["Shapes", "USD/s", "Gateway"]
    (sora,) = [line for line in lines if line.startswith("sora-2")]
    assert sora.split()[-3:] == ["0.2", "other", "new-api"]
    narrow = screen(config, width=80)
    assert max(map(len, narrow)) <= 80
    (at,) = [at for at, line in enumerate(narrow) if line.startswith("wan2.5-t2v-preview")]
    assert [line.split()[-3:] for line in narrow[at : at + 1]] == [["0.05", "–", "main"]]
    assert "0.15" in narrow[at + 1].split(), "no price and no word is broken"
    assert "new-api" in narrow[at + 1].split()
