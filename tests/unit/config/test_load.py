"""Reading: every mistake is told at once, with its remedy, and nothing else is ever raised."""

import json
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.config import Misconfigured, load
from bot.core.keeping import DAY, Rules
from bot.core.quotas import Limits
from tests.unit.config.conftest import GATEWAY, PACKAGED, SECRETS, Read, Told

WRONG: dict[str, tuple[str, str]] = {
    "unknown key": (
        "colour = 1",
        "colour is not a setting. Remove it; config.example.toml lists all there are.",
    ),
    "nearly a key": (
        "[limits]\nperson_video_per_day = 1",
        "limits.person_video_per_day is not a setting. Did you mean “person_videos_per_day”?",
    ),
    "a key of no place": (
        "upload_limit_mb = 1",
        (
            "upload_limit_mb is not a setting. “upload_limit_mb” belongs below the line"
            " [telegram]: uncomment that line too, or move “upload_limit_mb” there."
        ),
    ),
    "one of": (
        'log_level = "LOUD"',
        "log_level is 'LOUD'; it has to be one of: 'DEBUG', 'INFO', 'WARNING' or 'ERROR'.",
    ),
    "an enum": (
        'animate_others = "maybe"',
        "animate_others is 'maybe'; it has to be one of: 'ask', 'own' or 'free'.",
    ),
    "more than": (
        "[discord]\nupload_limit_mib = 0",
        "discord.upload_limit_mib is 0; it has to be more than 0.",
    ),
    "at least": (
        "[limits]\nperson_at_once = -2",
        "limits.person_at_once is -2; it has to be -1 or more.",
    ),
    "at most": ("[web]\nport = 65536", "web.port is 65536; it has to be 65535 or less."),
    "type": (
        '[web]\nport = "here"',
        "web.port is 'here'; a value of type integer belongs there.",
    ),
    "several tables": (
        "[[models]]\nfamily = 1",
        "models is an array; a value of type table belongs there.",
    ),
    "no table": ("web = 5", "web is 5; a value of type table belongs there."),
    "money": (
        "[limits]\npurse_money_per_day = -0.5",
        "limits.purse_money_per_day is -0.5; it has to be 0 or more, or -1 for no limit.",
    ),
    "infinite": (
        "[web]\nlink_days = inf",
        "web.link_days is inf; a value of type number belongs there.",
    ),
    "web address": (
        '[web]\npublic_url = "example.com"',
        "web.public_url is 'example.com'; it has to be a web address such as https://example.com.",
    ),
    "a time of day": (
        'digest = "24:00"',
        "digest is '24:00'; it has to be a time of day such as 09:00, or off.",
    ),
    "a proxy by its name": (
        '[web]\ntrusted_proxies = ["proxy.example"]',
        (
            "web.trusted_proxies.1 has 'proxy.example'; each has to be an address or a network,"
            " such as 203.0.113.7 or 203.0.113.0/24."
        ),
    ),
    "broken web address": (
        '[web]\npublic_url = "http://a:b"',
        "web.public_url is 'http://a:b'; it has to be a web address such as https://example.com.",
    ),
    "time zone": (
        'time_zone = "Mars/Base"',
        "time_zone is 'Mars/Base'; it has to be a time zone such as Europe/Berlin or UTC.",
    ),
    "a folder of time zones": (
        'time_zone = "Europe"',
        "time_zone is 'Europe'; it has to be a time zone such as Europe/Berlin or UTC.",
    ),
    "default gateway": (
        'default_gateway = "other"',
        "default_gateway is other; it has to be one of: main.",
    ),
    "default model": (
        'default_model = "veo"',
        (
            "default_model is veo; it has to be one of:"
            " jimeng, kling, sora-2, vidu, wan-2.1, wan-2.2, wan-2.5."
        ),
    ),
    "secret": (
        '[discord]\ntoken = "abc"',
        (
            "discord.token is a secret and does not belong in the configuration file."
            " Move it to the environment variable ZOETROPE_DISCORD__TOKEN."
        ),
    ),
    "secret on top": (
        'token = "abc"',
        (
            "token is a secret and does not belong in the configuration file."
            " Move it to the environment variable ZOETROPE_TOKEN."
        ),
    ),
}


def test_a_file_that_an_editor_of_windows_saved_is_read(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(b"\xef\xbb\xbf" + f'language = "en-GB"\r\n{GATEWAY}'.encode())
    assert load(file, environment=SECRETS).settings.language == "en-GB"


@pytest.mark.parametrize(
    "network", ["0.0.0.0/0", "::/0", " ::/0", "1.2.3.4/0", "128.0.0.0/1", "0.0.0.0/7", "2000::/3"]
)
def test_nobody_trusts_most_of_the_internet_as_a_proxy(told: Told, network: str) -> None:
    (said,) = told(f'[web]\ntrusted_proxies = ["{network}"]')
    assert "not a proxy's network but most of the internet" in said


@pytest.mark.parametrize(
    "network", ["203.0.113.7", "10.0.0.0/8", "::1", "2400:cb00::/32", "0.0.0.0"]
)
def test_the_networks_of_proxies_are_taken(read: Read, network: str) -> None:
    config = read(f'[web]\ntrusted_proxies = ["{network}"]')
    assert config.settings.web.trusted_proxies == (network,)


@pytest.mark.parametrize(("text", "sentence"), WRONG.values(), ids=WRONG)
def test_a_mistake_is_told_with_its_remedy(told: Told, text: str, sentence: str) -> None:
    assert told(text) == [sentence]


def test_nothing_in_a_shared_file_can_move_the_cursor(told: Told) -> None:
    (sentence,) = told('"\\u001b[2J 🎬" = 1')
    assert sentence.startswith("·[2J 🎬 is not a setting.")


def test_every_mistake_is_told_at_once(told: Told) -> None:
    text = (
        'colour = 1\nlanguage = 5\n[discord]\ntoken = "x"\n[limits]\nperson_at_once = -2\n'
        '[models.mine]\nfamily = "mine"\n[models.sora-2]\nseconds = []'
    )
    gateway = '[gateways.other]\nbase_url = "nowhere"\npoll_stop = 1'
    assert [sentence.partition(" ")[0] for sentence in told(text, gateway=gateway)] == [
        "discord.token",
        "language",
        "limits.person_at_once",
        "gateways.other.base_url",
        "gateways.other.api_key",
        "gateways.other.poll_stop",
        "gateways.main.base_url",
        "colour",
        "models.sora-2.seconds",
        "models.mine.kinds",
        "models.mine.seconds",
        "models.mine.sizes",
        "models.mine.prompt_limit",
    ]


def test_0_days_are_for_ever_and_0_gigabytes_are_no_cap(read: Read) -> None:
    assert read("").kept == Rules()
    zeros = "[retention]\nvideos_days = 0\ninputs_days = 0\nwords_days = 0\nmost_gb = 0"
    assert read(zeros).kept == Rules(videos=None, inputs=None, words=None, most_bytes=None)
    some = read("[retention]\ninputs_days = 0.5\nmost_gb = 1.5").kept
    assert some == Rules(inputs=DAY / 2, most_bytes=1_500_000_000)


def test_without_a_gateway_nothing_can_be_made() -> None:
    with pytest.raises(Misconfigured) as wrong:
        load(None, environment={})
    where, problem = (each.sentence("en") for each in wrong.value.problems)
    assert where.startswith(f"There is no config.toml in {Path.cwd()},")
    assert problem.startswith("No gateway is configured")


def test_a_gateway_without_its_key_names_the_variable(told: Told) -> None:
    assert told(gateway='[gateways.Eighty-8]\nbase_url = "https://a.example"')[0] == (
        "gateways.Eighty-8.api_key is missing. Set the environment variable"
        " ZOETROPE_GATEWAYS__EIGHTY_8__API_KEY, or ZOETROPE_GATEWAYS__EIGHTY_8__API_KEY_FILE"
        " to a file that holds it."
    )


def test_a_gateway_without_an_address_is_told_so(told: Told) -> None:
    sentence = "gateways.main.base_url is missing. Add it to the configuration file."
    assert told(gateway='[gateways.main]\ndialect = "openai"') == [sentence]


# --- files ---------------------------------------------------------------------------------------


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert _told_of(tmp_path / "none.toml") == [
        (
            f"There is no file {tmp_path}/none.toml."
            " Copy config.example.toml there, or name another with --config."
        )
    ]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b'language = "\xe4"')
    assert _told_of(tmp_path) == [
        (f"{tmp_path} can't be read: Is a directory. Name a file that this user may read.")
    ]
    assert "is no text file in UTF-8. Save it as one" in _told_of(tmp_path / "latin.toml")[0]


@pytest.mark.parametrize("text", ["a = ", "a = " + "1" * 5000, "a = " + "[" * 5000], ids=len)
def test_what_is_not_toml_is_said_to_be_so(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    (sentence,) = _told_of(file)
    assert sentence.startswith(f"{file} is not valid TOML: ")


def _told_of(file: Path) -> list[str]:
    with pytest.raises(Misconfigured) as wrong:
        load(file, environment=SECRETS)
    return [problem.sentence("en") for problem in wrong.value.problems]


# --- the environment -----------------------------------------------------------------------------


def test_the_environment_alone_is_enough() -> None:
    config = load(
        None,
        environment={**SECRETS, "ZOETROPE_GATEWAYS__MAIN__BASE_URL": "https://gateway.example/"},
    )
    assert config.settings.gateways["main"].base_url == "https://gateway.example"
    assert config.limits == Limits()


@pytest.mark.parametrize(("said", "at"), [("09:00", time(9)), ("7:30", time(7, 30)), ("Off", None)])
def test_the_digest_has_a_time_of_day_or_is_off(read: Read, said: str, at: time | None) -> None:
    assert read(f'digest = "{said}"').digest_at == at


def test_the_environment_overrides_the_file(read: Read) -> None:
    config = read(
        "[limits]\nperson_videos_per_day = 9\nperson_at_once = 2",
        ZOETROPE_LIMITS__PERSON_VIDEOS_PER_DAY="-1",
        ZOETROPE_DISCORD__MESSAGE_CONTENT_INTENT="true",
        ZOETROPE_GATEWAYS__MAIN__MEDIA_ORIGINS='["https://cdn.example"]',
        zoetrope_time_zone="Asia/Tokyo",
    )
    assert config.limits == Limits(person_videos=None, person_at_once=2, time_zone="Asia/Tokyo")
    assert config.settings.discord.message_content_intent
    assert config.settings.gateways["main"].media_origins == ("https://cdn.example",)


def test_an_empty_variable_is_as_good_as_none(read: Read, told: Told) -> None:
    assert read(ZOETROPE_LANGUAGE="").settings.language == "en"
    assert "api_key is missing" in told(ZOETROPE_GATEWAYS__MAIN__API_KEY="")[0]


def test_a_misspelt_variable_is_a_mistake_too(told: Told) -> None:
    assert told(ZOETROPE_DISCORD__TOKN="t", ZOETROPE_LIMITS="5", ZOETROPE_WEB__PORT="[") == [
        "discord.tokn is not a setting. Did you mean “token”?",
        "web.port is '['; a value of type integer belongs there.",
        "limits is '5'; a value of type table belongs there.",
    ]


def test_a_gateways_key_finds_it_whatever_its_name(read: Read) -> None:
    gateway = '[gateways.Eighty-8]\nbase_url = "https://a.example"'
    config = read(gateway=f"{gateway}\n{GATEWAY}", ZOETROPE_GATEWAYS__EIGHTY_8__API_KEY="sk-88")
    assert list(config.settings.gateways) == ["Eighty-8", "main"]
    assert config.settings.gateways["Eighty-8"].api_key.get_secret_value() == "sk-88"


def test_other_programs_variables_are_none_of_our_business(read: Read) -> None:
    assert read(ZOETROPES="1", PATH="/bin", COLOUR="1").settings.language == "en"


# --- secrets -------------------------------------------------------------------------------------


def test_a_secret_may_stand_in_a_file_of_its_own(read: Read, tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.touch(mode=0o600)
    secret.write_text("t-2\n")
    config = read(ZOETROPE_DISCORD__TOKEN="", ZOETROPE_DISCORD__TOKEN_FILE=str(secret))
    assert config.settings.discord.token is not None
    assert config.settings.discord.token.get_secret_value() == "t-2"
    assert config.secrets == ("sk-1", "t-2")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_secrets_file_that_others_can_read_is_refused(
    told: Told, tmp_path: Path, mode: int
) -> None:
    secret = tmp_path / "token"
    secret.write_text("t-2")
    secret.chmod(mode)
    assert told(ZOETROPE_DISCORD__TOKEN_FILE=str(secret)) == [
        (
            f"ZOETROPE_DISCORD__TOKEN_FILE names {secret}, which others on this machine can read."
            f" Run: chmod 600 {secret}"
        )
    ]


def test_a_secrets_file_that_cannot_be_read_is_named(told: Told, tmp_path: Path) -> None:
    secret = tmp_path / "nowhere"
    assert told(ZOETROPE_DISCORD__TOKEN_FILE=str(secret)) == [
        (
            f"ZOETROPE_DISCORD__TOKEN_FILE names {secret}, which I can't read."
            " Create the file, or point the variable at the right one."
        )
    ]


SECRETS_FOR_NAMES = {
    "a token": "MTE4OTk0NzU2MTIzNDU2Nzg5MA.GhIjKl.canaryMnOpQrStUvWxYz0123456789abcd",
    "a token of odd shape": "MTE4.GhIjKl.canaryMnOpQrStUvWxYz",
    "a key": "sk-canary",
    "a key without prefix": "canary0123456789abcdef0123456789abcdef",
    "a key with a slash": "canary0123/456789abcdef",
    "a key that begins with one": "/canary0123456789ABC",
    "several lines": "# canary\nZOETROPE_DISCORD__TOKEN=canary\n",
}


@pytest.mark.parametrize("given", SECRETS_FOR_NAMES.values(), ids=SECRETS_FOR_NAMES)
def test_a_secret_in_the_place_of_its_file_is_not_repeated(told: Told, given: str) -> None:
    sentence = (
        " names no file that I can read. The path of a file belongs there, not what the file holds."
    )
    assert told(ZOETROPE_DISCORD__TOKEN_FILE=given) == [f"ZOETROPE_DISCORD__TOKEN_FILE{sentence}"]
    assert told(ZOETROPE_SECRETS=given) == [f"secrets{sentence}"]


def test_only_what_may_be_secret_is_read_from_files(read: Read, told: Told, tmp_path: Path) -> None:
    file = tmp_path / "held"
    file.touch(mode=0o600)
    file.write_text("postgresql+asyncpg://bot:canary@db/zoetrope")
    assert read(ZOETROPE_DATABASE_URL_FILE=str(file)).secrets == ("sk-1", "t-1", "canary")
    assert told(ZOETROPE_SECRETS_FILE=str(file), ZOETROPE_WEB__PORT_FILE=str(file)) == [
        "web.port_file is not a setting. Did you mean “port”?",
        "secrets_file is not a setting. Did you mean “secrets”?",
    ]


def test_a_secret_in_the_place_of_another_value_is_not_repeated(told: Told) -> None:
    assert told(ZOETROPE_LOG_LEVEL="sk-canary")[0].startswith("log_level is '•••'; it has to be")


@pytest.mark.parametrize("odd", ["/tmp", "/dev/null"])
def test_what_is_no_regular_file_is_not_advised_upon(told: Told, odd: str) -> None:
    """The advice `chmod 600 /tmp` would lock everybody else out of it."""
    assert told(ZOETROPE_DISCORD__TOKEN_FILE=odd) == [
        (
            f"ZOETROPE_DISCORD__TOKEN_FILE names {odd}, which is not a regular file."
            " Point it at a file that holds the secret and nothing else."
        )
    ]


@pytest.mark.parametrize("given", [" t-9", "t-9\n", "t-9\r\n", "\tt-9 "])
def test_what_a_paste_leaves_around_a_secret_is_no_part_of_it(
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
def test_blanks_are_as_good_as_no_secret(told: Told, given: str) -> None:
    assert "api_key is missing" in told(ZOETROPE_GATEWAYS__MAIN__API_KEY=given)[0]


@pytest.mark.parametrize("given", ["…", "sk-…", "...", "sk-..."])
def test_the_placeholder_of_the_instructions_is_no_secret(told: Told, given: str) -> None:
    assert told(ZOETROPE_GATEWAYS__MAIN__API_KEY=given) == [
        (
            "gateways.main.api_key is still the placeholder of the instructions."
            " Put the real one into ZOETROPE_GATEWAYS__MAIN__API_KEY."
        )
    ]


@pytest.mark.parametrize("given", ["can\nary", "can\x00ary", "can ary", "can\u200bary", "canärý"])
def test_a_secret_of_impossible_characters_is_told_but_not_shown(told: Told, given: str) -> None:
    (sentence,) = told(ZOETROPE_DISCORD__TOKEN=given)
    assert sentence == (
        "discord.token holds characters that no such secret has: a blank or a line break inside,"
        " or something invisible from a paste. Set ZOETROPE_DISCORD__TOKEN afresh."
    )


def test_without_a_single_model_nothing_can_be_made(told: Told) -> None:
    text = "".join(f'[models."{name}"]\nhidden = true\n' for name in PACKAGED)
    (sentence,) = told(text)
    assert sentence.startswith("models: all are hidden")


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
def test_a_database_that_we_have_no_driver_for_is_told(told: Told, url: str) -> None:
    (sentence,) = told(ZOETROPE_DATABASE_URL=url)
    assert sentence.startswith("database_url has to be sqlite:///<file> or postgresql")
    assert "canary" not in sentence


@pytest.mark.parametrize("url", ["foo://bucket", "s3://", "s3:bucket", "memory://", "http://a/b"])
def test_a_storage_that_is_none_is_told_in_one_line(told: Told, url: str) -> None:
    (sentence,) = told(ZOETROPE_STORAGE_URL=url)
    assert sentence.startswith("storage_url has to be a folder, or a bucket such as s3://")
    assert "\n" not in sentence


@pytest.mark.parametrize("url", ["media", "/srv/media", "s3://bucket/prefix", "gs://bucket"])
def test_folders_and_buckets_are_storages(read: Read, url: str) -> None:
    assert read(ZOETROPE_STORAGE_URL=url).storage_url == url


def test_every_secret_is_known_for_redaction(read: Read) -> None:
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
def test_an_address_with_more_in_it_does_not_belong_into_a_shared_file(
    told: Told, given: str
) -> None:
    (sentence,) = told(gateway=f'[gateways.main]\nbase_url = "{given}"')
    assert sentence.startswith("gateways.main.base_url has more in it than an address: a name or")
    assert "canary" not in sentence


@pytest.mark.parametrize(
    "given", ["https://me:canary@a:b", "me:canary@a", "https://me:ca/canary@a"]
)
def test_no_password_is_repeated_of_what_is_no_address(told: Told, given: str) -> None:
    (sentence,) = told(gateway=f'[gateways.main]\nbase_url = "{given}"')
    assert "•••@a" in sentence
    assert "canary" not in sentence


@pytest.mark.parametrize("text", SPILLING)
def test_no_secret_is_repeated_in_a_complaint(told: Told, text: str) -> None:
    assert "canary" not in "".join(told(text))


# --- anything ------------------------------------------------------------------------------------

_WORDS = (
    "discord gateways main models sora-2 mine families presets limits web token api_key base_url"
    " dialect dialects documented gateway sizes 720p 16:9 seconds kinds picture exact extras price"
    " family hidden prompt_limit default_model default_gateway person_videos_per_day port x"
)
_NAMES = st.sampled_from(sorted(_WORDS.split()))
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
    | st.sampled_from(["main", "new-api", "t2v", "1280x720", "https://a.example", "upload"])
)
_VALUES: st.SearchStrategy[Any] = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=12,
)
"""Values as TOML may hold them; None stands for a date, the one kind that is none of ours."""


@pytest.mark.proof
@given(values=st.dictionaries(_NAMES, _VALUES, max_size=5))
@example(values={"models": {"sora-2": {"dialects": 5}}})
@example(values={"models": {"sora-2": {"dialects": {"new-api": 5}}}})
@example(values={"models": {"sora-2": {"gateway": ["main"]}}})
@example(values={"models": {"sora-2": {"price": float("inf")}}})
@example(values={"models": {"sora-2": {"sizes": {"720p": {}}}}})
@example(values={"models": {"sora-2": {"sizes": {"720p": "720P"}}}})
@example(values={"limits": {"purse_money_per_day": float("inf")}})
@example(values={"presets": {"x": {"prompt": 5}}, "families": {"sora-2": {"label": []}}})
def test_whatever_stands_in_a_file_it_is_good_or_misconfigured(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]
) -> None:
    file = tmp_path_factory.mktemp("any") / "config.toml"
    file.write_text("".join(f"{_quoted(key)} = {_toml(it)}\n" for key, it in values.items()))
    _load_or_complain(file, SECRETS)


@pytest.mark.proof
@given(
    environment=st.dictionaries(
        st.lists(_NAMES | st.just(""), min_size=1, max_size=4).map(
            lambda names: "ZOETROPE_" + "__".join(names).upper()
        ),
        st.sampled_from(["", "5", "x", "[]", "{}", "[1", '{"main": {"base_url": "https://a"}}']),
        max_size=5,
    )
)
def test_whatever_stands_in_the_environment_it_is_good_or_misconfigured(
    environment: dict[str, str],
) -> None:
    _load_or_complain(None, {**SECRETS, **environment})


def _load_or_complain(file: Path | None, environment: dict[str, str]) -> None:
    try:
        config = load(file, environment=environment)
    except Misconfigured as wrong:
        sentences = [problem.sentence("en") for problem in wrong.problems]
        assert sentences
        assert not [sentence for sentence in sentences if sentence.startswith("problem.")]
    else:
        assert config.catalog.models is not None
        assert config.limits.day(0.0) is not None
        assert config.secrets is not None


def _toml(value: object) -> str:
    match value:
        case None:
            return "2026-01-15"
        case bool():
            return str(value).lower()
        case dict():
            return (
                "{" + ", ".join(f"{_quoted(key)} = {_toml(it)}" for key, it in value.items()) + "}"
            )
        case list():
            return "[" + ", ".join(_toml(it) for it in value) + "]"
        case str():
            return _quoted(value)
        case _:
            return str(value)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
