"""Secrets are read from the environment and from files, and are never shown."""

import json
from pathlib import Path

import pytest

from tests.unit.config.conftest import PACKAGED, Complaints, Read


def test_a_secret_may_be_in_a_file_of_its_own(read: Read, tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.touch(mode=0o600)
    secret.write_text("t-2\n")
    config = read(ZOETROPE_DISCORD__TOKEN="", ZOETROPE_DISCORD__TOKEN_FILE=str(secret))
    assert config.settings.discord.token is not None
    assert config.settings.discord.token.get_secret_value() == "t-2"
    assert config.secrets == ("sk-1", "t-2")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_file_of_a_secret_that_others_can_read_is_refused(
    told: Complaints, tmp_path: Path, mode: int
) -> None:
    secret = tmp_path / "token"
    secret.write_text("t-2")
    secret.chmod(mode)
    assert told(ZOETROPE_DISCORD__TOKEN_FILE=str(secret)) == [
        (
            f"ZOETROPE_DISCORD__TOKEN_FILE names {secret}, which other users of this machine"
            f" can read. Run: chmod 600 {secret}"
        )
    ]


def test_a_file_of_a_secret_that_cannot_be_read_is_named(told: Complaints, tmp_path: Path) -> None:
    secret = tmp_path / "nowhere"
    assert told(ZOETROPE_DISCORD__TOKEN_FILE=str(secret)) == [
        (
            f"ZOETROPE_DISCORD__TOKEN_FILE names {secret}, which I can't read."
            " Create the file, or set the variable to the right file."
        )
    ]


SECRETS_FOR_NAMES = {
    "a token": "MTE4OTk0NzU2MTIzNDU2Nzg5MA.GhIjKl.canaryMnOpQrStUvWxYz0123456789abcd",
    "a token of odd shape": "MTE4.GhIjKl.canaryMnOpQrStUvWxYz",
    "a key": "sk-canary",
    "a key without prefix": "canary0123456789abcdef0123456789abcdef",
    "a key with a slash": "canary0123/456789abcdef",
    "a key that begins with a slash": "/canary0123456789ABC",
    "several lines": "# canary\nZOETROPE_DISCORD__TOKEN=canary\n",
}


@pytest.mark.parametrize("given", SECRETS_FOR_NAMES.values(), ids=SECRETS_FOR_NAMES)
def test_a_secret_given_as_the_path_of_its_file_is_not_repeated_in_the_error(
    told: Complaints, given: str
) -> None:
    sentence = (
        " does not name a file that I can read. It needs the path of a file, not the secret itself."
    )
    assert told(ZOETROPE_DISCORD__TOKEN_FILE=given) == [f"ZOETROPE_DISCORD__TOKEN_FILE{sentence}"]
    assert told(ZOETROPE_SECRETS=given) == [f"secrets{sentence}"]


def test_only_settings_that_may_be_secret_have_a_variable_for_a_file(
    read: Read, told: Complaints, tmp_path: Path
) -> None:
    file = tmp_path / "held"
    file.touch(mode=0o600)
    file.write_text("postgresql+asyncpg://bot:canary@db/zoetrope")
    assert read(ZOETROPE_DATABASE_URL_FILE=str(file)).secrets == ("sk-1", "t-1", "canary")
    assert told(ZOETROPE_SECRETS_FILE=str(file), ZOETROPE_WEB__PORT_FILE=str(file)) == [
        "web.port_file is not a setting. Did you mean “port”?",
        "secrets_file is not a setting. Did you mean “secrets”?",
    ]


def test_a_secret_given_as_another_setting_is_not_repeated_in_the_error(told: Complaints) -> None:
    assert told(ZOETROPE_LOG_LEVEL="sk-canary")[0].startswith("log_level is '•••'; it has to be")


@pytest.mark.parametrize("odd", ["/tmp", "/dev/null"])
def test_a_path_that_is_no_regular_file_gets_no_advice_to_run_chmod(
    told: Complaints, odd: str
) -> None:
    """The advice `chmod 600 /tmp` would lock every other account out of /tmp."""
    assert told(ZOETROPE_DISCORD__TOKEN_FILE=odd) == [
        (
            f"ZOETROPE_DISCORD__TOKEN_FILE names {odd}, which is not a regular file."
            " Name a file that holds the secret and nothing else."
        )
    ]


@pytest.mark.parametrize("given", [" t-9", "t-9\n", "t-9\r\n", "\tt-9 "])
def test_blanks_and_line_ends_around_a_secret_are_removed(
    read: Read, tmp_path: Path, given: str
) -> None:
    file = tmp_path / "token"
    file.touch(mode=0o600)
    file.write_bytes(given.encode())
    ways = (
        {"ZOETROPE_DISCORD__TOKEN": given},
        {"ZOETROPE_DISCORD__TOKEN": "", "ZOETROPE_DISCORD__TOKEN_FILE": f"{file}\r"},
        {"ZOETROPE_DISCORD__TOKEN": "", "ZOETROPE_DISCORD": json.dumps({"token": given})},
    )
    for way in ways:
        token = read(**way).settings.discord.token
        assert token is not None
        assert token.get_secret_value() == "t-9"


@pytest.mark.parametrize("given", [" ", "\r\n"])
def test_a_secret_of_blanks_counts_as_missing(told: Complaints, given: str) -> None:
    assert "api_key is missing" in told(ZOETROPE_GATEWAYS__MAIN__API_KEY=given)[0]


@pytest.mark.parametrize("given", ["…", "sk-…", "...", "sk-..."])
def test_the_placeholder_from_the_instructions_is_refused_as_a_secret(
    told: Complaints, given: str
) -> None:
    assert told(ZOETROPE_GATEWAYS__MAIN__API_KEY=given) == [
        (
            "gateways.main.api_key is still the placeholder from the instructions."
            " Put the real secret into ZOETROPE_GATEWAYS__MAIN__API_KEY."
        )
    ]


@pytest.mark.parametrize("given", ["can\nary", "can\x00ary", "can ary", "can\u200bary", "canärý"])
def test_a_secret_with_impossible_characters_is_reported_but_not_shown(
    told: Complaints, given: str
) -> None:
    (sentence,) = told(ZOETROPE_DISCORD__TOKEN=given)
    assert sentence == (
        "discord.token has characters that such a secret never has: a space or line break inside,"
        " or something invisible from copying. Set ZOETROPE_DISCORD__TOKEN again."
    )


def test_a_configuration_that_hides_every_model_is_refused(told: Complaints) -> None:
    text = "".join(f'[models."{name}"]\nhidden = true\n' for name in PACKAGED)
    (sentence,) = told(text)
    assert sentence.startswith("models: all models are hidden")


@pytest.mark.parametrize(
    "url",
    [
        "foo",
        "mysql://bot:canary@db/zoetrope",
        "postgresql://bot:canary@db/zoetrope",
        "sqlite+pysqlcipher:///zoetrope.db",
        "postgresql+asyncpg://bot:canary@db:port/zoetrope",
    ],
)
def test_a_database_url_without_a_driver_of_ours_is_refused(told: Complaints, url: str) -> None:
    (sentence,) = told(ZOETROPE_DATABASE_URL=url)
    assert sentence.startswith("database_url has to be sqlite:///<file> or postgresql")
    assert "canary" not in sentence


@pytest.mark.parametrize("url", ["foo://bucket", "s3://", "s3:bucket", "memory://", "http://a/b"])
def test_a_storage_url_that_is_no_storage_is_refused_in_one_line(
    told: Complaints, url: str
) -> None:
    (sentence,) = told(ZOETROPE_STORAGE_URL=url)
    assert sentence.startswith("storage_url has to be a folder, or a bucket such as s3://")
    assert "\n" not in sentence


@pytest.mark.parametrize("url", ["media", "/srv/media", "s3://bucket/prefix", "gs://bucket"])
def test_a_folder_or_a_bucket_is_accepted_as_storage_url(read: Read, url: str) -> None:
    assert read(ZOETROPE_STORAGE_URL=url).storage_url == url


def test_every_secret_of_the_configuration_is_listed_for_redaction(read: Read) -> None:
    config = read(ZOETROPE_DATABASE_URL="postgresql+asyncpg://bot:pass-1@db/zoetrope")
    assert config.secrets == ("sk-1", "t-1", "pass-1")


SPILLING = [
    'discord = [{token = "canary"}]',
    '[discord]\ntoken = ["canary"]',
    '[gateways.other]\nbase_url = "https://a.example"\napi_key = "canary"',
]
ADDRESSES = {
    "a password": "https://me:canary@gateway.example/v1",
    "a name": "https://canary@gateway.example",
    "a query": "https://gateway.example/v1?key=canary",
    "a fragment": "https://gateway.example#canary",
}


@pytest.mark.parametrize("given", ADDRESSES.values(), ids=ADDRESSES)
def test_a_gateway_address_with_a_name_or_password_in_the_file_is_refused(
    told: Complaints, given: str
) -> None:
    (sentence,) = told(gateway=f'[gateways.main]\nbase_url = "{given}"')
    assert sentence.startswith("gateways.main.base_url has more than an address: a name or")
    assert "canary" not in sentence


@pytest.mark.parametrize(
    "given", ["https://me:canary@a:b", "me:canary@a", "https://me:ca/canary@a"]
)
def test_a_malformed_gateway_address_is_reported_without_its_password(
    told: Complaints, given: str
) -> None:
    (sentence,) = told(gateway=f'[gateways.main]\nbase_url = "{given}"')
    assert "•••@a" in sentence
    assert "canary" not in sentence


@pytest.mark.parametrize("text", SPILLING)
def test_no_complaint_about_a_setting_repeats_a_secret(told: Complaints, text: str) -> None:
    assert "canary" not in "".join(told(text))
