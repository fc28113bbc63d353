"""The content of a message besides its text: used where possible, and never ignored in favour of
the text alone.
"""

from collections.abc import Awaitable, Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from bot.core.orders import Kind
from bot.core.updates import Update
from tests.e2e.world import png
from tests.fakes.telegram import Chat, Item, Message
from tests.unit.core.orders import CATALOG, KEY_FRAMES, WAN_PICTURE, offering
from tests.unit.platforms.telegram.conftest import Lobby

MOVES = "That picture already moves"
FILE = {"file_id": "f", "file_unique_id": "u", "width": 9, "height": 9, "file_size": 9}
LIVE = FILE | {"duration": 2}
CHAT = {"id": 5, "type": "private", "first_name": "Bob"}
STORY = {"chat": CHAT, "id": 3}
PLACE = {"latitude": 1.0, "longitude": 2.0}
LINK = "that is a link"
POLL = {
    "id": "1",
    "question": "?",
    "options": [],
    "total_voter_count": 0,
    "type": "regular",
    **dict.fromkeys(("is_closed", "is_anonymous", "allows_multiple_answers"), False),
    **dict.fromkeys(("allows_revoting", "members_only"), False),
}

Sends = Callable[[Lobby], Awaitable[Message]]


async def with_parts(lobby: Lobby, said: Message, *path: str, **parts: Any) -> str:
    """Return the answer to a message in whose update these parts are added, or replace the text."""
    data = deepcopy(lobby.fake.updates.of(said).json)
    value = data["message"]
    for key in path:
        value = value[key]
    if path:
        value.pop("text", None)
    value.update(parts)
    await lobby.commands.handle(Update(id=1, lane="", data=data, received_at=lobby.clock.now()))
    return lobby.answer(said).text


SENT: dict[str, tuple[Sends, str]] = {
    "video": (lambda lobby: lobby.ann.sends_video(b"video"), MOVES),
    "animation": (lambda lobby: lobby.ann.sends_animation(b"video"), MOVES),
    "video sticker": (lambda lobby: lobby.ann.sends_sticker(b"video", kind="video"), MOVES),
    "TIFF": (lambda lobby: lobby.ann.sends_document(b"II*", "a.tiff", mime_type="image/tiff"), ""),
    "heavy": (
        lambda lobby: lobby.ann.sends_document(png(), "cat.png", size=15_000_000),
        "That picture is 15.0 MB",
    ),
    "link": (lambda lobby: lobby.ann.says("https://example.com/cat.jpg"), LINK),
    "link in words": (lambda lobby: lobby.ann.says("look at https://example.com/cat"), LINK),
}


@pytest.mark.parametrize("shown", SENT)
async def test_a_video_command_in_reply_to_a_file_that_is_no_picture_is_refused(
    lobby: Lobby, shown: str
) -> None:
    sends, sentence = SENT[shown]
    said = await lobby.ann.says("/video make it dance", reply_to=await sends(lobby))
    await lobby.hear(said)
    assert sentence in lobby.answer(said).text
    assert await lobby.jobs() == []


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"live_photo": LIVE}, MOVES),
        ({"video_note": {**FILE, "length": 9, "duration": 2}}, MOVES),
        ({"story": STORY}, "that is a story"),
        ({"paid_media": {"star_count": 1, "paid_media": []}}, "that one has to be bought"),
        ({"game": {"title": "g", "description": "d", "photo": [FILE]}}, "that is a game"),
        ({"dice": {"emoji": "🎲", "value": 3}}, "that is an emoji"),
        ({"location": PLACE}, "that is a place"),
        (
            {"text": "🐱", "entities": [{"type": "custom_emoji", "offset": 0, "length": 2}]},
            "that is an emoji",
        ),
        ({"text": "cats.com", "entities": [{"type": "url", "offset": 0, "length": 8}]}, LINK),
        (
            {
                "text": "this cat",
                "entities": [
                    {"type": "text_link", "offset": 5, "length": 3, "url": "https://a.example"}
                ],
            },
            LINK,
        ),
        ({"text": "see", "link_preview_options": {"url": "https://a.example"}}, LINK),
    ],
)
async def test_a_video_command_in_reply_to_content_that_only_telegram_has_is_refused(
    lobby: Lobby, parts: dict[str, Any], sentence: str
) -> None:
    said = await lobby.ann.says("/video make it dance", reply_to=await lobby.ann.says("x"))
    assert sentence in await with_parts(lobby, said, "reply_to_message", **parts)
    assert await lobby.jobs() == []


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"reply_to_story": STORY}, "that is a story"),
        (
            {"external_reply": {"origin": {"type": "hidden_user", "date": 1,
                                           "sender_user_name": "Bob"}, "story": STORY}},
            "that is a story",
        ),
        ({"quote": {"text": "https://a.example/cat", "position": 0}}, LINK),
    ],
)  # fmt: skip
async def test_a_video_command_that_points_at_a_story_or_another_chat_is_refused(
    lobby: Lobby, parts: dict[str, Any], sentence: str
) -> None:
    said = await lobby.ann.says("/video make it dance")
    assert sentence in await with_parts(lobby, said, **parts)
    assert await lobby.jobs() == []


async def test_a_video_command_with_an_unusable_file_or_a_link_of_its_own_is_refused(
    lobby: Lobby,
) -> None:
    caption = "/video make it dance"
    heavy = await lobby.ann.sends_document(png(), "cat.png", size=15_000_000, caption=caption)
    for said, sentence in (
        (heavy, "That picture is 15.0 MB"),
        (await lobby.ann.sends_video(b"video", caption=caption), MOVES),
        (await lobby.ann.says("/video make it dance: https://a.example/cat"), LINK),
        (await lobby.ann.sends_sound(caption="/video a cat"), "A sound needs a picture"),
    ):
        await lobby.hear(said)
        assert sentence in lobby.answer(said).text
        await lobby.clock.advance(60)
    assert await lobby.jobs() == []


async def test_an_answer_or_a_proposal_with_an_unusable_file_is_refused(lobby: Lobby) -> None:
    asked = await lobby.ann.says("/video")
    await lobby.hear(asked)
    answer = await lobby.ann.says("https://a.example/cat", reply_to=lobby.answer(asked))
    await lobby.hear(answer)
    assert LINK in lobby.answer(answer).text
    draft = await lobby.ann.says("make it dance", reply_to=await lobby.ann.sends_video(b"video"))
    await lobby.hear(draft)
    assert lobby.answer(draft).text.startswith(MOVES)
    assert await lobby.jobs() == []


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"text": "a cat, e.g. from cats.com",
         "entities": [{"type": "url", "offset": 17, "length": 8}]},
        {"poll": POLL},
        {"contact": {"phone_number": "1", "first_name": "Bob"}},
    ],
)  # fmt: skip
async def test_a_video_command_in_reply_to_a_text_is_an_order_of_the_prompt_alone(
    lobby: Lobby, parts: dict[str, Any]
) -> None:
    """A negative control: a reply to talk is no reply to a file."""
    said = await lobby.ann.says("/video a cat", reply_to=await lobby.ann.says("what about cats?"))
    data = deepcopy(lobby.fake.updates.of(said).json)
    data["message"]["reply_to_message"].update(parts)
    await lobby.commands.handle(Update(id=1, lane="", data=data, received_at=lobby.clock.now()))
    (job,) = await lobby.jobs()
    assert (job.order.wish.prompt, job.order.pictures) == ("a cat", ())


async def test_the_photo_of_a_live_photo_is_used(lobby: Lobby) -> None:
    said = await lobby.ann.says("/video it waves", reply_to=await lobby.ann.says("x"))
    data = deepcopy(lobby.fake.updates.of(said).json)
    target = data["message"]["reply_to_message"]
    del target["text"]
    target["live_photo"] = LIVE | {"photo": [FILE | {"file_id": "still"}]}
    await lobby.commands.handle(Update(id=1, lane="", data=data, received_at=lobby.clock.now()))
    (job,) = await lobby.jobs()
    assert [each.source for each in job.order.pictures] == ["still"]


# --- two pictures ---------------------------------------------------------------------------------


@pytest.fixture
def joining(lobby: Lobby) -> Lobby:
    """Return a lobby with a model that takes a first and a last frame."""
    both = replace(CATALOG, models=(WAN_PICTURE, KEY_FRAMES))
    lobby.service.accounts = offering(both, lobby.service.accounts)
    return lobby


@pytest.mark.parametrize("command", ["/animate", "/video they meet"])
async def test_a_picture_sent_in_reply_to_a_picture_becomes_the_last_frame(
    joining: Lobby, command: str
) -> None:
    earlier = await joining.ann.sends_document(png(), "cat.png")
    said = await joining.ann.sends_document(png(), "dog.png", caption=command, reply_to=earlier)
    await joining.hear(said)
    (job,) = await joining.jobs()
    assert [each.filename for each in job.order.pictures] == ["cat.png", "dog.png"]
    assert job.request.kind is Kind.KEY_FRAMES


async def test_a_proposal_of_a_picture_in_reply_to_a_picture_has_first_and_last_frame(
    joining: Lobby,
) -> None:
    earlier = await joining.ann.sends_document(png(), "cat.png")
    said = await joining.ann.sends_document(png(), "dog.png", reply_to=earlier)
    await joining.hear(said)
    await joining.hear(await joining.ann.presses(joining.answer(said), "Go"))
    (job,) = await joining.jobs()
    assert [each.filename for each in job.order.pictures] == ["cat.png", "dog.png"]


async def test_two_pictures_are_refused_at_once_where_no_model_takes_two(lobby: Lobby) -> None:
    earlier = await lobby.ann.sends_photo(png())
    said = await lobby.ann.sends_photo(png(), caption="/animate", reply_to=earlier)
    await lobby.hear(said)
    assert "goes from one picture to another. Please send me one picture" in lobby.answer(said).text
    assert await lobby.jobs() == []


async def test_an_album_of_two_in_reply_to_a_picture_counts_as_three_pictures(
    joining: Lobby,
) -> None:
    earlier = await joining.ann.sends_photo(png())
    items = [Item(content=png(), caption="/animate"), Item(content=png())]
    first, *others = await joining.ann.sends_album(items, reply_to=earlier)
    await joining.hear_together(first, *others)
    assert joining.answer(first).text.startswith("No model here keeps"), (
        "that is for three pictures"
    )
    assert await joining.jobs() == []


@pytest.mark.parametrize("shown", SENT)
async def test_a_picture_in_reply_to_another_file_is_refused_and_in_reply_to_a_link_is_an_order(
    lobby: Lobby, shown: str
) -> None:
    sends, sentence = SENT[shown]
    target = await sends(lobby)
    said = await lobby.ann.sends_photo(png(), caption="/animate", reply_to=target)
    await lobby.hear(said)
    if sentence == LINK:
        (job,) = await lobby.jobs()
        assert len(job.order.pictures) == 1
    else:
        assert sentence in lobby.answer(said).text
        assert lobby.answer(said).text.endswith("send me yours without the reply.")
        assert await lobby.jobs() == []


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("elsewhere", [True, False])
async def test_an_order_in_reply_to_an_unknown_kind_of_message_is_refused(
    lobby: Lobby, *, own: bool, elsewhere: bool
) -> None:
    target = await lobby.ann.says("x")
    if own:
        said = await lobby.ann.sends_photo(png(), caption="/animate", reply_to=target)
    else:
        said = await lobby.ann.says("/video it waves", reply_to=target)
    data = deepcopy(lobby.fake.updates.of(said).json)
    pointed_at = data["message"].pop("reply_to_message")
    del pointed_at["text"]
    if elsewhere:
        data["message"]["external_reply"] = {"origin": ANNS} | HOLOGRAM
    else:
        data["message"]["reply_to_message"] = pointed_at | HOLOGRAM
    await lobby.commands.handle(Update(id=1, lane="", data=data, received_at=lobby.clock.now()))
    assert len(lobby.fake.posts(said.chat)) == 1
    assert await lobby.jobs() == []


@pytest.mark.parametrize("own", [True, False])
async def test_an_order_with_a_picture_ignores_an_invisible_message_it_replies_to(
    lobby: Lobby, *, own: bool
) -> None:
    target = await lobby.ann.says("x")
    if own:
        said = await lobby.ann.sends_photo(png(), caption="/animate", reply_to=target)
    else:
        said = await lobby.ann.says("/animate", reply_to=target)
    data = deepcopy(lobby.fake.updates.of(said).json)
    del data["message"]["reply_to_message"]["text"]
    await lobby.commands.handle(Update(id=1, lane="", data=data, received_at=lobby.clock.now()))
    value = [each.text.split(".")[0] for each in lobby.fake.posts(said.chat)]
    assert (len(await lobby.jobs()), value) == ((1, []) if own else (0, ["I can't see a picture"]))


async def test_a_reply_to_a_text_with_an_unknown_part_is_an_order(lobby: Lobby) -> None:
    said = await lobby.ann.says("/video it waves", reply_to=await lobby.ann.says("x"))
    data = deepcopy(lobby.fake.updates.of(said).json)
    data["message"]["reply_to_message"] |= HOLOGRAM
    await lobby.commands.handle(Update(id=1, lane="", data=data, received_at=lobby.clock.now()))
    (job,) = await lobby.jobs()
    assert job.order.wish.prompt == "it waves"


@pytest.mark.parametrize(
    "captions", [("/animate they meet", "slowly"), ("slowly", "/animate they meet")]
)
async def test_the_captions_of_all_pictures_of_an_album_make_the_prompt(
    joining: Lobby, captions: tuple[str, str]
) -> None:
    items = [Item(content=png(), caption=caption) for caption in captions]
    first, *others = await joining.ann.sends_album(items)
    await joining.hear_together(first, *others)
    (job,) = await joining.jobs()
    assert (job.order.wish.prompt, len(job.order.pictures)) == ("they meet slowly", 2)


async def test_the_captions_of_all_pictures_of_an_album_count_in_its_proposal(
    joining: Lobby,
) -> None:
    items = [Item(content=png(), caption="they meet"), Item(content=png(), caption="--seconds 10")]
    first, *others = await joining.ann.sends_album(items)
    await joining.hear_together(first, *others)
    value = joining.answer(first).text
    assert "they meet" in value
    assert "10 s" in value


# --- in private every message is answered ---------------------------------------------------------

UNREADABLE = "I can't read all of that message yet, so I have done nothing."
HANDED_ON = "That message was forwarded, or written with another bot"
HELP = "write what you would like to see"
VOICE = {"file_id": "v", "file_unique_id": "u", "duration": 1}
GAME = {"title": "g", "description": "d", "photo": [FILE]}
HOLOGRAM = {"hologram": {"file_id": "f"}}
ANNS = {"type": "hidden_user", "date": 1, "sender_user_name": "Ann"}
OTHER_BOT = {"id": 9, "is_bot": True, "first_name": "gifs"}
PRIVATE: dict[str, tuple[dict[str, Any], str]] = {
    "poll": ({"poll": POLL}, HELP),
    "contact": ({"contact": {"phone_number": "1", "first_name": "Bob"}}, HELP),
    "checklist": ({"checklist": {"title": "t", "tasks": []}}, HELP),
    "location": ({"location": PLACE}, "that is a place"),
    "venue": ({"venue": {"location": PLACE, "title": "t", "address": "a"}}, "that is a place"),
    "dice": ({"dice": {"emoji": "🎲", "value": 3}}, "that is an emoji"),
    "game": ({"game": GAME}, "that is a game"),
    "story": ({"story": STORY}, "that is a story"),
    "paid media": (
        {"paid_media": {"star_count": 1, "paid_media": []}},
        "that one has to be bought",
    ),
    "round video": ({"video_note": {**FILE, "length": 9, "duration": 2}}, MOVES),
    "voice": ({"voice": VOICE}, "A sound needs a picture"),
    "unknown kind": (HOLOGRAM, UNREADABLE),
    "unknown kind with a caption": (HOLOGRAM | {"caption": "make it dance"}, UNREADABLE),
    "unknown kind with a command": (
        HOLOGRAM
        | {
            "caption": "/animate",
            "caption_entities": [{"type": "bot_command", "offset": 0, "length": 8}],
        },
        UNREADABLE,
    ),
    "forwarded words": ({"text": "a cat", "forward_origin": ANNS}, HANDED_ON),
    "forwarded video": ({"video": LIVE, "forward_origin": ANNS}, MOVES),
    "forwarded GIF": ({"animation": LIVE, "forward_origin": ANNS}, MOVES),
    "forwarded voice": ({"voice": VOICE, "forward_origin": ANNS}, "Here I use only sounds"),
    "forwarded place": ({"location": PLACE, "forward_origin": ANNS}, HANDED_ON),
    "forwarded poll": ({"poll": POLL, "forward_origin": ANNS}, HANDED_ON),
    "forwarded story": ({"story": STORY, "forward_origin": ANNS}, HANDED_ON),
    "forwarded unknown kind": (HOLOGRAM | {"forward_origin": ANNS}, HANDED_ON),
    "by another bot": ({"text": "a cat", "via_bot": OTHER_BOT}, HANDED_ON),
}


async def answers(lobby: Lobby, chat: Chat | None, parts: dict[str, Any]) -> list[str]:
    """Return every answer to a message whose update has these parts instead of a text."""
    said = await lobby.ann.says("x", chat=chat)
    data = deepcopy(lobby.fake.updates.of(said).json)
    del data["message"]["text"]
    data["message"].update(parts)
    await lobby.commands.handle(Update(id=1, lane="", data=data, received_at=lobby.clock.now()))
    return [each.text for each in lobby.fake.posts(said.chat)]


@pytest.mark.parametrize("kind", PRIVATE)
async def test_in_private_every_kind_of_message_is_answered_once_with_what_to_do(
    lobby: Lobby, kind: str
) -> None:
    parts, sentence = PRIVATE[kind]
    (value,) = await answers(lobby, None, parts)
    assert sentence in value
    assert await lobby.jobs() == []


@pytest.mark.parametrize("kind", PRIVATE)
async def test_in_a_group_a_message_that_does_not_address_the_bot_gets_no_answer(
    lobby: Lobby, kind: str
) -> None:
    club = lobby.fake.supergroup("club", lobby.ann)
    lobby.fake.promote(club, lobby.fake.bot)
    value = await answers(lobby, club, PRIVATE[kind][0])
    assert [UNREADABLE in each for each in value] == [True] * (
        kind == "unknown kind with a command"
    )


@pytest.mark.parametrize(
    "parts",
    [
        {"pinned_message": {"message_id": 4, "date": 1, "chat": CHAT, "text": "hi"}},
        {"message_auto_delete_timer_changed": {"message_auto_delete_time": 60}},
        {"text": "a cat", "from": OTHER_BOT},
        {"text": "a cat", "from": OTHER_BOT, "forward_origin": ANNS},
    ],
)
async def test_service_messages_and_other_bots_get_no_answer(
    lobby: Lobby, parts: dict[str, Any]
) -> None:
    """A negative control: two bots that answer each other would never stop."""
    assert await answers(lobby, None, parts) == []


async def test_a_start_command_that_arrives_an_hour_late_is_answered(lobby: Lobby) -> None:
    said = await lobby.ann.says("/start")
    data = deepcopy(lobby.fake.updates.of(said).json)
    late = lobby.clock.now() + 3600
    await lobby.commands.handle(Update(id=1, lane="", data=data, received_at=late))
    assert lobby.answer(said).text.startswith("I was away when you wrote this.")
