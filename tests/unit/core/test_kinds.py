"""The kind of an order: decided by its files and by what they are for."""

from typing import Any

import pytest

from bot.core.errors import Refused
from bot.core.handed import check_author, parted
from bot.core.kinds import kind_of
from bot.core.orders import ANYBODY, VIDEO_BYTES, Clip, Kind, Person, too_large
from bot.core.wishes import Use
from tests.unit.core.orders import CAT, SONG, order

DANCE = Clip(source="f9", filename="dance.mp4", size=9, seconds=4.0, author="ann")


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, Kind.TEXT),
        ({"pictures": (CAT,)}, Kind.PICTURE),
        ({"pictures": (CAT,), "use": Use.FRAMES}, Kind.PICTURE),
        ({"pictures": (CAT, CAT)}, Kind.KEY_FRAMES),
        ({"pictures": (CAT, CAT), "use": Use.FRAMES}, Kind.KEY_FRAMES),
        ({"pictures": (CAT,), "use": Use.CHARACTER}, Kind.REFERENCES),
        ({"pictures": (CAT, CAT), "use": Use.CHARACTER}, Kind.REFERENCES),
        ({"pictures": (CAT,) * 3}, Kind.REFERENCES),
        ({"pictures": (CAT,) * 10}, Kind.REFERENCES),
        ({"pictures": (CAT,), "sound": SONG}, Kind.SOUND),
        ({"pictures": (CAT,), "sound": SONG, "use": Use.FRAMES}, Kind.SOUND),
        ({"video": DANCE}, Kind.VIDEO),
        ({"video": DANCE, "use": Use.EDIT}, Kind.VIDEO),
        ({"video": DANCE, "use": Use.EXTEND}, Kind.EXTEND),
    ],
)
def test_the_files_and_their_use_decide_the_kind_of_an_order(
    changes: dict[str, Any], kind: Kind
) -> None:
    assert kind_of(order(**changes)) is kind


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"use": Use.FRAMES}, "frames_alone"),
        ({"use": Use.CHARACTER}, "character_alone"),
        ({"use": Use.EDIT}, "edit_alone"),
        ({"use": Use.EXTEND, "pictures": (CAT,)}, "extend_alone"),
        ({"use": Use.EDIT, "pictures": (CAT,), "sound": SONG}, "edit_alone"),
        ({"use": Use.FRAMES, "pictures": (CAT,) * 3}, "too_many_frames"),
        ({"pictures": (CAT,) * 11}, "too_many_pictures"),
        ({"sound": SONG}, "sound_alone"),
        ({"pictures": (CAT, CAT), "sound": SONG}, "sound_of_many"),
        ({"pictures": (CAT,), "sound": SONG, "use": Use.CHARACTER}, "sound_with_character"),
        ({"video": DANCE, "sound": SONG}, "video_with_sound"),
        ({"video": DANCE, "pictures": (CAT,)}, "video_with_pictures"),
        ({"video": DANCE, "use": Use.CHARACTER}, "video_no_picture"),
        ({"video": DANCE, "use": Use.FRAMES}, "video_no_picture"),
    ],
)
def test_files_that_do_not_go_together_are_refused_with_a_code_of_their_own(
    changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(Refused) as refused:
        kind_of(order(**changes))
    assert refused.value.code == code


def test_an_order_lists_its_pictures_then_the_video_then_the_sound() -> None:
    assert order(pictures=(CAT, CAT), video=DANCE, sound=SONG).files == (CAT, CAT, DANCE, SONG)
    assert order(video=DANCE).files == (DANCE,)


def test_the_video_is_parted_from_the_other_files_and_a_second_video_is_refused() -> None:
    assert parted([SONG, DANCE, CAT]) == ((CAT,), DANCE, SONG)
    with pytest.raises(Refused, match="too_many_videos"):
        parted([DANCE, DANCE])


@pytest.mark.parametrize(
    ("author", "code"),
    [("ann", None), (ANYBODY, None), ("bob", "not_your_video"), (None, "video_owner_unknown")],
)
def test_a_video_is_used_only_if_the_person_posted_it(author: str | None, code: str | None) -> None:
    clip = Clip(source="f9", filename="dance.mp4", size=9, author=author)
    if code is None:
        return check_author(clip, Person(id="ann", name="Ann"))
    with pytest.raises(Refused) as refused:
        check_author(clip, Person(id="ann", name="Ann"))
    assert refused.value.code == code
    return None


def test_a_video_with_too_many_bytes_is_refused_with_the_most_that_we_take() -> None:
    refused = too_large(DANCE, VIDEO_BYTES + 1)
    assert refused.code == "video_too_large"
    assert refused.values == {"megabytes": 100.000001, "most": 100}
