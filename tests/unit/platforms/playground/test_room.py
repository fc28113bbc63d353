"""The room's history: everything it showed is there after a restart, and nothing twice."""

import asyncio
import json
import re
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import Broken
from bot.platforms.playground.room import Attachment, Message, Room


def now() -> float:
    return 1_000.5


async def opened(file: Path) -> Room:
    room = Room(file, now=now)
    await room.load()
    return room


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "history.jsonl"


async def test_a_room_with_a_new_history_has_no_messages(file: Path) -> None:
    assert (await opened(file)).messages == []


async def test_room_posts_edits_and_deletes_outlast_the_process(file: Path) -> None:
    room = await opened(file)
    cat = Attachment(name="c.png", filename="cat.png", size=9, width=4, height=3)
    first = await room.post(author="ann", nonce="n1", text="a “cat”\n…", picture=cat)
    card = await room.post(
        author="zoetrope", nonce="n2", look={"text": ["Taken."]}, about="card:j", reply_to=first.id
    )
    gone = await room.post(author="bob", nonce="n3", text="wow")
    assert await room.edit(card.id, {"text": ["Done."]})
    assert await room.delete(gone.id) == gone
    again = await opened(file)
    assert again.messages == room.messages
    assert [each.text for each in again.messages] == ["a “cat”\n…", ""]
    assert again.find("card:j") == again.get(card.id)
    assert again.messages[0] == first


async def test_a_nonce_of_a_room_message_is_remembered_for_ever(file: Path) -> None:
    first = await (await opened(file)).post(author="ann", nonce="n1", text="a cat")
    again = await opened(file)
    assert await again.post(author="ann", nonce="n1", text="another") == first
    await again.delete(first.id)
    after = await opened(file)
    assert await after.post(author="ann", nonce="n1", text="a third") == first
    assert after.messages == []


async def test_the_id_of_a_deleted_room_message_is_not_used_again(file: Path) -> None:
    room = await opened(file)
    first = await room.post(author="ann", nonce="n1", text="a")
    await room.delete(first.id)
    second = await (await opened(file)).post(author="ann", nonce="n2", text="b")
    assert second.id != first.id


async def test_ids_of_a_history_that_was_moved_away_are_not_used_again(file: Path) -> None:
    first = await (await opened(file)).post(author="ann", nonce="n1", text="a")
    file.rename(file.with_name("elsewhere"))
    anew = await (await opened(file)).post(author="ann", nonce="n2", text="b")
    assert anew.id != first.id
    assert re.fullmatch(r"[0-9a-z-]+", anew.id), "the page finds it by #m…"


async def test_a_history_written_by_an_earlier_version_is_continued(file: Path) -> None:
    former = {"id": "7", "author": "ann", "at": 1.5, "nonce": "n1", "text": "a cat"}
    file.write_text(json.dumps({"type": "post", "message": former}) + "\n")
    room = await opened(file)
    await room.post(author="ann", nonce="n2", text="a dog")
    assert [(each.id, each.text) for each in room.messages] == [("7", "a cat"), ("8", "a dog")]
    assert (await opened(file)).messages == room.messages


async def test_twenty_posts_at_once_with_one_nonce_are_one_message(file: Path) -> None:
    room = await opened(file)
    said = await asyncio.gather(
        *(room.post(author="ann", nonce="n", text=str(number)) for number in range(20))
    )
    assert len({each.id for each in said}) == 1
    assert len(file.read_text().splitlines()) == 1 + 1


async def test_a_cancelled_post_is_still_written_to_the_history(file: Path) -> None:
    room = await opened(file)
    saying = asyncio.create_task(room.post(author="ann", nonce="n", text="a cat"))
    await asyncio.sleep(0)
    saying.cancel()
    await asyncio.gather(saying, return_exceptions=True)
    assert (await room.post(author="ann", nonce="n", text="again")).text == "a cat"
    assert (await opened(file)).messages == room.messages


async def test_a_last_line_of_the_history_that_was_cut_short_is_ignored(file: Path) -> None:
    room = await opened(file)
    await room.post(author="ann", nonce="n1", text="a cat")
    whole = file.read_bytes()
    await room.post(author="ann", nonce="n2", text="a dog")
    line = file.read_bytes()[len(whole) :]
    for cut in range(1, len(line) - 1):
        file.write_bytes(whole + line[:cut])
        again = await opened(file)
        assert [each.text for each in again.messages] == ["a cat"]
    await again.post(author="ann", nonce="n3", text="a fox")
    assert [each.text for each in (await opened(file)).messages] == ["a cat", "a fox"]


async def test_a_message_cut_short_by_a_full_disk_is_not_in_the_history(file: Path) -> None:
    room = await opened(file)
    await room.post(author="ann", nonce="n1", text="a cat")
    with full_disk(file, room_for=40), pytest.raises(OSError, match="too large"):
        await room.post(author="ann", nonce="n2", text="a dog")
    for nonce in ("n2", "n3"):
        await room.post(author="ann", nonce=nonce, text="a fox")
    assert [each.text for each in room.messages] == ["a cat", "a fox", "a fox"]
    assert (await opened(file)).messages == room.messages


@contextmanager
def full_disk(file: Path, *, room_for: int) -> Iterator[None]:
    """Stop every file of this process from growing beyond this file and `room_for` bytes."""
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + room_for, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))


NAMELESS = '{"type": "post", "message": {"id": "x", "author": "ann", "at": 1, "nonce": "n"}}'


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"type": "post"}', '{"type": "post", "message": {}}', NAMELESS]
)
async def test_a_damaged_history_is_reported_with_its_line(file: Path, line: str) -> None:
    await (await opened(file)).post(author="ann", nonce="n1", text="a cat")
    file.write_text(file.read_text() + line + "\n")
    with pytest.raises(Broken) as caught:
        await opened(file)
    assert (caught.value.code, caught.value.values["line"]) == ("room_damaged", 3)


async def test_listeners_get_only_events_that_change_a_visible_message(file: Path) -> None:
    room = await opened(file)
    message = await room.post(author="ann", nonce="n1", look={"a": 1})
    with room.listening() as events:
        await room.edit(message.id, {"a": 1})
        await room.edit("99", {"a": 2})
        await room.delete("99")
        await room.edit(message.id, {"a": 2})
        await room.delete(message.id)
    heard = [events.get_nowait() for _ in range(events.qsize())]
    assert [(each.type, each.message.look) for each in heard] == [
        ("edit", {"a": 2}),
        ("delete", {"a": 2}),
    ]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("post"), st.sampled_from("abcd"), st.text(max_size=5)),
        st.tuples(st.just("edit"), st.sampled_from("123456"), st.text(max_size=5)),
        st.tuples(st.just("delete"), st.sampled_from("123456"), st.none()),
    ),
    max_size=15,
)


@pytest.mark.proof
@given(steps=STEPS)
def test_after_any_series_of_events_the_reopened_history_is_the_same(
    steps: list[Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("room") / "history.jsonl"

    async def live() -> tuple[list[Message], list[Message]]:
        room = await opened(file)
        first = json.loads(file.read_text())["room"] + "-"
        for step, what, text in steps:
            match step:
                case "post":
                    await room.post(author="ann", nonce=what, text=text, look={"n": what})
                case "edit":
                    await room.edit(first + what, {"text": text})
                case _:
                    await room.delete(first + what)
        return room.messages, (await opened(file)).messages

    before, after = asyncio.run(live())
    assert before == after
