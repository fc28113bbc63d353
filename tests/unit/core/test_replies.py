"""A card's words on its job, and how long they stay true."""

from dataclasses import replace

import pytest

from bot.core import cards, replies
from bot.core.jobs import ACTIVE, Reason, Status, Video
from bot.core.orders import Fit, Recording, Still
from bot.core.quotas import Limits, Usage
from bot.core.replies import Left, Text
from bot.i18n import say
from tests.unit.core.orders import CAT, SONG, changed, job, order

LEFT = Left(videos=2, resets_at=86_400.0)


def test_a_card_says_what_is_not_to_be_seen() -> None:
    """A flag may take more words than somebody meant."""
    card = cards.card(job(order=changed(order(), negative_prompt="blur hands")))
    assert "Without: blur hands" in [say(each, "en") for each in card.facts]
    assert "fact.negative" not in [each.id for each in cards.card(job()).facts]


@pytest.mark.parametrize("status", Status)
def test_every_card_tells_what_is_left_and_until_when(status: Status) -> None:
    """A card that is over is not edited again, so it speaks of then, not of now."""
    card = cards.card(job(status=status), left=LEFT)
    now = Text(id="fact.left", values={"resets_at": LEFT.resets_at}, count=2)
    then = Text(id="fact.left_then", values={"until": LEFT.resets_at}, count=2)
    assert card.facts[-1] == (now if status in ACTIVE else then)


def test_a_card_tells_a_video_that_was_kept_for_its_time_from_one_that_was_deleted() -> None:
    gone = cards.card(job(status=Status.DELIVERED, ended_at=1.0, video_gone_at=2.0))
    deleted = cards.card(job(status=Status.DELIVERED))
    assert (gone.text.id, deleted.text.id) == ("card.delivered_gone", "card.deleted")


def test_the_card_of_a_video_says_what_was_left_after_it() -> None:
    video = Video(key="a.mp4", size=9, width=16, height=9, seconds=5.0)
    card = cards.card(job(status=Status.DELIVERED, video=video), left=LEFT)
    assert card.facts[-1].id == "fact.left_after"


def test_a_video_that_could_not_be_converted_is_said_to_be_as_it_was_made() -> None:
    video = Video(key="a.mkv", size=9, width=16, height=9, seconds=5.0, plays=False)
    facts = replies.result(job(status=Status.COMPLETED, video=video)).facts
    assert facts[-1] == Text(id="fact.not_converted")
    assert "this is the original file" in say(facts[-1], "en")
    small = replies.result(job(status=Status.COMPLETED, video=video), shrunk=True).facts
    assert "fact.not_converted" not in [each.id for each in small], "a smaller one is converted"


def test_where_nothing_is_limited_nothing_is_said_of_it() -> None:
    assert [fact.id for fact in cards.card(job(), left=None).facts] == ["fact.request"]


def test_a_card_says_what_is_being_fetched() -> None:
    wish = order(pictures=(CAT,), sound=SONG)
    pictured = replace(
        wish, pictures=(CAT.kept(Still(key="a.jpg", whole="b.jpg", width=640, height=360), Fit()),)
    )
    whole = replace(pictured, sound=SONG.kept(Recording(key="a.mp3", size=9, seconds=7.2)))
    said = [cards.card(replace(job(), order=it)).text.id for it in (wish, pictured, whole)]
    assert said == ["card.fetching", "card.fetching_sound", "card.queued"]


@pytest.mark.parametrize(
    ("person_videos", "ids"),
    [
        (None, ["quota.today", "fact.left", "quota.at_once"]),
        (3, ["quota.day", "fact.left", "quota.at_once"]),
    ],
)
def test_what_was_had_is_told_with_the_limit_that_there_is(
    person_videos: int | None, ids: list[str]
) -> None:
    limits = Limits(person_videos=person_videos)
    left = Left.of(Usage(), limits, now=0.0)
    assert [fact.id for fact in replies.quota(left, Usage(), limits)] == ids


def test_what_may_have_been_paid_for_is_told_besides_what_was_had() -> None:
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
        (Reason.BY_ADMIN, "Cancelled."),
        (Reason.UNANSWERED, "Withdrawn: I could not tell you here that I had your order."),
        (
            Reason.SENT_AWAY,
            "Withdrawn: I was removed from that chat before your video was started.",
        ),
    ],
)
def test_a_list_says_who_withdrew_a_job(reason: Reason, why: str) -> None:
    card = cards.card(job(status=Status.CANCELLED, reason=reason))
    assert say(card.text, "en") == f"{why} Nothing was sent, so nothing counts."


def test_without_any_limit_nothing_is_left() -> None:
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
def test_one_video_is_no_several(used: int, most: int | None, words: str) -> None:
    limits = Limits(person_videos=most, person_at_once=None)
    left = Left(videos=1, resets_at=0.0)
    assert say(replies.quota(left, Usage(person_videos=used), limits)[0], "en") == words
    unlimited = say(replies.quota(None, Usage(person_videos=used), limits)[0], "en")
    assert unlimited == f"Used today: {used} video{'' if used == 1 else 's'}. There is no limit."
