"""The whole path over a local Bot API server: pictures by path, and larger videos."""

from pathlib import Path

import pytest

from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from tests.e2e.telegram import Hall
from tests.e2e.world import png
from tests.fakes.telegram import FakeTelegram


@pytest.mark.proof
async def test_with_a_local_bot_api_server_pictures_come_by_path_and_the_token_does_not_leak(
    tmp_path: Path, renderer: Renderer, capfd: pytest.CaptureFixture[str]
) -> None:
    """The token is in no request to anybody else, in no row and in no log line."""
    server = tmp_path / "server"
    simulator = Simulator(render_time=0.2, renderer=renderer)
    async with FakeTelegram(local=server) as telegram, simulator.serve() as url:
        hall = Hall(telegram=telegram, simulator=simulator, gateway_url=url, folder=tmp_path)
        ours = {"TELEGRAM__LOCAL": "true", "TELEGRAM__UPLOAD_LIMIT_MB": "2000"}
        async with hall.app(None, LOG_LEVEL="DEBUG", **ours):
            await hall.ann.sends_photo(png(), caption="/animate")
            video = await hall.video()
        telegram.check()
    assert video.media is not None
    assert any(entry.files for entry in simulator.journal if entry.operation == "create")
    assert telegram.downloads == []
    assert (server / telegram.token).is_dir(), "the server names its folder after it"
    said = capfd.readouterr()
    assert not telegram.leaks(said.out + said.err)
    for file in (tmp_path / "data").rglob("*"):
        if file.is_file():
            assert not telegram.leaks(file.read_bytes()), file.name
    assert not telegram.leaks(repr(simulator.journal))
