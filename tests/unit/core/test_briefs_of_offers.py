"""The report on a gateway's changed list: one line for each change, and which price counts."""

import pytest

from bot.core.briefs import MOST_LINES, brief
from bot.core.causes import Kind
from bot.core.replies import Reply
from bot.i18n import DEFAULT, say

ROW = {"label": "Veo 3.1", "model": "google/veo-3.1", "quality": "720p", "sound": True}


def lines(*prices: dict[str, object], gone: int = 0) -> list[str]:
    """Return the sentences of the report."""
    models = [{"label": f"M{number}", "model": f"acme/m{number}"} for number in range(gone)]
    reply: Reply = brief(Kind.OFFERS, {"gateway": "main", "gone": models, "prices": list(prices)})
    return [say(text, DEFAULT) for text in (reply.text, *reply.facts)]


def test_a_model_that_is_gone_is_named_with_what_that_means() -> None:
    assert lines(gone=1) == [
        "The list of the gateway “main” changed.",
        "M0 (acme/m0) is gone: people can't order it any more. Accepted orders go on.",
    ]


@pytest.mark.parametrize(
    ("before", "after", "mine", "says"),
    [
        ("0.4 USD", "0.5 USD", False, "Limits in money count the new price from now on."),
        ("0.4 USD", "0.5 USD", True, "the price in your configuration: please check it."),
        ("", "0.5 USD", False, "Limits in money count this price from now on."),
        ("", "0.5 USD", True, "the price in your configuration: please check it."),
        ("0.4 USD", "", False, "please set a price in your configuration."),
        ("0.4 USD", "", True, "go on counting the price in your configuration."),
    ],
)
def test_a_changed_price_is_told_with_both_prices_and_the_one_that_counts(
    before: str, after: str, mine: bool, says: str
) -> None:
    (_, line) = lines({**ROW, "before": before, "after": after, "mine": mine})
    assert line.startswith("Veo 3.1 (google/veo-3.1), 720p: a second cost")
    assert before in line
    assert after in line
    assert line.endswith(says)


def test_a_price_without_sound_is_told_as_such() -> None:
    row = {**ROW, "sound": False, "before": "0.2 USD", "after": "0.1 USD", "mine": False}
    assert "720p without sound: a second cost 0.2 USD and costs 0.1 USD now." in lines(row)[1]


def test_many_changes_are_cut_with_a_count_of_the_others() -> None:
    said = lines(gone=MOST_LINES + 3)
    assert len(said) == MOST_LINES + 2
    assert said[-1] == "and 3 more changes, see: `zoetrope models --gateway main`"
