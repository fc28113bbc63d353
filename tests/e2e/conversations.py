"""Helpers for conversations with `zoetrope init` at a terminal, and for the files it writes."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from tests.e2e.terminal import Terminal, terminal
from tests.e2e.world import World
from tests.fakes.discord import FakeDiscord, Fault, error
from tests.unit.config.conftest import PACKAGED

KEY = "sk-sim"
TOKEN, ADDRESS, SECRET = "Bot token (hidden):", "Address of the gateway", "API key (hidden; "
DIALECT = "Which dialect of /v1/videos does it speak?"
DEFAULT, PRICE = (
    "Which one should people get if they name no model?",
    "one number for all of these:",
)
PERSON, SERVER, ALL = "each person", "each server", "everybody together"
TRIAL = "Make one test video now"
RARE = "".join(
    f'[models."{name}"]\nhidden = true\nprice = 1\n'
    for name in PACKAGED
    if not name.startswith(("wan2.5", "sora"))
)
"""Configuration that hides most models and gives them prices, so that init does not ask about them.
"""


def where(discord: FakeDiscord) -> dict[str, str]:
    """Return the variables that lead to the fake Discord."""
    return {
        "ZOETROPE_DISCORD__API_URL": discord.api_url,
        "ZOETROPE_DISCORD__GATEWAY_URL": discord.gateway_url,
    }


def three(world: World, **changes: str) -> dict[str, str]:
    """Return the three variables that init needs, and those that lead to the fake Discord."""
    known = {
        "ZOETROPE_DISCORD__TOKEN": world.discord.token,
        "ZOETROPE_GATEWAYS__MAIN__BASE_URL": world.gateway_url,
        "ZOETROPE_GATEWAYS__MAIN__API_KEY": KEY,
    }
    return {**where(world.discord), **known, **changes}


def init(world: World, **variables: str) -> AbstractAsyncContextManager[Terminal]:
    """Run `zoetrope init` at a terminal."""
    return terminal("init", folder=world.folder, **where(world.discord), **variables)


def written(folder: Path) -> Mapping[str, str]:
    """Return the text of every file that init left in `folder`, by name, without videos."""
    files = (file for file in folder.iterdir() if file.is_file() and file.suffix != ".mp4")
    return {file.name: file.read_text("utf-8") for file in files}


PASTED: Mapping[str, tuple[str, str]] = {
    "client secret": ("aB3dEfGhIjKlMnOpQrStUvWxYz012-_4", "looks like the client secret"),
    "application id": ("1188000000000000001", "looks like the application's id"),
    "public key": ("0f" * 32, "looks like the public key"),
    "invitation": ("https://discord.gg/AbCdEf", "is a link, such as an invitation"),
    "words": ("MTE4.GhIjKl abc", "has characters that such a secret never has"),
    "revoked": ("MTE4.GhIjKl.MnOpQrStUvWxYz", "Discord does not accept the token."),
}
OUTAGE: Fault = error(502)
