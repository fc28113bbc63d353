"""Files and folders in the configuration are found from any current folder, and earlier data is not
forgotten.
"""

from pathlib import Path

import pytest

from bot.config import Misconfigured, load
from tests.unit.config.conftest import GATEWAY, SECRETS


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, which is not the configuration's folder."""
    here = tmp_path / "elsewhere"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


def _file(folder: Path, text: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / "config.toml"
    file.write_text(f"{text}\n{GATEWAY}", "utf-8")
    return file


def test_the_data_folder_lies_beside_the_configuration_file(
    tmp_path: Path, elsewhere: Path
) -> None:
    home = tmp_path / "home"
    assert load(_file(home), environment=SECRETS).data_dir == home / "data"
    named = load(_file(home, 'data_dir = "rows"'), environment=SECRETS)
    assert named.data_dir == home / "rows"
    assert named.storage_url == str(home / "rows" / "media")
    away = load(_file(home, f'data_dir = "{elsewhere}"'), environment=SECRETS)
    assert away.data_dir == elsewhere


def test_every_relative_path_in_the_file_means_the_folder_of_the_file(
    tmp_path: Path, elsewhere: Path
) -> None:
    home = tmp_path / "home"
    text = 'storage_url = "videos"\ndatabase_url = "sqlite:///rows.db"'
    config = load(_file(home, text), environment=SECRETS)
    assert config.storage_url == str(home / "videos")
    assert config.database_url == f"sqlite:///{home / 'rows.db'}"
    config = load(_file(home, '[backup]\nfolder = "kept"'), environment=SECRETS)
    assert config.settings.backup.folder == str(home / "kept")
    text = 'storage_url = "s3://videos"\ndatabase_url = "postgresql+asyncpg://db/z"'
    config = load(_file(home, text), environment=SECRETS)
    assert (config.storage_url, config.database_url) == (
        "s3://videos",
        "postgresql+asyncpg://db/z",
    )


def test_a_relative_path_in_the_environment_means_the_current_folder(
    tmp_path: Path, elsewhere: Path
) -> None:
    here = {**SECRETS, "ZOETROPE_DATA_DIR": "rows"}
    assert load(_file(tmp_path / "home"), environment=here).data_dir == Path("rows")
    assert load(None, environment={**here, "ZOETROPE_GATEWAYS__MAIN__BASE_URL": "http://x"})


def test_data_left_in_the_current_folder_by_an_earlier_version_stops_the_start(
    tmp_path: Path, elsewhere: Path
) -> None:
    """An earlier version took relative paths from the current folder.

    Otherwise the service would start with a new, empty database.
    """
    home, file = tmp_path / "home", _file(tmp_path / "home")
    (elsewhere / "data").mkdir()
    (elsewhere / "data" / "zoetrope.db").touch()
    with pytest.raises(Misconfigured) as caught:
        load(file, environment=SECRETS)
    (problem,) = caught.value.problems
    said = problem.sentence("en")
    assert f"mv {elsewhere / 'data'} {home / 'data'}" in said
    assert f'data_dir = "{elsewhere / "data"}"' in said
    named = _file(home, f'data_dir = "{elsewhere / "data"}"')
    assert load(named, environment=SECRETS).data_dir == elsewhere / "data"
    (elsewhere / "data").rename(home / "data")
    assert load(_file(home), environment=SECRETS).data_dir == home / "data"


def test_data_of_another_configuration_in_the_current_folder_does_not_stop_the_start(
    tmp_path: Path, elsewhere: Path
) -> None:
    _file(elsewhere)
    (elsewhere / "data").mkdir()
    (elsewhere / "data" / "database-id").touch()
    assert load(_file(tmp_path / "home"), environment=SECRETS)
