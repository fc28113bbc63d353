"""Telegram texts: entities count in UTF-16, nothing exceeds the limits, and strangers' words stay
plain.
"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import cards, presses, replies
from bot.core.cards import Timing
from bot.core.jobs import Status, Video
from bot.core.replies import Action, Button, Left, Reply, Text
from bot.platforms.telegram import messages, videos
from bot.platforms.telegram.messages import IN_A_ROW, MOST_CAPTION, MOST_TEXT, Rendered
from tests.unit.core.orders import changed, job


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def cut(rendered: Rendered, kind: str) -> list[str]:
    """Return the texts under entities of one kind."""
    return [each.extract_from(rendered.text) for each in rendered.entities if each.type == kind]


def test_a_card_on_telegram_shows_progress_times_and_the_silence_button() -> None:
    card = cards.card(
        job(status=Status.IN_PROGRESS, progress=50),
        Timing(ready_at=1_768_478_460.0),
        left=Left(videos=2, resets_at=1_768_521_600.0),
    )
    rendered = messages.rendered(card, "en", name="Ann")
    assert "▰▰▰▰▰▰▱▱▱▱▱▱  50 %" in rendered.text
    assert cut(rendered, "blockquote") == ["a cat"]
    times = [each for each in rendered.entities if each.type == "date_time"]
    assert [(each.unix_time, each.date_time_format) for each in times] == [
        (1_768_478_460, "r"),
        (1_768_521_600, "r"),
    ]
    assert rendered.keyboard is not None
    assert [key.callback_data for row in rendered.keyboard.inline_keyboard for key in row] == [
        "v1:silence:aaaabbbbccccdddd"
    ]


def test_a_result_on_telegram_mentions_its_person_by_name() -> None:
    done = job(order=changed(job().order, person=replace(job().order.call.person, id="7")))
    rendered = messages.rendered(replies.result(done), "en", name="Ann 🐱 Lee", caption=True)
    (mention,) = [each for each in rendered.entities if each.type == "text_mention"]
    assert mention.user is not None
    assert (mention.user.id, mention.extract_from(rendered.text)) == (7, "Ann 🐱 Lee")


def test_the_original_file_button_has_a_row_of_its_own() -> None:
    done = job(video=Video(key="videos/a.mp4", size=1, width=16, height=9, seconds=5.0))
    said = replies.result(done, ways=(Button(action=Action.CONTINUE, about=done.id),))
    keys = videos.caption(done, said).keyboard
    assert keys is not None
    *others, last = keys.inline_keyboard
    assert [key.callback_data for key in last] == [f"v1:original:{done.id}"]
    assert len(others[-1]) < IN_A_ROW, "negative control: it would have had room there"


def test_a_result_for_a_chat_that_wrote_as_itself_names_it_without_a_mention() -> None:
    reply = Reply(text=Text(id="result.ready", values={"person": "-100"}))
    rendered = messages.rendered(reply, "en", name="Club")
    assert rendered.text.startswith("Club,")
    assert rendered.entities == []


@given(prompt=st.text(min_size=1, max_size=3000), name=st.text(min_size=1, max_size=80))
def test_no_text_that_people_write_makes_a_message_too_long(prompt: str, name: str) -> None:
    prompt = prompt.encode("utf-8", "ignore").decode()
    reply = replace(replies.result(job()), prompt=prompt or "x")
    for caption, most in ((True, MOST_CAPTION), (False, MOST_TEXT)):
        rendered = messages.rendered(
            reply, "en", name=name.encode("utf-8", "ignore").decode(), caption=caption
        )
        assert units(rendered.text) <= most
        assert all(each.offset + each.length <= units(rendered.text) for each in rendered.entities)


@pytest.mark.parametrize(
    "words", ["*b*", "<b>", "[a](http://x)", "@everyone", "\x02r:1\x03", "/start"]
)
def test_words_of_strangers_never_become_markup(words: str) -> None:
    rendered = messages.rendered(replace(cards.card(job()), prompt=words), "en", name="Ann")
    assert cut(rendered, "blockquote") == [words.replace("\x02", "").replace("\x03", "")]
    assert {each.type for each in rendered.entities} == {"blockquote"}


def test_every_telegram_button_fits_into_64_bytes_and_is_read_back_unchanged() -> None:
    rendered = messages.rendered(replies.result(job()), "en", name="Ann", caption=True)
    assert rendered.keyboard is not None
    for row in rendered.keyboard.inline_keyboard:
        for key in row:
            assert key.callback_data is not None
            assert len(key.callback_data.encode()) <= 64
            found = presses.CODE.fullmatch(key.callback_data)
            assert found is not None
            assert found["about"] == "aaaabbbbccccdddd"
