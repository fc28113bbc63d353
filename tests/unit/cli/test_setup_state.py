"""The service reads exactly the settings and secrets that `init` writes, wherever and in whatever
spelling they are.
"""

from pathlib import Path

import pytest

from bot import log
from bot.cli.init.setup import Setup
from bot.config import Misconfigured

OLD, NEW = "old.old.old", "new.new.new"
TOKEN = ("discord", "token")


def setup(folder: Path, text: str = 'secrets = "secrets.env"\n', **environment: str) -> Setup:
    """Return a draft of a configuration with this text."""
    file = folder / "config.toml"
    file.write_text(text, "utf-8")
    return Setup(file, environment=environment)


def private(file: Path, text: str) -> Path:
    """Write a file with owner-only permissions."""
    file.touch(mode=0o600)
    file.write_bytes(text.encode())
    return file


# --- secrets -------------------------------------------------------------------------------------

EARLIER = {
    "a plain line": "ZOETROPE_DISCORD__TOKEN=old.old.old\n",
    "a name in lower case": "zoetrope_discord__token = old.old.old\n",
    "with export": "# mine\nexport ZOETROPE_DISCORD__TOKEN=old.old.old",
    "with Windows line ends": "\ufeffZOETROPE_DISCORD__TOKEN=old.old.old\r\n",
    "the path of a file": "ZOETROPE_DISCORD__TOKEN_FILE={token}\n",
    "two lines": "ZOETROPE_DISCORD__TOKEN=x\nexport zoetrope_discord__token='old.old.old'\n",
}


@pytest.mark.parametrize("lines", EARLIER.values(), ids=EARLIER)
def test_a_new_secret_replaces_the_old_one_in_every_spelling_of_its_line(
    tmp_path: Path, lines: str
) -> None:
    token = private(tmp_path / "token", OLD)
    private(tmp_path / "secrets.env", lines.format(token=token))
    making = setup(tmp_path)
    assert making.get(*TOKEN) == OLD
    making.keep(NEW, *TOKEN)
    assert making.get(*TOKEN) == NEW


def test_a_secret_that_is_already_kept_is_not_written_again(tmp_path: Path) -> None:
    token = private(tmp_path / "token", OLD)
    lines = f"export ZOETROPE_DISCORD__TOKEN_FILE={token} \r\n# mine"
    secrets = private(tmp_path / "secrets.env", lines)
    setup(tmp_path).keep(OLD, *TOKEN)
    assert secrets.read_bytes() == lines.encode()


def test_a_secrets_file_named_by_the_environment_is_written_where_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative name in the environment means the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "etc").mkdir()
    making = Setup(Path("etc/config.toml"), environment={"ZOETROPE_SECRETS": "my.env"})
    making.keep(NEW, *TOKEN)
    making.put("de", "language")
    assert [str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*.env")] == ["my.env"]
    assert making.get(*TOKEN) == NEW


def test_a_secrets_file_that_does_not_exist_yet_counts_as_empty_and_is_created_private(
    tmp_path: Path,
) -> None:
    making = setup(tmp_path, 'secrets = "mine/Our-Secrets.env"\n')
    assert making.get(*TOKEN) is None
    making.keep(NEW, *TOKEN)
    assert making.get(*TOKEN) == NEW
    assert (tmp_path / "mine" / "Our-Secrets.env").stat().st_mode & 0o777 == 0o600


def test_the_log_redacts_every_secret_tried_and_not_only_the_last(tmp_path: Path) -> None:
    making = setup(tmp_path)
    for secret in (OLD, NEW):
        making.hide(secret)
    assert log.redacted(f"{OLD}, {NEW}") == "•••, •••"


def test_a_secrets_file_that_cannot_be_decoded_is_reported(tmp_path: Path) -> None:
    (tmp_path / "secrets.env").touch(mode=0o600)
    (tmp_path / "secrets.env").write_bytes(b"ZOETROPE_DISCORD__TOKEN=\xff\n")
    with pytest.raises(Misconfigured) as wrong:
        setup(tmp_path).get(*TOKEN)
    assert [problem.code for problem in wrong.value.problems] == ["secret_file_missing"]


def test_a_secret_given_as_the_name_of_the_secrets_file_is_refused(tmp_path: Path) -> None:
    making = setup(tmp_path, "", ZOETROPE_SECRETS=f"ZOETROPE_DISCORD__TOKEN={OLD}\n#")
    with pytest.raises(Misconfigured) as wrong:
        _ = making.secrets
    assert [problem.code for problem in wrong.value.problems] == ["secret_file_none"]


@pytest.mark.parametrize("name", ["ZOETROPE_DISCORD__TOKEN", "zoetrope_discord__token_file"])
def test_a_bad_value_in_the_environment_is_named_by_its_variable(tmp_path: Path, name: str) -> None:
    making = setup(tmp_path, **{name: str(private(tmp_path / "token", OLD))})
    with pytest.raises(Misconfigured) as wrong:
        making.check_ours(*TOKEN)
    assert [problem.values for problem in wrong.value.problems] == [{"variable": name}]


# --- the configuration ---------------------------------------------------------------------------


def test_writing_a_setting_keeps_the_files_mode_and_line_ends(tmp_path: Path) -> None:
    making = setup(tmp_path)
    making.file.write_bytes(b"# mine\r\n[limits]\r\nperson_at_once = 2 # two\r\n")
    making.file.chmod(0o640)
    making.put("de", "language")
    making.put(3, "limits", "person_at_once")
    assert making.file.read_bytes() == (
        b'# mine\r\nlanguage = "de"\r\n\r\n[limits]\r\nperson_at_once = 3 # two\r\n'
    )
    assert making.file.stat().st_mode & 0o777 == 0o640


# --- settings from the environment alone ---------------------------------------------------------

USED = {
    "ZOETROPE_TELEGRAM__TOKEN": f"123456:{'x' * 35}",
    "ZOETROPE_GATEWAYS__MAIN__API_KEY": "sk-1",
    "ZOETROPE_GATEWAYS__MAIN__BASE_URL": "https://gateway.example",
    "ZOETROPE_GATEWAYS__MAIN__DIALECT": "openai",
    "ZOETROPE_GATEWAYS__MAIN__MODELS": '["sora-2"]',
    "ZOETROPE_TELEGRAM__API_URL": "http://127.0.0.1:8081",
    "ZOETROPE_WEB__PORT": "9000",
    "ZOETROPE_TIME_ZONE": "Europe/Berlin",
    "ZOETROPE_DATABASE_URL": "postgresql+asyncpg://bot:canary@db.example/zoetrope",
    "ZOETROPE_LIMITS__PERSON_AT_ONCE": "2",
}


def test_settle_writes_every_setting_that_came_from_the_environment_into_the_files(
    tmp_path: Path,
) -> None:
    making = setup(tmp_path, "", **USED)
    for key in (("telegram", "token"), ("gateways", "main", "api_key")):
        making.keep(making.get(*key), *key)
    written, left = making.settle()
    assert "gateways.main.dialect" in written
    assert left == []
    used = making.config()
    later = Setup(making.file, environment={}).config()
    assert later.settings.model_dump(exclude={"secrets"}) == used.settings.model_dump(
        exclude={"secrets"}
    )
    assert later.catalog == used.catalog
    text = making.file.read_text("utf-8")
    assert "port = 9000" in text
    assert "canary" not in text
    assert making.settle() == ([], []), "once is enough"


def test_settle_names_a_setting_that_does_not_fit_on_one_line(tmp_path: Path) -> None:
    rows = '[{"meaning": "busy", "codes": ["x1"]}]'
    making = setup(tmp_path, "", **USED, ZOETROPE_GATEWAYS__MAIN__ANSWERS=rows)
    assert making.settle()[1] == ["gateways.main.answers"]
