"""The service reads exactly what `init` keeps, wherever the secrets stand and however."""

from pathlib import Path

import pytest

from bot import log
from bot.cli.init.setup import Setup
from bot.config import Misconfigured

OLD, NEW = "old.old.old", "new.new.new"
TOKEN = ("discord", "token")


def setup(folder: Path, text: str = 'secrets = "secrets.env"\n', **environment: str) -> Setup:
    """Over a configuration of this text."""
    file = folder / "config.toml"
    file.write_text(text, "utf-8")
    return Setup(file, environment=environment)


def private(file: Path, text: str) -> Path:
    """A file for its owner alone."""
    file.touch(mode=0o600)
    file.write_bytes(text.encode())
    return file


# --- secrets -------------------------------------------------------------------------------------

EARLIER = {
    "as it should": "ZOETROPE_DISCORD__TOKEN=old.old.old\n",
    "in lower case": "zoetrope_discord__token = old.old.old\n",
    "for a shell": "# mine\nexport ZOETROPE_DISCORD__TOKEN=old.old.old",
    "from Windows": "\ufeffZOETROPE_DISCORD__TOKEN=old.old.old\r\n",
    "in a file of its own": "ZOETROPE_DISCORD__TOKEN_FILE={token}\n",
    "twice": "ZOETROPE_DISCORD__TOKEN=x\nexport zoetrope_discord__token='old.old.old'\n",
}


@pytest.mark.parametrize("lines", EARLIER.values(), ids=EARLIER)
def test_a_new_secret_wins_over_the_old_one_however_that_is_spelt(
    tmp_path: Path, lines: str
) -> None:
    token = private(tmp_path / "token", OLD)
    private(tmp_path / "secrets.env", lines.format(token=token))
    making = setup(tmp_path)
    assert making.get(*TOKEN) == OLD
    making.keep(NEW, *TOKEN)
    assert making.get(*TOKEN) == NEW


def test_a_secret_that_is_known_already_is_not_written_again(tmp_path: Path) -> None:
    token = private(tmp_path / "token", OLD)
    lines = f"export ZOETROPE_DISCORD__TOKEN_FILE={token} \r\n# mine"
    secrets = private(tmp_path / "secrets.env", lines)
    setup(tmp_path).keep(OLD, *TOKEN)
    assert secrets.read_bytes() == lines.encode()


def test_secrets_named_by_the_environment_are_kept_where_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There, a name stands for a file in the folder where we are."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "etc").mkdir()
    making = Setup(Path("etc/config.toml"), environment={"ZOETROPE_SECRETS": "my.env"})
    making.keep(NEW, *TOKEN)
    making.put("de", "language")
    assert [str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*.env")] == ["my.env"]
    assert making.get(*TOKEN) == NEW


def test_secrets_that_are_named_but_not_there_yet_are_empty(tmp_path: Path) -> None:
    making = setup(tmp_path, 'secrets = "mine/Our-Secrets.env"\n')
    assert making.get(*TOKEN) is None
    making.keep(NEW, *TOKEN)
    assert making.get(*TOKEN) == NEW
    assert (tmp_path / "mine" / "Our-Secrets.env").stat().st_mode & 0o777 == 0o600


def test_no_secret_is_forgotten_when_another_is_tried(tmp_path: Path) -> None:
    making = setup(tmp_path)
    for secret in (OLD, NEW):
        making.hide(secret)
    assert log.redacted(f"{OLD}, {NEW}") == "•••, •••"


def test_secrets_that_are_there_and_cannot_be_read_are_told(tmp_path: Path) -> None:
    (tmp_path / "secrets.env").touch(mode=0o600)
    (tmp_path / "secrets.env").write_bytes(b"ZOETROPE_DISCORD__TOKEN=\xff\n")
    with pytest.raises(Misconfigured) as wrong:
        setup(tmp_path).get(*TOKEN)
    assert [problem.code for problem in wrong.value.problems] == ["secret_file_missing"]


def test_what_is_no_name_of_a_file_is_not_taken_for_one(tmp_path: Path) -> None:
    making = setup(tmp_path, "", ZOETROPE_SECRETS=f"ZOETROPE_DISCORD__TOKEN={OLD}\n#")
    with pytest.raises(Misconfigured) as wrong:
        _ = making.secrets
    assert [problem.code for problem in wrong.value.problems] == ["secret_file_none"]


@pytest.mark.parametrize("name", ["ZOETROPE_DISCORD__TOKEN", "zoetrope_discord__token_file"])
def test_a_bad_value_in_the_environment_is_named_as_it_stands_there(
    tmp_path: Path, name: str
) -> None:
    making = setup(tmp_path, **{name: str(private(tmp_path / "token", OLD))})
    with pytest.raises(Misconfigured) as wrong:
        making.check_ours(*TOKEN)
    assert [problem.values for problem in wrong.value.problems] == [{"variable": name}]


# --- the configuration ---------------------------------------------------------------------------


def test_the_mode_and_the_line_ends_of_a_configuration_stay(tmp_path: Path) -> None:
    making = setup(tmp_path)
    making.file.write_bytes(b"# mine\r\n[limits]\r\nperson_at_once = 2 # two\r\n")
    making.file.chmod(0o640)
    making.put("de", "language")
    making.put(3, "limits", "person_at_once")
    assert making.file.read_bytes() == (
        b'# mine\r\nlanguage = "de"\r\n\r\n[limits]\r\nperson_at_once = 3 # two\r\n'
    )
    assert making.file.stat().st_mode & 0o777 == 0o640


# --- what only the environment says --------------------------------------------------------------

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


def test_a_fresh_shell_finds_all_that_was_used(tmp_path: Path) -> None:
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


def test_what_no_line_can_hold_is_named(tmp_path: Path) -> None:
    rows = '[{"meaning": "busy", "codes": ["x1"]}]'
    making = setup(tmp_path, "", **USED, ZOETROPE_GATEWAYS__MAIN__ANSWERS=rows)
    assert making.settle()[1] == ["gateways.main.answers"]
