"""Operators' mistakes and their sentences, as the table in docs/operating.md shows them."""

import errno
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from bot.cli.check import worst_day
from bot.cli.main import app
from bot.cli.run import mixed
from bot.cli.simulator import check_locks
from bot.cli.usage import explain_usage
from bot.cli.words import explain
from bot.config import Misconfigured, load
from bot.core.errors import Broken
from tests.unit.config.conftest import GATEWAY, SECRETS

PAGE = Path(__file__).parents[2] / "docs" / "operating.md"
FILE = "config.toml"


def configured(text: str = "", *, gateway: str = GATEWAY, **variables: str) -> str:
    """Return everything that is said about a configuration in this folder."""
    Path(FILE).write_text(f"{text}\n{gateway}", "utf-8")
    try:
        return worst_day(load(Path(FILE), environment={**SECRETS, **variables}))
    except Misconfigured as wrong:
        return "\n".join(problem.sentence("en") for problem in wrong.problems)


def typed(*arguments: str) -> str:
    """Return the answer to a wrong command line."""
    with pytest.raises(typer.TyperException) as wrong:
        app(arguments, prog_name="zoetrope", standalone_mode=False)
    return explain_usage(wrong.value)


def in_the_wrong_folder() -> str:
    """Return what is said where there is no configuration file."""
    with pytest.raises(Misconfigured) as wrong:
        load(None, environment=SECRETS | {"ZOETROPE_GATEWAYS__MAIN__API_KEY": ""})
    return "\n".join(problem.sentence("en") for problem in wrong.value.problems)


def without_shared_memory() -> str:
    """Return what is said if the rendering processes can't share a lock."""

    def take() -> object:
        raise PermissionError(errno.EACCES, "Permission denied")

    with pytest.raises(Broken) as broken:
        check_locks(take)
    return explain(broken.value)


def of_two_versions() -> str:
    """Return what is said of an installation made of two versions."""
    house = Path("site/bot")
    house.mkdir(parents=True)
    (house / "__init__.py").touch()
    (house / "old.py").touch()
    facts = house.parent / "zoetrope-0.1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: zoetrope\nVersion: 0.1.0\n")
    (facts / "RECORD").write_text("bot/__init__.py,,\n")
    return "\n".join(problem.sentence("en") for problem in mixed(house))


MISTAKES: dict[str, Callable[[], str]] = {
    "started in another folder": in_the_wrong_folder,
    "one underscore in a variable's name": lambda: configured(ZOETROPE_DISCORD_TOKEN="t.o.k"),
    "a setting uncommented without its table": lambda: configured(
        '[limits]\nbase_url = "https://gateway.example"', gateway=""
    ),
    "curly quotation marks": lambda: configured("currency = “EUR”"),
    "secrets.env is missing": lambda: configured('secrets = "secrets.env"'),
    "a model's name misspelt": lambda: configured("[models.sora2]\nprice = 0.1"),
    "a language that nobody speaks": lambda: configured('language = "xx"'),
    "a limit of 0": lambda: configured("[limits]\nperson_videos_per_day = 0"),
    "`zoetrope start`": lambda: typed("start"),
    "`zoetrope run --foo`": lambda: typed("run", "--foo"),
    "`zoetrope run config.toml`": lambda: typed("run", "config.toml"),
    "/dev/shm is closed to this user": without_shared_memory,
    "files of two versions side by side": of_two_versions,
}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _rows() -> dict[str, str]:
    text = PAGE.read_text("utf-8").partition("\n## Mistakes, and what is said\n")[2]
    rows = re.findall(r"^\| (.+) \| “(.+)” \|$", text.partition("\n## ")[0], flags=re.MULTILINE)
    return dict(rows)


def test_the_operating_page_lists_each_mistake_of_the_table() -> None:
    assert list(_rows()) == list(MISTAKES)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_is_reported_in_the_words_of_the_operating_page(mistake: str) -> None:
    said = MISTAKES[mistake]()
    for part in _rows()[mistake].split("…"):
        assert part.strip() in said, said


@pytest.mark.parametrize(
    ("given", "right"),
    [
        ("ZOETROPE_TELEGRAM_TOKEN_FILE", "ZOETROPE_TELEGRAM__TOKEN_FILE"),
        ("ZOETROPE_GATEWAYS_MAIN_API_KEY", "ZOETROPE_GATEWAYS__MAIN__API_KEY"),
        ("ZOETROPE_GATEWAYS__MAIN_BASE_URL", "ZOETROPE_GATEWAYS__MAIN__BASE_URL"),
        ("ZOETROPE_GATEWAYS_MY_OWN_POLL_STEP", "ZOETROPE_GATEWAYS__MY_OWN__POLL_STEP"),
        ("ZOETROPE_LIMITS_PERSON_AT_ONCE", "ZOETROPE_LIMITS__PERSON_AT_ONCE"),
        ("ZOETROPE_WEB___PORT", "ZOETROPE_WEB__PORT"),
    ],
)
def test_a_variable_with_too_few_underscores_gets_a_suggestion(given: str, right: str) -> None:
    said = configured(**{given: "canary-of-a-secret"})
    assert f"{given} is not a setting. Did you mean {right}?" in said
    assert "canary" not in said


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("jobs", "lst"), "zoetrope jobs has no command “lst”. Did you mean: zoetrope jobs list"),
        (("xyzzy",), "zoetrope has no command “xyzzy”. It has: init, run, check"),
        (("check", "now"), "zoetrope check does not take: now."),
        (("generate", "--model"), "requires an argument. For help: zoetrope --help"),
    ],
)
def test_a_misspelt_command_line_gets_a_suggestion(words: tuple[str, ...], told: str) -> None:
    assert told in typed(*words)


@pytest.mark.parametrize("command", ["show", "cancel", "resolve", "retry"])
def test_a_command_about_a_job_without_an_id_says_how_to_name_a_job(command: str) -> None:
    words = "Name a job by its id, or by at least its first 4 characters; `zoetrope jobs list`"
    assert typed("jobs", command).startswith(words)
