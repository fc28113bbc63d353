"""Slash commands on Discord, seen from people's side and in the rows."""

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


async def test_a_prompt_becomes_an_order_and_its_answer_the_card(
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
async def test_a_name_is_only_what_can_be_seen_of_it(
    fake: FakeDiscord, bot: Bot, name: str, shown: str
) -> None:
    await (await fake.person(name).slash("video", prompt="a cat")).answered()
    assert (await only_job(bot)).order.call.person.name == shown


async def test_a_movement_is_asked_for_by_its_name(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    image = fake.attachment(PNG, "cat.png", ephemeral=True)
    await (await ann.slash("animate", image=image, preset="loop")).answered()
    assert (await only_job(bot)).request.prompt == "Loop."


async def test_whoever_knows_what_they_want_may_say_it(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    image = fake.attachment(PNG, "cat.png", ephemeral=True)
    asked = await ann.slash("animate", image=image, model="wan", fit="pad", negative="rain", seed=7)
    await asked.answered()
    order = (await only_job(bot)).order
    assert (order.wish.fit, order.wish.negative_prompt, order.wish.seed) == (Shaping.PAD, "rain", 7)


async def test_what_is_switched_is_in_the_order_and_on_the_card(bot: Bot, ann: Member) -> None:
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
        ({"seconds": AUTO}, "Wan can't choose the length by itself. You can choose 5, 10 seconds."),
    ],
)
async def test_what_can_not_be_had_so_is_told_to_its_person_alone(
    ann: Member, filled: dict[str, Any], told: str
) -> None:
    assert (await said(await ann.slash("video", prompt="a cat", **filled))).startswith(told)


@pytest.mark.usefixtures("bot")
async def test_a_second_picture_is_what_the_video_ends_on(fake: FakeDiscord, ann: Member) -> None:
    first, last = (fake.attachment(PNG, f"{it}.png", ephemeral=True) for it in ("first", "last"))
    sentence = await said(await ann.slash("animate", image=first, last_image=last))
    assert sentence.startswith("No model here goes from one picture to another.")


@pytest.mark.usefixtures("bot")
async def test_a_picture_to_end_on_needs_one_to_begin_with(fake: FakeDiscord, ann: Member) -> None:
    last = fake.attachment(PNG, "last.png", ephemeral=True)
    sentence = await said(await ann.slash("video", prompt="a cat", last_image=last))
    assert sentence.startswith("A last picture needs a first one.")


async def test_a_picture_is_the_persons_own(fake: FakeDiscord, bot: Bot, ann: Member) -> None:
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


async def test_a_picture_is_made_to_speak(fake: FakeDiscord, bot: Bot, ann: Member) -> None:
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
async def test_a_sound_that_nobody_takes_is_refused(
    fake: FakeDiscord, bot: Bot, ann: Member, name: str, sentence: str
) -> None:
    image = fake.attachment(PNG, "cat.png", ephemeral=True)
    sound = fake.attachment(b"la", name, ephemeral=True)
    assert (await said(await ann.slash("animate", image=image, audio=sound))).startswith(sentence)
    assert bot.service.submitted == []


async def test_direct_messages_work_alike(fake: FakeDiscord, bot: Bot, ann: Member) -> None:
    await (await ann.slash("video", prompt="a cat", channel=ann.dm)).answered()
    address = (await only_job(bot)).order.call.address
    assert address == Address(platform="discord", channel=str(ann.dm.id))


@pytest.mark.parametrize(
    ("filename", "size", "sentence"),
    [
        ("cat.pdf", 100, "I can't read PDF. JPEG, PNG,"),
        ("cat.tiff", 100, "I can't read TIFF. JPEG, PNG,"),
        ("cat.mov", 100, "That picture already moves,"),
        ("cat.png", 8_500_000, "That picture is 8.5 MB; the most I take is 8 MB."),
    ],
)
async def test_what_is_no_picture_is_refused_at_once(
    fake: FakeDiscord, bot: Bot, ann: Member, filename: str, size: int, sentence: str
) -> None:
    image = fake.attachment(PNG, filename)
    image.size = size
    assert (await said(await ann.slash("animate", image=image))).startswith(sentence)
    assert bot.service.submitted == []


async def test_a_limit_that_discord_shows_is_told_before_anything_is_taken(
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
async def test_a_picture_is_one_whatever_a_phone_calls_it(
    fake: FakeDiscord, bot: Bot, ann: Member, name: str, media_type: str
) -> None:
    image = fake.attachment(PNG, name)
    image.content_type = media_type
    await (await ann.slash("animate", image=image)).answered()
    (picture,) = (await only_job(bot)).order.pictures
    assert picture.filename == name


async def test_a_refusal_is_a_plain_sentence_for_one_person(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    asked = await ann.slash("video", prompt="a cat", model="<@1> *nope*")
    shown = "There is no model “<\u200b@\u200b1> \\*nope\\*” here. You can choose Wan, Sora."
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
async def test_nothing_is_taken_where_the_result_could_not_be_posted(
    fake: FakeDiscord, bot: Bot, ann: Member, missing: Permission, name: str
) -> None:
    fake.deny(fake.channel, missing)
    sentence = await said(await ann.slash("video", prompt="a cat"))
    assert sentence.startswith(f"I'm not allowed to post in this channel ({name} is missing)")
    assert bot.service.submitted == []


async def test_a_database_that_fails_takes_nothing(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    await bot.database.finish()
    bot.service.go_on = None  # type: ignore[assignment]
    sentence = await said(await ann.slash("video", prompt="a cat"))
    assert sentence.startswith("I could not save that just now, so I did not take your order.")


async def test_a_full_disk_is_told_for_orders_and_buttons(
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
async def test_a_mistake_of_ours_is_admitted_and_takes_nothing(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    bot.draw = lambda _: Reply(text=Text(id="error.picture_too_large"))
    sentence = await said(await ann.slash("video", prompt="a cat"))
    assert sentence.startswith("Something went wrong on my side, and I did not take your order")
    assert (await only_job(bot)).status is Status.CANCELLED


async def test_a_card_that_cannot_be_adorned_is_plain(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    bot.draw = None  # type: ignore[assignment]
    answer = await (await ann.slash("video", prompt="a cat")).answered()
    assert card(answer.message) == "Got it! Your video is in the queue."


async def test_so_is_one_whose_ornaments_would_keep_its_person_waiting(
    fake: FakeDiscord, bot: Bot, ann: Member
) -> None:
    async def never(job: Job) -> Reply:
        return await asyncio.Future()

    bot.door.listings.cards.card = never  # type: ignore[method-assign]
    answer = await (await ann.slash("video", prompt="a cat")).answered()
    assert card(answer.message) == "Got it! Your video is in the queue."
