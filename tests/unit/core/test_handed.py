"""Files that come with a wish: either all of them are used, or the order is refused."""

import pytest

from bot.core import replies
from bot.core.errors import Refused, in_turn
from bot.core.handed import beside, one_of, parted
from bot.core.orders import Given
from bot.i18n import say
from tests.unit.core.orders import CAT, SONG


def test_files_are_split_into_pictures_and_a_sound_in_their_order() -> None:
    dog = type(CAT)(source="f2", filename="dog.png", size=9)
    assert parted([CAT, SONG, dog]) == ((CAT, dog), None, SONG)
    assert parted([]) == ((), None, None)


def test_two_sounds_for_one_order_are_refused() -> None:
    with pytest.raises(Refused, match="too_many_sounds"):
        parted([CAT, SONG, SONG])


@pytest.mark.parametrize(
    ("code", "of_several"),
    [
        ("no_picture", "file_unused"),
        ("no_sound", "file_unused"),
        ("moves_already", "video_unused"),
        ("picture_kind", "picture_kind"),
    ],
)
@pytest.mark.parametrize("in_reply", [False, True])
def test_the_file_that_cannot_be_used_is_named_with_what_to_do(
    code: str, of_several: str, *, in_reply: bool
) -> None:
    def read(word: str) -> Given:
        if word == "bad":
            raise Refused(code, kind="PDF")
        return CAT

    assert in_turn(read, ["good", "good"], within=one_of) == [CAT, CAT]
    for files, number in ((["good", "bad"], "I mean picture number 2 of 2."), (["bad"], "")):
        with pytest.raises(Refused) as caught, beside([CAT] if in_reply else []):
            in_turn(read, files, within=one_of)
        told = say(replies.error(caught.value).text, "en")
        assert number in told
        assert told.endswith("send me yours without the reply.") == in_reply
        assert caught.value.code == (of_several if number else code)
        assert not told.startswith("error.")
