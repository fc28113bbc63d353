"""Forms that the menu of a message opens on Discord."""

from dataclasses import replace

import pytest

from bot.core.access import Access, Default
from bot.core.accounts import Accounts, Terms
from bot.store.places import Places
from tests.fakes.discord import (
    Answer,
    FakeDiscord,
    Interaction,
    Message,
)
from tests.fakes.discord import Person as Member
from tests.unit.core.orders import (
    CATALOG,
)
from tests.unit.platforms.discord.bot import UNLIMITED, Bot
from tests.unit.platforms.discord.orders import PNG, card, job_result, only_job, said


@pytest.mark.usefixtures("club")
async def test_the_animate_form_offers_a_community_its_own_models(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    message = await ann.say("", attachments=[fake.attachment(PNG, "cat.png")])
    shown = (await (await ann.message_command("Animate", message)).answered()).data
    video = shown["components"][-1]["component"]
    assert [option["value"] for option in video["options"]] == ["4 sora", "8 sora"]


# --- the menu ------------------------------------------------------------------------------------


async def test_the_animate_form_makes_an_order_of_a_messages_picture(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    message = await ann.say("look", attachments=[fake.attachment(PNG, "cat.png")])
    opened = await ann.message_command("Animate", message)
    assert (await opened.answered()).type is Answer.MODAL
    sent = await ann.submit_modal(
        opened,
        {"What the video should show": "it purrs", "Model and length": "8 sora"},
    )
    answer = await sent.answered()
    assert card(answer.message) == "Got it! I'm fetching your picture …"
    order = (await only_job(bot)).order
    assert (order.wish.prompt, order.wish.family, order.wish.seconds) == ("it purrs", "sora", 8)
    assert [(each.filename, each.author) for each in order.pictures] == [("cat.png", str(ann.id))]
    assert order.call.event_id == str(sent.id)


async def test_an_empty_animate_form_leaves_the_model_to_the_catalog(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    message = await ann.say("", attachments=[fake.attachment(PNG, "cat.png")])
    sent = await ann.submit_modal(await _opened(ann, message), {})
    await sent.answered()
    job = await only_job(bot)
    assert (job.order.wish.family, job.order.wish.seconds) == (None, None)
    assert job.request.prompt == "Bring it to life."


async def _opened(person: Member, message: Message) -> Interaction:
    opened = await person.message_command("Animate", message)
    await opened.answered()
    return opened


async def test_the_animate_form_takes_the_chosen_one_of_several_pictures(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    files = [fake.attachment(PNG, name) for name in ("a.png", "b.png")]
    opened = await _opened(ann, await ann.say("", attachments=files))
    await (await ann.submit_modal(opened, {"Which picture?": "1"})).answered()
    assert [each.filename for each in (await only_job(bot)).order.pictures] == ["b.png"]


async def test_animate_on_a_message_without_a_picture_opens_no_form(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    message = await ann.say("", attachments=[fake.attachment(b"x", "notes.txt")])
    sentence = await said(await ann.message_command("Animate", message))
    assert sentence.startswith("I see no picture there")


async def test_animate_on_a_strangers_picture_opens_no_form(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    bob = fake.person("bob")
    message = await bob.say("", attachments=[fake.attachment(PNG, "cat.png")])
    sentence = await said(await ann.message_command("Animate", message))
    assert sentence.startswith("Somebody else posted that picture")


@pytest.mark.parametrize("closed", [False, True])
async def test_no_form_opens_if_its_order_would_be_refused(
    fake: FakeDiscord, bot: Bot, ann: Member, *, closed: bool
) -> None:
    """The person has no videos left, or the place is switched off.

    Nobody should type for nothing.
    """
    _, result = await job_result(bot, ann)
    sentence = "You have had your one video for today."
    if closed:
        bot.service.access = Access(
            places=Places(bot.database), facts=bot.facts, default=Default.CLOSED, clock=bot.clock
        )
        sentence = "I'm not switched on here"
    else:
        limits = replace(UNLIMITED, person_videos=1)
        bot.service.accounts = Accounts(Terms(catalog=CATALOG, limits=limits))
    message = await ann.say("", attachments=[fake.attachment(PNG, "cat.png")])
    refused = [await said(await ann.message_command("Animate", message))]
    refused += [await said(await ann.press(result, button)) for button in ("Remix", "Continue")]
    assert len(set(refused)) == 1, refused
    assert refused[0].startswith(sentence), refused[0]


async def test_a_too_large_picture_in_a_message_leaves_the_other_pictures_usable(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    huge, small = fake.attachment(PNG, "huge.png"), fake.attachment(PNG, "small.png")
    huge.size = 8_500_000
    opened = await _opened(ann, await ann.say("", attachments=[huge, small]))
    await (await ann.submit_modal(opened, {})).answered()
    assert [each.filename for each in (await only_job(bot)).order.pictures] == ["small.png"]
    alone = await ann.message_command("Animate", await ann.say("", attachments=[huge]))
    assert (await said(alone)).startswith("That picture is 8.5 MB")


async def test_the_animate_form_offers_only_models_that_take_a_picture(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    message = await ann.say("", attachments=[fake.attachment(PNG, "cat.png")])
    response = await (await ann.message_command("Animate", message)).answered()
    video = response.data["components"][-1]["component"]
    assert [each["label"] for each in video["options"]] == [
        "Wan · 5 s",
        "Wan · 10 s",
        "Sora · 4 s",
        "Sora · 8 s",
    ]


async def test_a_form_opened_before_a_restart_is_answered(
    fake: FakeDiscord, idle: Bot, ann: Member
) -> None:
    message = await ann.say("", attachments=[fake.attachment(PNG, "cat.png")])
    async with idle.running():
        opened = await _opened(ann, message)
    await fake.disconnected()
    idle.fresh()
    async with idle.running():
        sent = await ann.submit_modal(opened, {})
        assert (await said(sent)).startswith("That form was no longer open")
    assert idle.service.submitted == []
