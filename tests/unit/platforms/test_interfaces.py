"""The clients of the platforms offer exactly the interfaces that they implement."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.core import platforms
from bot.platforms.discord.client import DiscordPlatform
from bot.platforms.playground.client import PlaygroundPlatform
from bot.platforms.telegram.client import TelegramPlatform

ROOT = Path(__file__).parents[3]
CLIENTS = sorted((ROOT / "bot/platforms").glob("*/client.py"))
OPTIONAL = (
    platforms.Edits,
    platforms.Fetches,
    platforms.LimitsUploads,
    platforms.ReadsHistory,
    platforms.Removes,
    platforms.SendsAgain,
    platforms.Tells,
)


def ignored(source: str) -> Iterator[str]:
    """Yield each parameter that a public method of a class does not read."""
    for kind in ast.walk(ast.parse(source)):
        for method in kind.body if isinstance(kind, ast.ClassDef) else ():
            if not isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if method.name.startswith("_"):
                continue
            read = {each.id for each in ast.walk(method) if isinstance(each, ast.Name)}
            taken = (*method.args.posonlyargs, *method.args.args, *method.args.kwonlyargs)
            for each in taken[1:]:
                if each.arg.startswith("_") or each.arg not in read:
                    yield f"{method.name}({each.arg})"


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.parent.name)
def test_no_platform_client_ignores_a_parameter(client: Path) -> None:
    assert list(ignored(client.read_text("utf-8"))) == []


def test_negative_control_an_ignored_parameter_is_found() -> None:
    source = """
class Client:
    async def send(self, post, reply, *, nonce, again=False):
        return post, self.say(reply, _again=again)
    async def tell(self, _person, reply):
        return reply
    def _inner(self, unread): ...
"""
    assert list(ignored(source)) == ["send(nonce)", "tell(_person)"]


@pytest.mark.parametrize(
    ("client", "lacks"),
    [
        (DiscordPlatform, {platforms.SendsAgain}),
        (PlaygroundPlatform, {platforms.SendsAgain, platforms.LimitsUploads}),
        (TelegramPlatform, {platforms.ReadsHistory}),
    ],
)
def test_each_platform_offers_exactly_its_listed_interfaces(
    client: type, lacks: set[type[object]]
) -> None:
    assert {each for each in OPTIONAL if not issubclass(client, each)} == lacks
