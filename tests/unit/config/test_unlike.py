"""The refusals at a gateway whose software needs another dialect than the configured one."""

from pathlib import Path

import pytest

from bot.cli.check import check_config
from bot.cli.software import held, held_for
from bot.config import Config, Misconfigured
from bot.config.discoveries import Found, keep, now
from bot.core.errors import Refused
from bot.core.orders import Kind
from bot.core.wishes import Extra
from tests.unit.core.orders import changed
from tests.unit.gateways import bodies, dialects

MINE = """
kinds = ["t2v", "i2v"]
seconds = [5]
sizes = { 480p = { "16:9" = "832x480" } }
takes = ["seed", "negative_prompt"]
picture = { transport = "upload" }
"""
"""A model's table for the older dialects."""
URL = "http://127.0.0.1:1"


def written(dialect: str, gateway: str = "", model: str = "") -> str:
    """Return a configuration with this model at a gateway of this dialect."""
    table = f'prompt_limit = 500\n{MINE}{model}\n[models.other]\nfamily = "one"\n'
    return f"""
[gateways.box]
base_url = "{URL}"
dialect = "{dialect}"
{gateway}
[families.one]
label = "One"
[models."{dialects.NAME}"]
family = "one"
{table}prompt_limit = 500{MINE.replace('"t2v", ', "")}
"""


def loaded(folder: Path, software: str, text: str) -> Config:
    """Load this configuration after `doctor` found this software."""
    at = now()
    keep(folder, "box", Found(base_url=URL, software=software, at=at, since=at))
    return dialects.config(folder, text)


def kinds(config: Config) -> set[Kind]:
    return {kind for model in config.catalog.models for kind in model.kinds}


@pytest.mark.parametrize("software", ["vllm-omni", "sglang"])
def test_no_picture_is_sent_to_software_that_reads_another_dialect(
    tmp_path: Path, software: str
) -> None:
    """The prompt arrives whole, because length and size have the same fields."""
    config = loaded(tmp_path, software, written("openai"))
    assert kinds(config) == {Kind.TEXT}
    pictures = (bodies.PICTURE,)
    order = changed(bodies.PLAIN, family="one", pictures=pictures)
    with pytest.raises(Refused) as refused:
        config.catalog.choose(order)
    told = held_for(config, "one", refused.value)
    assert told is not None
    assert told.code == "held_back_dialect"
    assert f'Set gateways.box.dialect = "{software}"' in held_sentence(config)


def held_sentence(config: Config) -> str:
    """Return what `models` says about kinds that are held back, as one text."""
    return "\n".join(held(config)).replace("until ", "Set ").replace(" is set", "")


@pytest.mark.parametrize(
    ("dialect", "form"),
    [("openai", "form"), ("documented", "form"), ("new-api", "json")],
)
def test_nothing_is_sent_to_openrouter_in_another_dialect(
    tmp_path: Path, dialect: str, form: str
) -> None:
    """OpenRouter reads `duration`, so a length in `seconds` is lost."""
    text = written(dialect).replace("prompt_limit", f'body = "{form}"\nprompt_limit')
    if form == "json":
        text = text.replace('"upload"', '"data-uri"')
    with pytest.raises(Misconfigured) as wrong:
        loaded(tmp_path, "openrouter", text)
    assert [problem.sentence("en") for problem in wrong.value.problems] == [
        (
            "The gateway runs OpenRouter, which drops what this dialect sends, so no order would"
            ' arrive whole. Set gateways.box.dialect = "openrouter".'
        )
    ]


def test_a_prompt_is_held_back_if_its_length_or_shape_would_be_lost(tmp_path: Path) -> None:
    """Negative control: the same model with the fields that the server reads is offered."""
    for lost in ('places = { length = ["metadata.duration"] }', 'places = { size = ["ratio"] }'):
        with pytest.raises(Misconfigured):
            loaded(tmp_path, "sglang", written("documented", model=lost))
    with pytest.raises(Misconfigured):
        loaded(tmp_path, "sglang", written("documented").replace("832x480", "480P"))
    assert kinds(loaded(tmp_path, "sglang", written("documented"))) == {Kind.TEXT}


def test_an_option_is_offered_only_if_its_field_is_read(tmp_path: Path) -> None:
    own = 'places = { named = { seed = ["seed"] } }'
    config = loaded(tmp_path, "sglang", written("documented", model=own))
    assert config.catalog.models[0].takes == (Extra.SEED,)


def test_the_right_dialect_or_another_software_holds_nothing_back(tmp_path: Path) -> None:
    assert Kind.PICTURE in kinds(loaded(tmp_path, "new-api", written("openai")))
    assert Kind.PICTURE in kinds(loaded(tmp_path, "sglang", written("sglang")))
    assert held(dialects.config(tmp_path, written("sglang"))) == []


def test_the_operators_word_about_the_software_counts_more_than_the_finding(
    tmp_path: Path,
) -> None:
    text = written("openai", gateway='software = "openai"')
    assert Kind.PICTURE in kinds(loaded(tmp_path, "sglang", text))


def test_check_says_which_dialect_the_found_software_needs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOETROPE_GATEWAYS__BOX__API_KEY", "sk-1")
    loaded(tmp_path, "vllm-omni", written("openai"))
    check_config(tmp_path / "config.toml")
    assert 'Set gateways.box.dialect = "vllm-omni".' in capsys.readouterr().out
