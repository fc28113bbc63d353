"""Reading the configuration: every mistake is reported at once, with its remedy."""

from datetime import time
from pathlib import Path

import pytest

from bot.config import Misconfigured, load
from bot.core.keeping import DAY, Rules
from bot.core.quotas import Limits
from tests.unit.config.conftest import GATEWAY, SECRETS, Complaints, Read

WRONG: dict[str, tuple[str, str]] = {
    "unknown key": (
        "colour = 1",
        "colour is not a setting. Remove it; config.example.toml lists all settings.",
    ),
    "misspelt key": (
        "[limits]\nperson_video_per_day = 1",
        "limits.person_video_per_day is not a setting. Did you mean “person_videos_per_day”?",
    ),
    "a key outside its table": (
        "upload_limit_mb = 1",
        (
            "upload_limit_mb is not a setting. “upload_limit_mb” belongs below the line"
            " [telegram]: uncomment that line too, or move “upload_limit_mb” there."
        ),
    ),
    "not one of the values": (
        'log_level = "LOUD"',
        "log_level is 'LOUD'; it has to be one of: 'DEBUG', 'INFO', 'WARNING' or 'ERROR'.",
    ),
    "an enum": (
        'animate_others = "maybe"',
        "animate_others is 'maybe'; it has to be one of: 'ask', 'own' or 'free'.",
    ),
    "not more than the bound": (
        "[discord]\nupload_limit_mib = 0",
        "discord.upload_limit_mib is 0; it has to be more than 0.",
    ),
    "below the least value": (
        "[limits]\nperson_at_once = -2",
        "limits.person_at_once is -2; it has to be -1 or more.",
    ),
    "above the greatest value": (
        "[web]\nport = 65536",
        "web.port is 65536; it has to be 65535 or less.",
    ),
    "wrong type": (
        '[web]\nport = "here"',
        "web.port is 'here'; it has to be of type integer.",
    ),
    "an array of tables": (
        "[[models]]\nfamily = 1",
        "models is an array; it has to be of type table.",
    ),
    "a number instead of a table": ("web = 5", "web is 5; it has to be of type table."),
    "negative money": (
        "[limits]\npurse_money_per_day = -0.5",
        "limits.purse_money_per_day is -0.5; it has to be 0 or more, or -1 for no limit.",
    ),
    "an infinite number": (
        "[web]\nlink_days = inf",
        "web.link_days is inf; it has to be of type number.",
    ),
    "not a web address": (
        '[web]\npublic_url = "example.com"',
        "web.public_url is 'example.com'; it has to be a web address such as https://example.com.",
    ),
    "not a time of day": (
        'digest = "24:00"',
        "digest is '24:00'; it has to be a time of day such as 09:00, or off.",
    ),
    "a proxy by its name": (
        '[web]\ntrusted_proxies = ["proxy.example"]',
        (
            "web.trusted_proxies.1 has 'proxy.example'; each entry has to be an"
            " address or a network,"
            " such as 203.0.113.7 or 203.0.113.0/24."
        ),
    ),
    "broken web address": (
        '[web]\npublic_url = "http://a:b"',
        "web.public_url is 'http://a:b'; it has to be a web address such as https://example.com.",
    ),
    "unknown time zone": (
        'time_zone = "Mars/Base"',
        "time_zone is 'Mars/Base'; it has to be a time zone such as Europe/Berlin or UTC.",
    ),
    "a folder of time zones": (
        'time_zone = "Europe"',
        "time_zone is 'Europe'; it has to be a time zone such as Europe/Berlin or UTC.",
    ),
    "unknown default gateway": (
        'default_gateway = "other"',
        "default_gateway is other; it has to be one of: main.",
    ),
    "unknown default model": (
        'default_model = "veo"',
        (
            "default_model is veo; it has to be one of:"
            " jimeng, kling, sora-2, vidu, wan-2.1, wan-2.2, wan-2.5."
        ),
    ),
    "secret in the file": (
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


def test_a_file_saved_by_a_windows_editor_is_read(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(b"\xef\xbb\xbf" + f'language = "en-GB"\r\n{GATEWAY}'.encode())
    assert load(file, environment=SECRETS).settings.language == "en-GB"


@pytest.mark.parametrize(
    "network", ["0.0.0.0/0", "::/0", " ::/0", "1.2.3.4/0", "128.0.0.0/1", "0.0.0.0/7", "2000::/3"]
)
def test_a_trusted_proxy_network_that_covers_most_of_the_internet_is_refused(
    told: Complaints, network: str
) -> None:
    (said,) = told(f'[web]\ntrusted_proxies = ["{network}"]')
    assert "most of the internet and not a proxy's network" in said


@pytest.mark.parametrize(
    "network", ["203.0.113.7", "10.0.0.0/8", "::1", "2400:cb00::/32", "0.0.0.0"]
)
def test_an_address_or_network_of_a_proxy_is_accepted(read: Read, network: str) -> None:
    config = read(f'[web]\ntrusted_proxies = ["{network}"]')
    assert config.settings.web.trusted_proxies == (network,)


@pytest.mark.parametrize(("text", "sentence"), WRONG.values(), ids=WRONG)
def test_a_mistake_in_the_configuration_is_reported_with_its_remedy(
    told: Complaints, text: str, sentence: str
) -> None:
    assert told(text) == [sentence]


@pytest.mark.parametrize("given", ["dollars", "usd", "$", "US D", ""])
def test_a_currency_of_costs_that_has_no_code_is_reported(told: Complaints, given: str) -> None:
    code = "gateways.main.cost_currency must be the code of a currency in three capital letters"
    found = told(gateway=f'{GATEWAY}cost_currency = "{given}"')
    assert found == [f"{code}, such as USD, not '{given}'."]


def test_control_characters_in_a_setting_are_not_printed(told: Complaints) -> None:
    (sentence,) = told('"\\u001b[2J 🎬" = 1')
    assert sentence.startswith("·[2J 🎬 is not a setting.")


def test_every_mistake_in_the_configuration_is_reported_at_once(told: Complaints) -> None:
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


def test_zero_days_of_retention_mean_for_ever_and_zero_gigabytes_no_cap(read: Read) -> None:
    assert read("").kept == Rules()
    zeros = "[retention]\nvideos_days = 0\ninputs_days = 0\nwords_days = 0\nmost_gb = 0"
    assert read(zeros).kept == Rules(videos=None, inputs=None, words=None, most_bytes=None)
    some = read("[retention]\ninputs_days = 0.5\nmost_gb = 1.5").kept
    assert some == Rules(inputs=DAY / 2, most_bytes=1_500_000_000)


def test_a_configuration_without_a_gateway_is_refused() -> None:
    with pytest.raises(Misconfigured) as wrong:
        load(None, environment={})
    where, problem = (each.sentence("en") for each in wrong.value.problems)
    assert where.startswith(f"There is no config.toml in {Path.cwd()},")
    assert problem.startswith("No gateway is configured")


def test_a_gateway_without_its_key_is_reported_with_the_name_of_the_variable(
    told: Complaints,
) -> None:
    assert told(gateway='[gateways.Eighty-8]\nbase_url = "https://a.example"')[0] == (
        "gateways.Eighty-8.api_key is missing. Set the environment variable"
        " ZOETROPE_GATEWAYS__EIGHTY_8__API_KEY, or ZOETROPE_GATEWAYS__EIGHTY_8__API_KEY_FILE"
        " to a file that holds it. If the server needs no key, set gateways.Eighty-8.dialect to its"
        ' dialect instead ("vllm-omni", "sglang").'
    )


def test_a_gateway_without_its_address_is_reported(told: Complaints) -> None:
    sentence = "gateways.main.base_url is missing. Add it to the configuration file."
    assert told(gateway='[gateways.main]\ndialect = "openai"') == [sentence]


# --- files ---------------------------------------------------------------------------------------


def test_a_missing_configuration_file_is_named(tmp_path: Path) -> None:
    assert _told_of(tmp_path / "none.toml") == [
        (
            f"There is no file {tmp_path}/none.toml."
            " Copy config.example.toml there, or name another file with --config."
        )
    ]


def test_an_unreadable_configuration_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b'language = "\xe4"')
    assert _told_of(tmp_path) == [
        (f"I can't read {tmp_path}: Is a directory. Name a file that this user may read.")
    ]
    assert "is not a text file in UTF-8. Save it as one" in _told_of(tmp_path / "latin.toml")[0]


@pytest.mark.parametrize("text", ["a = ", "a = " + "1" * 5000, "a = " + "[" * 5000], ids=len)
def test_a_file_that_is_no_toml_is_reported_as_invalid_toml(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    (sentence,) = _told_of(file)
    assert sentence.startswith(f"{file} is not valid TOML: ")


def _told_of(file: Path) -> list[str]:
    with pytest.raises(Misconfigured) as wrong:
        load(file, environment=SECRETS)
    return [problem.sentence("en") for problem in wrong.value.problems]


# --- the environment -----------------------------------------------------------------------------


def test_the_environment_alone_is_enough_as_a_configuration() -> None:
    config = load(
        None,
        environment={**SECRETS, "ZOETROPE_GATEWAYS__MAIN__BASE_URL": "https://gateway.example/"},
    )
    assert config.settings.gateways["main"].base_url == "https://gateway.example"
    assert config.limits == Limits()


@pytest.mark.parametrize(("said", "at"), [("09:00", time(9)), ("7:30", time(7, 30)), ("Off", None)])
def test_the_digest_setting_is_a_time_of_day_or_off(read: Read, said: str, at: time | None) -> None:
    assert read(f'digest = "{said}"').digest_at == at


def test_the_environment_overrides_the_configuration_file(read: Read) -> None:
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


def test_an_empty_environment_variable_counts_as_unset(read: Read, told: Complaints) -> None:
    assert read(ZOETROPE_LANGUAGE="").settings.language == "en"
    assert "api_key is missing" in told(ZOETROPE_GATEWAYS__MAIN__API_KEY="")[0]


def test_a_misspelt_environment_variable_is_reported(told: Complaints) -> None:
    assert told(ZOETROPE_DISCORD__TOKN="t", ZOETROPE_LIMITS="5", ZOETROPE_WEB__PORT="[") == [
        "discord.tokn is not a setting. Did you mean “token”?",
        "web.port is '['; it has to be of type integer.",
        "limits is '5'; it has to be of type table.",
    ]


def test_the_variable_of_a_gateways_key_matches_a_name_with_capitals_and_dashes(read: Read) -> None:
    gateway = '[gateways.Eighty-8]\nbase_url = "https://a.example"'
    config = read(gateway=f"{gateway}\n{GATEWAY}", ZOETROPE_GATEWAYS__EIGHTY_8__API_KEY="sk-88")
    assert list(config.settings.gateways) == ["Eighty-8", "main"]
    assert config.settings.gateways["Eighty-8"].key == "sk-88"


def test_environment_variables_of_other_programs_are_ignored(read: Read) -> None:
    assert read(ZOETROPES="1", PATH="/bin", COLOUR="1").settings.language == "en"
