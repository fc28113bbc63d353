"""The table of `zoetrope gateways list`."""

import pytest

from bot.cli.operating import gateways
from bot.core.acts import Values

OPEN: Values = {
    "name": "main",
    "configured": True,
    "paused": False,
    "since": None,
    "by": None,
    "why": None,
    "refuses": None,
    "waiting": 2,
    "at_work": 1,
}


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("bad_key", "refuses us: gateway does not accept the key"),
        ("no_balance", "refuses us: account at the gateway is empty"),
    ],
)
def test_the_list_of_gateways_says_in_words_why_a_gateway_refuses_us(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    reason: str,
    words: str,
) -> None:
    answer = {"gateways": [{**OPEN, "refuses": reason}], "stopped": False}
    monkeypatch.setattr(gateways, "configuration", lambda _file: None)
    monkeypatch.setattr(gateways, "ask", lambda *_: answer)
    gateways.gateways_list()
    said = capsys.readouterr().out
    assert f"{words}; the running service checks it every minute" in said
    assert reason not in said
