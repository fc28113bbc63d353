"""Findings about gateways: kept whole or not at all, and overridden by the operator's settings."""

import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.config import Config, Misconfigured, load
from bot.config.discoveries import FILE, Found, keep, read
from bot.config.held import held_back, known_models
from bot.core.errors import Refused
from bot.core.orders import Kind
from tests.unit.config.conftest import PACKAGED, SECRETS

URL = "https://gateway.example"
FIRST, LATER = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 28, tzinfo=UTC)


def found(
    *,
    at: datetime = FIRST,
    url: str = URL,
    software: str = "new-api",
    generation: str | None = "C",
    version: str = "v1",
    models: tuple[str, ...] | None = None,
) -> Found:
    """Return a finding about a gateway."""
    return Found.model_validate(
        {
            "base_url": url,
            "software": software,
            "generation": generation,
            "version": version,
            "models": models,
            "at": at,
            "since": at,
        }
    )


def config(folder: Path, text: str = "", *, table: str = "") -> Config:
    """Load a configuration with this text and this table of its gateway."""
    file = folder / "config.toml"
    file.write_text(f'data_dir = "{folder}"\n{text}\n[gateways.main]\nbase_url = "{URL}"\n{table}')
    return load(file, environment=SECRETS)


def names(config: Config) -> set[str]:
    return {model.name for model in config.catalog.models}


# --- keeping -------------------------------------------------------------------------------------


def test_a_finding_about_one_gateway_is_kept_beside_those_of_other_gateways(tmp_path: Path) -> None:
    keep(tmp_path, "club", found(url="https://club.example"))
    keep(tmp_path, "main", found(models=("kling-v1",)))
    kept, problems = read(tmp_path)
    assert (sorted(kept), kept["main"].models, problems) == (["club", "main"], ("kling-v1",), [])


def test_the_file_of_findings_is_replaced_as_a_whole(tmp_path: Path) -> None:
    keep(tmp_path, "main", found())
    before = (tmp_path / FILE).stat().st_ino
    keep(tmp_path, "main", found(generation="A"))
    assert (tmp_path / FILE).stat().st_ino != before, "another file took its place"
    assert [each.name for each in tmp_path.iterdir()] == [FILE]


def test_the_folder_of_findings_is_created_for_its_owner_alone(tmp_path: Path) -> None:
    keep(tmp_path / "new" / "data", "main", found())
    assert stat.S_IMODE((tmp_path / "new" / "data").stat().st_mode) == 0o700


def test_keeping_a_finding_in_an_unwritable_folder_raises_an_error() -> None:
    with pytest.raises(Refused) as refused:
        keep(Path("/dev/null/data"), "main", found())
    assert refused.value.code == "output_unwritable"


def test_a_kept_finding_holds_no_secret(tmp_path: Path) -> None:
    keep(tmp_path, "main", found(models=("kling-v1",)))
    (kept,) = json.loads((tmp_path / FILE).read_text()).values()
    assert sorted(kept) == [
        *("at", "base_url", "changes", "doubted", "generation", "listed_at", "models"),
        *("offers", "since", "software", "version"),
    ]


def test_a_findings_since_is_the_time_when_it_was_first_made_in_its_present_form(
    tmp_path: Path,
) -> None:
    keep(tmp_path, "main", found())
    assert keep(tmp_path, "main", found(at=LATER, models=("x",))).since == FIRST
    assert keep(tmp_path, "main", found(at=LATER, version="v2")).since == LATER
    assert keep(tmp_path, "main", found(at=LATER, url="https://new.example")).since == LATER


@pytest.mark.parametrize("software", ["new-api", "unknown"])
def test_facts_that_a_busy_gateway_does_not_tell_stay_as_kept(
    tmp_path: Path, software: str
) -> None:
    keep(tmp_path, "main", found())
    silent = found(at=LATER, software=software, generation=None, version="")
    kept = keep(tmp_path, "main", silent)
    assert (kept.kind, kept.since, kept.at) == (("new-api", "C", "v1"), FIRST, LATER)


@pytest.mark.parametrize(
    "change", [{"software": "litellm", "generation": None}, {"generation": "B"}]
)
def test_a_finding_with_other_facts_replaces_the_kept_finding(
    tmp_path: Path, change: dict[str, str | None]
) -> None:
    keep(tmp_path, "main", found())
    assert keep(tmp_path, "main", found(at=LATER, **change)).generation == change["generation"]  # type: ignore[arg-type]


# --- effect --------------------------------------------------------------------------------------


def test_a_found_generation_and_found_models_count_if_the_operator_set_none(tmp_path: Path) -> None:
    keep(tmp_path, "main", found(models=("kling-v1", "sora-2", "nobodys")))
    read = config(tmp_path)
    assert (read.settings.gateways["main"].generation, names(read)) == ("C", {"kling-v1", "sora-2"})
    assert read.written.gateways["main"].generation is None


def test_the_operators_generation_and_models_override_the_finding(tmp_path: Path) -> None:
    keep(tmp_path, "main", found(models=("kling-v1",)))
    read = config(tmp_path, table='generation = "B"\nmodels = ["sora-2"]')
    assert (read.settings.gateways["main"].generation, names(read)) == ("B", {"sora-2"})


@pytest.mark.parametrize("generation", ["A", "B", None])
def test_a_found_older_generation_counts_only_if_the_operator_configures_it(
    tmp_path: Path, generation: str | None
) -> None:
    """An update of the gateway ends the older generation without notice.

    A picture in a field that only the older generation reads would then be lost.
    """
    keep(tmp_path, "main", found(generation=generation, models=("kling-v1",)))
    read = config(tmp_path)
    assert read.settings.gateways["main"].generation is None
    assert read.catalog.models[0].kinds == (Kind.TEXT,)


@pytest.mark.parametrize("generation", ["A", "B", "C", None])
def test_in_the_documented_dialect_a_gateway_found_to_be_new_api_gets_no_pictures(
    tmp_path: Path, generation: str | None
) -> None:
    """Every generation of new-api drops pictures in those fields and charges a video of the prompt
    alone.
    """
    listed = ("kling-v1", "viduq1", "wan2.5-i2v-preview", "wan2.2-kf2v-flash")
    keep(tmp_path, "main", found(generation=generation, models=listed))
    models = config(tmp_path, table='dialect = "documented"').catalog.models
    assert {(model.name, *model.kinds) for model in models} == {
        ("kling-v1", Kind.TEXT),
        ("viduq1", Kind.TEXT),
    }


def test_a_finding_about_another_address_of_the_gateway_does_not_count(tmp_path: Path) -> None:
    keep(tmp_path, "main", found(url="https://other.example", models=("kling-v1",)))
    read = config(tmp_path)
    assert (read.settings.gateways["main"].generation, read.found) == (None, {})
    assert names(read) > {"kling-v1"}


def test_a_finding_about_a_gateway_that_is_not_configured_is_ignored(tmp_path: Path) -> None:
    keep(tmp_path, "club", found())
    assert config(tmp_path).found == {}


DAMAGED = {
    "cut off": b'{"main": {"base_url": "https://gat',
    "empty": b"",
    "noise": b"\xff\xfe\x00",
    "a list": b"[]",
    "another shape": b'{"main": {"generation": "C"}}',
    "another generation": found()
    .model_dump_json()
    .encode()
    .join([b'{"main":', b"}"])
    .replace(b'"C"', b'"Z"'),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_of_findings_is_reported_and_ignored(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    read = config(tmp_path)
    assert (read.found, read.settings.gateways["main"].generation) == ({}, None)
    (remark,) = read.remarks
    assert remark.sentence("en").startswith(f"I can't read {tmp_path / FILE}, so I ignore it.")
    keep(tmp_path, "main", found())
    assert config(tmp_path).remarks == ()


def test_an_unreadable_file_of_findings_is_reported(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    assert [each.code for each in config(tmp_path).remarks] == ["found_damaged"]


PRICED = "".join(f'[models."{name}"]\nprice = 1\n' for name in PACKAGED)
ASIDE: dict[str, tuple[tuple[str, ...], str, str]] = {
    "only unknown models": (("nobodys",), "", "models"),
    "without the default model": (
        ("kling-v1",),
        'default_model = "wan-2.5"',
        "default_model is wan-2.5",
    ),
    "a model without a price under a money limit": (
        ("kling-v1", "wan3.0-video"),
        f"[limits]\npurse_money_per_day = 5\n{PRICED}",
        "models.wan3.0-video.price",
    ),
}


@pytest.mark.parametrize(("models", "text", "why"), ASIDE.values(), ids=ASIDE)
def test_a_found_list_of_models_with_which_the_service_could_not_start_is_left_aside(
    tmp_path: Path, models: tuple[str, ...], text: str, why: str
) -> None:
    keep(tmp_path, "main", found(models=models))
    read = config(tmp_path, text)
    assert (read.settings.gateways["main"].models, len(names(read)) > 5) == (None, True)
    assert read.settings.gateways["main"].generation == "C"
    (remark,) = read.remarks
    assert remark.sentence("en").startswith(
        "I ignore the lists of models that I found at the gateways"
    )
    assert why in remark.sentence("en")


def test_an_operators_list_of_models_with_which_the_service_cannot_start_is_a_mistake(
    tmp_path: Path,
) -> None:
    with pytest.raises(Misconfigured):
        config(tmp_path, table='models = ["nobodys"]')


# --- kinds held back -----------------------------------------------------------------------------


def test_a_kind_that_waits_for_a_plugins_version_is_held_back_with_the_settings_name(
    tmp_path: Path,
) -> None:
    keep(tmp_path, "main", found(models=("kling-v1", "sora-2")))
    read = config(tmp_path)
    (held,) = held_back(read.settings, read.catalog)
    assert (held.model.name, held.key) == ("kling-v1", "gateways.main.plugins.kling")
    assert held.kinds[0] == Kind.PICTURE


@pytest.mark.parametrize("version", ["1.1.0", "9.0.0"])
def test_a_configured_plugin_version_frees_the_kinds_held_back(
    tmp_path: Path, version: str
) -> None:
    keep(tmp_path, "main", found(models=("kling-v1", "sora-2")))
    read = config(tmp_path, table=f'plugins = {{ kling = "{version}" }}')
    assert held_back(read.settings, read.catalog) == []
    assert Kind.PICTURE in read.catalog.models[0].kinds


def test_a_kind_that_no_plugin_version_makes_is_not_called_held_back(tmp_path: Path) -> None:
    keep(tmp_path, "main", found(models=("kling-v1",)))
    read = config(tmp_path, table='plugins = { kling = "1.0.0" }')
    assert held_back(read.settings, read.catalog) == []


def test_known_models_includes_the_operators_own_models(tmp_path: Path) -> None:
    table = (
        'family = "mine"\nkinds = ["t2v"]\nseconds = [5]\nprompt_limit = 9\nsizes = {720p = "x"}'
    )
    read = config(tmp_path, f"[models.mine-1]\n{table}")
    assert known_models(read.settings) > {"mine-1", "kling-v1"}
