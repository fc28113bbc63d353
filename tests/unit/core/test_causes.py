"""A cause rings when it begins and when it gets worse; otherwise its message is edited silently."""

from dataclasses import replace

import pytest

from bot.core import briefs
from bot.core.causes import MOST_SHOWN, Cause, Facts, Kind, Known, Say, say
from bot.core.notices import HUSH
from bot.i18n import say as said

NOON = 1_000_000.0


def lost(*ids: str) -> Cause:
    """Return the cause of orders that are unconfirmed."""
    facts = {"count": len(ids), "ids": list(ids), "jobs": []}
    return Cause(kind=Kind.UNCONFIRMED, facts=facts)


def near(level: int, limit: int = 50, day: str = "2026-01-15") -> Cause:
    """Return the cause of a limit that is used up to `level` percent."""
    facts = {"figure": "purse_videos", "level": level, "limit": limit, "day": day}
    return Cause(kind=Kind.LIMIT, about="purse_videos", facts=facts)


def known(cause: Cause, *, ended_at: float | None = None) -> Known:
    """Return the cause as it was told at noon."""
    return Known(facts=cause.facts, said=cause.facts, said_at=NOON, ended_at=ended_at)


def test_a_new_cause_is_sent_as_a_message_and_an_unchanged_one_is_not() -> None:
    assert say(None, lost("a"), now=NOON) is Say.ANEW
    assert say(known(lost("a")), lost("a"), now=NOON + 9 * HUSH) is Say.SAME


def test_one_more_order_in_a_cause_edits_the_message_and_rings_once_an_hour_at_most() -> None:
    before = known(lost("a"))
    assert say(before, lost("a", "b"), now=NOON + 1) is Say.CHANGED
    assert say(before, lost("a", "b"), now=NOON + HUSH) is Say.ANEW
    shown = replace(before, facts=lost("a", "b").facts)
    assert say(shown, lost("a", "b"), now=NOON + HUSH - 1) is Say.SAME
    assert say(shown, lost("a", "b"), now=NOON + HUSH) is Say.ANEW, "it is told, but later"


def test_one_order_fewer_in_a_cause_edits_the_message_silently() -> None:
    assert say(known(lost("a", "b")), lost("b"), now=NOON + 9 * HUSH) is Say.CHANGED


def test_a_cause_that_returns_within_an_hour_rings_when_the_hour_is_over() -> None:
    before = known(lost("a"), ended_at=NOON + 1)
    assert say(before, lost("b"), now=NOON + 2) is Say.CHANGED
    assert say(before, lost("b"), now=NOON + HUSH) is Say.ANEW
    again = replace(before, ended_at=None, said=None, facts=lost("b").facts)
    assert say(again, lost("b"), now=NOON + HUSH - 1) is Say.SAME
    assert say(again, lost("b"), now=NOON + HUSH) is Say.ANEW


def many(count: int, newest: float, *ids: str) -> Cause:
    """Return a cause of more orders than are stored by id."""
    return Cause(
        kind=Kind.UNCONFIRMED, facts={**lost(*ids).facts, "count": count, "newest": newest}
    )


def test_an_older_order_named_in_place_of_a_decided_one_does_not_ring() -> None:
    """One of many orders was decided, so an older one is named in its place."""
    before = known(many(9, NOON, "d", "c"))
    assert say(before, many(8, NOON, "d", "b"), now=NOON + 9 * HUSH) is Say.CHANGED
    assert say(before, many(8, NOON - 5, "c", "b"), now=NOON + 9 * HUSH) is Say.CHANGED
    assert say(before, many(9, NOON + 5, "e", "c"), now=NOON + 9 * HUSH) is Say.ANEW
    few = known(many(2, NOON, "d", "c"))
    assert say(few, many(3, NOON - 5, "d", "c", "e"), now=NOON + 9 * HUSH) is Say.ANEW, (
        "all were known, and a clock may be set back"
    )


@pytest.mark.parametrize(
    ("before", "now", "how"),
    [
        (near(50), near(80), Say.ANEW),
        (near(80), near(50), Say.CHANGED),
        (near(80), near(50, 75), Say.CHANGED),
        (near(80), near(80, 75), Say.ANEW),
        (near(95), near(50, day="2026-01-16"), Say.ANEW),
    ],
)
def test_a_used_up_limit_rings_at_each_level_and_after_the_limit_was_raised(
    before: Cause, now: Cause, how: Say
) -> None:
    assert say(known(before), now, now=NOON + 1) is how


def test_a_raised_limit_rings_at_each_level_of_the_new_limit() -> None:
    before = replace(known(near(95)), facts=near(50, 75).facts)
    assert say(before, near(50, 75), now=NOON + 1) is Say.SAME
    assert say(before, near(80, 75), now=NOON + 1) is Say.ANEW


# --- texts ----------------------------------------------------------------------------------------

JOB = {"job": "abcd", "name": "Ann", "model": "Wan", "gateway": "main", "at": 0.0}
STILL = [JOB | {"status": status} for status in ("queued", "in_progress", "completed")]
FACTS: dict[Kind, Facts] = {
    Kind.UNCONFIRMED: {"count": 7, "ids": [], "jobs": [JOB] * MOST_SHOWN},
    Kind.STUCK: {"count": 3, "ids": [], "jobs": STILL},
    Kind.DISK: {"folder": "/data", "gigabytes": 0.4},
    Kind.MEDIA: {"gigabytes": 1.5, "most": 20.0},
    Kind.BACKUP: {"detail": "No room."},
    Kind.USAGE: {"wrong": "purse main"},
}


@pytest.mark.parametrize("kind", FACTS)
@pytest.mark.parametrize("is_over", [False, True])
def test_every_cause_has_texts_for_its_beginning_and_its_end(kind: Kind, is_over: bool) -> None:
    reply = briefs.brief(kind, FACTS[kind], is_over=is_over)
    words = [said(text, "en") for text in (reply.text, *reply.facts)]
    assert not [line for line in words if line.startswith("cause.") or "{" in line]
    assert len(words) == (1 if is_over else 1 + min(FACTS[kind].get("count", 0), MOST_SHOWN + 1))  # type: ignore[call-overload]


def test_the_button_of_an_unconfirmed_order_says_whose_it_is_within_80_characters() -> None:
    """Discord allows 80 characters."""
    long = JOB | {"name": "B" * 200, "model": "W" * 200, "job": "abcdefghijklmnop"}
    shown = briefs.brief(Kind.UNCONFIRMED, {"count": 2, "jobs": [JOB, long]}).buttons
    short, cut = (said(it.label, "en") for it in shown)
    assert short == "Decide: Ann, Wan (abcd)"
    assert len(cut) <= 80
    assert cut.endswith("(abcdef)")


@pytest.mark.parametrize(
    ("figure", "of", "buttons"),
    [
        ("purse_videos", "", ["raise", "stop"]),
        ("purse_money", "", ["raise", "stop"]),
        ("purse_videos", "club", ["raise", "pause"]),
        ("purse_money", "club", ["raise", "pause"]),
        ("community_videos", "discord:7", ["raise"]),
    ],
)
def test_every_limit_near_its_end_has_a_text_and_buttons(
    figure: str, of: str, buttons: list[str]
) -> None:
    facts = {"figure": figure, "of": of, "level": 80, "shown": "50", "more": 25, "limit": 50}
    reply = briefs.brief(Kind.LIMIT, {**facts, "more_shown": "25", "day": "2026-01-15"})
    words = said(reply.text, "en")
    assert "80 %" in words
    assert "50" in words
    assert of in words
    assert [it.value for it in reply.buttons] == buttons
