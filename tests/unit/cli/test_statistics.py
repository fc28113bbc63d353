"""`zoetrope stats` on the terminal: estimates, told costs, and what is left out of the sums."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from bot.cli.operating import statistics
from tests.contract.rows import NOON

ROW = {
    **dict.fromkeys(("made", "failed", "cancelled", "unconfirmed", "waiting", "under_way"), 1),
    "name": "one",
    "called": "",
    "spent": 1_400_000,
    "reserved": 0,
    "told_videos": 2,
    "compared_videos": 2,
    "estimated": 1_400_000,
    "told": 1_280_000,
}
Stats = Callable[..., list[str]]


@pytest.fixture
def stats(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Stats:
    """Return a function that prints these sums and returns the lines."""

    def print_(*others: dict[str, object], by: str = "model", **total: object) -> list[str]:
        answer: dict[str, Any] = {"by": by, "since": NOON, "currency": "USD", "rows": [ROW]}
        answer |= {"total": {**ROW, **total}, "other_costs": list(others)}
        monkeypatch.setattr(statistics, "ask", lambda *_, **__: answer)
        monkeypatch.setattr(statistics, "configuration", lambda _: None)
        statistics.stats(by=by, since=None)
        return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]

    return print_


def test_the_estimate_stands_beside_the_told_cost(stats: Stats) -> None:
    head, row, total, _, *notes = stats()
    assert head == (
        "Model Made Failed Cancelled Unconfirmed Waiting Under way Spent Estimated Told"
    )
    assert row == "one 1 1 1 1 1 1 1.40 USD 1.40 USD 1.28 USD"
    assert total == row.replace("one", "total")
    (note,) = notes
    assert note.startswith("Gateways told the cost of 2 videos: 1.28 USD. Our estimate of the same")
    assert note.endswith("videos is 1.40 USD.")


def test_nothing_is_said_of_costs_that_no_gateway_told(stats: Stats) -> None:
    lines = stats(told_videos=0, compared_videos=0)
    assert lines[0].endswith("Under way Spent")
    assert len(lines) == 4


@pytest.mark.parametrize("by", ["person", "community"])
def test_rows_of_people_and_communities_leave_the_comparison_to_a_line_below(
    stats: Stats, by: str
) -> None:
    lines = stats(by=by)
    assert "Told" not in lines[0]
    assert lines[-1].startswith("Gateways told the cost of 2 videos")


def test_what_is_in_no_sum_is_said_in_lines_of_its_own(stats: Stats) -> None:
    elsewhere = {"currency": "EUR", "is_fee": False, "videos": 3, "told": 1_200_000}
    fees = {"currency": "USD", "is_fee": True, "videos": 1, "told": 20_000}
    lines = stats(elsewhere, fees, reserved=700_000, told_videos=5)
    reserved, compared, unpriced, euros, fee = lines[4:]
    assert reserved.startswith("Waiting orders reserve 0.70 USD of the limits. They are not spent")
    assert compared.startswith("Gateways told the cost of 2 videos: 1.28 USD.")
    assert unpriced == "The cost of 3 more videos was told, but their models have no price."
    assert euros.endswith(" another currency, and added to nothing above: 1.20 EUR for 3 videos.")
    assert fee.startswith("Told for 1 video with your own key at its vendor: 0.02 USD.")
    assert fee.endswith("That is the gateway's fee alone; the vendor bills the video to you.")


def test_the_json_has_all_sums_in_micro_units(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = {"since": NOON, "currency": "USD", "rows": [ROW], "total": ROW, "other_costs": []}
    monkeypatch.setattr(statistics, "ask", lambda *_, **__: answer)
    monkeypatch.setattr(statistics, "configuration", lambda _: None)
    statistics.stats(as_json=True, since=None, by="model")
    said = json.loads(capsys.readouterr().out)
    assert (said["rows"][0]["estimated"], said["rows"][0]["told"]) == (1_400_000, 1_280_000)
