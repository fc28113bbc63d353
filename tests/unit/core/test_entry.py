"""The common entry: one table of commands, one codec of buttons, lists for any network."""

from dataclasses import replace

import pytest

from bot import i18n
from bot.core import commands, presses
from bot.core.accounts import Terms
from bot.core.answers import Answer, Asked, Changed, Removed, Shown, Sure, Taken, TextAnswer, Turned
from bot.core.entry import shown
from bot.core.errors import Broken, Refused, Temporary, Unwritten
from bot.core.jobs import Job, Reason, Status
from bot.core.listings import A_PAGE, joined
from bot.core.orders import Address, Call, Person
from bot.core.preferences import Preferences
from bot.core.presses import Press
from bot.core.replies import Action, Button, Reply, Text
from tests.unit.core.orders import CAT, CATALOG, order
from tests.unit.core.scripted import FREE
from tests.unit.core.workshop import Workshop

ALONE = Address(platform="chat", channel="ann")
HALL = Address(platform="chat", channel="hall", community="town")
ANN, BOB = Person(id="ann", name="Ann"), Person(id="bob", name="Bob")


def call(person: Person = ANN, address: Address = ALONE, event: str = "e") -> Call:
    return Call(event_id=event, address=address, person=person, locale="en")


async def nobody(_: Job) -> bool:
    """Answer that the person does not moderate."""
    return False


async def anybody(_: Job) -> bool:
    """Answer that the person moderates."""
    return True


async def run(workshop: Workshop, name: str, by: Call | None = None, **given: str) -> Reply:
    """Run a command and return its reply."""
    answer = await commands.run(workshop.entry, by or call(), name, given)
    assert isinstance(answer, TextAnswer)
    return answer.reply


async def press(workshop: Workshop, button: Button, by: Call | None = None, **more: str) -> Answer:
    """Write the button, read it again as a press, and return the answer."""
    pressed = replace(presses.read(presses.written(button)), words=more.get("words"))
    return await presses.press(workshop.entry, by or call(), pressed, moderates=nobody)


def said(reply: Reply) -> list[str]:
    return [i18n.say(each, "en") for each in (reply.text, *reply.facts)]


def labels(reply: Reply) -> list[str]:
    return [i18n.say(each.label, "en") for each in reply.buttons]


# --- the codec of buttons -------------------------------------------------------------------------


@pytest.mark.parametrize("under", ["", "card", "result", "failure", "note"])
@pytest.mark.parametrize("value", [None, "720p", "card", "note", "card:note", "notes", "a.b:c"])
def test_a_written_button_is_read_back_with_the_same_content(under: str, value: str | None) -> None:
    button = Button(action=Action.FINER, about="job-1_a", value=value)
    carried = presses.written(button, under=under)
    assert presses.read(carried) == Press(action=Action.FINER, about="job-1_a", value=value)


@pytest.mark.parametrize(
    ("carried", "pressed"),
    [
        ("v1:retry:abc", Press(action=Action.RETRY, about="abc")),
        ("v1:finer:abc:1080p", Press(action=Action.FINER, about="abc", value="1080p")),
        ("v1:finer:abc:result:1080p", Press(action=Action.FINER, about="abc", value="1080p")),
        ("v1:delete:abc:result", Press(action=Action.DELETE, about="abc")),
        ("v1:file:abc", Press(action=Action.ORIGINAL, about="abc")),
        ("v1:original:abc:result", Press(action=Action.ORIGINAL, about="abc")),
        ("v1:owner:abc:note:found.x1", Press(action=Action.OWNER, about="abc", value="found.x1")),
    ],
)
def test_buttons_of_earlier_versions_still_work(carried: str, pressed: Press) -> None:
    assert presses.read(carried) == pressed


@pytest.mark.parametrize("carried", ["", "v2:retry:a", "v1:fly:a", "v1:retry:", "v1:retry:a b"])
def test_a_press_with_unknown_content_is_refused(carried: str) -> None:
    with pytest.raises(Refused, match="button_unknown"):
        presses.read(carried)


# --- presses --------------------------------------------------------------------------------------


async def test_try_again_makes_a_video_for_the_person_who_pressed(workshop: Workshop) -> None:
    job = await workshop.made(order(address=HALL, person=ANN))
    answer = await press(workshop, Button(action=Action.RETRY, about=job.id), call(BOB, HALL))
    assert isinstance(answer, Taken)
    assert (answer.job.order.call.person, answer.job.request.prompt) == (BOB, job.request.prompt)


async def test_a_remix_button_asks_for_a_prompt_first(workshop: Workshop) -> None:
    job = await workshop.made(order(address=ALONE, person=ANN, prompt="a cat"))
    button = Button(action=Action.REMIX, about=job.id)
    asked = await press(workshop, button)
    assert isinstance(asked, Asked)
    assert (asked.question.id, asked.words) == ("ask.remix", "a cat")
    taken = await press(workshop, button, words="a dog")
    assert isinstance(taken, Taken)
    assert taken.job.request.prompt == "a dog"


async def test_only_its_person_or_a_moderator_cancels_a_job_by_button(workshop: Workshop) -> None:
    job = await workshop.submit(order(address=HALL, person=ANN))
    pressed = Press(action=Action.CANCEL, about=job.id)
    with pytest.raises(Refused, match="not_yours"):
        await presses.press(workshop.entry, call(BOB, HALL), pressed, moderates=nobody)
    answer = await presses.press(workshop.entry, call(BOB, HALL), pressed, moderates=anybody)
    assert isinstance(answer, Changed)
    assert (answer.job.status, answer.job.reason) == (Status.CANCELLED, Reason.BY_ADMIN)


async def test_a_video_is_deleted_only_after_a_second_press(workshop: Workshop) -> None:
    job = await workshop.made(order(address=ALONE, person=ANN))
    await workshop.speak()
    sure = await press(workshop, Button(action=Action.DELETE, about=job.id))
    assert isinstance(sure, Sure)
    assert (await workshop.job(job.id)).video is not None
    removed = await press(workshop, sure.reply.buttons[0])
    assert isinstance(removed, Removed)
    assert removed.reply.text.id == "delete.done"
    assert (await workshop.job(job.id)).video is None
    again = await press(workshop, Button(action=Action.DELETE, about=job.id))
    assert again == Removed(Reply(text=Text(id="delete.gone")))


# --- lists ----------------------------------------------------------------------------------------


async def test_the_list_of_jobs_tells_the_state_of_each_and_when_it_is_ready(
    workshop: Workshop,
) -> None:
    assert said(await run(workshop, "jobs")) == [
        "You have no orders under way. /history shows your videos."
    ]
    await workshop.submit(order(address=ALONE, person=ANN, prompt="a cat"))
    listed = await run(workshop, "jobs")
    assert listed.facts[0].values["prompt"] == "a cat"
    assert [each.id for each in listed.facts] == ["list.job", "fact.request", "fact.ready"]
    assert labels(listed) == ["Stop 1"]


async def test_the_list_of_jobs_tells_the_position_of_each_in_the_queue(workshop: Workshop) -> None:
    workshop.at_once = 1
    for prompt in ("one", "two", "three"):
        await workshop.submit(order(address=ALONE, person=ANN, prompt=prompt))
    await workshop.work(1)
    listed = await run(workshop, "jobs")
    counts = [each.count for each in listed.facts if each.id == "list.ahead"]
    assert sorted(each for each in counts if each is not None) == [0, 1]


async def test_a_job_is_stopped_by_its_button_in_the_list_of_jobs(workshop: Workshop) -> None:
    job = await workshop.submit(order(address=ALONE, person=ANN))
    (stop,) = (await run(workshop, "jobs")).buttons
    answer = await press(workshop, stop)
    assert isinstance(answer, Turned)
    assert answer.reply.text.id == "ask.no_jobs"
    assert (await workshop.job(job.id)).status is Status.CANCELLED


async def test_a_moderator_who_stops_a_job_sees_the_list_of_its_person(
    workshop: Workshop,
) -> None:
    kept = await workshop.submit(order(address=HALL, person=ANN, prompt="a song"))
    job = await workshop.submit(order(address=HALL, person=ANN, prompt="a shout"))
    stop = Press(action=Action.STOP, about=job.id)
    answer = await presses.press(workshop.entry, call(BOB, HALL), stop, moderates=anybody)
    assert isinstance(answer, Turned)
    assert [each.about for each in answer.reply.buttons] == [kept.id]


async def test_in_a_public_place_the_list_of_jobs_shows_only_jobs_of_that_place(
    workshop: Workshop,
) -> None:
    await workshop.submit(order(address=ALONE, person=ANN, prompt="a secret"))
    await workshop.submit(order(address=HALL, person=ANN, prompt="a song"))
    listed = await run(workshop, "jobs", call(ANN, HALL))
    assert [it.values["prompt"] for it in listed.facts if it.id == "list.job"] == ["a song"]
    with pytest.raises(Refused, match="private_only"):
        await run(workshop, "history", call(ANN, HALL))


async def test_the_history_has_pages_and_each_entry_leads_back_to_its_page(
    workshop: Workshop,
) -> None:
    for number in range(A_PAGE + 2):
        await workshop.made(order(address=ALONE, person=ANN, prompt=f"video {number}"))
    first = await run(workshop, "history")
    assert labels(first) == [f"video {n}" for n in range(A_PAGE + 1, 1, -1)] + ["Older ›"]
    second = await press(workshop, first.buttons[-1])
    assert isinstance(second, Turned)
    assert labels(second.reply) == ["video 1", "video 0", "‹ Newer"]
    entry = await press(workshop, second.reply.buttons[0])
    assert isinstance(entry, Turned)
    assert (entry.reply.prompt, labels(entry.reply)) == (
        "video 1",
        ["Post it again", "Delete", "‹ Back"],
    )
    assert await press(workshop, entry.reply.buttons[-1]) == second


async def test_a_history_entry_links_to_its_message_and_shows_its_video(workshop: Workshop) -> None:
    job = await workshop.made(order(address=HALL, person=ANN))
    await workshop.speak()
    entry = await press(workshop, Button(action=Action.OPEN, about=job.id, value="0"))
    assert isinstance(entry, Turned)
    assert entry.reply.jump is not None
    assert (entry.reply.jump.channel, entry.reply.jump.community) == ("hall", "town")
    answer = await press(workshop, entry.reply.buttons[0])
    assert answer == Shown(await workshop.job(job.id), alone=True)
    again = await press(workshop, entry.reply.buttons[0], call(ANN, HALL))
    assert again == Shown(await workshop.job(job.id), alone=False), "there it was seen before"
    with pytest.raises(Refused, match="not_yours"):
        await press(workshop, entry.reply.buttons[0], call(BOB))
    with pytest.raises(Refused, match="not_yours"):
        await press(workshop, Button(action=Action.OPEN, about=job.id, value="0"), call(BOB))


async def test_a_private_video_is_shown_to_its_person_alone(workshop: Workshop) -> None:
    await workshop.preferences.put("chat", "ann", Preferences(private=True))
    job = await workshop.made(order(address=HALL, person=ANN))
    answer = await press(workshop, Button(action=Action.SHOW, about=job.id), call(ANN, HALL))
    assert answer == Shown(job, alone=True)


async def test_a_silent_video_is_shown_to_its_person_alone(
    workshop: Workshop,
) -> None:
    job = await workshop.made(order(address=HALL, person=ANN))
    silent = await workshop.jobs.save(job, replace(job, silent=True), now=workshop.clock.now())
    assert silent is not None
    answer = await press(workshop, Button(action=Action.SHOW, about=job.id), call(ANN, HALL))
    assert answer == Shown(silent, alone=True)


@pytest.mark.parametrize("action", [Action.SHOW, Action.ORIGINAL])
async def test_a_video_that_is_gone_cannot_be_shown(workshop: Workshop, action: Action) -> None:
    job = await workshop.submit(order(address=ALONE, person=ANN))
    with pytest.raises(Refused, match="video_gone"):
        await press(workshop, Button(action=action, about=job.id))


async def test_a_history_entry_of_a_private_video_links_to_the_direct_message(
    workshop: Workshop,
) -> None:
    await workshop.preferences.put("chat", "ann", Preferences(private=True))
    job = await workshop.made(order(address=HALL, person=ANN))
    await workshop.speak()
    entry = await press(workshop, Button(action=Action.OPEN, about=job.id, value="0"))
    assert isinstance(entry, Turned)
    assert entry.reply.jump is not None
    assert (entry.reply.jump.channel, entry.reply.jump.community) == ("private", None)


async def test_a_history_entry_of_a_deleted_message_has_no_link(workshop: Workshop) -> None:
    job = await workshop.made(order(address=ALONE, person=ANN))
    await workshop.speak()
    await press(workshop, Button(action=Action.CONFIRM, about=job.id))
    entry = await press(workshop, Button(action=Action.OPEN, about=job.id, value="0"))
    assert isinstance(entry, Turned)
    assert (entry.reply.jump, labels(entry.reply)) == (None, ["‹ Back"])


@pytest.mark.parametrize(
    "button",
    [
        Button(action=Action.LIST, about="history"),
        Button(action=Action.LIST, about="settings"),
        Button(action=Action.SETTING, about="private", value="on"),
        Button(action=Action.OPEN, about="job"),
    ],
)
async def test_in_a_public_place_presses_that_open_private_lists_are_refused(
    workshop: Workshop, button: Button
) -> None:
    with pytest.raises(Refused, match="private_only"):
        await press(workshop, button, call(ANN, HALL))


async def test_a_history_page_that_is_empty_by_now_shows_the_first_page(workshop: Workshop) -> None:
    await workshop.made(order(address=ALONE, person=ANN, prompt="a song"))
    back = Button(action=Action.LIST, about="history", value="7")
    answer = await press(workshop, back)
    assert isinstance(answer, Turned)
    assert labels(answer.reply) == ["a song"]


@pytest.mark.parametrize("value", ["x", "-1", "1.5", "9" * 32])
async def test_a_list_button_with_a_malformed_page_is_refused(
    workshop: Workshop, value: str
) -> None:
    with pytest.raises(Refused, match="button_unknown"):
        await press(workshop, Button(action=Action.LIST, about="history", value=value))


# --- commands -------------------------------------------------------------------------------------


async def test_the_cancel_command_cancels_the_latest_job_or_the_named_one(
    workshop: Workshop,
) -> None:
    first = await workshop.submit(order(address=ALONE, person=ANN, prompt="one"))
    second = await workshop.submit(order(address=ALONE, person=ANN, prompt="two"))
    answer = await run(workshop, "cancel")
    assert answer.text == Text(id="cancel.cancelled", values={"prompt": "two"})
    await run(workshop, "cancel", job=first.id)
    assert {(await workshop.job(it.id)).status for it in (first, second)} == {Status.CANCELLED}
    with pytest.raises(Refused, match="nothing_to_cancel"):
        await run(workshop, "cancel")


async def test_the_cancel_command_ignores_jobs_elsewhere_and_silent_jobs(
    workshop: Workshop,
) -> None:
    seen = replace(workshop.entry.listings, seen=frozenset())
    workshop.entry = replace(workshop.entry, listings=seen)
    await workshop.submit(order(address=ALONE, person=ANN))
    with pytest.raises(Refused, match="nothing_to_cancel"):
        await run(workshop, "cancel", call(ANN, HALL))
    job = await workshop.submit(order(address=HALL, person=ANN))
    await workshop.jobs.save(job, replace(job, silent=True), now=workshop.clock.now())
    with pytest.raises(Refused, match="nothing_to_cancel"):
        await run(workshop, "cancel", call(ANN, HALL))


@pytest.mark.parametrize("platform", ["discord", "telegram", "playground"])
async def test_help_shows_owners_commands_to_owners_only(workshop: Workshop, platform: str) -> None:
    here = replace(ALONE, platform=platform)
    member = said(await run(workshop, "help", call(ANN, here)))
    assert not [line for line in member if line.startswith("/allow")]
    assert "/models: The models, and what each can make" in member
    code = await workshop.access.new_code()
    assert code is not None
    await run(workshop, "claim", call(ANN, here), code=code)
    owner = said(await run(workshop, "help", call(ANN, here)))
    assert [line for line in owner if line.startswith("/allow")]
    assert any(line.endswith("ask ann") for line in owner)


@pytest.mark.parametrize("name", ["allow", "disallow"])
@pytest.mark.parametrize("given", [{}, {"person": "bob"}])
async def test_allow_and_disallow_are_refused_to_anyone_but_an_owner(
    workshop: Workshop, name: str, given: dict[str, str]
) -> None:
    code = await workshop.access.new_code()
    assert code is not None
    await run(workshop, "claim", call(ANN, HALL), code=code)
    with pytest.raises(Refused, match="owners_only"):
        await run(workshop, name, call(BOB, HALL), **given)
    told = await run(workshop, name, call(ANN, HALL), **given)
    assert told.text.id == ("access.person_" if given else "access.") + f"{name}ed"


async def test_in_a_closed_place_help_says_so_and_offers_nothing(workshop: Workshop) -> None:
    code = await workshop.access.new_code()
    assert code is not None
    await run(workshop, "claim", call(ANN, HALL), code=code)
    open_ = [each.id for each in (await run(workshop, "help", call(BOB, HALL))).facts]
    await run(workshop, "disallow", call(ANN, HALL))
    closed = [each.id for each in (await run(workshop, "help", call(BOB, HALL))).facts]
    assert ("help.here" in open_, "help.here" in closed) == (True, False)
    assert "error.not_allowed_here" in closed
    await run(workshop, "disallow", call(ANN, HALL), person="bob")
    alone = [each.id for each in (await run(workshop, "help", call(BOB))).facts]
    assert "help_alone.chat" not in alone


@pytest.mark.parametrize("name", commands.COMMANDS)
def test_each_command_and_each_of_its_arguments_has_a_text(name: str) -> None:
    command = commands.COMMANDS[name]
    assert i18n.say(command.says, "en") != command.says.id
    for argument in command.arguments:
        assert i18n.say(Text(id=f"option.{argument.name}"), "en") != f"option.{argument.name}"


def test_several_texts_are_joined_as_a_list_with_commas() -> None:
    assert i18n.say(joined([Text(id="kind.t2v"), Text(id="kind.i2v")]), "en") == (
        "from a prompt, from a picture"
    )


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (Refused("not_yours"), "not_yours"),
        (Unwritten("database_full"), "database_full"),
        (Temporary("discord_busy"), "busy"),
        (Broken("file_missing"), "internal"),
        (ValueError("anything"), "internal"),
    ],
)
def test_an_error_is_shown_to_people_by_its_code(problem: Exception, code: str) -> None:
    assert shown(problem, platform="chat").code == code


# --- prompts and presets --------------------------------------------------------------------------


async def test_people_see_their_own_prompt_without_the_words_of_the_preset(
    workshop: Workshop,
) -> None:
    job = await workshop.made(order(pictures=(CAT,), prompt="slowly", preset="loop"))
    assert (job.request.prompt, job.request.shown) == ("Loop. slowly", "slowly")
    wordless = await workshop.made(order(pictures=(CAT,), prompt="", preset="loop"))
    assert (wordless.request.prompt, wordless.request.shown) == ("Loop.", "A loop")
    unasked = await workshop.made(order(pictures=(CAT,), prompt=""))
    assert unasked.request.shown == "Bring to life"


async def test_a_variation_of_a_job_uses_the_words_of_its_preset_once(workshop: Workshop) -> None:
    job = await workshop.made(order(pictures=(CAT,), prompt="slowly", preset="loop"))
    again = await press(workshop, Button(action=Action.RETRY, about=job.id), call(ANN, HALL))
    assert isinstance(again, Taken)
    assert (again.job.request.prompt, again.job.request.shown) == ("Loop. slowly", "slowly")
    other = replace(call(ANN, HALL), event_id="e2")
    remix = await press(workshop, Button(action=Action.REMIX, about=job.id), other, words="fast")
    assert isinstance(remix, Taken)
    assert remix.job.request.prompt == "Loop. fast"


async def test_a_job_keeps_the_words_of_a_preset_that_was_removed(workshop: Workshop) -> None:
    job = await workshop.made(order(pictures=(CAT,), prompt="slowly", preset="loop"))
    workshop.accounts = replace(
        workshop.accounts, general=Terms(catalog=replace(CATALOG, presets={}), limits=FREE)
    )
    workshop.service.accounts = workshop.accounts
    again = await press(workshop, Button(action=Action.RETRY, about=job.id), call(ANN, HALL))
    assert isinstance(again, Taken)
    assert again.job.request.prompt == "Loop. slowly"


async def test_a_moderator_cannot_delete_a_private_video(workshop: Workshop) -> None:
    await workshop.service.preferring.prefer(call(ANN, HALL), "private", "on")
    job = await workshop.made(order(address=HALL, person=ANN))
    pressed = Press(action=Action.DELETE, about=job.id)
    with pytest.raises(Refused, match="not_yours"):
        await presses.press(workshop.entry, call(BOB, HALL), pressed, moderates=anybody)
