"""`zoetrope check` ends with 0 and the worst day, or with 78 and every mistake, and never with a
traceback.
"""

import asyncio
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from bot.cli.check import offered, remarks, too_dear, what_can_run, worst_day
from bot.cli.run import obstacles
from tests.unit.config.conftest import GATEWAY, PACKAGED, SECRETS, Complaints, Read

TOKEN = "123456789:AAEaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
_PER_SECOND = dict.fromkeys(PACKAGED, 0.05) | {"sora-2": 0.2}
PRICES = "".join(f'[models."{name}"]\nprice = {price}\n' for name, price in _PER_SECOND.items())
WORST = {
    "no prices": (
        "",
        "At most 50 videos are made a day. To see the cost in money, set the price of every model.",
    ),
    # The most expensive video: twelve seconds of Sora at 0.20.
    "prices": (PRICES, "A day costs at most 120.00 USD."),
    # Five seconds of Wan in its best quality cost more than twelve of Sora.
    "prices by quality": (
        PRICES.replace(
            '[models."wan2.5-t2v-preview"]\nprice = 0.05',
            '[models."wan2.5-t2v-preview"]\nprice = { 480p = 0.05, 720p = 0.1, 1080p = 0.5 }',
        ),
        "A day costs at most 250.00 USD.",
    ),
    "a money limit": (
        f"[limits]\npurse_money_per_day = 9.5\n{PRICES}",
        "A day costs at most 9.50 USD.",
    ),
    "a money limit above the clock of videos": (
        f"currency = 'EUR'\n[limits]\npurse_money_per_day = 999\n{PRICES}",
        "A day costs at most 120.00 EUR.",
    ),
    "a money limit alone": (
        f"[limits]\npurse_money_per_day = 7\npurse_videos_per_day = -1\n{PRICES}",
        "A day costs at most 7.00 USD.",
    ),
    "no limit": (
        "[limits]\npurse_videos_per_day = -1",
        (
            "The cost of a day has no limit: neither purse_videos_per_day nor"
            " purse_money_per_day is set."
        ),
    ),
    "a limit of zero": (
        f"[limits]\npurse_videos_per_day = 0\n{PRICES}",
        "A day costs nothing: a limit of 0 stops all videos.",
    ),
}


@pytest.mark.parametrize(("text", "sentence"), WORST.values(), ids=WORST)
def test_check_computes_the_cost_of_the_worst_day(read: Read, text: str, sentence: str) -> None:
    assert worst_day(read(text)) == sentence


def test_a_money_limit_below_the_price_of_one_video_is_reported_with_the_models(read: Read) -> None:
    limited = read(f"[limits]\npurse_money_per_day = 2\n{PRICES}")
    (said,) = too_dear(limited.terms, "USD")
    assert (
        "allows 2.00 USD, but one video of these models can cost more: sora-2 (0.8 to 2.40 USD)."
        in said
    )
    for text in (f"[limits]\npurse_money_per_day = 2.4\n{PRICES}", PRICES, ""):
        assert too_dear(read(text).terms, "USD") == []


REFUNDS = (
    "I assume that these gateways refund failed videos: main. If one does not,"
    " set gateways.<name>.refunds_failed = false; otherwise a day can cost more than I say."
)
OFFERED = (
    "People can choose Wan 2.5 (from a prompt, from a picture), Kling (from a prompt),"
    " Vidu Q1 (from a prompt, from a picture, from a first and a last picture),"
    " Wan 2.2 (from a picture, from a first and a last picture),"
    " Jimeng (from a prompt, from a picture), Wan 2.1 (from a picture),"
    " Sora 2 (from a prompt, from a picture)."
)
ONE_MODEL = "".join(f'[models."{name}"]\nhidden = true\n' for name in PACKAGED[1:])


async def test_check_of_a_good_configuration_ends_with_0(tmp_path: Path) -> None:
    assert await _check(tmp_path, GATEWAY, **SECRETS) == (
        0,
        (
            f"The configuration is valid: {len(PACKAGED)} models can be used.\n"
            f"{OFFERED}\n"
            f"{REFUNDS}\n"
            "At most 50 videos are made a day. To see the cost in money, set the price of every"
            " model.\n"
        ),
        "",
    )


@pytest.mark.proof
async def test_check_without_a_chat_platform_says_what_works_and_what_does_not(
    tmp_path: Path,
) -> None:
    """`generate` and the simulator need no chat platform."""
    key = {"ZOETROPE_GATEWAYS__MAIN__API_KEY": "sk-1"}
    code, said, wrong = await _check(tmp_path, GATEWAY, **key)
    assert (code, wrong) == (0, "")
    assert said.splitlines()[:3] == [
        f"The configuration is enough for `zoetrope generate`: {len(PACKAGED)} models can be used.",
        "It is not enough for `zoetrope run`:",
        (
            "No chat platform is configured. Set ZOETROPE_DISCORD__TOKEN or"
            " ZOETROPE_TELEGRAM__TOKEN to your bot's token, or let `zoetrope init` ask for it."
        ),
    ]
    assert "is valid" not in said


@pytest.mark.proof
@pytest.mark.parametrize("key", ["data_dir", "storage_url"])
async def test_check_says_that_an_impossible_folder_stops_the_service(
    tmp_path: Path, key: str
) -> None:
    code, said, _ = await _check(tmp_path, f'{key} = "/dev/null/x"\n{GATEWAY}', **SECRETS)
    assert code == 0
    assert f"{key} is /dev/null/x, but I can't write to /dev/null." in said


@pytest.mark.parametrize(
    ("host", "reached"),
    [
        ("127.0.0.1", True), ("localhost", True), ("0.0.0.0", True), ("::1", True), ("::", True),
        ("192.0.2.1", False), ("127.0.0.2", False), ("videos.example", False),
    ],
)  # fmt: skip
def test_a_room_at_a_host_that_nobody_can_reach_is_an_obstacle(
    read: Read, host: str, reached: bool
) -> None:
    config = read(f'[web]\nhost = "{host}"\n[playground]\nenabled = true')
    assert [problem.code for problem in obstacles(config)] == (
        [] if reached else ["room_elsewhere"]
    )
    assert obstacles(read(f'[web]\nhost = "{host}"')) == []


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ("webhook = true", '[web]\npublic_url = "https://videos.example"'),
        ("local = true", 'api_url = "http://127.0.0.1:8081"'),
        ("upload_limit_mb = 51", 'api_url = "http://127.0.0.1:8081"'),
    ],
)
def test_a_telegram_setting_that_needs_another_setting_is_an_obstacle_without_it(
    read: Read, line: str, remedy: str
) -> None:
    token = {"ZOETROPE_TELEGRAM__TOKEN": TOKEN}
    found = obstacles(read(f"[telegram]\n{line}", **token))
    assert [problem.key for problem in found] == [f"telegram.{line.partition(' ')[0]}"]
    assert obstacles(read(f"[telegram]\n{line}\n{remedy}", **token)) == []
    assert obstacles(read(f"[telegram]\n{line}")) == [], "nobody wants it on Telegram"


@pytest.mark.parametrize(
    ("address", "is_called"),
    [
        ("https://videos.example", True), ("https://videos.example:8443/bot", True),
        ("http://videos.example", False), ("https://videos.example:8080", False),
        ("https://localhost", False), ("https://127.0.0.1", False), ("https://192.168.1.2", False),
        ("https://8.8.8.8", True),
    ],
)  # fmt: skip
def test_a_webhook_address_that_telegram_never_calls_is_an_obstacle(
    read: Read, address: str, is_called: bool
) -> None:
    token = {"ZOETROPE_TELEGRAM__TOKEN": TOKEN, "ZOETROPE_WEB__PUBLIC_URL": address}
    found = obstacles(read("[telegram]\nwebhook = true", **token))
    assert [problem.code for problem in found] == ([] if is_called else ["webhook_uncalled"])
    own = 'webhook = true\nlocal = true\napi_url = "http://127.0.0.1:8081"'
    assert obstacles(read(f"[telegram]\n{own}", **token)) == [], "a server of one's own does"
    assert obstacles(read(**token)) == [], "nobody is to call"


@pytest.mark.parametrize("end", [f"/bot{TOKEN}", f"/file/bot{TOKEN}/getMe"])
def test_an_api_url_with_the_bots_token_is_refused_and_not_shown(
    told: Complaints, end: str
) -> None:
    (said,) = told(f'[telegram]\napi_url = "https://api.telegram.org{end}"')
    assert said.startswith("telegram.api_url contains a bot's token.")
    assert TOKEN not in said


def test_check_reports_a_gateway_address_without_encryption(read: Read) -> None:
    (said,) = (it for it in remarks(read(gateway=GATEWAY.replace("https", "http"))) if "key" in it)
    assert "http://gateway.example is not encrypted" in said
    assert not [it for it in remarks(read()) if "encrypted" in it]


def test_check_lists_only_what_the_gateways_dialect_can_order(read: Read) -> None:
    assert offered(read()) == OFFERED
    assert offered(read(gateway=f'{GATEWAY}dialect = "openai"')) == (
        "People can choose Wan 2.5 (from a prompt), Kling (from a prompt), Vidu Q1 (from a prompt),"
        " Jimeng (from a prompt, from a picture), Sora 2 (from a prompt, from a picture,"
        " from an earlier video of the same model (remix))."
    )


def test_the_worst_day_counts_the_longest_sound_as_the_length(read: Read) -> None:
    singer = """
[models.singer]
family = "mine"
wire = "wan"
kinds = ["s2v"]
price = 1
sizes = { 720p = "720P" }
dialects.new-api.places = { s2v = [["metadata.img_url"], ["metadata.audio_url"]] }
"""
    assert worst_day(read(f"{PRICES}{singer}")) == "A day costs at most 1500.00 USD."


def test_check_writes_one_model_and_one_video_in_the_singular(read: Read) -> None:
    config = read(f"[limits]\npurse_videos_per_day = 1\n{ONE_MODEL}")
    assert what_can_run(config)[0].endswith(": 1 model can be used.")
    assert worst_day(config).startswith("At most 1 video is made a day.")


def test_check_says_which_of_two_gateways_runs_models_that_name_none(read: Read) -> None:
    two = f'{GATEWAY}[gateways.other]\nbase_url = "https://other.example"\n'
    key = {"ZOETROPE_GATEWAYS__OTHER__API_KEY": "sk-2"}
    sentence = (
        "Models that name no gateway use main, the first one. Set default_gateway to"
        " choose another."
    )
    assert sentence in remarks(read(gateway=two, **key))
    assert sentence not in remarks(read('default_gateway = "other"', gateway=two, **key))
    assert sentence not in remarks(read())


def test_check_says_that_the_worst_day_assumes_refunds_for_failed_videos(read: Read) -> None:
    assert remarks(read()) == [REFUNDS]
    assert remarks(read(gateway=f"{GATEWAY}refunds_failed = false")) == []


async def test_check_of_a_bad_configuration_ends_with_78_and_names_every_mistake(
    tmp_path: Path,
) -> None:
    code, said, wrong = await _check(tmp_path, f"colour = 1\nlanguage = 5\n{GATEWAY}")
    assert (code, said) == (78, "")
    assert [line.partition(" ")[0] for line in wrong.splitlines()] == [
        "language",
        "gateways.main.api_key",
        "colour",
    ]


@pytest.mark.proof
async def test_check_of_a_missing_file_ends_with_78(tmp_path: Path) -> None:
    code, _, wrong = await _check(tmp_path, None)
    assert code == 78
    assert wrong.startswith("There is no file ")


async def _check(folder: Path, text: str | None, **environment: str) -> tuple[int | None, str, str]:
    file = folder / "config.toml"
    if text is not None:
        file.write_text(text)
    command = (sys.executable, "-m", "bot", "check", "--config", str(file))
    process = await asyncio.create_subprocess_exec(
        *command, stdout=PIPE, stderr=PIPE, env={"PATH": "", **environment}
    )
    said, wrong = await process.communicate()
    return process.returncode, said.decode(), wrong.decode()
