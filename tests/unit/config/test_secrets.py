"""Secrets in the file that the configuration names: permissions, lines, and pasted values."""

from pathlib import Path

import pytest

from bot.config import Misconfigured, load
from bot.config.pasted import bot_token, gateway_address
from bot.config.secrets import with_secret
from tests.unit.config.conftest import SECRETS, Read

FILE = 'secrets = "secrets.env"\n[gateways.main]\nbase_url = "https://gateway.example"\n'
LINES = "# mine\n\nZOETROPE_DISCORD__TOKEN = t-1\nZOETROPE_GATEWAYS__MAIN__API_KEY='sk-1'\n"


def written(folder: Path, lines: str, *, mode: int = 0o600) -> Path:
    """Write a configuration file and its secrets file; return the configuration file."""
    (folder / "config.toml").write_text(FILE, "utf-8")
    (folder / "secrets.env").write_text(lines, "utf-8")
    (folder / "secrets.env").chmod(mode)
    return folder / "config.toml"


def told(file: Path, **environment: str) -> list[str]:
    """Return the errors about a configuration file as sentences."""
    with pytest.raises(Misconfigured) as wrong:
        load(file, environment=environment)
    return [problem.sentence("en") for problem in wrong.value.problems]


def test_the_secrets_file_lies_beside_the_configuration_file(tmp_path: Path) -> None:
    assert load(written(tmp_path, LINES), environment={}).secrets == ("sk-1", "t-1")


def test_a_secret_in_the_environment_overrides_the_secrets_file(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.touch(mode=0o600)
    token.write_text("t-2\n")
    file = written(tmp_path, LINES)
    variables = {"ZOETROPE_DISCORD__TOKEN_FILE": str(token)}
    assert load(file, environment=variables).secrets == ("sk-1", "t-2")
    variables = {"ZOETROPE_DISCORD__TOKEN": "t-3"}
    assert load(file, environment=variables).secrets == ("sk-1", "t-3")


def test_the_environment_can_name_the_secrets_file(tmp_path: Path) -> None:
    file = written(tmp_path, "")
    other = tmp_path / "other.env"
    other.touch(mode=0o600)
    other.write_text(LINES)
    assert load(file, environment={"ZOETROPE_SECRETS": str(other)}).secrets == ("sk-1", "t-1")


def test_a_secrets_file_that_the_group_can_read_is_refused(tmp_path: Path) -> None:
    first, *_ = told(written(tmp_path, LINES, mode=0o640))
    assert f"other users of this machine can read. Run: chmod 600 {tmp_path}/secrets.env" in first


def test_a_missing_secrets_file_is_reported(tmp_path: Path) -> None:
    file = written(tmp_path, "")
    (tmp_path / "secrets.env").unlink()
    named = f"names {tmp_path}/secrets.env as the file with the secrets (secrets)"
    assert told(file)[0].startswith(f"The configuration {named}")


def test_a_line_of_the_secrets_file_that_is_no_variable_is_reported_but_not_shown(
    tmp_path: Path,
) -> None:
    said = told(written(tmp_path, f"{LINES}sk-very-secret\n"))
    assert said == [
        f"{tmp_path}/secrets.env, line 5: this line is not a variable. Write it as NAME=value."
    ]


def test_a_line_of_the_secrets_file_without_our_prefix_is_reported_but_not_shown(
    tmp_path: Path,
) -> None:
    said = told(written(tmp_path, f"{LINES}ZOETROP_WEB__PORT=8080\nsk-very-secret=\n"))
    assert [sentence.partition(": ")[0] for sentence in said] == [
        f"{tmp_path}/secrets.env, line 5",
        f"{tmp_path}/secrets.env, line 6",
    ]
    assert "this file can only set variables that begin with ZOETROPE_" in said[0]
    assert "sk-very-secret" not in "".join(said)


def test_lines_of_the_secrets_file_with_export_or_windows_line_ends_count(tmp_path: Path) -> None:
    lines = "\ufeffexport ZOETROPE_DISCORD__TOKEN=t-1\r\nzoetrope_gateways__main__api_key=sk-1\r\n"
    assert load(written(tmp_path, lines), environment={}).secrets == ("sk-1", "t-1")


PUT = {
    "replacing a line": ("# mine\nB = 2 \nA=1\n", "# mine\nB=3\nA=1\n"),
    "behind the last line": ("A=1", "A=1\nB=3\n"),
    "replacing several lines": ("b=1\nA=1\nB_FILE=x\n export B='2'\n", "B=3\nA=1\n"),
    "with export": ("export B=2\n", "export B=3\n"),
    "without a last line end": ("B=1\nA=1", "B=3\nA=1"),
    "behind the last line end": ("A=1\r\nC=1\n", "A=1\r\nC=1\nB=3\r\n"),
    "into an empty file": ("", "B=3\n"),
    "with Windows line ends": ("A=1\r\nB=2\r\n", "A=1\r\nB=3\r\n"),
    "beside similar names": ("AB=1\n#B=1\nB_FILES=2\n", "AB=1\n#B=1\nB_FILES=2\nB=3\n"),
}


@pytest.mark.parametrize(("before", "after"), PUT.values(), ids=PUT)
def test_with_secret_sets_a_variable_once_and_keeps_all_other_lines(
    before: str, after: str
) -> None:
    assert with_secret(before, "B", "3") == after
    assert with_secret(after, "B", "3") == after


HEALED = {
    "spaces": (" t.o.k ", " sk-1\n"),
    "prefixes": ("Bot t.o.k", "Bearer sk-1"),
    "prefixes in their own way": ("bot  t.o.k", "BEARER  sk-1 "),
    "quotes": ('"t.o.k"', "'sk-1'"),
    "quotes of a word processor": (" “t.o.k” ", "„sk-1“"),
    "quotes around a prefix or behind it": ('"Bot t.o.k"', 'Bearer "sk-1"'),
}


@pytest.mark.parametrize(("token", "key"), HEALED.values(), ids=HEALED)
def test_a_secret_pasted_with_quotes_or_a_prefix_is_accepted(
    read: Read, token: str, key: str
) -> None:
    variables = {"ZOETROPE_DISCORD__TOKEN": token, "ZOETROPE_GATEWAYS__MAIN__API_KEY": key}
    assert read(**variables).secrets == ("sk-1", "t.o.k")


PASTED = {
    "token_client_secret": "aB3dEfGhIjKlMnOpQrStUvWxYz012-_4",
    "token_application_id": "118800000000000000",
    "token_public_key": "0f" * 32,
    "token_link": "https://discord.com/oauth2/authorize?client_id=118800000000000000&scope=bot",
    "secret_characters": "canary canary",
}


@pytest.mark.parametrize(("code", "pasted"), PASTED.items())
def test_a_wrong_text_pasted_as_a_token_is_reported_but_not_shown(
    tmp_path: Path, code: str, pasted: str
) -> None:
    with pytest.raises(Misconfigured) as wrong:
        load(written(tmp_path, LINES), environment={"ZOETROPE_DISCORD__TOKEN": pasted})
    (problem,) = wrong.value.problems
    assert (problem.key, problem.code) == ("discord.token", code)
    assert pasted not in problem.sentence("en")


@pytest.mark.parametrize(
    "link", ["http://t.me/x", "discord.gg/AbCdEf", "www.discord.com/invite/x", "discordapp.com"]
)
def test_a_link_is_refused_as_a_token(link: str) -> None:
    with pytest.raises(ValueError, match=r"^token_link$"):
        bot_token(link)


def test_quotes_around_a_gateway_address_are_removed(read: Read) -> None:
    gateways = read(ZOETROPE_GATEWAYS__MAIN__BASE_URL='"https://g.example/v1"').settings.gateways
    assert gateways["main"].base_url == "https://g.example"


@pytest.mark.parametrize("key", ["sk-canary", "'sk-canary-1_2'", "Bearer sk-canary"])
def test_a_key_given_as_the_gateway_address_is_reported_but_not_shown(read: Read, key: str) -> None:
    with pytest.raises(Misconfigured) as wrong:
        read(ZOETROPE_GATEWAYS__MAIN__BASE_URL=key)
    (problem,) = wrong.value.problems
    assert problem.code == "address_is_key"
    assert "canary" not in problem.sentence("en")


@pytest.mark.parametrize("address", ["https://sk-1.example", "http://sk-1:8080"])
def test_a_host_that_begins_like_a_key_is_accepted_as_an_address(address: str) -> None:
    assert gateway_address(address) == address


@pytest.mark.parametrize("key", ["sk-1 sk-2", "sk-é", "sk-\n1"])
def test_a_key_with_characters_that_no_header_can_carry_is_refused(read: Read, key: str) -> None:
    with pytest.raises(Misconfigured) as wrong:
        read(ZOETROPE_GATEWAYS__MAIN__API_KEY=key)
    assert [problem.code for problem in wrong.value.problems] == ["secret_characters"]


@pytest.mark.parametrize("tail", ["", "/", "/v1", "/v1/", "/v1/videos", " "])
def test_a_path_copied_along_with_the_gateway_address_is_removed(tmp_path: Path, tail: str) -> None:
    variables = {"ZOETROPE_GATEWAYS__MAIN__BASE_URL": f"https://gateway.example{tail}"}
    config = load(None, environment={**SECRETS, **variables})
    assert config.settings.gateways["main"].base_url == "https://gateway.example"
