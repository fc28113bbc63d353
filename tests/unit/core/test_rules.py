"""The small pure rules of limits, schedules, links and prompts."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.core import schedule
from bot.core.links import LONGEST, Signer
from bot.core.prompts import clean, shortened, unquoted
from bot.core.quotas import Limits, Usage, left, refusal

LIMITS = Limits(
    person_videos=3, person_at_once=1, community_videos=20, purse_videos=50, purse_money=100
)
NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("usage", "code"),
    [
        (Usage(), None),
        (Usage(person_videos=2), None),
        (Usage(person_videos=3), "limit_person_videos"),
        (Usage(person_videos=1, person_paid=4), None),
        (Usage(person_videos=1, person_paid=5), "limit_person_paid"),
        (Usage(person_tries=14), None),
        (Usage(person_tries=15), "limit_person_tries"),
        (Usage(person_at_once=1), "limit_person_at_once"),
        (Usage(community_videos=20), "limit_community_videos"),
        (Usage(purse_videos=50), "limit_purse_videos"),
        (Usage(purse_money=90), None),
        (Usage(purse_money=91), "limit_purse_money"),
    ],
)
def test_the_last_video_within_a_limit_is_allowed_and_the_next_refused(
    usage: Usage, code: str | None
) -> None:
    said = refusal(usage, LIMITS, quota_cost=1, spend_cost=10, resets_at=NOW)
    assert (said and said.code) == code


def test_none_means_no_limit_and_zero_allows_nothing() -> None:
    open_ = Limits(
        person_videos=None, person_at_once=None, community_videos=None, purse_videos=None
    )
    much = Usage(person_videos=10**6, person_paid=10**6, person_at_once=99, community_videos=10**6)
    assert refusal(much, open_, quota_cost=1, spend_cost=1, resets_at=NOW) is None
    closed = refusal(Usage(), Limits(person_videos=0), quota_cost=1, spend_cost=1, resets_at=NOW)
    assert closed is not None
    assert closed.code == "limit_zero"


def test_a_community_limit_does_not_affect_a_private_chat() -> None:
    limits = Limits(person_videos=30, community_videos=0)
    alone = Usage(person_videos=4, community_videos=None)
    assert refusal(alone, limits, quota_cost=1, spend_cost=1, resets_at=NOW) is None
    assert left(alone, limits) == 26


def test_the_videos_left_today_shrink_by_possibly_paid_videos_beyond_two() -> None:
    assert [left(Usage(person_paid=paid), LIMITS) for paid in (0, 2, 3, 5, 9)] == [3, 3, 2, 0, 0]


def test_a_day_begins_at_midnight_of_its_zone_and_follows_daylight_saving() -> None:
    at = datetime(2026, 3, 29, 12, tzinfo=UTC).timestamp()
    begin, end = Limits(time_zone="Europe/Berlin").day(at)
    assert end - begin == 23 * 3600
    assert datetime.fromtimestamp(begin, UTC) == datetime(2026, 3, 28, 23, tzinfo=UTC)


def test_a_day_whose_midnight_occurs_twice_begins_once() -> None:
    """Havana turns its clocks back at one to midnight: the day's limit must not begin anew."""
    first, second = (datetime(2026, 11, 1, hour, 30, tzinfo=UTC).timestamp() for hour in (4, 5))
    havana = Limits(time_zone="America/Havana")
    assert havana.day(first) == havana.day(second)


@pytest.mark.proof
@given(st.floats(0.05, 3600.0), st.text())
def test_a_wait_is_spread_by_at_most_a_tenth_and_the_same_for_the_same_job(
    seconds: float, by: str
) -> None:
    wait = schedule.spread(seconds, by=by)
    assert wait == pytest.approx(seconds, rel=schedule.JITTER + 1e-9)
    assert wait == schedule.spread(seconds, by=by)


def test_the_waits_of_many_jobs_are_spread_over_the_whole_range() -> None:
    waits = sorted(schedule.spread(10.0, by=f"job{number}") for number in range(1000))
    assert waits[0] < 9.05
    assert 9.9 < waits[500] < 10.1
    assert waits[-1] > 10.95


@given(st.integers(1, 10**9))
def test_a_back_off_stays_within_its_bounds(attempts: int) -> None:
    assert 2.0 <= schedule.back_off(attempts, base=2.0, most=60.0) <= 60.0


SIGNER = Signer({"b": b"new", "a": b"old"})


def parts(path: str) -> tuple[str, str, str, str]:
    _, purpose, id_, expiry, signature = path.split("/")
    return purpose, id_, expiry, signature


def test_a_signed_link_is_valid_until_it_expires() -> None:
    link = parts(SIGNER.path("v", "job", expires_at=NOW + 60))
    assert SIGNER.verify(*link, now=NOW)
    assert not SIGNER.verify(*link, now=NOW + 60)


def test_a_link_signed_with_an_old_key_is_valid_until_the_key_is_removed() -> None:
    old = parts(Signer({"a": b"old"}).path("v", "job", expires_at=NOW + 60))
    assert SIGNER.verify(*old, now=NOW)
    assert not Signer({"b": b"new"}).verify(*old, now=NOW)


def test_a_link_signed_too_far_ahead_is_invalid() -> None:
    far = parts(SIGNER.path("v", "job", expires_at=NOW + LONGEST + 3600))
    assert not SIGNER.verify(*far, now=NOW)


GOOD = SIGNER.path("v", "job", expires_at=NOW + 60)


@example(1, "\ud800")
@given(st.integers(0, len(GOOD) - 1), st.characters())
def test_a_link_with_any_changed_character_is_invalid(place: int, letter: str) -> None:
    changed = GOOD[:place] + letter + GOOD[place + 1 :]
    pieces = changed.split("/")
    if changed != GOOD and len(pieces) == 5 and not pieces[0]:
        assert not SIGNER.verify(*parts(changed), now=NOW)


@given(st.text(), st.text(alphabet="0123456789٣²", max_size=15), st.text())
def test_a_link_of_random_text_is_invalid(id_: str, expiry: str, signature: str) -> None:
    assert not SIGNER.verify("v", id_, expiry, signature, now=NOW)


@pytest.mark.parametrize(
    ("typed", "seen"),
    [
        ("  a\tcat\n on the\r\nmoon ", "a cat on the moon"),
        ("evil\u202egnp.exe", "evilgnp.exe"),
        ("nul\x00 and \ud800", "nul and"),
        ("e\u0301", "é"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("\U0001fae8", "\U0001fae8"),
        ("\u200d \u200c", ""),
        ("\u3164\u3164\u2800", ""),
        ("\uffa0 \u115f\u1160\U0001d159", ""),
        ("\ufe0f \u034f\u17b5\u180b\U000e0100", ""),
        ("\u00ad\u180e\u2061\u2065\u3000\u1680", ""),
        ("a\u3164cat\u2800", "a cat"),
        ("❤\ufe0f", "❤\ufe0f"),
        ("a" + "\u0321" * 30, "a" + "\u0321" * 4),
        ("猫咪慢慢睁开眼睛", "猫咪慢慢睁开眼睛"),
    ],
)
def test_cleaning_a_prompt_removes_control_and_direction_characters(typed: str, seen: str) -> None:
    assert clean(typed) == seen


@given(st.text())
def test_cleaning_a_text_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(st.text(), st.integers(1, 50))
def test_a_shortened_text_is_within_its_limit(text: str, most: int) -> None:
    assert len(shortened(text, most)) <= most


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("a cat on the moon", "a cat on the moon"),
        ("a cat on the moons", "a cat on the…"),
        ("a cat on the roof of a house", "a cat on the…"),
        ("a " + "x" * 40, "a xxxxxxxxxxxxxx…"),
        ("猫" * 30, "猫" * 16 + "…"),
    ],
)
def test_a_shortened_text_ends_after_a_whole_word_if_it_has_words(text: str, short: str) -> None:
    assert shortened(text, 17) == short


@pytest.mark.parametrize(
    ("said", "prompt", "left"),
    [
        ('bad: "a cat on the moon" x', "a cat on the moon", 'bad: "…" x'),
        ("near “cat on the mo”", "a cat on the moon", "near “…”"),
        (r'{"m":"\u732b\u5728\u6708\u4eae"}', "猫在月亮", '{"m":"…"}'),
        (
            "see https://x.test/?sig=1, or data:image/png;base64,A now",
            "zzzzzz",
            "see … or … now",
        ),
        (r"at http:\/\/x.test\/z end", "zzzzzz", "at … end"),
        ("nothing of it", "", "nothing of it"),
    ],
)
def test_prompts_and_addresses_are_removed_from_a_text_for_the_log(
    said: str, prompt: str, left: str
) -> None:
    assert unquoted(said, prompt) == left
