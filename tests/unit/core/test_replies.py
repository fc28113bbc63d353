"""A card's text about its job, and how long the text stays true."""

from dataclasses import replace

import pytest

from bot.core import cards, replies
from bot.core.jobs import ACTIVE, Reason, Status, Video
from bot.core.orders import Fit, Picture, Recording, Still
from bot.core.quotas import Limits, Usage
from bot.core.replies import Left, Text
from bot.i18n import say
from tests.unit.core.orders import CAT, SONG, changed, job, order

LEFT = Left(videos=2, resets_at=86_400.0)


def test_a_card_shows_the_negative_prompt() -> None:
    """A typed flag may take more of the prompt than its person meant."""
    card = cards.card(job(order=changed(order(), negative_prompt="blur hands")))
    assert "Without: blur hands" in [say(each, "en") for each in card.facts]
    assert "fact.negative" not in [each.id for each in cards.card(job()).facts]


@pytest.mark.parametrize("status", Status)
def test_only_the_card_of_an_active_job_says_what_is_left_today(status: Status) -> None:
    """A final card is not edited any more, so it would soon be wrong."""
    card = cards.card(job(status=status), left=LEFT)
    now = Text(id="fact.left", values={"resets_at": LEFT.resets_at}, count=2)
    assert [each for each in card.facts if "left" in each.id] == ([now] if status in ACTIVE else [])


def test_a_card_without_any_videos_left_says_no_videos() -> None:
    none = Left(videos=0, resets_at=0.0)
    video = Video(key="a.mp4", size=9, width=16, height=9, seconds=5.0)
    active, made = (
        cards.card(it, left=none).facts[-1]
        for it in (job(), job(status=Status.DELIVERED, video=video))
    )
    assert say(active, "en").startswith("You have no videos left today; new ones ")
    assert say(made, "en").startswith("After that you have no videos left, until ")


def test_a_card_distinguishes_a_video_removed_by_age_from_a_deleted_one() -> None:
    gone = cards.card(job(status=Status.DELIVERED, ended_at=1.0, video_gone_at=2.0))
    deleted = cards.card(job(status=Status.DELIVERED))
    assert (gone.text.id, deleted.text.id) == ("card.delivered_gone", "card.deleted")


def test_the_card_of_a_delivered_video_says_what_was_left_after_it() -> None:
    video = Video(key="a.mp4", size=9, width=16, height=9, seconds=5.0)
    card = cards.card(job(status=Status.DELIVERED, video=video), left=LEFT)
    assert card.facts[-1].id == "fact.left_after"


def test_a_result_that_could_not_be_converted_says_that_it_is_the_original() -> None:
    video = Video(key="a.mkv", size=9, width=16, height=9, seconds=5.0, plays=False)
    facts = replies.result(job(status=Status.COMPLETED, video=video)).facts
    assert facts[-1] == Text(id="fact.not_converted")
    assert "this is the original file" in say(facts[-1], "en")
    small = replies.result(job(status=Status.COMPLETED, video=video), shrunk=True).facts
    assert "fact.not_converted" not in [each.id for each in small], "a smaller one is converted"


def test_without_limits_a_card_says_nothing_of_what_is_left() -> None:
    assert [fact.id for fact in cards.card(job(), left=None).facts] == ["fact.request"]


def test_a_card_says_whether_pictures_or_the_sound_are_being_fetched() -> None:
    wish = order(pictures=(CAT,), sound=SONG)
    pictured = replace(
        wish, pictures=(CAT.kept(Still(key="a.jpg", whole="b.jpg", width=640, height=360), Fit()),)
    )
    whole = replace(pictured, sound=SONG.kept(Recording(key="a.mp3", size=9, seconds=7.2)))
    said = [cards.standing(replace(job(), order=it)).id for it in (wish, pictured, whole)]
    assert said == ["card.fetching", "card.fetching_sound", "card.queued"]


def test_the_card_of_a_continued_video_says_that_the_last_frame_is_being_prepared() -> None:
    """The person sent no picture."""
    frame = Picture(source=None, filename="", size=0, last_of="a.mp4")
    card = cards.card(job(order=order(pictures=(frame,))))
    assert say(card.text, "en") == "Got it! I'm getting the last frame ready …"


@pytest.mark.parametrize(
    ("person_videos", "ids"),
    [
        (None, ["quota.today", "fact.left", "quota.at_once"]),
        (3, ["quota.day", "fact.left", "quota.at_once"]),
    ],
)
def test_the_quota_shows_todays_videos_together_with_the_limit(
    person_videos: int | None, ids: list[str]
) -> None:
    limits = Limits(person_videos=person_videos)
    left = Left.of(Usage(), limits, now=0.0)
    assert [fact.id for fact in replies.quota(left, Usage(), limits)] == ids


def test_the_quota_shows_possibly_paid_videos_beside_finished_ones() -> None:
    usage, limits = Usage(person_videos=1, person_paid=4), Limits(person_videos=3)
    facts = replies.quota(Left.of(usage, limits, now=0.0), usage, limits)
    assert [say(fact, "en") for fact in facts[:2]] == [
        "Used today: 1 of 3 videos",
        (
            "3 more orders may have cost money. "
            "You can have at most 5 a day, together with your videos."
        ),
    ]
    assert facts[2].count == 1, "of the two that the limit leaves"


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        (Reason.BY_PERSON, "Cancelled."),
        (Reason.BY_ADMIN, "An admin or the operator cancelled this order."),
        (Reason.UNANSWERED, "Withdrawn: I could not tell you here that I had your order."),
        (
            Reason.SENT_AWAY,
            "Withdrawn: I was removed from that chat before your video was started.",
        ),
    ],
)
def test_the_card_of_a_cancelled_job_says_why_it_was_cancelled(reason: Reason, why: str) -> None:
    card = cards.card(job(status=Status.CANCELLED, reason=reason))
    assert say(card.text, "en") == f"{why} Nothing was sent, so nothing counts."


def test_without_any_limit_the_quota_says_unlimited() -> None:
    limits = Limits(person_videos=None, community_videos=None, purse_videos=None)
    assert replies.quota(None, Usage(), limits)[0].id == "quota.unlimited"


@pytest.mark.parametrize(
    ("used", "most", "words"),
    [
        (1, 1, "Used today: 1 of 1 video"),
        (1, 2, "Used today: 1 of 2 videos"),
        (0, None, "Used today: 0 videos"),
        (1, None, "Used today: 1 video"),
        (2, None, "Used today: 2 videos"),
    ],
)
def test_the_quota_uses_singular_and_plural_of_video_correctly(
    used: int, most: int | None, words: str
) -> None:
    limits = Limits(person_videos=most, person_at_once=None)
    left = Left(videos=1, resets_at=0.0)
    assert say(replies.quota(left, Usage(person_videos=used), limits)[0], "en") == words
    unlimited = say(replies.quota(None, Usage(person_videos=used), limits)[0], "en")
    assert unlimited == f"Used today: {used} video{'' if used == 1 else 's'}. There is no limit."
