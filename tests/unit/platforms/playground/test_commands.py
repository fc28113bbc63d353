"""Commands and buttons in the room: what the page shows, and what the rows hold."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.core import commands, replies
from bot.core.answers import TextAnswer
from bot.core.catalog import Catalog
from bot.core.commands import COMMANDS, Who
from bot.core.errors import Refused, Unwritten
from bot.core.jobs import Job, Reason, Status, Video
from bot.core.orders import Call, Person
from bot.core.posts import Form, PostKind
from bot.core.quotas import Limits
from bot.core.wishes import AUTO
from bot.platforms.playground import frames, messages
from bot.platforms.playground.client import address
from bot.platforms.playground.frames import Say
from tests.unit.core.orders import (
    SORA,
    WAN_TEXT,
)
from tests.unit.platforms.playground.cards import card_of
from tests.unit.platforms.playground.conftest import Hall, lines, open_hall, pressed, words


@pytest.mark.parametrize(
    "name", [each.name for each in COMMANDS.values() if each.act and each.who is Who.EVERYBODY]
)
async def test_each_command_in_the_room_answers_as_the_core_does(hall: Hall, name: str) -> None:
    await hall.jobs.recent("playground", "ann", most=1)
    async with hall.page() as page:
        told = await page.tell(do="ask", command=name)
    person = Person(id="ann", name="Ann")
    call = Call(event_id="e", address=address(), person=person, locale="en")
    try:
        answer = await commands.run(hall.commands._entry, call, name, {})
        assert isinstance(answer, TextAnswer)
        reply = answer.reply
    except Refused as refused:
        reply = replies.error(refused)
    expected = messages.notice(reply, "en") | {"turned": False, "returned": False}
    assert told["notice"] == expected


async def test_help_in_the_room_names_every_command_of_the_room(hall: Hall) -> None:
    async with hall.page() as page:
        told = lines(await page.tell(do="ask", command="help"))
    named = [line.partition(":")[0] for line in told if line.startswith("/")]
    assert named == [f"/{each['name']}" for each in page.welcome["commands"]]


@pytest.mark.parametrize("name", ["claim", "allow", "video", "fly"])
async def test_the_room_refuses_frames_with_owners_commands_and_unknown_commands(name: str) -> None:
    frame = {"do": "ask", "nonce": "the-frame", "person": "ann", "command": name}
    with pytest.raises(ValueError, match="command"):
        frames.read(json.dumps(frame))


async def test_the_cancel_command_cancels_the_latest_job_or_the_named_one(hall: Hall) -> None:
    async with hall.page() as page:
        first = (await card_of(hall, page, "one"))["look"]["job"]
        await page.say("two")
        told = await page.tell(do="ask", command="cancel")
        assert words(told) == "Cancelled: “two”. Nothing was sent, so nothing counts."
        told = await page.tell(do="ask", command="cancel", given={"job": first})
        assert words(told).startswith("Cancelled: “one”.")
        told = await page.tell(do="ask", command="cancel")
        assert words(told).startswith("I found no order of yours")


async def test_cancelling_a_job_from_the_rooms_list_updates_that_list(hall: Hall) -> None:
    async with hall.page() as page:
        await page.say("a cat")
        told = await page.tell(do="ask", command="jobs")
        assert lines(told)[0].startswith("1. “a cat”: Your video is in the queue.")
        (stop,) = told["notice"]["buttons"]
        turned = await page.tell(**pressed(stop))
    assert turned["notice"]["turned"] is True
    assert words(turned).startswith("You have no orders under way")
    (job,) = await hall.jobs.recent("playground", "ann", most=9)
    assert job.status is Status.CANCELLED


async def test_a_chosen_setting_is_marked_and_applies_to_the_persons_next_order(hall: Hall) -> None:
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


async def test_a_limit_notice_in_the_room_says_when_new_videos_are_available(
    tmp_path: Path,
) -> None:
    limits = Limits(person_videos=1, person_at_once=None, community_videos=None, purse_videos=None)
    async with open_hall(tmp_path, limits=limits) as hall, hall.page() as page:
        await page.say("a cat")
        told = await page.say("a dog")
    resets_at = limits.day(hall.clock.now())[1]
    assert told["notice"]["text"] == [
        "You have had your one video for today. You get a new one ",
        {"relative": resets_at},
        ".",
    ]


async def test_cancelling_in_the_room_redraws_the_card_at_once(hall: Hall) -> None:
    async with hall.page() as page:
        card = await card_of(hall, page)
        await page.tell(do="press", action="cancel", about=card["look"]["job"])
        last = page.seen[-1]
    assert (last["type"], last["message"]["id"]) == ("edit", card["id"])
    assert last["message"]["look"]["text"] == ["Cancelled. Nothing was sent, so nothing counts."]


async def test_in_the_room_bob_may_cancel_his_own_jobs_and_ann_everybodys(hall: Hall) -> None:
    async with hall.page() as page:
        anns = (await card_of(hall, page))["look"]["job"]
        told = await page.tell(do="press", action="cancel", about=anns, person="bob")
        assert words(told) == "That order belongs to somebody else."
        bobs = (await card_of(hall, page, person="bob"))["look"]["job"]
        await page.tell(do="press", action="cancel", about=bobs, person="ann")
    job = await hall.jobs.get(bobs)
    assert job is not None
    assert (job.status, job.reason) == (Status.CANCELLED, Reason.BY_ADMIN)


@pytest.mark.parametrize(("action", "prompt"), [("retry", "a cat"), ("remix", "a dog")])
async def test_a_repeated_press_of_retry_or_remix_makes_one_new_job_for_its_presser(
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
        (
            {"action": "cancel", "about": "gone"},
            "I don't know that order any more. /history shows your videos.",
        ),
        (
            {"action": "delete", "about": "gone"},
            "I don't know that order any more. /history shows your videos.",
        ),
    ],
)
async def test_a_button_for_a_job_that_no_longer_exists_is_answered(
    hall: Hall, wish: dict[str, Any], said: str
) -> None:
    async with hall.page() as page:
        assert words(await page.tell(do="press", **wish)) == said


async def test_the_page_is_told_which_lengths_switches_and_options_each_model_takes(
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


async def test_an_automatic_length_and_a_switch_are_in_the_order_and_on_the_card(
    tmp_path: Path,
) -> None:
    catalog = Catalog(models=(replace(WAN_TEXT, auto=True),))
    async with open_hall(tmp_path, catalog=catalog) as hall, hall.page() as page:
        card = await card_of(hall, page, wish={"seconds": "auto", "sound": "off"})
        job = await hall.jobs.get(card["look"]["job"])
        refused = await page.say("a cat", wish={"watermark": "on"})
    assert job is not None
    assert (job.order.wish.seconds, job.order.wish.audio, job.request.seconds) == (AUTO, False, 10)
    assert card["look"]["facts"][:2] == [["Wan · up to 10 s · 16:9 · 720p"], ["Without sound"]]
    assert words(refused) == "Wan can't add a watermark here."


async def test_history_in_the_room_opens_a_video_and_posts_it_again(hall: Hall) -> None:
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
            "That order belongs to somebody else."
        )


async def test_a_video_made_silently_is_shown_to_its_person_alone(hall: Hall) -> None:
    async with hall.page() as page:
        await card_of(hall, page)
        job = await finished(hall, silent=True)
        await page.tell(do="press", action="show", about=job.id)
    assert page.seen[-1]["message"]["only"] == "ann"


async def test_delete_in_the_room_asks_for_confirmation_and_removes_copies(hall: Hall) -> None:
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
        ("remix", "Same settings, new prompt", "a cat", True),
        ("continue", "What happens next?", "", False),
    ],
)
async def test_a_button_that_needs_a_prompt_opens_a_form_first(
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
    """Give Ann's latest job a video, post it in the room, and return the job."""
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
async def test_a_card_that_fails_does_not_refuse_the_order(hall: Hall, broken: str) -> None:
    async with hall.page() as page:
        setattr(hall.posts, broken, None)
        told = await page.say("a cat")
    assert "notice" not in told
    assert len(await hall.jobs.recent("playground", "ann", most=9)) == 1


async def test_an_order_whose_page_was_closed_is_completed_before_the_service_ends(
    hall: Hall,
) -> None:
    wish = Say(do="say", nonce="the-wish", person="ann", command="video", text="a cat")
    hearing = asyncio.create_task(hall.commands.hear(wish, "en"))
    await asyncio.sleep(0)
    hearing.cancel()
    await asyncio.gather(hearing, return_exceptions=True)
    await hall.commands.finish()
    (job,) = await hall.jobs.recent("playground", "ann", most=9)
    assert [each.about for each in hall.platform.room.messages] == [None, f"card:{job.id}"]


async def test_a_full_disk_is_told_in_the_room(hall: Hall) -> None:
    async def full(*_: object, **__: object) -> Any:
        raise Unwritten("database_full")

    async with hall.page() as page:
        hall.commands._entry.listings.jobs.recent = full  # type: ignore[method-assign]
        told = await page.tell(do="ask", command="jobs")
    assert words(told).startswith("My disk is full, so I can't save anything")


async def test_an_internal_error_in_the_room_is_admitted_in_one_sentence(hall: Hall) -> None:
    async with hall.page() as page:
        hall.commands._entry.listings.jobs.recent = None  # type: ignore[assignment,method-assign]
        told = await page.tell(do="ask", command="jobs")
    assert words(told).startswith(
        "Something went wrong on my side. If this was an order, I did not take it."
    )
