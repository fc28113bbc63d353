"""Rules of the project: the example configuration, the texts, the documentation and the size of
modules.
"""

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po
from pydantic import BaseModel

from bot.config import Settings, load
from bot.config.problems import variable
from bot.config.settings import Community, Gateway
from bot.core.errors import Refused
from bot.core.jobs import WITHDRAWN, Reason, Status
from bot.core.orders import Kind
from bot.core.posts import PostKind
from bot.core.quotas import Granted, Limits, allowed
from bot.core.replies import Action
from bot.core.wishes import OPTIONS, SWITCHES, WORDS, Extra, Use
from bot.gateways.which import STRANGE

ROOT = Path(__file__).parents[1]
BOT = ROOT / "bot"
BENCH = ROOT / "bench"
EXAMPLE = ROOT / "config.example.toml"
SOMEBODY = "discord:123456789012345678"
SECRET = "secret; environment only"

# --- config.example.toml -------------------------------------------------------------------------


@cache
def _uncommented() -> str:
    """Return the example with every setting switched on: a commented setting has no space behind
    its #.
    """
    return re.sub(r'^#(?=\[|[\w"]+ = )', "", EXAMPLE.read_text("utf-8"), flags=re.MULTILINE)


@cache
def _documented() -> dict[str, tuple[object, str]]:
    """Return default and description of every setting that the file may contain, by its key."""
    return dict(_settings(Settings))


def _settings(table: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, tuple[object, str]]]:
    for name, field in table.model_fields.items():
        inner = field.annotation
        if name == "gateways":
            yield from _settings(Gateway, "gateways.main.")
        elif name == "communities":  # fields shared with [limits] are shown there
            own = Community.model_fields["gateway"]
            yield f"communities.{SOMEBODY}.gateway", (own.default, own.description or "")
        elif isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _settings(inner, f"{prefix}{name}.")
        elif field.description and field.description != SECRET:
            default = None if field.is_required() else field.get_default(call_default_factory=True)
            yield f"{prefix}{name}", (default, field.description or "")


def _flat(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in table.items():
        if isinstance(value, dict) and name != "plugins":  # a setting that is a table
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def test_the_example_configuration_shows_every_setting_with_its_default() -> None:
    shown = {
        key: value
        for key, value in _flat(tomllib.loads(_uncommented()))
        if not key.startswith(("models.", "families.", "presets."))
    }
    assert sorted(shown) == sorted(_documented())
    defaults = {key: default for key, (default, _) in _documented().items()}
    # A setting without a default is shown with an example.
    assert {key: shown[key] for key, it in defaults.items() if it is not None} == {
        key: list(it) if isinstance(it, tuple) else it
        for key, it in defaults.items()
        if it is not None
    }


def test_the_example_configuration_explains_every_setting_in_the_words_of_settings() -> None:
    lines = EXAMPLE.read_text("utf-8").splitlines()
    explained, table = {}, ""
    for above, line in pairwise(lines):
        if found := re.fullmatch(r"#?\[([\w.:\"]+)\]", line):
            table = f"{found[1]}.".replace('"', "")
        if found := re.match(r"#(\w+) = ", line):
            explained[f"{table}{found[1]}"] = above.removeprefix("# ")
    for key, (_, description) in _documented().items():
        assert explained[key] == description, key


@pytest.mark.parametrize("secret", ["discord.token", "gateways.main.api_key"])
def test_the_example_configuration_names_the_environment_variables_of_secrets(secret: str) -> None:
    for name in (variable(secret), f"{variable(secret)}_FILE"):
        assert re.search(rf"\b{name}\b", EXAMPLE.read_text("utf-8"))


def test_the_example_configuration_loads_as_it_is_and_with_everything_switched_on(
    tmp_path: Path,
) -> None:
    secrets = {"ZOETROPE_DISCORD__TOKEN": "t", "ZOETROPE_GATEWAYS__MAIN__API_KEY": "sk"}
    address = {"ZOETROPE_GATEWAYS__MAIN__BASE_URL": "https://gateway.example"}
    address |= {"ZOETROPE_DATA_DIR": "data"}  # otherwise the folder beside the file
    alone = load(None, environment=secrets | address)
    assert load(EXAMPLE, environment=secrets | address) == alone
    full = tmp_path / "full.toml"
    full.write_text(_uncommented(), "utf-8")
    (tmp_path / "secrets.env").touch(mode=0o600)
    club = {
        "ZOETROPE_GATEWAYS__CLUB__API_KEY": "sk-2",
        "ZOETROPE_GATEWAYS__CLUB__BASE_URL": "https://club.example",
    }
    config = load(full, environment=secrets | club)
    assert replace(config.limits, purse=alone.limits.purse) == alone.limits
    assert list(config.communities) == [tuple(SOMEBODY.split(":"))]
    assert config.settings.gateways["main"].dialect == "new-api"
    for name in ("my-model-v1", "wan9-i2v-preview"):
        assert config.catalog.model(name) is not None


# --- texts ---------------------------------------------------------------------------------------

_SPEAKERS = {
    "Text": (0, ""),
    "tell": (0, ""),
    "say": (0, ""),
    "ask_line": (0, ""),
    "ask_secret": (0, ""),
    "ask_number": (0, ""),
    "ask_whole": (0, ""),
    "ask_choice": (0, ""),
    "ask_yes": (0, ""),
    "ok": (0, ""),
    "note": (0, ""),
    "problem": (0, ""),
    "words": (0, ""),
    "Refused": (0, "error."),
    "Problem": (1, "problem."),
    "_Wrong": (1, "problem."),
}
"""Calls that name a message id: the argument that does so, and the beginning of the id. A code of
`Broken` or `Temporary` may have a text; most appear only in the log, and people read
`error.internal`."""
_FOR_THE_LADDER = {"card_gone", "forbidden", "files_forbidden", "file_too_large", "message_refused"}
"""Codes of a platform's refusal of a post: the next form of the post is tried, and no person reads
the code."""


_SPEAKERS |= {own.__name__: (0, "error.") for own in Refused.__subclasses__()}


class _Spoken(ast.NodeVisitor):
    """A collection of the strings in the code that are a message id or a part of one, as regular
    expressions.
    """

    def __init__(self) -> None:
        self.everything: set[str] = set()
        self.surely: set[str] = set()
        # These codes are in a table.
        self.everything |= {re.escape(sign.code) for sign in STRANGE}
        self.surely |= {f"error.{own.code}" for own in Refused.__subclasses__() if own.code}
        for file in sorted(BOT.rglob("*.py")):
            if "simulator" not in file.parts:
                self.visit(ast.parse(file.read_text("utf-8")))

    def visit_Call(self, call: ast.Call) -> None:
        name = getattr(call.func, "id", getattr(call.func, "attr", ""))
        place, prefix = _SPEAKERS.get(name, (-1, ""))
        given = call.args[place : place + 1] if place >= 0 else []
        given += [word.value for word in call.keywords if word.arg == "id" and place >= 0]
        self.surely |= {re.escape(prefix) + text for it in given for text in _texts(it)}
        # A log event may look like a message id.
        is_log = getattr(getattr(call.func, "value", None), "id", "") == "log"
        for part in ast.iter_child_nodes(call):
            if not (is_log and part in call.args):
                self.visit(part)

    def visit_Constant(self, constant: ast.Constant) -> None:
        self.everything |= _texts(constant)

    def visit_JoinedStr(self, joined: ast.JoinedStr) -> None:
        self.everything |= _texts(joined)
        self.generic_visit(joined)


def _texts(node: ast.AST) -> set[str]:
    match node:
        case ast.Constant(value=str(text)):
            return {re.escape(text)}
        case ast.JoinedStr(values=parts):
            return {"".join(text for part in parts for text in _texts(part) or {r"\w+"})}
        case ast.IfExp(body=body, orelse=other):
            return _texts(body) | _texts(other)
        case _:
            return set()


@cache
def _spoken() -> _Spoken:
    """Return the message ids in the code, and parts of them."""
    return _Spoken()


@cache
def _sentences() -> frozenset[str]:
    with (BOT / "locales" / "en.po").open("rb") as source:
        ids = [message.id for message in read_po(source, locale="en") if message.id]
    return frozenset(it if isinstance(it, str) else it[0] for it in ids)


def test_every_message_id_in_the_code_has_a_text_in_the_catalog() -> None:
    inner = {re.escape(f"error.{code}") for code in _FOR_THE_LADDER}
    assert {
        pattern for pattern in _spoken().surely - inner if not _sentences_like(pattern)
    } == set()


def _sentences_like(pattern: str) -> list[str]:
    return [sentence for sentence in _sentences() if re.fullmatch(pattern, sentence)]


_FAMILIES = {
    "failure.": [it for it in Reason if it not in (Reason.BY_PERSON, Reason.BY_ADMIN, *WITHDRAWN)],
    "card.": [*Status, *WITHDRAWN, Reason.BY_ADMIN],
    # Buttons of lists and settings have labels of their own.
    "button.": [it for it in Action if it not in (Action.LIST, Action.SETTING)],
    "error.limit_": list(allowed(Limits(), Granted())),
    # Where no model remixes, "Remix" makes a new video of the same prompt.
    "error.family_lacks_": [kind for kind in Kind if kind is not Kind.REMIX],
    "error.none_takes_": [kind for kind in Kind if kind is not Kind.REMIX],
    "kind.": list(Kind),
    "reason.": list(Reason),
    "posted.": list(PostKind),
    "jobs.": list(WORDS),
    "jobs.given_": ["picture", "video", "sound"],
    "fact.": [name for name, option in OPTIONS.items() if option.field in WORDS],
    "switch_on.": list(SWITCHES),
    "switch_off.": list(SWITCHES),
    "error.": [
        *(sign.code for sign in STRANGE),
        "auto_unavailable_but",
        *(f"no_{extra}_but" for extra in Extra),
        *(f"{use}_alone" for use in Use),
        *(f"{field}_too_long" for field in WORDS),
        *(
            f"{code}_{extra}{rest}"
            for code in ("no", "always")
            for extra in SWITCHES.values()
            for rest in ("", "_but")
        ),
    ],
}


@pytest.mark.parametrize(("prefix", "members"), _FAMILIES.items(), ids=_FAMILIES)
def test_every_member_of_an_enum_that_is_shown_has_a_text(prefix: str, members: list[str]) -> None:
    assert {f"{prefix}{member}" for member in members} - _sentences() - _NEVER_SAID == set()


_NEVER_SAID = {"failure.undeliverable", "failure.at_once", "failure.paused"}
"""Texts that no person sees. A job that can't be posted stays completed, and one that waits is
queued; their cards say so."""


def test_no_message_id_is_in_the_catalog_twice() -> None:
    """The catalog's reader keeps one of them silently."""
    catalog = (BOT / "locales" / "en.po").read_text("utf-8")
    ids = re.findall(r'^msgid "(.+)"$', catalog, flags=re.MULTILINE)
    assert [id_ for id_, times in Counter(ids).items() if times > 1] == []


def test_every_text_in_the_catalog_is_used_by_the_code() -> None:
    assert {sentence for sentence in _sentences() if not _is_said(sentence)} == set()


@pytest.mark.parametrize(
    "sentence", ["card.vanished", "error.limited", "failure.nothing", "check.x"]
)
def test_negative_control_an_unused_text_is_found(sentence: str) -> None:
    assert not _is_said(sentence)


def _is_said(sentence: str) -> bool:
    """Whether the code contains the message id, or composes it and contains the part that it ends
    with.
    """
    kind, _, word = sentence.partition(".")
    composes = any(text.startswith(re.escape(f"{kind}.")) for text in _composed())
    return _stands(sentence) or (composes and (_stands(word) or _is_composed(word)))


def _stands(text: str) -> bool:
    """Whether the text is a literal in the code."""
    return re.escape(text) in _spoken().everything


def _is_composed(text: str) -> bool:
    """Whether the code composes the text."""
    return any(re.fullmatch(pattern, text) for pattern in _composed())


@cache
def _composed() -> frozenset[str]:
    """Return the patterns that begin or end with enough of a word to be recognized."""
    found = {text for text in _spoken().everything if r"\w+" in text}
    return frozenset(it for it in found if re.search(r"[a-z]{3}", it.replace(r"\w+", "")))


# --- documents -----------------------------------------------------------------------------------

_PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_every_test_that_a_documentation_page_names_exists(page: Path) -> None:
    named = set(re.findall(r"(tests/[\w/]+\.py)::(\w+)", page.read_text("utf-8")))
    missing = {f"{file}::{test}" for file, test in named if test not in _tests_of(ROOT / file)}
    assert missing == set()


def test_every_text_that_the_telegram_page_quotes_is_in_the_catalog() -> None:
    text = (ROOT / "docs" / "telegram.md").read_text("utf-8")
    _, _, traps = text.partition("## Traps")
    quoted = re.findall("“(.+?)”", traps.partition("## ")[0])
    with (BOT / "locales" / "en.po").open("rb") as source:
        said = " ".join(str(message.string) for message in read_po(source, locale="en"))
    assert len(quoted) > 5
    assert [sentence for sentence in quoted if sentence not in said] == []


def test_the_operating_page_names_every_state_and_reason() -> None:
    text = (ROOT / "docs" / "operating.md").read_text("utf-8")
    assert {it for it in (*Status, *Reason) if f"`{it}`" not in text} == set()


def _tests_of(file: Path) -> set[str]:
    tree = ast.parse(file.read_text("utf-8")) if file.is_file() else ast.Module([], [])
    return {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


# --- size and habits -----------------------------------------------------------------------------

_HISTORY = BOT / "store" / "migrations" / "versions"
"""Migrations: lists of columns, written once and never read as logic."""


def test_no_module_is_longer_than_400_lines_and_no_function_than_40() -> None:
    too_long = []
    for file in sorted([*BOT.rglob("*.py"), *BENCH.rglob("*.py")]):
        text = file.read_text("utf-8")
        if len(text.splitlines()) > 400:
            too_long.append(f"{file.relative_to(ROOT)}: {len(text.splitlines())} lines")
        for node in ast.walk(ast.parse(text)):
            if (
                not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
                or _HISTORY in file.parents
            ):
                continue
            lines = (node.end_lineno or 0) - node.lineno + 1
            if lines > 40:
                too_long.append(f"{file.relative_to(ROOT)}: {node.name} has {lines} lines")
    assert too_long == []


def _functions(text: str) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or 0) - node.lineno + 1


MOST_LINES_OF_A_TEST_MODULE = 500


def test_no_test_module_is_longer_than_its_limit() -> None:
    lengths = {
        str(file.relative_to(ROOT)): len(file.read_text("utf-8").splitlines())
        for file in (ROOT / "tests").rglob("*.py")
    }
    assert {
        file: lines for file, lines in lengths.items() if lines > MOST_LINES_OF_A_TEST_MODULE
    } == {}


MOST_LINES = 2_840
"""The line budget of the modules that speak with gateways and know models. Facts about models
belong in tables."""


def test_the_gateway_client_and_the_catalog_stay_within_their_line_budget() -> None:
    files = [*(BOT / "gateways").glob("*.py"), BOT / "config" / "catalog.py"]
    files += [BOT / "core" / name for name in ("catalog.py", "models.py")]
    assert sum(len(file.read_text("utf-8").splitlines()) for file in files) <= MOST_LINES


def test_no_test_imports_a_mocking_library() -> None:
    mocking = {
        file.relative_to(ROOT)
        for folder in (BOT, BENCH, ROOT / "tests")
        for file in folder.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in [getattr(node, "module", None), *(alias.name for alias in node.names)]
        if name and name.split(".")[0] in ("unittest", "mock", "pytest_mock")
    }
    assert mocking == set()
