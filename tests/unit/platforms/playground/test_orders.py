"""Orders in the room: what the page shows, and what the rows hold."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.core.orders import Address, Kind, Person, Sound
from bot.core.posts import PostKind
from bot.core.quotas import Limits
from bot.platforms.playground import files
from bot.platforms.playground.room import Attachment
from tests.e2e.world import png
from tests.unit.core.orders import (
    KEY_FRAMES,
    SINGER,
    SINGING,
    WAN_PICTURE,
)
from tests.unit.platforms.playground.cards import card_of
from tests.unit.platforms.playground.conftest import Hall, open_hall, words
from tests.unit.platforms.playground.test_uploads import upload


async def test_a_prompt_in_the_room_becomes_an_order_answered_by_its_card(hall: Hall) -> None:
    async with hall.page() as page:
        card = await card_of(
            hall, page, nonce="one-wish", wish={"model": "sora", "seconds": "8", "aspect": "9:16"}
        )
        request = page.seen[0]["message"]
    assert (request["author"], request["text"], request["command"]) == ("ann", "a cat", "video")
    assert (card["author"], card["reply_to"]) == ("zoetrope", request["id"])
    assert card["look"]["text"] == ["Got it! Your video is in the queue."]
    job = await hall.jobs.get(card["look"]["job"])
    assert job is not None
    assert job.order.call.address == Address(
        platform="playground", channel="room", community="room", message=request["id"]
    )
    assert (job.order.call.person, job.order.call.event_id) == (
        Person(id="ann", name="Ann"),
        "ann:one-wish",
    )
    assert (job.order.wish.family, job.order.wish.seconds, job.order.wish.aspect) == (
        "sora",
        8,
        "9:16",
    )
    post = await hall.posts.get(job.id, PostKind.CARD)
    assert post is not None
    assert (post.message_id, post.channel_id, post.due_at) == (card["id"], "room", None)


async def test_an_order_sent_twice_with_the_same_nonce_is_one_job_even_after_a_restart(
    tmp_path: Path,
) -> None:
    seen = []
    for _ in range(2):
        async with open_hall(tmp_path) as hall, hall.page() as page:
            for _ in range(2):
                await page.say("a cat", nonce="the-same-nonce")
            seen += page.seen
            recent = await hall.jobs.recent("playground", "ann", most=9)
    assert len(recent) == 1
    assert [each["type"] for each in seen] == ["post", "post"]


async def test_a_room_whose_history_was_moved_away_takes_orders_and_posts_no_old_cards(
    tmp_path: Path,
) -> None:
    """The history was moved away, as the error `room_damaged` advises; the rows stay."""
    async with open_hall(tmp_path) as hall, hall.page() as page:
        old = (await card_of(hall, page))["look"]["job"]
    (tmp_path / "playground" / "history.jsonl").rename(tmp_path / "elsewhere")
    async with open_hall(tmp_path) as hall, hall.page() as page:
        for nonce in ("bobs-first", "bobs-second"):
            await page.tell(nonce, do="say", text=nonce, person="bob")
        await page.tell(do="press", action="cancel", about=old)
        await page.say("a horse", nonce="anns-first")
        said = [each.text for each in hall.platform.room.messages]
        recent = await hall.jobs.recent("playground", "ann", most=9)
    assert said == ["bobs-first", "bobs-second", "a horse", ""]
    assert sorted(each.order.wish.prompt for each in recent) == ["a cat", "a horse"]
    assert [each["type"] for each in page.seen] == ["post"] * 4


async def test_a_text_without_a_command_is_a_plain_message(hall: Hall) -> None:
    async with hall.page() as page:
        await page.tell(do="say", text="hello <b>")
    assert [each["message"]["text"] for each in page.seen] == ["hello <b>"]
    assert await hall.jobs.recent("playground", "ann", most=9) == []


async def test_animate_uses_the_picture_of_its_message_or_of_the_message_replied_to(
    hall: Hall,
) -> None:
    _, taken = await upload(hall, png(size=(90, 160)))
    async with hall.page() as page:
        await page.tell(do="say", text="look", pictures=[taken["name"]])
        shown = page.seen[0]["message"]["id"]
        await page.tell(do="say", command="animate", text="", reply_to=shown)
    (job,) = await hall.jobs.recent("playground", "ann", most=9)
    (picture,) = job.order.pictures
    assert (picture.source, picture.author, picture.width) == (taken["name"], "ann", 90)
    assert job.request.kind is Kind.PICTURE


async def test_two_pictures_become_first_and_last_frame_and_stay_after_a_restart(
    tmp_path: Path,
) -> None:
    catalog = replace(SINGING, models=(WAN_PICTURE, KEY_FRAMES))
    async with open_hall(tmp_path, catalog=catalog) as hall, hall.page() as page:
        names = [(await upload(hall, png(), name))[1]["name"] for name in ("sea.png", "sky.png")]
        await page.tell(do="say", command="animate", text="", pictures=names)
        (job,) = await hall.jobs.recent("playground", "ann", most=9)
    assert [each.filename for each in job.order.pictures] == ["sea.png", "sky.png"]
    assert job.request.kind is Kind.KEY_FRAMES
    async with open_hall(tmp_path, catalog=catalog) as hall:
        asked = hall.platform.room.messages[0]
        assert [each.name for each in asked.pictures] == names
        assert all(hall.platform.files.path(name) for name in names)


async def test_a_sound_sent_in_reply_to_a_picture_makes_a_video_of_that_picture_with_the_sound(
    tmp_path: Path,
) -> None:
    async with open_hall(tmp_path, catalog=SINGING) as hall, hall.page() as page:
        _, picture = await upload(hall, png(size=(90, 160)))
        _, sound = await upload(hall, b"OggS", "voice.ogg", kind="sounds")
        await page.tell(do="say", text="look", pictures=[picture["name"]])
        shown = page.seen[0]["message"]["id"]
        await page.tell(do="say", command="animate", text="", reply_to=shown, sound=sound["name"])
        (job,) = await hall.jobs.recent("playground", "ann", most=9)
        await hall.platform.fetch(job.order.files[1], tmp_path / "sound", most=9)
        said = page.seen[1]["message"]["sound"]["name"]
    assert job.order.sound == Sound(
        source=sound["name"], filename="voice.ogg", size=4, author="ann"
    )
    assert (job.request.kind, said) == (Kind.SOUND, sound["name"])
    async with open_hall(tmp_path, catalog=SINGING) as hall:
        assert hall.platform.files.path(sound["name"]) is not None, "a message carries it"


async def test_where_no_model_takes_sounds_the_order_is_refused_and_given_back(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, picture = await upload(hall, png(size=(90, 160)))
    _, sound = await upload(hall, b"OggS", "voice.ogg", kind="sounds")
    given = {"pictures": [picture["name"]], "sound": sound["name"]}
    async with hall.page() as page:
        told = await page.tell(do="say", command="animate", text="", **given)
    assert words(told).startswith("No model here can make a picture speak.")
    assert (told["notice"]["returned"], hall.platform.room.messages) == (True, [])
    monkeypatch.setattr(files, "MOST_UNSENT", 0)
    await upload(hall, png())
    assert list((hall.platform.folder / "files").iterdir()) == [], "they make room for what comes"


async def test_files_of_a_message_and_of_the_message_replied_to_are_used_together(
    tmp_path: Path,
) -> None:
    catalog = replace(SINGING, models=(WAN_PICTURE, KEY_FRAMES, SINGER))
    async with open_hall(tmp_path, catalog=catalog) as hall, hall.page() as page:
        _, cat = await upload(hall, png(), "cat.png")
        _, dog = await upload(hall, png("red"), "dog.png")
        _, sound = await upload(hall, b"OggS", "voice.ogg", kind="sounds")
        for given in ({"pictures": [cat["name"]]}, {"sound": sound["name"]}):
            await page.tell(do="say", text="look", **given)
        pictured, sounding = (each["message"]["id"] for each in page.seen)
        for target in (pictured, sounding):
            wish = {"command": "video", "text": "it waves", "reply_to": target}
            await page.tell(do="say", **wish, pictures=[dog["name"]])
        both = {"pictures": [dog["name"]], "sound": sound["name"], "reply_to": pictured}
        told = await page.tell(do="say", command="animate", text="", **both)
        speaking, meeting = await hall.jobs.recent("playground", "ann", most=9)
    assert [each.filename for each in meeting.order.files] == ["cat.png", "dog.png"]
    assert meeting.request.kind is Kind.KEY_FRAMES
    assert [each.filename for each in speaking.order.files] == ["dog.png", "voice.ogg"]
    assert speaking.request.kind is Kind.SOUND
    assert words(told).startswith("A sound goes with one picture, and you sent 2 pictures.")


@pytest.mark.parametrize("own", [True, False])
async def test_an_order_in_reply_to_a_video_is_refused(hall: Hall, *, own: bool) -> None:
    video = Attachment(name="a.mp4", filename="a.mp4", size=9)
    ours = await hall.platform.room.post(author="zoetrope", nonce="a-result", video=video)
    pictures = [(await upload(hall, png()))[1]["name"]] if own else []
    async with hall.page() as page:
        wish = {"command": "video", "text": "a dog instead", "reply_to": ours.id}
        told = await page.tell(do="say", **wish, pictures=pictures)
    assert words(told).startswith("That picture already moves")
    assert words(told).endswith("send me yours without the reply.") == own
    assert await hall.jobs.recent("playground", "ann", most=9) == []


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"text": " "}, "Please tell me what the video should show."),
        ({"text": "a", "command": "animate"}, "I see no picture there"),
        ({"text": "a", "pictures": ["0" * 32 + ".png"]}, "That picture is no longer there."),
        ({"text": "a", "sound": "0" * 32 + ".mp3"}, "That sound is no longer there."),
        ({"text": "a", "wish": {"model": "<b>veo</b>"}}, "There is no model “<b>veo</b>” here."),
        ({"text": "a" * 60, "wish": {"model": "wan"}}, "Your prompt has 60 characters"),
    ],
)
async def test_an_order_that_cannot_be_taken_is_explained_to_its_person_alone(
    hall: Hall, wish: dict[str, Any], said: str
) -> None:
    async with hall.page() as page:
        told = await page.tell(**{"do": "say", "command": "video", **wish})
    assert words(told).startswith(said)
    assert told["person"] == "ann"
    assert await hall.jobs.recent("playground", "ann", most=9) == []


async def test_a_refused_order_is_returned_and_does_not_appear_in_the_room(tmp_path: Path) -> None:
    limits = Limits(person_videos=1, person_at_once=None, community_videos=None, purse_videos=None)
    async with open_hall(tmp_path, limits=limits) as hall, hall.page() as page:
        _, taken = await upload(hall, png(size=(90, 160)))
        await page.say("a cat", nonce="the-first-wish")
        for _ in range(2):
            told = await page.say("a dog", nonce="the-second-wish", pictures=[taken["name"]])
            assert told["notice"]["returned"] is True
        assert [each.text for each in hall.platform.room.messages] == ["a cat", ""]


async def test_an_order_repeated_with_its_nonce_keeps_its_card_even_if_it_would_be_refused_now(
    hall: Hall,
) -> None:
    async with hall.page() as page:
        await page.say("a cat", nonce="the-same-nonce")
        await page.say("a cat", nonce="the-same-nonce", wish={"model": "gone"})
    assert [each.text for each in hall.platform.room.messages] == ["a cat", ""]


@pytest.mark.proof
async def test_control_and_direction_characters_are_removed_from_a_message(hall: Hall) -> None:
    async with hall.page() as page:
        await page.tell(do="say", text="\u202eabc\u2066\nline two\x07 ")
    assert [each.text for each in hall.platform.room.messages] == ["abc\nline two"]
