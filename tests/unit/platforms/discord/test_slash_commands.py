"""Slash commands on Discord: what people see, and what the rows hold."""

import asyncio
from typing import Any

import pytest

from bot.core.errors import Unwritten
from bot.core.jobs import Job, Status
from bot.core.orders import Address, Kind, Person, Picture, Sound
from bot.core.replies import Reply, Text
from bot.core.wishes import AUTO, Shaping
from tests.fakes.discord import (
    Answer,
    FakeDiscord,
    Permission,
)
from tests.fakes.discord import Person as Member
from tests.unit.core.orders import (
    SINGING,
    offering,
)
from tests.unit.platforms.discord.bot import Bot
from tests.unit.platforms.discord.orders import PNG, card, only_job, recorded, said


async def test_a_slash_command_becomes_an_order_whose_answer_is_the_card(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    asked = await ann.slash("video", prompt="a cat", model="sora", seconds=8, aspect="9:16")
    answer = await asked.answered()
    job = await only_job(bot)
    assert (answer.type, answer.ephemeral) == (Answer.MESSAGE, False)
    assert card(answer.message) == "Got it! Your video is in the queue."
    assert await recorded(bot, job) == (str(asked.original_id), str(fake.channel.id))
    order = job.order
    assert order.call.event_id == str(asked.id)
    assert order.call.address == Address(
        platform="discord", channel=str(fake.channel.id), community=str(fake.guild.id)
    )
    assert (order.call.person, order.call.locale) == (Person(id=str(ann.id), name="Ann"), "en-US")
    assert (order.wish.prompt, order.wish.family, order.wish.seconds, order.wish.aspect) == (
        "a cat",
        "sora",
        8,
        "9:16",
    )
    assert (await bot.post(job)).due_at is None


@pytest.mark.parametrize(
    ("name", "shown"),
    [("\u202eevil\u2066", "Evil"), ("an\nn", "An N"), ("\u202e\u200b", "somebody")],
)
async def test_a_display_name_loses_its_invisible_characters(
    fake: FakeDiscord, bot: Bot, name: str, shown: str
) -> None:
    await (await fake.person(name).slash("video", prompt="a cat")).answered()
    assert (await only_job(bot)).order.call.person.name == shown


async def test_the_preset_option_of_animate_sets_the_prompt(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    image = fake.attachment(PNG, "cat.png", ephemeral=True)
    await (await ann.slash("animate", image=image, preset="loop")).answered()
    assert (await only_job(bot)).request.prompt == "Loop."


async def test_the_expert_options_of_animate_reach_the_order(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    image = fake.attachment(PNG, "cat.png", ephemeral=True)
    asked = await ann.slash("animate", image=image, model="wan", fit="pad", negative="rain", seed=7)
    await asked.answered()
    order = (await only_job(bot)).order
    assert (order.wish.fit, order.wish.negative_prompt, order.wish.seed) == (Shaping.PAD, "rain", 7)


async def test_the_sound_option_is_in_the_order_and_on_the_card(bot: Bot, ann: Member) -> None:
    asked = await ann.slash("video", prompt="a cat", model="wan", sound="off")
    shown = (await asked.answered()).message
    assert (await only_job(bot)).order.wish.audio is False
    assert shown is not None
    assert "Without sound" in str(shown.embeds)


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize(
    ("filled", "told"),
    [
        ({"sound": "loud"}, "Please say on or off, not “loud”."),
        ({"sound": "off", "model": "sora"}, "Sora always makes videos with sound here."),
        (
            {"seconds": AUTO},
            "Wan can't choose the length by itself. You can choose 5 or 10 seconds.",
        ),
    ],
)
async def test_an_option_that_no_model_offers_is_refused_to_the_person_alone(
    ann: Member, filled: dict[str, Any], told: str
) -> None:
    assert (await said(await ann.slash("video", prompt="a cat", **filled))).startswith(told)


@pytest.mark.usefixtures("bot")
async def test_a_last_image_is_refused_where_no_model_takes_two_pictures(
    fake: FakeDiscord, ann: Member
) -> None:
    first, last = (fake.attachment(PNG, f"{it}.png", ephemeral=True) for it in ("first", "last"))
    sentence = await said(await ann.slash("animate", image=first, last_image=last))
    assert sentence.startswith("No model here goes from one picture to another.")


@pytest.mark.usefixtures("bot")
async def test_a_last_image_without_a_first_image_is_refused(
    fake: FakeDiscord, ann: Member
) -> None:
    last = fake.attachment(PNG, "last.png", ephemeral=True)
    sentence = await said(await ann.slash("video", prompt="a cat", last_image=last))
    assert sentence.startswith("A last picture needs a first one.")


async def test_a_picture_given_to_animate_belongs_to_the_person_who_gave_it(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    image = fake.attachment(PNG, "cat.png", ephemeral=True)
    image.width, image.height = 900, 1600
    await (await ann.slash("animate", image=image)).answered()
    job = await only_job(bot)
    assert job.order.pictures == (
        Picture(
            source=image.url,
            filename="cat.png",
            size=len(PNG),
            width=900,
            height=1600,
            author=str(ann.id),
        ),
    )
    assert job.request.kind is Kind.PICTURE
    assert fake.downloads == []


async def test_a_picture_and_a_sound_given_to_animate_become_a_video_with_sound(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    bot.service.accounts = offering(SINGING, bot.service.accounts)
    image = fake.attachment(PNG, "cat.png", ephemeral=True)
    voice = fake.attachment(b"OggS" * 9, "voice-message.ogg", ephemeral=True)
    await (await ann.slash("animate", image=image, audio=voice)).answered()
    job = await only_job(bot)
    assert job.order.sound == Sound(
        source=voice.url, filename="voice-message.ogg", size=36, author=str(ann.id)
    )
    assert (job.request.kind, job.request.seconds) == (Kind.SOUND, 30)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("song.mp3", "No model here can make a picture speak."),
        ("talk.webm", "No model here can make a picture speak."),
        ("song.mid", "I see no sound there that I can use."),
    ],
)
async def test_a_sound_that_no_model_takes_is_refused(
    fake: FakeDiscord, bot: Bot, ann: Member, name: str, sentence: str
) -> None:
    image = fake.attachment(PNG, "cat.png", ephemeral=True)
    sound = fake.attachment(b"la", name, ephemeral=True)
    assert (await said(await ann.slash("animate", image=image, audio=sound))).startswith(sentence)
    assert bot.service.submitted == []


async def test_a_slash_command_in_direct_messages_becomes_an_order_without_a_community(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    await (await ann.slash("video", prompt="a cat", channel=ann.dm)).answered()
    address = (await only_job(bot)).order.call.address
    assert address == Address(platform="discord", channel=str(ann.dm.id))


@pytest.mark.parametrize(
    ("filename", "size", "sentence"),
    [
        ("cat.pdf", 100, "I can't read PDF. Please save the picture as JPEG, PNG,"),
        ("cat.tiff", 100, "I can't read TIFF. Please save the picture as JPEG, PNG,"),
        ("cat.mov", 100, "That picture already moves,"),
        ("cat.png", 8_500_000, "That picture is 8.5 MB; the most I take is 8 MB."),
    ],
)
async def test_a_file_that_is_no_usable_picture_is_refused_at_once(
    fake: FakeDiscord, bot: Bot, ann: Member, filename: str, size: int, sentence: str
) -> None:
    image = fake.attachment(PNG, filename)
    image.size = size
    assert (await said(await ann.slash("animate", image=image))).startswith(sentence)
    assert bot.service.submitted == []


async def test_a_picture_whose_dimensions_on_discord_are_too_large_is_refused_at_once(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    image = fake.attachment(PNG, "cat.png")
    image.width, image.height = 9000, 12_000
    told = "That picture has 108 megapixels; I take up to 65. Please make it smaller first."
    assert await said(await ann.slash("animate", image=image)) == told
    assert bot.service.submitted == []


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("cat.jpg", "image/jpg"),
        ("cat.jpg", "image/pjpeg"),
        ("IMG_1.HEIC", "application/octet-stream"),
        ("cat.avif", ""),
        ("IMG", "application/octet-stream"),
        ("cat.jpg:large", ""),
        ("cat.jpg", "text/plain"),
    ],
)
async def test_a_picture_is_recognized_under_any_media_type_that_phones_give(
    fake: FakeDiscord, bot: Bot, ann: Member, name: str, media_type: str
) -> None:
    image = fake.attachment(PNG, name)
    image.content_type = media_type
    await (await ann.slash("animate", image=image)).answered()
    (picture,) = (await only_job(bot)).order.pictures
    assert picture.filename == name


async def test_a_refusal_escapes_what_the_person_typed(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    asked = await ann.slash("video", prompt="a cat", model="<@1> *nope*")
    shown = "There is no model “<\u200b@\u200b1> \\*nope\\*” here. You can choose Wan or Sora."
    assert await said(asked) == shown


@pytest.mark.parametrize(
    ("missing", "name"),
    [
        (Permission.SEND_MESSAGES, "Send Messages"),
        (Permission.ATTACH_FILES, "Attach Files"),
        (Permission.EMBED_LINKS, "Embed Links"),
        (Permission.READ_MESSAGE_HISTORY, "Read Message History"),
        (Permission.VIEW_CHANNEL, "View Channel"),
    ],
)
async def test_no_order_is_taken_where_the_bot_may_not_post_the_result(
    fake: FakeDiscord, bot: Bot, ann: Member, missing: Permission, name: str
) -> None:
    fake.deny(fake.channel, missing)
    sentence = await said(await ann.slash("video", prompt="a cat"))
    assert sentence.startswith(f"I'm not allowed to post in this channel ({name} is missing)")
    assert bot.service.submitted == []


async def test_no_order_is_taken_while_the_database_fails(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    await bot.database.finish()
    bot.service.go_on = None  # type: ignore[assignment]
    sentence = await said(await ann.slash("video", prompt="a cat"))
    assert sentence.startswith("I could not save that just now, so nothing has happened.")


async def test_a_full_disk_is_told_to_a_person_who_orders_or_presses_a_button(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    card = (await (await ann.slash("video", prompt="a cat")).answered()).message
    assert card is not None

    async def full(*_: object, **__: object) -> Any:
        raise Unwritten("database_full")

    bot.service.submit = full  # type: ignore[method-assign]
    bot.service.cancel = full  # type: ignore[method-assign]
    for asked in (await ann.slash("video", prompt="a dog"), await ann.press(card, "Cancel")):
        assert (await said(asked)).startswith("My disk is full, so I can't save anything")


@pytest.mark.proof
async def test_a_card_that_cannot_be_drawn_withdraws_its_order_and_admits_a_mistake(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    bot.draw = lambda _: Reply(text=Text(id="error.picture_too_large"))
    sentence = await said(await ann.slash("video", prompt="a cat"))
    assert sentence.startswith(
        "Something went wrong on my side. If this was an order, I did not take it"
    )
    assert (await only_job(bot)).status is Status.CANCELLED


async def test_a_card_whose_extra_facts_fail_is_shown_without_them(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    bot.draw = None  # type: ignore[assignment]
    answer = await (await ann.slash("video", prompt="a cat")).answered()
    assert card(answer.message) == "Got it! Your video is in the queue."


async def test_a_card_whose_extra_facts_take_too_long_is_shown_without_them(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    async def never(job: Job) -> Reply:
        return await asyncio.Future()

    bot.entry.listings.cards.card = never  # type: ignore[method-assign]
    answer = await (await ann.slash("video", prompt="a cat")).answered()
    assert card(answer.message) == "Got it! Your video is in the queue."
