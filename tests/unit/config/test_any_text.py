"""A file or an environment of any content loads or raises Misconfigured, and no other error."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.config import Misconfigured, load
from tests.unit.config.conftest import SECRETS

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
"""Values that TOML may hold; None stands for a date, the only type that no setting has."""


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
def test_any_content_of_a_configuration_file_loads_or_is_misconfigured(
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
def test_any_content_of_the_environment_loads_or_is_misconfigured(
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
