"""Commands in the room, seen from the page and in the rows."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.core import commands, replies
from bot.core.answers import Told
from bot.core.catalog import Catalog
from bot.core.commands import COMMANDS, Who
from bot.core.errors import Refused, Unwritten
from bot.core.jobs import Job, Reason, Status, Video
from bot.core.orders import Address, Call, Kind, Person, Sound
from bot.core.posts import Form, PostKind
from bot.core.quotas import Limits
from bot.core.wishes import AUTO
from bot.platforms.playground import files, frames, messages
from bot.platforms.playground.client import address
from bot.platforms.playground.frames import Say
from bot.platforms.playground.room import Attachment
from tests.e2e.world import png
from tests.unit.core.orders import (
    KEY_FRAMES,
    SINGER,
    SINGING,
    SORA,
    WAN_PICTURE,
    WAN_TEXT,
)
from tests.unit.platforms.playground.conftest import Hall, Page, lines, open_hall, pressed, words
from tests.unit.platforms.playground.test_doors import upload


async def card_of(hall: Hall, page: Page, text: str = "a cat", **wish: Any) -> dict[str, Any]:
    await page.say(text, **wish)
    (card,) = [m["message"] for m in page.seen if "look" in m["message"]][-1:]
    return dict(card)


async def test_words_become_an_order_and_are_answered_by_the_card(hall: Hall) -> None:
    async with hall.page() as page:
        card = await card_of(
            hall, page, nonce="one-wish", wish={"model": "sora", "seconds": "8", "aspect": "9:16"}
        )
        request = page.seen[0]["message"]
    assert (request["author"], request["text"], request["command"]) == ("ann", "a cat", "video")
    assert (card["author"], card["reply_to"]) == ("zoetrope", request["id"])
    assert card["look"]["text"] == ["Taken. Yours is in the queue."]
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


async def test_the_same_wish_twice_is_one_job_also_after_a_restart(tmp_path: Path) -> None:
    seen = []
    for _ in range(2):
        async with open_hall(tmp_path) as hall, hall.page() as page:
            for _ in range(2):
                await page.say("a cat", nonce="the-same-nonce")
            seen += page.seen
            recent = await hall.jobs.recent("playground", "ann", most=9)
    assert len(recent) == 1
    assert [each["type"] for each in seen] == ["post", "post"]


async def test_a_room_that_was_emptied_is_deaf_to_nobody_and_old_cards_stay_away(
    tmp_path: Path,
) -> None:
    """Its history was moved away, as `room_damaged` advises; the rows stand."""
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


async def test_just_so_it_is_only_said(hall: Hall) -> None:
    async with hall.page() as page:
        await page.tell(do="say", text="hello <b>")
    assert [each["message"]["text"] for each in page.seen] == ["hello <b>"]
    assert await hall.jobs.recent("playground", "ann", most=9) == []


async def test_a_picture_comes_from_the_message_or_from_the_one_replied_to(hall: Hall) -> None:
    _, taken = await upload(hall, png(size=(90, 160)))
    async with hall.page() as page:
        await page.tell(do="say", text="look", pictures=[taken["name"]])
        shown = page.seen[0]["message"]["id"]
        await page.tell(do="say", command="animate", text="", reply_to=shown)
    (job,) = await hall.jobs.recent("playground", "ann", most=9)
    (picture,) = job.order.pictures
    assert (picture.source, picture.author, picture.width) == (taken["name"], "ann", 90)
    assert job.request.kind is Kind.PICTURE


async def test_two_pictures_are_the_first_and_the_last_also_after_a_restart(
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


async def test_a_sound_goes_beside_the_picture_of_the_message_replied_to(tmp_path: Path) -> None:
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


async def test_where_no_model_takes_a_sound_it_is_given_back(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, picture = await upload(hall, png(size=(90, 160)))
    _, sound = await upload(hall, b"OggS", "voice.ogg", kind="sounds")
    given = {"pictures": [picture["name"]], "sound": sound["name"]}
    async with hall.page() as page:
        told = await page.tell(do="say", command="animate", text="", **given)
    assert words(told).startswith("None of the models here makes a picture speak.")
    assert (told["notice"]["returned"], hall.platform.room.messages) == (True, [])
    monkeypatch.setattr(files, "MOST_UNSENT", 0)
    await upload(hall, png())
    assert list((hall.platform.folder / "files").iterdir()) == [], "they make room for what comes"


async def test_all_that_a_message_and_the_one_it_replies_to_carry_is_used(tmp_path: Path) -> None:
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
    assert words(told).startswith("A sound can move one picture, and those are 2.")


@pytest.mark.parametrize("own", [True, False])
async def test_a_video_that_is_replied_to_is_not_passed_over(hall: Hall, *, own: bool) -> None:
    clip = Attachment(name="a.mp4", filename="a.mp4", size=9)
    ours = await hall.platform.room.post(author="zoetrope", nonce="a-result", video=clip)
    pictures = [(await upload(hall, png()))[1]["name"]] if own else []
    async with hall.page() as page:
        wish = {"command": "video", "text": "a dog instead", "reply_to": ours.id}
        told = await page.tell(do="say", **wish, pictures=pictures)
    assert words(told).startswith("That one moves already")
    assert words(told).endswith("send me yours without the reply.") == own
    assert await hall.jobs.recent("playground", "ann", most=9) == []


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"text": " "}, "Tell me what the video should show."),
        ({"text": "a", "command": "animate"}, "I see no picture there"),
        ({"text": "a", "pictures": ["0" * 32 + ".png"]}, "That picture is no longer there."),
        ({"text": "a", "sound": "0" * 32 + ".mp3"}, "That sound is no longer there."),
        ({"text": "a", "wish": {"model": "<b>veo</b>"}}, "There is no model “<b>veo</b>” here."),
        ({"text": "a" * 60, "wish": {"model": "wan"}}, "That is 60 characters"),
    ],
)
async def test_what_stands_in_the_way_is_told_to_one_person(
    hall: Hall, wish: dict[str, Any], said: str
) -> None:
    async with hall.page() as page:
        told = await page.tell(**{"do": "say", "command": "video", **wish})
    assert words(told).startswith(said)
    assert told["person"] == "ann"
    assert await hall.jobs.recent("playground", "ann", most=9) == []


async def test_what_is_refused_does_not_stand_in_the_room(tmp_path: Path) -> None:
    limits = Limits(person_videos=1, person_at_once=None, community_videos=None, purse_videos=None)
    async with open_hall(tmp_path, limits=limits) as hall, hall.page() as page:
        _, taken = await upload(hall, png(size=(90, 160)))
        await page.say("a cat", nonce="the-first-wish")
        for _ in range(2):
            told = await page.say("a dog", nonce="the-second-wish", pictures=[taken["name"]])
            assert told["notice"]["returned"] is True
        assert [each.text for each in hall.platform.room.messages] == ["a cat", ""]


async def test_what_was_answered_is_not_taken_back(hall: Hall) -> None:
    """A wish that is said again may be refused by now; its card stands all the same."""
    async with hall.page() as page:
        await page.say("a cat", nonce="the-same-nonce")
        await page.say("a cat", nonce="the-same-nonce", wish={"model": "gone"})
    assert [each.text for each in hall.platform.room.messages] == ["a cat", ""]


@pytest.mark.proof
async def test_nothing_that_is_said_turns_letters_around(hall: Hall) -> None:
    async with hall.page() as page:
        await page.tell(do="say", text="\u202eabc\u2066\nline two\x07 ")
    assert [each.text for each in hall.platform.room.messages] == ["abc\nline two"]


# --- commands -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [each.name for each in COMMANDS.values() if each.act and each.who is Who.EVERYBODY]
)
async def test_each_command_says_what_the_front_door_says(hall: Hall, name: str) -> None:
    await hall.jobs.recent("playground", "ann", most=1)
    async with hall.page() as page:
        told = await page.tell(do="ask", command=name)
    person = Person(id="ann", name="Ann")
    call = Call(event_id="e", address=address(), person=person, locale="en")
    try:
        answer = await commands.run(hall.commands._door, call, name, {})
        assert isinstance(answer, Told)
        reply = answer.reply
    except Refused as refused:
        reply = replies.error(refused)
    expected = messages.notice(reply, "en") | {"turned": False, "returned": False}
    assert told["notice"] == expected


async def test_help_names_every_command_of_the_room(hall: Hall) -> None:
    async with hall.page() as page:
        told = lines(await page.tell(do="ask", command="help"))
    named = [line.partition(":")[0] for line in told if line.startswith("/")]
    assert named == [f"/{each['name']}" for each in page.welcome["commands"]]


@pytest.mark.parametrize("name", ["claim", "allow", "video", "fly"])
async def test_owners_commands_and_unknown_ones_are_no_frames(name: str) -> None:
    frame = {"do": "ask", "nonce": "the-frame", "person": "ann", "command": name}
    with pytest.raises(ValueError, match="command"):
        frames.read(json.dumps(frame))


async def test_cancel_stops_the_latest_or_the_one_that_is_named(hall: Hall) -> None:
    async with hall.page() as page:
        first = (await card_of(hall, page, "one"))["look"]["job"]
        await page.say("two")
        told = await page.tell(do="ask", command="cancel")
        assert words(told) == "Cancelled: “two”. Nothing was sent, nothing counts."
        told = await page.tell(do="ask", command="cancel", given={"job": first})
        assert words(told).startswith("Cancelled: “one”.")
        assert words(await page.tell(do="ask", command="cancel")).startswith("Nothing")


async def test_jobs_under_way_are_stopped_from_their_list_which_is_turned(hall: Hall) -> None:
    async with hall.page() as page:
        await page.say("a cat")
        told = await page.tell(do="ask", command="jobs")
        assert lines(told)[0].startswith("1. “a cat”: Taken.")
        (stop,) = told["notice"]["buttons"]
        turned = await page.tell(**pressed(stop))
    assert (turned["notice"]["turned"], words(turned).startswith("Nothing")) == (True, True)
    (job,) = await hall.jobs.recent("playground", "ann", most=9)
    assert job.status is Status.CANCELLED


async def test_a_setting_that_is_chosen_is_marked_and_fills_the_next_wish(hall: Hall) -> None:
    async with hall.page() as page:
        told = await page.tell(do="ask", command="settings")
        model = told["notice"]["buttons"][0]
        assert model["label"] == "Model: no default"
        menu = (await page.tell(**pressed(model)))["notice"]
        sora = next(each for each in menu["buttons"] if each["label"] == "Sora")
        assert (sora["chosen"], menu["buttons"][-1]["label"]) == (False, "‹ Back")
        after = (await page.tell(**pressed(sora)))["notice"]
        assert (after["turned"], after["buttons"][0]["label"]) == (True, "Model: Sora")
        again = (await page.tell(**pressed(model)))["notice"]
        assert [each["label"] for each in again["buttons"] if each["chosen"]] == ["Sora"]
        for person in ("ann", "bob"):
            await page.say("a cat", person=person)
    families = [
        (await hall.jobs.recent("playground", person, most=1))[0].request.family
        for person in ("ann", "bob")
    ]
    assert families == ["sora", "wan"]


async def test_a_limit_says_when_there_is_more(tmp_path: Path) -> None:
    limits = Limits(person_videos=1, person_at_once=None, community_videos=None, purse_videos=None)
    async with open_hall(tmp_path, limits=limits) as hall, hall.page() as page:
        await page.say("a cat")
        told = await page.say("a dog")
    resets_at = limits.day(hall.clock.now())[1]
    assert told["notice"]["text"] == [
        "You have had your one video for today. The next ",
        {"relative": resets_at},
        ".",
    ]


async def test_cancel_draws_the_card_anew_at_once(hall: Hall) -> None:
    async with hall.page() as page:
        card = await card_of(hall, page)
        await page.tell(do="press", action="cancel", about=card["look"]["job"])
        last = page.seen[-1]
    assert (last["type"], last["message"]["id"]) == ("edit", card["id"])
    assert last["message"]["look"]["text"] == ["Cancelled. Nothing was sent, nothing counts."]


async def test_bob_presses_his_own_and_ann_presses_everybodys(hall: Hall) -> None:
    async with hall.page() as page:
        anns = (await card_of(hall, page))["look"]["job"]
        told = await page.tell(do="press", action="cancel", about=anns, person="bob")
        assert words(told) == "That one belongs to somebody else."
        bobs = (await card_of(hall, page, person="bob"))["look"]["job"]
        await page.tell(do="press", action="cancel", about=bobs, person="ann")
    job = await hall.jobs.get(bobs)
    assert job is not None
    assert (job.status, job.reason) == (Status.CANCELLED, Reason.BY_ADMIN)


@pytest.mark.parametrize(("action", "prompt"), [("retry", "a cat"), ("remix", "a dog")])
async def test_again_is_a_new_job_of_whoever_pressed_and_only_one(
    hall: Hall, action: str, prompt: str
) -> None:
    async with hall.page() as page:
        job = (await card_of(hall, page))["look"]["job"]
        for _ in range(2):
            await page.tell(
                "pressed-once", do="press", action=action, about=job, words="a dog", person="bob"
            )
    (again,) = await hall.jobs.recent("playground", "bob", most=9)
    assert (again.order.wish.prompt, again.order.call.address.message) == (prompt, None)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"action": "cancel", "about": "gone"}, "I don't know that request any more."),
        ({"action": "delete", "about": "gone"}, "I don't know that request any more."),
    ],
)
async def test_buttons_of_former_times_are_answered(
    hall: Hall, wish: dict[str, Any], said: str
) -> None:
    async with hall.page() as page:
        assert words(await page.tell(do="press", **wish)) == said


async def test_a_page_knows_which_lengths_switches_and_words_each_model_takes(
    tmp_path: Path,
) -> None:
    catalog = Catalog(models=(replace(WAN_TEXT, auto=True), SORA))
    async with open_hall(tmp_path, catalog=catalog) as hall, hall.page() as page:
        models = {each["family"]: each for each in page.welcome["catalog"]}
    for quality in models["wan"]["qualities"].values():
        assert quality["seconds"] == [5, 10, AUTO]
    assert models["wan"]["switches"] == {"sound": ["on", "off"], "enhance": [], "watermark": []}
    assert models["sora"]["switches"] == {"sound": ["on"], "enhance": [], "watermark": []}
    assert (models["wan"]["takes"], models["sora"]["takes"]) == (["negative", "seed", "sound"], [])


async def test_what_is_switched_is_in_the_order_and_on_the_card(tmp_path: Path) -> None:
    catalog = Catalog(models=(replace(WAN_TEXT, auto=True),))
    async with open_hall(tmp_path, catalog=catalog) as hall, hall.page() as page:
        card = await card_of(hall, page, wish={"seconds": "auto", "sound": "off"})
        job = await hall.jobs.get(card["look"]["job"])
        refused = await page.say("a cat", wish={"watermark": "on"})
    assert job is not None
    assert (job.order.wish.seconds, job.order.wish.audio, job.request.seconds) == (AUTO, False, 10)
    assert card["look"]["facts"][:2] == [["Wan · up to 10 s · 16:9 · 720p"], ["Without sound"]]
    assert words(refused) == "Wan can't be asked for a watermark here."


async def test_history_leads_to_each_video_and_shows_it_again(hall: Hall) -> None:
    async with hall.page() as page:
        await card_of(hall, page)
        job = await finished(hall)
        told = await page.tell(do="ask", command="history")
        (entry,) = told["notice"]["buttons"]
        assert entry["label"] == "a cat"
        opened = (await page.tell(**pressed(entry)))["notice"]
        result = hall.platform.room.find(f"result:{job.id}")
        assert result is not None
        assert (opened["jump"], opened["prompt"]) == (f"#m{result.id}", "a cat")
        show, _, back = opened["buttons"]
        await page.tell(**pressed(show))
        copy = page.seen[-1]["message"]
        assert ("video" in copy, copy.get("only"), copy["author"]) == (True, None, "zoetrope")
        assert words(await page.tell(**pressed(back))).startswith("Your latest videos")
        others = await page.tell(do="ask", command="history", person="bob")
        assert others["notice"]["buttons"] == []
        assert words(await page.tell(person="bob", **pressed(entry))) == (
            "That one belongs to somebody else."
        )


async def test_the_video_of_a_silent_job_is_shown_to_its_person_alone(hall: Hall) -> None:
    async with hall.page() as page:
        await card_of(hall, page)
        job = await finished(hall, silent=True)
        await page.tell(do="press", action="show", about=job.id)
    assert page.seen[-1]["message"]["only"] == "ann"


async def test_delete_asks_first_and_takes_copies_away(hall: Hall) -> None:
    async with hall.page() as page:
        await card_of(hall, page)
        job = await finished(hall)
        await page.tell(do="press", action="show", about=job.id)
        press = {"do": "press", "action": "delete", "about": job.id}
        assert "belongs to somebody else" in words(await page.tell(**press, person="bob"))
        asked = (await page.tell(**press))["form"]
        assert asked["title"].startswith("Delete this video for good")
        assert ("words" in asked, asked["button"]["label"]) == (False, "Yes, delete it")
        told = await page.tell(**pressed(asked["button"]))
    assert (words(told), told["notice"]["turned"]) == ("Deleted.", True)
    assert hall.platform.room.find(f"copy:{job.id}") is None


@pytest.mark.parametrize(
    ("action", "title", "words", "needed"),
    [
        ("remix", "The same with other words", "a cat", True),
        ("continue", "What happens next?", "", False),
    ],
)
async def test_a_button_that_needs_words_asks_for_them(
    hall: Hall, action: str, title: str, words: str, *, needed: bool
) -> None:
    async with hall.page() as page:
        await card_of(hall, page)
        job = await finished(hall)
        press = {"do": "press", "action": action, "about": job.id}
        asked = (await page.tell(**press))["form"]
        assert (asked["title"], asked["words"], asked["needed"]) == (title, words, needed)
        assert len(await hall.jobs.recent("playground", "ann", most=9)) == 1, "nothing made yet"
        await page.tell(**pressed(asked["button"]), words="a dog")
    latest, _ = await hall.jobs.recent("playground", "ann", most=9)
    assert latest.order.wish.prompt == "a dog"


async def finished(hall: Hall, *, silent: bool = False) -> Job:
    """The latest job of Ann's, with its video, which stands in the room."""
    (job,) = await hall.jobs.recent("playground", "ann", most=1)
    hall.studio.kept.add("a.mp4")
    video = Video(key="a.mp4", size=9, width=16, height=9, seconds=5.0)
    after = replace(job, status=Status.COMPLETED, video=video, silent=silent)
    now = hall.clock.now()
    completed = await hall.jobs.save(job, after, now=now)
    assert completed is not None
    for post in await hall.posts.claim(["playground"], now=now, until=now + 60, most=9):
        if post.kind is PostKind.RESULT:
            await hall.posts.sending(post, Form.TEXT, now=now)
            message, channel = await hall.platform.send(
                post, completed, replies.result(completed), video=None
            )
            await hall.posts.sent(post, message, channel, now=now)
    delivered = await hall.jobs.get(job.id)
    assert delivered is not None
    return delivered


@pytest.mark.parametrize("broken", ["get", "posted"])
async def test_a_card_that_fails_is_no_refusal_of_what_was_taken(hall: Hall, broken: str) -> None:
    async with hall.page() as page:
        setattr(hall.posts, broken, None)
        told = await page.say("a cat")
    assert "notice" not in told
    assert len(await hall.jobs.recent("playground", "ann", most=9)) == 1


async def test_whose_page_goes_is_still_heard_to_the_end(hall: Hall) -> None:
    """And the end of the service waits for that."""
    wish = Say(do="say", nonce="the-wish", person="ann", command="video", text="a cat")
    hearing = asyncio.create_task(hall.commands.hear(wish, "en"))
    await asyncio.sleep(0)
    hearing.cancel()
    await asyncio.gather(hearing, return_exceptions=True)
    await hall.commands.finish()
    (job,) = await hall.jobs.recent("playground", "ann", most=9)
    assert [each.about for each in hall.platform.room.messages] == [None, f"card:{job.id}"]


async def test_a_full_disk_is_told(hall: Hall) -> None:
    async def full(*_: object, **__: object) -> Any:
        raise Unwritten("database_full")

    async with hall.page() as page:
        hall.commands._door.listings.jobs.recent = full  # type: ignore[method-assign]
        told = await page.tell(do="ask", command="jobs")
    assert words(told).startswith("I can't write anything down right now")


async def test_what_breaks_is_admitted_without_a_word_too_many(hall: Hall) -> None:
    async with hall.page() as page:
        hall.commands._door.listings.jobs.recent = None  # type: ignore[assignment,method-assign]
        told = await page.tell(do="ask", command="jobs")
    assert words(told).startswith("Something went wrong on my side.")
